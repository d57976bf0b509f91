"""The one-shot functions: ``expand`` and ``query`` without a Decoder of the caller's own."""

from __future__ import annotations

import functools
import os
import stat
import time
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from nestdecode.decoder import Decoder

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["expand", "query"]


def expand(document: Any, spec: Spec | str | os.PathLike[str] | None = None) -> Any:
    r"""
    Return one document with every layer opened.

    A layer is a string value that holds another JSON document, as it is or encoded
    (base64, gzip and so on). With a spec, exactly the layers that it declares are opened.
    Without one, a string is opened if the whole of it, surrounding blanks aside, is a JSON
    object or array, or a JSON string that holds such a text; other strings, such as
    ``"123"``, stay strings. A declared layer that does not open keeps its string, unless
    the spec names another policy for it.

    >>> expand(b'{"id": "123", "body": "{\\"a\\": [1, 2]}"}')
    {'id': '123', 'body': {'a': [1, 2]}}

    Decoders are cached, so repeated calls with one spec compile it once; a spec file that
    changes is read again. Use a ``Decoder`` to set policies and limits. Thread-safe.

    Args:
        document: One JSON text (RFC 8259) as bytes, bytearray, memoryview or str; anything
            else is taken as already parsed and is not changed.
        spec: Where the layers are: a Spec, the name of a shipped spec or the path of a
            spec file; None to detect the layers.

    Returns:
        The tree: dicts, lists, strs, ints, floats, bools and None. It shares no dict or
        list with *document*.

    Raises:
        DecodeError: If *document* is not JSON or is beyond a limit, or if a layer whose
            policy is ``fail`` does not open.
        SpecError: If the spec can't be found or read, or is wrong.
        TypeError: If *document* is a path or an open file, or *spec* is of another type.
    """
    return _decoder(spec).expand(document)


def query(expression: str, document: Any, spec: Spec | str | os.PathLike[str] | None = None) -> Any:
    r"""
    Return the answer of a JMESPath query of one expanded document.

    >>> query("body.a[1]", b'{"id": "123", "body": "{\\"a\\": [1, 2]}"}')
    2

    The answer is None where the document has nothing at the path. Queries are cached as
    decoders are; ``Decoder.compile`` is faster for many documents. Thread-safe.

    Args:
        expression: A JMESPath expression (https://jmespath.org), or ``:name`` for a query
            that the spec names. With a spec that has a focus it starts at the focus,
            unless its leading names belong to the root.
        document: As for ``expand``.
        spec: As for ``expand``.

    Raises:
        QueryError: If the expression is wrong, or if a function in it refuses a value of
            the document.
        DecodeError: As for ``expand``.
        SpecError: As for ``expand``.
        TypeError: As for ``expand``, or if *expression* is not a str.
    """
    return _decoder(spec).query(expression, document)


def _decoder(spec: Spec | str | os.PathLike[str] | None) -> Decoder:
    version = _file_version(spec) if isinstance(spec, (str, os.PathLike)) else ()
    if version is None or not isinstance(spec, Hashable):
        return Decoder(spec)
    return _cached_decoder(spec, version)


@functools.lru_cache(maxsize=32)
def _cached_decoder(
    spec: Spec | str | os.PathLike[str] | None, _version: tuple[int, ...]
) -> Decoder:
    return Decoder(spec)


# Nanoseconds since a file's last change. Within one tick of the file system's clock a file
# can change again and keep its times, so a file that is younger is read each time.
FRESH = 2_000_000_000


def _file_version(spec: str | os.PathLike[str]) -> tuple[int, ...] | None:
    """Return a value that changes with the spec file; () for a name, None if not cacheable."""
    from nestdecode.spec import catalog

    path = catalog.file_of(spec)
    if path is None:
        return ()
    try:
        found = path.expanduser().stat()
    except (OSError, ValueError, RuntimeError):
        return None
    if not stat.S_ISREG(found.st_mode) or time.time_ns() - found.st_ctime_ns < FRESH:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
