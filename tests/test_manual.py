"""The manual page."""

import re
import shutil
import subprocess

import click
import pytest

from nestdecode.cli import cli
from tests import manual


def test_the_page_is_what_the_help_says():
    assert manual.PAGE.read_text() == manual.page(), "python -m tests.manual writes it again"


def test_the_page_has_every_command_and_option():
    text = manual.PAGE.read_text().replace("\\-", "-")
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]

        assert re.search(rf"^\.SS nestdecode {name}\b", text, re.MULTILINE), name
        assert [option for option in options if f"{option}" not in text] == []


@pytest.mark.parametrize(
    "checker",
    [
        pytest.param(["mandoc", "-Tlint", "-Wwarning"], id="mandoc"),
        pytest.param(["groff", "-man", "-Tutf8", "-ww", "-z"], id="groff"),
    ],
)
def test_nothing_is_wrong_with_the_page(checker):
    if shutil.which(checker[0]) is None:
        pytest.skip(f"there is no {checker[0]}")
    done = subprocess.run([*checker, manual.PAGE], capture_output=True, timeout=60, check=False)
    lines = (done.stdout + done.stderr).decode().splitlines()

    # The page is of a version, not of a day.
    assert [line for line in lines if "missing date" not in line] == []
