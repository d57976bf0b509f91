"""``nestdecode diff``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.files import trees_of
from nestdecode.cli.output import Output, RefusedError
from nestdecode.document.parts import Parts
from nestdecode.paths import join_pointer
from nestdecode.text.write import dump
from nestdecode.words import one_line

__all__ = ["command"]

# What is not there, on one side.
_NOTHING = object()
Path = tuple[str | int, ...]
Change = tuple[Path, Any, Any]


@click.command("diff", short_help="Compare two files through their layers.")
@click.argument("one", type=click.Path(allow_dash=True), metavar="A")
@click.argument("other", type=click.Path(allow_dash=True), metavar="B")
@click.option("--json", "as_json", is_flag=True, help="One object a difference, for machines.")
@options.decoding
@options.framing
def command(one: str, other: str, as_json: bool, framing: Any, **decoding: Any) -> int:
    """
    Compare A and B through their layers, value by value.

    \b
    nestdecode diff before.json after.json
    nestdecode diff --json before.ndjson after.ndjson | jq -r .pointer

    White space, escapes and the order of members make no difference; 1, 1.0 and true do.
    Several records are compared in order, as they are read, so files may be of any size.
    Exit codes: 0 the same, 1 different, 2 trouble.
    """
    if one == other == "-":
        raise click.UsageError("standard input can be A or B, not both")
    decoder = options.decoder_from(decoding)
    output = Output(indent=0)
    code = 0
    try:
        for number, a, b in _pairs(*(trees_of(name, decoder, framing) for name in (one, other))):
            for path, old, new in differences(a, b):
                code = 1
                write = _as_json if as_json else _as_text
                text = write(number, join_pointer(path), old, new)
                output.write_text(output.as_it_is(text.encode()))
    except RefusedError as error:
        error.code = 2
        raise
    return code


def _pairs(one: Iterator[Any], other: Iterator[Any]) -> Iterator[tuple[int | None, Any, Any]]:
    """Pair the records of two files; they have numbers if there are several."""
    pairs = zip_longest(one, other, fillvalue=_NOTHING)
    start = deque(islice(pairs, 2))
    several = len(start) > 1
    number = 0
    while start or (start := deque(islice(pairs, 1))):
        number += 1
        yield number if several else None, *start.popleft()


def differences(one: Any, other: Any) -> Iterator[Change]:
    """
    List what differs between two trees, in the order of the first one.

    Each place is listed once: where containers of one kind meet, what is in them is
    compared, elements by position between those at both ends that are the same.
    """
    parts = Parts()
    for tree in (one, other):
        if tree is not _NOTHING:
            parts.add(tree)
    waiting: list[Change] = [((), one, other)]
    while waiting:
        path, old, new = waiting.pop()
        if old is _NOTHING or new is _NOTHING:
            yield path, old, new
        elif parts.same(old, new):
            continue
        elif type(old) is dict and type(new) is dict:
            names = [*old, *(name for name in new if name not in old)]
            waiting += [
                ((*path, name), old.get(name, _NOTHING), new.get(name, _NOTHING))
                for name in reversed(names)
            ]
        elif type(old) is list and type(new) is list:
            waiting += reversed(list(_elements(path, old, new, parts)))
        else:
            yield path, old, new


def _elements(path: Path, old: list[Any], new: list[Any], parts: Parts) -> Iterator[Change]:
    start, most = 0, min(len(old), len(new))
    while start < most and parts.same(old[start], new[start]):
        start += 1
    end = 0
    while end < most - start and parts.same(old[-1 - end], new[-1 - end]):
        end += 1
    middle = (old[start : len(old) - end], new[start : len(new) - end])
    for index in range(max(map(len, middle))):
        a, b = (side[index] if index < len(side) else _NOTHING for side in middle)
        yield (*path, start + index), a, b


def _as_text(record: int | None, pointer: str, old: Any, new: Any) -> str:
    where = pointer or "(root)"
    if record is not None:
        where = f"record {record} {where}"
    lines = [
        f"{sign} {one_line(where)}: {dump(value).decode()}\n"
        for sign, value in (("-", old), ("+", new))
        if value is not _NOTHING
    ]
    return "".join(lines)


def _as_json(record: int | None, pointer: str, old: Any, new: Any) -> str:
    facts: dict[str, Any] = {} if record is None else {"record": record}
    facts |= {"pointer": pointer}
    facts |= {name: value for name, value in (("old", old), ("new", new)) if value is not _NOTHING}
    return dump(facts).decode() + "\n"
