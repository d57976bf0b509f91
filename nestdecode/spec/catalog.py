"""The catalog: specs by name, from this package and from others."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nestdecode.errors import SpecError
from nestdecode.spec.text import MAX_BYTES
from nestdecode.words import nearest

__all__ = ["fetch", "names", "shipped"]

SUFFIXES = (".yaml", ".yml", ".json")
ENTRY_POINTS = "nestdecode.specs"
# Seconds that a named pipe has to get a writer.
_PATIENCE = 2.0


@cache
def _shipped_folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    # In a checkout, specs/ is beside the package; in a wheel, inside of it.
    inside = package / "_specs"
    return inside if inside.is_dir() else package.parent / "specs"


def _specs_in(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix in SUFFIXES and relative.parts[0] != "samples":
            found.setdefault(relative.with_suffix("").as_posix(), path)
    return found


@cache
def shipped() -> dict[str, Path]:
    """Return the specs of this package: name to file."""
    return _specs_in(_shipped_folder())


def _others() -> Iterator[tuple[str, Path]]:
    """Go through the specs of other packages, ``<entry point>/<file without suffix>``."""
    from importlib import metadata, util  # late: most names are our own

    for entry in metadata.entry_points(group=ENTRY_POINTS):
        module = util.find_spec(entry.module)
        for folder in (module.submodule_search_locations if module else None) or ():
            for name, path in _specs_in(Path(folder)).items():
                yield f"{entry.name}/{name}", path


def names() -> dict[str, Path]:
    """Return every spec that has a name: our own first, then those of other packages."""
    return {**dict(_others()), **shipped()}


def is_path(name_or_path: str) -> bool:
    """Tell a path from a name: by its suffix, or a leading ``.`` or ``/``."""
    return name_or_path.endswith(SUFFIXES) or name_or_path.startswith((".", "/", "~"))


def file_of(name_or_path: str | os.PathLike[str]) -> Path | None:
    """Return the file that a spec is read from; None for a name."""
    base = os.fspath(name_or_path).partition("#")[0]
    if isinstance(name_or_path, str) and not is_path(base):
        return None
    return Path(base)


def fetch(name_or_path: str | os.PathLike[str]) -> tuple[str, str, str | None]:
    """
    Read a spec's text.

    Returns:
        The text, the name for messages, and the pointer after ``#``, if any.

    Raises:
        SpecError: If there is no such name, or the file can't be read.
    """
    given = os.fspath(name_or_path)
    base, hash_, pointer = given.partition("#")
    path = file_of(name_or_path) or shipped().get(base) or names().get(base)
    if path is None:
        raise SpecError(_unknown(base))
    try:
        if base.startswith("~"):
            path = path.expanduser()
        text = _read(path).decode()
    except UnicodeDecodeError as error:
        reason = f"not UTF-8: byte {error.start}"
    except OSError as error:
        reason = f"can't be read: {error.strerror or error}"
    except ValueError:
        reason = "can't be read: a NUL in its name"
    except RuntimeError:
        reason = "can't be read: no such user"
    else:
        return text, base, pointer if hash_ else None
    raise SpecError(reason, source=base)


def _read(path: Path) -> bytes:
    """
    Read a file that is regular, or a pipe.

    Raises:
        OSError: If it is something else, or too long, or a pipe that nobody writes to.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise OSError(0, "it is a directory")
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise OSError(0, "it is neither a file nor a pipe")
        text = bytearray()
        end = time.monotonic() + _PATIENCE
        while piece := _piece(descriptor, None if text or stat.S_ISREG(mode) else end):
            text += piece
            if len(text) > MAX_BYTES:
                raise OSError(0, f"a spec is at most {MAX_BYTES >> 20} MiB long")
    finally:
        os.close(descriptor)
    return bytes(text)


def _piece(descriptor: int, end: float | None) -> bytes:
    """
    Read what comes next, and nothing at the end.

    Args:
        descriptor: The file's. It does not block.
        end: Until when a pipe has to have a writer; None if it had one, or needs none.
    """
    while True:
        try:
            piece = os.read(descriptor, 1 << 20)
        except BlockingIOError:
            # There is a writer, who may take his time.
            end = None
            _wait(descriptor, None)
            continue
        if piece or end is None:
            return piece
        # Nobody has opened it for writing yet.
        left = end - time.monotonic()
        if left <= 0:
            raise OSError(0, "no process writes to this pipe")
        if _wait(descriptor, left):
            end = None


def _wait(descriptor: int, seconds: float | None) -> bool:
    """Wait until there is something to read, or the end; tell whether there is."""
    import select

    return bool(select.select([descriptor], [], [], seconds)[0])


def _unknown(name: str) -> str:
    known = names()
    if len(name) > 200:
        return f"unknown spec {name[:60]!r}..."
    # A named pipe too, as <(...) is where it has no /dev/fd.
    if name and Path(name).exists() and not Path(name).is_dir():
        return f"unknown spec {name!r}; for the file of that name write ./{name}"
    # The last part alone may be right: sqs-sns for aws/sqs-sns.
    same_end = [k for k in known if k.rpartition("/")[2] == name.rpartition("/")[2]]
    hint = f"; did you mean {same_end[0]!r}?" if same_end else nearest(name, known)
    return f"unknown spec {name!r}{hint or '; known are: ' + ', '.join(known)}"
