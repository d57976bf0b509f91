"""The guide to specs, walked by somebody who makes the usual mistakes."""

import re
import shutil
from pathlib import Path

import pytest

from tests.test_hints import run

CASES = Path(__file__).parent / "cases"
TRANSCRIPT = CASES / "spec-guide.txt"
SAMPLE = Path(__file__).parent.parent / "specs" / "samples" / "aws" / "cloudwatch-logs.json"
STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ |# ).*\n)*)", re.MULTILINE)


def played(transcript: str, folder: Path) -> str:
    """
    Do what a transcript does, and return it with what comes of it.

    ``$ cat FILE`` writes the lines below it to a file; any other command is run, and what
    is below it is what it prints: stdout, stderr, and the exit code if it is not 0.
    """
    shutil.copy(SAMPLE, folder / "logs.json")

    def step(found: re.Match[str]) -> str:
        program, *arguments = re.findall(r"'[^']*'|\S+", found[1])
        if program == "cat":
            (folder / arguments[0]).write_text(found[2].rstrip("\n") + "\n")
            return found[0]
        assert program == "nestdecode"
        out, err, code = run(*(argument.strip("'") for argument in arguments), cwd=folder)
        ended = f"(exit code {code})\n" if code else ""
        return f"$ {found[1]}\n{out}{err}{ended}\n"

    return STEP.sub(step, transcript)


@pytest.mark.slow
def test_each_message_leads_back_to_a_spec_that_works(tmp_path):
    transcript = TRANSCRIPT.read_text()

    assert played(transcript, tmp_path) == transcript


def test_each_mistake_of_the_guide_is_followed_by_a_clean_spec():
    """A mistake is written, its message read, the spec corrected, and found clean."""
    chapters = re.split(r"^# ", TRANSCRIPT.read_text(), flags=re.MULTILINE)[1:]
    mistakes = [chapter for chapter in chapters if re.match(r"\d+\. ", chapter)]

    assert len(mistakes) >= 10
    for chapter in mistakes:
        steps = STEP.findall(chapter)
        shown = [text for command, text in steps if "lint" in command]
        assert re.search("exit code 3|: warning: ", shown[0]), chapter
        assert re.fullmatch(r"\S+: \d+ layers?, no warnings\n+", shown[-1]), chapter


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        TRANSCRIPT.write_text(played(TRANSCRIPT.read_text(), Path(folder)))
