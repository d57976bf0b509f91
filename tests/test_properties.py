"""
The library compared with the oracle on random documents.

NESTDECODE_EXAMPLES=10 draws ten times as many, different ones in each run.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nestdecode
from tests import oracle, strategies

BUILTINS = {dict, list, str, int, float, bool, type(None)}


def nodes(value: Any) -> Iterator[Any]:
    """List every value of a tree, containers before what they hold."""
    yield value
    if isinstance(value, dict):
        value = list(value.values())
        yield from (node for child in value for node in nodes(child))
    elif isinstance(value, list):
        yield from (node for child in value for node in nodes(child))


def _containers(value: Any) -> set[int]:
    return {id(node) for node in nodes(value) if isinstance(node, dict | list)}


def _named(texts: list[str]) -> list[Any]:
    return [pytest.param(text, id=f"{number}-{text[:30]!a}") for number, text in enumerate(texts)]


@pytest.mark.parametrize("text", _named(strategies.NEAR_MISSES))
def test_a_near_miss_stays_a_string(text):
    document = json.dumps({"a": text, "b": json.dumps([text])})

    assert oracle.same(nestdecode.expand(document), {"a": text, "b": [text]})


@pytest.mark.parametrize("text", _named(strategies.TEXTS_OF_LAYERS))
def test_a_layer_opens_wherever_it_is(text):
    document = {"a": text, "b": json.dumps([text])}
    opened = oracle.expand([text])

    assert opened != [text]
    assert oracle.same(nestdecode.expand(json.dumps(document)), {"a": opened[0], "b": opened})


@given(strategies.documents)
def test_a_text_in_any_form_expands_to_what_the_oracle_finds(text):
    raw = text.encode()
    trees = [nestdecode.expand(raw), nestdecode.expand(text)]
    trees += [nestdecode.expand(bytearray(raw)), nestdecode.expand(memoryview(raw))]
    trees += [nestdecode.expand(b"\xef\xbb\xbf" + raw), nestdecode.expand("\ufeff" + text)]
    expected = oracle.expand(oracle.loads(text))

    assert [oracle.same(tree, expected) for tree in trees] == [True] * 6


# In a list, because a string alone would be taken for a JSON text.
@given(st.lists(strategies.wrapped(), max_size=2))
def test_parsed_input_expands_to_what_the_oracle_finds(value):
    tree = nestdecode.expand(value)

    assert oracle.same(tree, oracle.expand(value))


# In a list, because a scalar that is a string is a string for good.
@given(st.data(), st.lists(strategies.trees, max_size=2))
def test_expanding_undoes_wrapping(data, tree):
    text = data.draw(strategies.texts_of(strategies.wrapped(st.just(tree))))

    assert oracle.same(nestdecode.expand(text.encode()), oracle.expand(tree))


@given(st.data(), st.lists(strategies.trees, min_size=1, max_size=2))
def test_what_a_decoder_has_seen_never_changes_what_it_finds(data, trees):
    decoder = nestdecode.Decoder()
    alike = st.sampled_from(trees).flatmap(lambda tree: strategies.wrapped(st.just(tree)))
    texts = data.draw(st.lists(strategies.texts_of(alike), min_size=2, max_size=5), label="texts")

    for text in texts * 6:
        tree = decoder.expand(text.encode())

        assert oracle.same(tree, oracle.expand(oracle.loads(text)))


@given(strategies.documents)
def test_expanding_twice_is_expanding_once(text):
    once = [nestdecode.expand(text)]

    assert oracle.same(nestdecode.expand(once), once)


@given(st.lists(strategies.wrapped(), max_size=2))
def test_parsed_input_is_neither_changed_nor_shared(value):
    before = copy.deepcopy(value)
    tree = nestdecode.expand(value)

    assert oracle.same(value, before)
    assert _containers(tree).isdisjoint(_containers(value))


@given(strategies.texts_of(st.lists(st.sampled_from(strategies.TEXTS_OF_LAYERS))))
def test_no_two_layers_share_a_container(text):
    tree = nestdecode.expand(text)
    found = [node for node in nodes(tree) if isinstance(node, dict | list)]

    assert len(_containers(tree)) == len(found)


@given(
    st.dictionaries(
        strategies.texts,
        st.dictionaries(strategies.texts, st.none(), max_size=2),
        max_size=2,
    )
)
def test_a_key_is_never_a_layer(value):
    tree = nestdecode.expand(strategies.COMPACT.write(value))

    assert oracle.same(tree, value)


@given(strategies.documents)
def test_a_tree_holds_exact_builtins_only(text):
    tree = nestdecode.expand(text)

    assert {type(node) for node in nodes(tree)} <= BUILTINS


@st.composite
def damaged(draw: st.DrawFn, documents: Any, noise: Any) -> Any:
    """Draw a document after a few accidents."""
    document = draw(documents)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(document)))
        end = start + draw(st.integers(0, 2))
        document = document[:start] + draw(noise) + document[end:]
    return document


noisy_bytes = st.sampled_from([b'"', b"\\", b"{", b"]", b"\xff", b"\xef\xbb\xbf"])
noisy_text = st.sampled_from(['"', "\\", "{", "]", "\ud800", "\ufeff", "\x00"])


@given(
    st.binary() | damaged(strategies.documents.map(str.encode), noisy_bytes | st.binary(max_size=2))
)
def test_hostile_bytes_are_refused_or_read_as_the_oracle_reads_them(raw):
    try:
        expected = oracle.expand(oracle.decode(raw))
    except ValueError:
        with pytest.raises(nestdecode.DecodeError):
            nestdecode.expand(raw)
    else:
        assert oracle.same(nestdecode.expand(raw), expected)


@given(st.text(st.characters()) | damaged(strategies.documents, noisy_text | st.text(max_size=2)))
def test_hostile_text_is_refused_or_read_as_the_oracle_reads_it(text):
    try:
        expected = oracle.expand(oracle.loads(text.removeprefix("\ufeff")))
    except ValueError:
        with pytest.raises(nestdecode.DecodeError):
            nestdecode.expand(text)
    else:
        assert oracle.same(nestdecode.expand(text), expected)


@given(strategies.declared())
def test_declared_layers_open_as_the_oracle_opens_them(declared):
    value, layers = declared
    decoder = nestdecode.Decoder(nestdecode.Spec.parse(strategies.short_form(layers)))
    tree = decoder.expand(json.dumps(value).encode())

    assert oracle.same(tree, oracle.expand_declared(value, layers))


@given(strategies.declared())
def test_declared_layers_of_parsed_input_open_on_a_copy(declared):
    value, layers = declared
    value = [value] if isinstance(value, str) else value
    decoder = nestdecode.Decoder(nestdecode.Spec.parse(strategies.short_form(layers)))
    before = copy.deepcopy(value)
    tree = decoder.expand(value)

    assert oracle.same(tree, oracle.expand_declared(before, layers))
    assert oracle.same(value, before)
    assert _containers(tree).isdisjoint(_containers(value))


@given(strategies.declared())
def test_a_short_form_and_its_schema_open_the_same(declared):
    value, layers = declared
    short = nestdecode.Spec.parse(strategies.short_form(layers))
    schema = nestdecode.Spec.parse(json.dumps(short.schema))
    document = json.dumps(value)

    assert oracle.same(nestdecode.expand(document, schema), nestdecode.expand(document, short))
