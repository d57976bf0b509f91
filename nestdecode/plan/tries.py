"""Learnt plans as code: it decides the strings at places that are known, and counts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.plan.detect import CLOSERS, OPENERS, Loads
from nestdecode.plan.place import SeenPlace
from nestdecode.plan.source import PythonSource
from nestdecode.text.reader import Reader
from nestdecode.text.scan import ACCOUNTED, account

__all__ = ["compiled"]

# Loops inside one another. Python takes 20 blocks.
MOST_LOOPS = 12


def compiled(
    root: SeenPlace, reader: Reader, mixed: Callable[[SeenPlace], None]
) -> Callable[[Any, Loads], int]:
    """
    Return a plan: it opens the known places of a tree in place, and returns its tries.

    Args:
        root: The place of a record.
        reader: What its ``refused`` names is not decided.
        mixed: Called with a place where layers were expected, and a string was not JSON.
    """
    source = PythonSource()
    source.names |= {
        "account": account,
        "mixed": mixed,
        "REFUSED": reader.refused,
        "ACCOUNTED": ACCOUNTED,
        "OPENERS": OPENERS,
        "CLOSERS": CLOSERS,
    }
    with source.block("def tries(tree, loads):"):
        source.line("found = 0")
        _write_containers(source, root, "tree", 0)
        source.line("return found")
    plan: Callable[[Any, Loads], int] = source.build("tries", "learnt plan")
    return plan


def _write_containers(source: PythonSource, place: SeenPlace, value: str, loops: int) -> None:
    head = "if"
    if place.rest is not None or place.members:
        with source.block(f"if {value}.__class__ is dict:"):
            if place.rest is not None:
                key, child = source.fresh("key"), source.fresh("v")
                with source.block(f"for {key}, {child} in {value}.items():"):
                    _write_value(source, place.rest, child, f"{value}[{key}]", loops + 1, True)
            else:
                for name, member in place.members.items():
                    child = source.fresh("v")
                    source.line(f"{child} = {value}.get({name!r})")
                    _write_value(source, member, child, f"{value}[{name!r}]", loops, False)
        head = "elif"
    if place.items is not None and loops < MOST_LOOPS:
        child = source.fresh("v")
        with source.block(f"{head} {value}.__class__ is list:"):
            items = place.items
            if items.opened or items.shut:
                index = source.fresh("i")
                with source.block(f"for {index}, {child} in enumerate({value}):"):
                    _write_value(source, items, child, f"{value}[{index}]", loops + 1, True)
            else:
                with source.block(f"for {child} in {value}:"):
                    _write_value(source, items, child, "", loops + 1, False)


def _write_value(
    source: PythonSource, place: SeenPlace, value: str, slot: str, loops: int, wild: bool
) -> None:
    if source.level > 60 or loops > MOST_LOOPS:
        return
    if place.opened and not place.shut and not wild:
        new = source.fresh("new")
        with source.block(f"if {value}.__class__ is str:"):
            source.line("try:")
            source.line(f"    {new} = loads({value})")
            source.line("except REFUSED:")
            source.line(f"    {new} = None")
            source.line(f"    mixed({source.constant(place, 'place')})")
            with source.block(f"if {new}.__class__ is dict or {new}.__class__ is list:"):
                source.line(f"{slot} = {value} = {new}")
                source.line("found += 1")
    elif place.opened or place.shut:
        new = source.fresh("new")
        with source.block(f"if {value}.__class__ is str and {value}:"):
            source.line(f"{new} = None")
            with source.block(f"if {value}[0] in OPENERS and {value}[-1] in CLOSERS:"):
                source.line("try:")
                source.line(f"    {new} = loads({value})")
                source.line("except REFUSED:")
                source.line("    pass")
                # A string in a string, or a text that the parser refuses, is not decided.
                with source.block(f"if {new}.__class__ is dict or {new}.__class__ is list:"):
                    source.line(f"{slot} = {value} = {new}")
                    source.line("found += 1")
            with source.block(f"elif '\"' in {value}:"):
                source.line(f"found += account({value})")
            with source.block(f"elif {value}[0] in ACCOUNTED:"):
                source.line("found += 1")
    _write_containers(source, place, value, loops)
