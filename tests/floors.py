"""
Print the lowest versions that pyproject.toml admits, as constraints for pip.

``python tests/floors.py > floors.txt``, then
``pip install --constraint floors.txt --editable '.[zstd]' --group tests``, or other extras.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def floors(pyproject: str) -> Iterator[str]:
    """
    Yield ``name==version`` for what the package needs, its extras need and its tests need.

    >>> list(floors('''
    ... project.dependencies = ["click>=8.2"]
    ... project.optional-dependencies.zstd = ["zstd>=1.0; python_version < '3.14'"]
    ... dependency-groups.tests = ["pytest>=9"]
    ... '''))
    ['click==8.2', "zstd==1.0; python_version < '3.14'", 'pytest==9']
    """
    table = tomllib.loads(pyproject)
    project = table["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    for requirement in chain(project["dependencies"], extras, table["dependency-groups"]["tests"]):
        if requirement.count(">=") != 1:
            raise SystemExit(f"pyproject.toml: {requirement!r} has no lowest version")
        yield requirement.replace(">=", "==")


if __name__ == "__main__":
    sys.stdout.writelines(f"{floor}\n" for floor in floors(PYPROJECT.read_text("utf-8")))
