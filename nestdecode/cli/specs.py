"""Specs by name: those of the user's folders, and those of the catalog."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["folders", "load"]

# The variable that lists folders, as PATH does.
_VARIABLE = "NESTDECODE_SPECS"
# What a message says of one that is not there.
_NO_FOLDER = "; no such folder: "


def folders() -> tuple[str, ...]:
    """Return the user's folders of specs: those of the variable, or else the usual one."""
    listed = os.environ.get(_VARIABLE)
    if listed is not None:
        found = (os.path.expanduser(f) for f in listed.split(os.pathsep) if f)  # noqa: PTH111 - raises nothing
        return tuple(found)
    usual = os.path.join(click.get_app_dir("nestdecode"), "specs")  # noqa: PTH118 - pathlib takes 5 ms
    # A variable that holds a relative path, or nothing, is not to be followed.
    is_there = os.path.isabs(usual) and os.path.isdir(usual)  # noqa: PTH112, PTH117 - as above
    return (usual,) if is_there else ()


def load(name_or_path: str, variable: str | None = None) -> Spec:
    """
    Load the spec that an option or an argument names.

    Args:
        name_or_path: The spec.
        variable: The variable that names it, if one does.

    Raises:
        SpecError: If there is none, or it is wrong.
    """
    from nestdecode.errors import SpecError
    from nestdecode.spec import Spec  # late: most commands need no spec

    try:
        return Spec.load(name_or_path, folders=folders())
    except SpecError as error:
        if variable is not None:
            # Where the mistake is stays part of the message.
            reason = f"{variable}: {error}"
        elif error.source is None and _NO_FOLDER in error.reason:
            # The usual folder is looked at only if it is there.
            reason = error.reason.replace(_NO_FOLDER, f"; {_VARIABLE}: {_NO_FOLDER[2:]}")
        else:
            raise
    raise SpecError(reason)
