"""Flags: which of them contradict each other, and the variables that set them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection
from typing import Any

import click
from click.core import ParameterSource

__all__ = ["Command", "Flag", "is_quiet", "variable_of"]

_VARIABLE = ParameterSource.ENVIRONMENT
# The name under which a context keeps whether notes are wanted.
_QUIET = "nestdecode.quiet"


class Flag(click.Option):
    """
    An option of a command.

    Args:
        words: As for ``click.Option``.
        short_for: The name of another option, and the value that this flag gives it.
        excludes: Names of the options that can't be used with it.
        is_setting: Whether the variable NESTDECODE_NAME sets it if it is not given.
        settings: As for ``click.Option``.
    """

    def __init__(
        self,
        *words: Any,
        short_for: tuple[str, Any] | None = None,
        excludes: Collection[str] = (),
        is_setting: bool = False,
        **settings: Any,
    ) -> None:
        if short_for is not None:
            settings |= {"is_flag": True, "expose_value": False}
        super().__init__(*words, **settings)
        self.short_for = short_for
        self.excludes = excludes
        # What it is if it is not given.
        self.absent: Any = settings.get("default", False if settings.get("is_flag") else None)
        if is_setting:
            self.envvar: Any = f"NESTDECODE_{str(self.name).upper()}"

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Read the variable: for a flag it says whether that is set."""
        if not self.is_flag:
            return super().value_from_envvar(ctx)
        # click 8.2.0 takes any text for a flag that is set.
        text = os.environ.get(str(self.envvar))
        if not text:
            return None
        try:
            return click.BOOL.convert(text, None, ctx)
        except click.BadParameter:
            pass
        raise click.BadParameter(f"{text!r} is not 1 or 0", ctx, self, str(self.envvar))

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Name the variable if what is wrong is in that."""
        if ctx is not None and ctx.get_parameter_source(str(self.name)) is _VARIABLE:
            return str(self.envvar)
        return super().get_error_hint(ctx)

    @property
    def sets(self) -> str | None:
        """The name of the option whose value it gives."""
        return self.name if self.short_for is None else self.short_for[0]

    def contradicts(self, other: Flag) -> bool:
        """Return whether the two can't be used together."""
        if self.sets == other.sets:
            return True
        return other.sets in self.excludes or self.sets in other.excludes


class Command(click.Command):
    """
    A command that refuses flags that contradict each other, and has ``--quiet``.

    What the command line says goes before what variables say.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.append(
            Flag(
                ["-q", "--quiet"],
                is_flag=True,
                is_setting=True,
                excludes=["summary"],
                help="Write only errors to stderr: no notes, no summary.",
            )
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments of a command line."""
        try:
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from nestdecode.cli.elsewhere import usage_error  # late: most options are ours

            raise usage_error(error) from None
        if not ctx.resilient_parsing:
            _settle(ctx, [flag for flag in self.params if isinstance(flag, Flag)])
        ctx.meta[_QUIET] = ctx.params.pop("quiet", False)
        return rest


def variable_of(name: str) -> str | None:
    """Return the variable that sets an argument of the running command; None if none does."""
    context = click.get_current_context(silent=True)
    if context is None or context.get_parameter_source(name) is not _VARIABLE:
        return None
    return next(str(one.envvar) for one in context.command.params if one.name == name)


def is_quiet() -> bool:
    """Return whether the running command was asked for errors only."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def _settle(ctx: click.Context, flags: list[Flag]) -> None:
    """Leave no two flags that contradict each other; give those that are short for others."""
    typed = [flag for flag in flags if _is_given(ctx, flag, ParameterSource.COMMANDLINE)]
    _check(ctx, typed, [max(flag.opts, key=len) for flag in typed])
    variables = [flag for flag in flags if _is_given(ctx, flag, _VARIABLE)]
    for flag in [v for v in variables if any(map(v.contradicts, typed))]:
        variables.remove(flag)
        ctx.params[str(flag.name)] = flag.absent
    _check(ctx, variables, [str(flag.envvar) for flag in variables])
    for flag in flags:
        if flag.short_for is not None:
            name, value = flag.short_for
            ctx.params[name] = value if flag in typed else ctx.params.get(name)


def _is_given(ctx: click.Context, flag: Flag, source: ParameterSource) -> bool:
    name = str(flag.name)
    if ctx.get_parameter_source(name) is not source:
        return False
    return flag.short_for is not None or not flag.is_flag or bool(ctx.params[name])


def _check(ctx: click.Context, flags: list[Flag], names: list[str]) -> None:
    """Raise UsageError if two flags contradict each other."""
    for (one, its_name), (other, other_name) in itertools.combinations(
        zip(flags, names, strict=True), 2
    ):
        if one.contradicts(other):
            raise click.UsageError(f"{its_name} and {other_name} can't be used together", ctx)
