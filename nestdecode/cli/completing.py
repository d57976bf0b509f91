"""What a shell completes: specs, their queries, files; and how each shell is answered."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    shell_complete,
    split_arg_string,
)

from nestdecode.cli.group import ASKED
from nestdecode.cli.specs import folders, load
from nestdecode.errors import SpecError
from nestdecode.spec import catalog

__all__ = ["answer", "queries", "samples", "source", "specs"]


if TYPE_CHECKING:
    Item = CompletionItem[str]


def specs(parameter: click.Parameter, incomplete: str) -> list[Item]:
    """Complete a spec: names, spec files, and folders on the way to them."""
    names: dict[str, Any] = {}
    if not incomplete.startswith((".", "/", "~")):
        names |= catalog.names(folders())
        names |= {"none": None} if isinstance(parameter, click.Option) else {}
    items = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
    known = {item.value for item in items}
    files = _files(incomplete, catalog.SUFFIXES)
    return items + [CompletionItem(file) for file in files if file not in known]


def samples(parameter: click.Parameter, incomplete: str) -> list[Item]:
    """Complete a spec, or any file."""
    items = specs(parameter, incomplete)
    known = {item.value for item in items}
    return items + [CompletionItem(f) for f in _files(incomplete) if f not in known]


def queries(context: click.Context, incomplete: str) -> list[Item]:
    """Complete the name of a query: of the spec that is given, or of all that have a name."""
    if incomplete and not incomplete.startswith(":"):
        return []
    given = context.params.get("spec")
    found: dict[str, str] = {}
    small = (name for name, path in catalog.names(folders()).items() if not catalog.is_large(path))
    for name in small if given is None else (given,):
        try:
            spec = load(name)
        except SpecError:
            continue
        for query, text in spec.queries.items():
            about = f"of {name}" if given is None else " ".join(text.split())
            found.setdefault(f":{query}", about)
    return [CompletionItem(q, help=found[q]) for q in found if q.startswith(incomplete)]


def _files(incomplete: str, suffixes: tuple[str, ...] | None = None) -> Iterator[str]:
    """Go through the files whose paths begin with a text, and folders, which end in a slash."""
    start, _, begin = incomplete.rpartition("/")
    start = incomplete[: len(incomplete) - len(begin)]
    try:
        entries = sorted(os.scandir(os.path.expanduser(start) or "."), key=lambda e: e.name)  # noqa: PTH111 - names stay as typed
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(begin) or (entry.name[0] == "." and not begin):
            continue
        if not entry.name.isprintable():
            continue  # a shell can't type it: bytes that are not UTF-8, newlines
        try:
            is_folder = entry.is_dir()
        except OSError:  # a link that leads to itself
            continue
        if is_folder:
            yield f"{start}{entry.name}/"
        elif suffixes is None or entry.name.endswith(suffixes):
            yield f"{start}{entry.name}"


class _Shell(ShellComplete):
    """A shell that hands in its line up to the cursor as COMP_LINE."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the whole words of the line, and the one that is begun."""
        # What follows the cursor, so that a word without a letter is one, too.
        words = split_arg_string(os.environ["COMP_LINE"] + "x")
        return words[1:-1], words[-1][:-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[Item]:
        """Complete a word; what is before = in an option stays before its value."""
        option = re.match(r"--[^=]+=", incomplete)
        before = option[0] if option else ""
        items = []
        for item in super().get_completions(args, incomplete):
            if item.type == "plain":
                items.append(CompletionItem(before + item.value, help=item.help))
            else:
                items += self.files(before, incomplete[len(before) :])
        return items

    def files(self, before: str, incomplete: str) -> list[Item]:
        """Complete the name of a file."""
        return [CompletionItem(before + file) for file in _files(incomplete)]

    def format_completion(self, item: Item) -> str:
        """Return a value and what it is, if that is known, with a tab between."""
        about = " ".join((item.help or "").split())
        return f"{item.value}\t{about}" if about else item.value


_WORD = re.compile(r"""(?:[^\s"'\\]|\\.?|"(?:[^"\\]|\\.)*"?|'[^']*'?)*\Z""", re.DOTALL)


class _Bash(_Shell):
    name = "bash"
    source_template = """\
%(complete_func)s() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("$line")
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2> /dev/null)
    if [[ ${COMPREPLY[0]} == *[/=] ]]; then
        compopt -o nospace 2> /dev/null
    fi
}

complete -o bashdefault -o default -o nosort -F %(complete_func)s %(prog_name)s 2> /dev/null ||
    complete -o bashdefault -o default -F %(complete_func)s %(prog_name)s
"""

    def files(self, before: str, incomplete: str) -> list[Item]:
        """Leave files to bash, which completes them if nothing else is found."""
        return []

    def format_completion(self, item: Item) -> str:
        """Return what bash is to put in place of its own last word, which may be less."""
        written = _WORD.search(os.environ["COMP_LINE"])
        raw = written[0] if written else ""
        inside = _open_quote(raw)
        if inside is not None:
            return item.value[len("".join(split_arg_string(raw[:inside]))) :]
        typed = "".join(split_arg_string(raw))
        breaks = [c for c in os.environ.get("COMP_WORDBREAKS", "") if c in "=:"]
        cut = max((typed.rfind(character) + 1 for character in breaks), default=0)
        return re.sub(r"([^\w@%+=:,./~-])", r"\\\1", item.value[cut:])


def _open_quote(raw: str) -> int | None:
    """Return where a quote begins in a word that is not closed."""
    inside: int | None = None
    index = 0
    while index < len(raw):
        if raw[index] == "\\" and (inside is None or raw[inside] == '"'):
            index += 1
        elif raw[index] in "\"'":
            if inside is None:
                inside = index
            elif raw[inside] == raw[index]:
                inside = None
        index += 1
    return inside


class _Zsh(_Shell):
    name = "zsh"
    source_template = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local line value
    local -a values shown folders
    for line in "${(@f)$(COMP_LINE="${(j: :)words[1,CURRENT-1]} $PREFIX" \\
        %(complete_var)s=zsh_complete $words[1] 2> /dev/null)}"; do
        value="${line%%%%$'\\t'*}"
        if [[ "$value" == */ ]]; then
            folders+=("$value")
        elif [[ -n "$value" ]]; then
            values+=("$value")
            shown+=("${line/$'\\t'/  -- }")
        fi
    done
    (( $#folders )) && compadd -U -S '' -a folders
    (( $#values )) && compadd -U -V nestdecode -l -d shown -a values
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class _Fish(_Shell):
    name = "fish"
    source_template = """\
function %(complete_func)s
    COMP_LINE=(commandline -cp | string collect) %(complete_var)s=fish_complete %(prog_name)s 2> /dev/null
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


for _shell in (_Bash, _Zsh, _Fish):
    add_completion_class(_shell)


def source(group: click.Group, shell: str) -> str:
    """Return the script that has a shell ask."""
    classes: dict[str, type[_Shell]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}
    return classes[shell](group, {}, "nestdecode", ASKED).source()


def answer(group: click.Group) -> int:
    """Answer the shell that asks; return the exit code."""
    return shell_complete(group, {}, "nestdecode", ASKED, os.environ[ASKED])
