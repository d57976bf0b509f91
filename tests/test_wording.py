"""What users read, all of it, in one list: a message that is new is seen in review."""

import re
from collections.abc import Iterator

import click
import pytest

from nestdecode.cli import cli
from tests.messages import LIST, messages, written

# Words that have to be read twice, and what to write.
WORDS = {
    r"\b(?:is|are) told\b|\btold (?:on|of|apart|too|from)\b": "reported, detected",
    r"\bbut for\b": "except",
    r"\b(?:is|are|it is) no\b(?! longer| more)|\bwhich are no\b": "is not a",
    r"\bwhat is there\b|\bwhatever is there\b": "the value, or a name for it",
    r"\bthere is no place\b": "no such place",
    r"\bfoci\b|\bof names\b|\bno line for\b|\bwhat else\b|\ball else\b|\botherwise\b": "say which",
    r"\b(?:what|which) (?:came|comes|becomes) of\b|\bhow many there\b": "name the noun",
    r"\bnobody\b|\bsomebody\b|\bwhoever\b": "who it is: another process, another user",
    r"\bmeanwhile\b": "while",
    r"\bleads round\b|\bby now\b|\banew\b|\bby itself\b|\bas it stands\b": "a plainer word",
    r"\bsimply\b|\bjust\b|\bplease\b|\bsorry\b|\binvalid input\b": "nothing",
    r"\bbadly\b|\bcan not\b|\bcannot\b": "can't",
}
# The values of a document, in names that f-strings have for them.
PAYLOAD = re.compile(r"\{(?:raw|document|payload|tree|data|row|answer|old|new)\}")
SIZES = {"<Document: {raw} bytes>"}
# A proper name, a sign, a placeholder or a column's title may begin a message with a capital.
CAPITAL = re.compile(
    r"[A-Z]+\b|NaN |OpenAPI |Spec\.|Try '|Error: |JMESPath|No such (?:command|option)|Edit it again"
)


@pytest.fixture(scope="module")
def every():
    found = messages()
    assert len(found) > 300
    return found


@pytest.fixture(scope="module")
def texts(every):
    return [message for message in every if message.kind == "message"]


@pytest.fixture(scope="module")
def helps(every):
    return [message for message in every if message.kind not in ("message", "argument")]


def shown(found):
    return [str(message) for message in found]


def test_the_list_is_that_of_the_code(every):
    assert LIST.read_text(encoding="utf-8") == written(every), (
        "read what has changed; then python -m tests.messages writes the list"
    )


@pytest.mark.parametrize("words", WORDS, ids=WORDS.values())
def test_no_message_has_to_be_read_twice(every, words):
    assert shown(m for m in every if re.search(words, m.text)) == []


def test_messages_begin_small_and_end_without_a_full_stop(texts):
    wrong = [m for m in texts if re.match(r"[A-Z]", m.text) and not CAPITAL.match(m.text)]
    # As click ends it.
    ours = [m for m in texts if not m.text.startswith("Try '")]
    wrong += [m for m in ours if m.text.endswith(".") and not m.text.endswith("...")]

    assert shown(wrong) == []


def test_help_is_made_of_sentences(helps):
    wrong = [m for m in helps if not re.match(r" *(?:[A-Z{\[]|[a-z]+ )", m.text)]
    options = [m for m in helps if m.kind.startswith("-") or m.kind == "summary"]
    wrong += [m for m in options if not re.search(r"[.\]}]\Z", m.text)]

    assert shown(wrong) == []


def test_no_message_shows_a_document(texts):
    assert shown(m for m in texts if PAYLOAD.search(m.text) and m.text not in SIZES) == []


def test_messages_are_written_in_ascii(every):
    assert shown(m for m in every if not m.text.isascii()) == []


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Go through a command and those in it, each with all its words."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            assert below is not None
            yield from commands(below, f"{name} {word}")


COMMANDS = dict(commands(cli, "nestdecode"))
# The place where bash looks for it.
LONG = "  nestdecode completion bash > ~/.local/share/bash-completion/completions/nestdecode"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_80_columns(name):
    command = COMMANDS[name]
    # click keeps the option that it makes for the first context.
    context = command.context_class(
        command, info_name=name, terminal_width=80, **cli.context_settings
    )
    shown = command.get_help(context)

    assert [line for line in shown.split("\n") if len(line) > 80 and line != LONG] == []
