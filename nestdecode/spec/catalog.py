"""The catalog: specs by name, from folders of the user, this package and others."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from nestdecode.errors import SpecError
from nestdecode.spec.text import MAX_BYTES
from nestdecode.words import closest

__all__ = ["MOST_SPECS", "SUFFIXES", "fetch", "file_of", "is_large", "names", "own", "shipped"]

Folders = Iterable[str | os.PathLike[str]]

SUFFIXES = (".yaml", ".yml", ".json")
ENTRY_POINTS = "nestdecode.specs"
# How long a name is at most.
MOST_NAME = 200
# Specs of a folder that have names, and entries of it that are looked at.
MOST_SPECS, MOST_ENTRIES = 1000, 20_000
# Bytes of a spec that is read only to be listed.
MOST_LISTED = 1 << 20
# Seconds that a named pipe has to get a writer.
_PATIENCE = 2.0


@cache
def _shipped_folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    # In a checkout, specs/ is beside the package; in a wheel, inside of it.
    inside = package / "_specs"
    return inside if inside.is_dir() else package.parent / "specs"


def _specs_in(folder: Path) -> list[tuple[str, Path]]:
    """
    List the specs of a folder, samples and what is hidden left out.

    Of a folder that holds very much, such as /, a part is looked at.
    """
    found: list[tuple[str, Path]] = []
    left = MOST_ENTRIES
    for around, folders, files in os.walk(folder):
        if left <= 0 or len(found) >= MOST_SPECS:
            break
        below = Path(around).relative_to(folder)
        folders[:] = sorted(name for name in folders if _is_named(below / name))
        files = sorted(files)[:left]
        left -= len(folders) + len(files)
        for name in files:
            path = below / name
            # Not a pipe or a device, which may have no end.
            if path.suffix in SUFFIXES and _is_named(path) and Path(around, name).is_file():
                found.append((path.with_suffix("").as_posix(), Path(around, name)))
    return sorted(found[:MOST_SPECS], key=lambda spec: spec[1])


def _is_named(relative: Path) -> bool:
    return relative.parts[0] != "samples" and not any(p.startswith(".") for p in relative.parts)


def is_large(path: Path) -> bool:
    """Return whether a spec is larger than those that are read only to be listed."""
    try:
        return path.stat().st_size > MOST_LISTED
    except OSError:
        return False


@cache
def shipped() -> dict[str, Path]:
    """Return the specs of this package: name to file."""
    return dict(_specs_in(_shipped_folder()))


def own(folders: Folders) -> dict[str, Path]:
    """
    Return the specs of a user's folders: name to file.

    Of files with one name those of an earlier folder go first, and in one folder .yaml before
    .yml before .json; ``fetch`` refuses the latter.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for name, path in sorted(
            _specs_in(Path(folder)), key=lambda spec: SUFFIXES.index(spec[1].suffix)
        ):
            found.setdefault(name, path)
    return dict(sorted(found.items()))


def _others() -> Iterator[tuple[str, Path]]:
    """Yield the specs of other packages by name: ``<entry point>/<file without suffix>``."""
    from importlib import metadata, util  # late: most names are our own

    for entry in metadata.entry_points(group=ENTRY_POINTS):
        module = util.find_spec(entry.module)
        for folder in (module.submodule_search_locations if module else None) or ():
            for name, path in _specs_in(Path(folder)):
                yield f"{entry.name}/{name}", path


def names(folders: Folders = ()) -> dict[str, Path]:
    """
    Return every spec that has a name, each with its file.

    Of those with one name the user's goes first, then that of this package.
    """
    return {**dict(_others()), **shipped(), **own(folders)}


def _named(name: str, folders: Folders) -> Path | None:
    """Find the file of a name without reading whole folders, which may be large."""
    relative = Path(name)
    if not 0 < len(name) <= MOST_NAME or relative.is_absolute() or not _is_named(relative):
        return None
    for folder in folders:
        paths = [Path(folder, f"{name}{suffix}") for suffix in SUFFIXES]
        found = [path for path in paths if os.path.isfile(path)]  # noqa: PTH113 - raises nothing
        if len(found) > 1:
            files = " and ".join(map(str, found))
            raise SpecError(f"the name {name!r} has several files: {files}; give one as a path")
        if found:
            return found[0]
    return None


def is_path(name_or_path: str) -> bool:
    """Return whether a string is a path: by its suffix, or a leading ``.``, ``/`` or ``~``."""
    return name_or_path.endswith(SUFFIXES) or name_or_path.startswith((".", "/", "~"))


def file_of(name_or_path: str | os.PathLike[str]) -> Path | None:
    """Return the file that a spec is read from; None for a name."""
    base = os.fspath(name_or_path).partition("#")[0]
    if isinstance(name_or_path, str) and not is_path(base):
        return None
    return Path(base)


def place(name_or_path: str | os.PathLike[str], folders: Folders = ()) -> Path:
    """
    Return the file of a spec: that of a user's folder, of this package, of another.

    Raises:
        SpecError: If there is no such name, or a folder has several files of that name.
    """
    base = os.fspath(name_or_path).partition("#")[0]
    path = file_of(name_or_path) or _named(base, folders)
    path = path or shipped().get(base) or dict(_others()).get(base)
    if path is None:
        raise SpecError(_unknown(base, folders))
    return path


def fetch(
    name_or_path: str | os.PathLike[str], folders: Folders = ()
) -> tuple[str, str, str | None]:
    """
    Read a spec's text.

    Args:
        name_or_path: The spec.
        folders: Folders of the user's specs.

    Returns:
        The text, the name for messages (the file, if it is the user's), and the pointer
        after ``#``, if any.

    Raises:
        SpecError: If there is no such name, or the file can't be read.
    """
    given = os.fspath(name_or_path)
    base, hash_, pointer = given.partition("#")
    path = place(name_or_path, folders)
    if file_of(name_or_path) is None and path == _named(base, folders):
        base = str(path)
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
    Return the content of a regular file or a pipe.

    Raises:
        OSError: If it is neither, is too long, or is a pipe without a writer.
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
    Return the next bytes of a file, or none at its end.

    Args:
        descriptor: The file descriptor, which does not block.
        end: The time by which a pipe must have a writer; None if it had one or needs none.
    """
    while True:
        try:
            piece = os.read(descriptor, 1 << 20)
        except BlockingIOError:
            # There is a writer; it may take any time.
            end = None
            _wait(descriptor, None)
            continue
        if piece or end is None:
            return piece
        # The pipe has no writer yet.
        left = end - time.monotonic()
        if left <= 0:
            raise OSError(0, "no process writes to this pipe")
        if _wait(descriptor, left):
            end = None


def _wait(descriptor: int, seconds: float | None) -> bool:
    """Wait for data or the end of a file; return whether it came in time."""
    import select

    return bool(select.select([descriptor], [], [], seconds)[0])


def _unknown(name: str, folders: Folders) -> str:
    known = names(folders)
    if len(name) > MOST_NAME:
        return f"unknown spec {name[:60]!r}..."
    # A named pipe too, as <(...) is where it has no /dev/fd.
    if name and Path(name).exists() and not Path(name).is_dir():
        return f"unknown spec {name!r}; for the file of that name write ./{name}"
    if name and Path(name).is_dir():
        return f"unknown spec {name!r}: it is a folder; name a file in it"
    here = next((f"{name}{end}" for end in SUFFIXES if os.path.isfile(f"{name}{end}")), None)  # noqa: PTH113 - raises nothing
    if name and here is not None:
        return f"unknown spec {name!r}; for the file in this folder write {here}"
    # The last part alone may be right: sqs-sns for aws/sqs-sns.
    ends = {one.rpartition("/")[2]: one for one in reversed(list(known))}
    near = closest(name, known) or [ends[e] for e in closest(name.rpartition("/")[2], ends)]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    missing = [os.fspath(f) for f in folders if not os.path.isdir(f)]  # noqa: PTH112 - raises nothing
    hint = hint or "; known are: " + ", ".join(known)
    return f"unknown spec {name!r}{hint}" + "".join(f"; no such folder: {f}" for f in missing)
