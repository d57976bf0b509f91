"""
Every message and every help text of the package, collected into one list.

``python -m tests.messages`` writes the list, ``cases/messages.txt``; ``test_wording.py``
holds it against the code. A line is a module, and what a user reads of it: f-strings have
``{names}`` where values go. Python that the package writes is no message, nor is what it
reads.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nestdecode

PACKAGE = Path(nestdecode.__file__).parent
LIST = Path(__file__).parent / "cases" / "messages.txt"
TITLE = "# Every message and help text, by module. Written by: python -m tests.messages\n"

# Modules whose strings are the code of plans and queries; only what they raise is read.
WRITERS = {
    *("plan/containers.py", "plan/opening.py", "plan/source.py", "plan/strings.py"),
    *("plan/habits.py", "plan/swift.py", "plan/tries.py", "queries/code.py"),
    *("queries/compiled.py", "queries/declared.py", "queries/found.py", "queries/loops.py"),
    *("queries/making.py", "queries/nodes.py", "queries/steps.py"),
}
# Calls that raise, or say that a document is wrong.
RAISED = re.compile(r"\w*Error|_Shut")
# Calls that make an option, an argument or a command.
HELPED = {"option", "flag", "_setting", "Flag", "argument", "command", "group"}
# Calls whose strings are patterns, lists of words, or code.
READ = {"split", "compile", "sub", "fullmatch", "match", "TypeVar", "startswith", "endswith"}
# States of a scanner, and what another library says: nobody is shown them.
UNSEEN = {"goes on", "first key", "first element", "Not enough memory"}


class Message(NamedTuple):
    """
    A text that a user reads.

    Attributes:
        module: Where it is written, from the package on.
        kind: ``message``; or what of ``--help`` it is: ``help``, an option's names and
            what it takes, or ``argument``.
        text: The text, one line.
    """

    module: str
    kind: str
    text: str

    def __str__(self) -> str:
        kind = "" if self.kind == "message" else f"{self.kind}: "
        return f"{self.module}: {kind}{self.text}"


def messages() -> list[Message]:
    """Return all messages, sorted, each once."""
    paths = [path for path in PACKAGE.rglob("*.py") if "_specs" not in path.parts]
    found = {message for path in paths for message in messages_of(path)}
    return sorted(found, key=lambda one: (one.module, one.kind, one.text.casefold(), one.text))


def written(found: list[Message]) -> str:
    """Return the list as it is kept."""
    return TITLE + "".join(f"{message}\n" for message in found)


def messages_of(path: Path) -> Iterator[Message]:
    """Go through the messages of one module."""
    module = path.relative_to(PACKAGE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    finder = _Finder(is_writer=module in WRITERS)
    finder.visit(tree)
    for kind, text in finder.found:
        yield Message(module, kind, text.replace("\n", "\\n").replace("\x1b", "\\x1b"))


class _Finder(ast.NodeVisitor):
    """
    Finds messages.

    Args:
        is_writer: Whether only what is raised is a message.
    """

    def __init__(self, *, is_writer: bool) -> None:
        self._is_writer = is_writer
        self.found: list[tuple[str, str]] = []
        self._is_raised = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Take the docstring of a command; annotations and other docstrings are no messages."""
        calls = [d.func for d in node.decorator_list if isinstance(d, ast.Call)]
        if any(isinstance(c, ast.Attribute) and c.attr in ("command", "group") for c in calls):
            for paragraph in _paragraphs(ast.get_docstring(node) or ""):
                self.found.append(("help", paragraph))
        for child in [
            *node.decorator_list,
            *node.args.defaults,
            *node.args.kw_defaults,
            *node.body,
        ]:
            if child is not None:
                self.visit(child)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Pass over docstrings."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Pass over annotations."""
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Pass over names of types, which begin with a capital and go on with small letters."""
        target = node.targets[0]
        if not (isinstance(target, ast.Name) and re.match(r"_?[A-Z][a-z]", target.id)):
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Pass over what texts are compared with."""

    def visit_Call(self, node: ast.Call) -> None:
        """Look at what a call does with its strings."""
        name = _name_of(node.func)
        if name in READ:
            return
        was, self._is_raised = self._is_raised, self._is_raised or bool(RAISED.fullmatch(name))
        if name in HELPED:
            self._take_help(node)
        elif name == "limit":
            first, text = node.args[:2]
            self.found.append((f"--{_text(first)} N".replace("_", "-"), _text(text)))
        else:
            self.generic_visit(node)
        self._is_raised = was

    def _take_help(self, node: ast.Call) -> None:
        """Take what ``--help`` shows of an option, an argument or a command."""
        words = {keyword.arg: keyword.value for keyword in node.keywords}
        given = [one for arg in node.args for one in getattr(arg, "elts", [arg])]
        names = [_text(arg) for arg in given if isinstance(arg, ast.Constant | ast.JoinedStr)]
        names = [name for name in names if name.startswith("-")]
        takes = [_text(words["metavar"])] if "metavar" in words else []
        kind = " ".join(["argument"] if not names else [*names, *takes])
        if "short_help" in words:
            self.found.append(("summary", _text(words["short_help"])))
        if "help" in words:
            self.found.append((kind, _text(words["help"])))
        elif takes:
            self.found.append(("argument", takes[0]))

    def visit_Constant(self, node: ast.Constant) -> None:
        """Take a string."""
        if isinstance(node.value, str):
            self._take(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Take an f-string, and what is nested in it."""
        self._take(_text(node))

    def _take(self, text: str) -> None:
        words = re.sub(r"\{[^{}]*\}", "", text)
        is_script = "%(prog_name)s" in text
        is_prose = " " in text.strip() and not is_script and re.search(r"[A-Za-z]{2}", words)
        if is_prose and (self._is_raised or not self._is_writer) and text not in UNSEEN:
            self.found.append(("message", text))


def _paragraphs(help_text: str) -> Iterator[str]:
    """Split the help of a command into paragraphs; examples are a line each."""
    for paragraph in inspect.cleandoc(help_text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield from (re.sub(r"\s{2,}", "  ", line) for line in paragraph.split("\n")[1:])
        else:
            yield " ".join(paragraph.split())


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _text(node: ast.expr) -> str:
    """Return a string, with names in braces for what is put into it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    if isinstance(node, ast.FormattedValue):
        return _text(node.value)
    if isinstance(node, ast.IfExp):
        return f"{{{_bare(node.body)}|{_bare(node.orelse)}}}"
    if isinstance(node, ast.Call) and _name_of(node.func) == "share":
        return f"{_text(node.args[0])} of {_text(node.args[1])} {_text(node.args[2])}s"
    if isinstance(node, ast.Call) and _name_of(node.func) == "count" and len(node.args) == 2:
        return f"{_text(node.args[0])} {_text(node.args[1])}s"
    return f"{{{_bare(node)}}}"


def _bare(node: ast.expr) -> str:
    """Return the name that stands for a value."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        name = _name_of(node.func)
        takes_a_name = node.args and name not in ("nearest", "getattr", "next")
        return _bare(node.args[0]) if takes_a_name else name
    if isinstance(node, ast.BinOp):
        return _bare(node.left)
    if isinstance(node, ast.BoolOp):
        return "|".join(map(_bare, node.values))
    if isinstance(node, ast.Subscript | ast.Starred):
        return _bare(node.value)
    if isinstance(node, ast.Constant | ast.JoinedStr):
        return _text(node).replace("{", "").replace("}", "")
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        return _bare(node.elt)
    return type(node).__name__.lower()


if __name__ == "__main__":
    LIST.write_text(written(messages()), encoding="utf-8")
