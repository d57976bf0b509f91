"""The structure of the package: which module may import which, and how large each may be."""

import ast
import io
import re
import subprocess
import sys
import tokenize
import typing
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import nestdecode

PACKAGE = Path(nestdecode.__file__).parent
# Each room imports from those above it only, and each module of those that are named too.
ORDER = (
    *("words", "errors"),
    *(
        "text.depth",
        "text.scan",
        "text.number",
        "text.exact",
        "text.reader",
        "text.verdict",
        "text.write",
    ),
    *("text.joined", "text.tokens", "codecs", "paths"),
    *(
        "spec.slips",
        "spec.jsonlines",
        "spec.text",
        "spec.once",
        "spec.regular",
        "spec.pattern",
        "spec.shape",
        "spec.references",
    ),
    *("spec.state", "spec.circles", "spec.applied", "spec.types", "spec.chains", "spec.schema"),
    *("spec.strings", "spec.children", "spec.build", "spec.short", "spec.convert"),
    *("spec.openapi", "spec.catalog", "spec", "spec.lint"),
    *("plan.source", "plan.run", "plan.careful", "plan.facts", "plan.detect", "plan.place"),
    *("plan.counts", "plan.swift", "plan.habits", "plan.expected", "plan.memory", "plan.tries"),
    *("plan.learnt",),
    *("plan.spending", "plan.settling", "plan.strings", "plan.containers", "plan.opening"),
    *("queries.growth", "queries.functions", "queries.work", "queries.interpreter"),
    *("queries.late", "queries.nodes", "queries.layers", "queries.shut", "queries.declared"),
    *("queries.found", "queries.steps", "queries.making", "queries.loops"),
    *("queries.code", "queries.compiled", "queries.parsing", "queries.focus", "queries.expression"),
    *("given", "stream", "engine", "asking"),
    *("document.parts", "document.pairing", "document.comparing", "document.places"),
    *("document.closing", "document.draft", "document.change", "document.objects"),
    *("document.arrays", "document.collapse", "document.looking", "document.document"),
    *("tally", "census", "decoder", "oneshot", "sample", "lending", "choosing", "files"),
    *("integrations", "cli"),
)
DOORS = {f"nestdecode.{name}" for name in ("text", "plan", "queries", "document")} | {"nestdecode"}
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if "_specs" not in path.parts]
assert len(MODULES) > 15


def wrong_in_modules(found):
    """Return what a function finds in each module in which it finds something."""
    by_name = {str(path.relative_to(PACKAGE)): found(path) for path in MODULES}
    return {name: wrong for name, wrong in by_name.items() if wrong}


def room_of(path):
    return room_named([*path.relative_to(PACKAGE).with_suffix("").parts])


def room_named(parts):
    """Return the room of a module; that of a folder whose modules are in order is all of them."""
    both = ".".join(parts[:2])
    return both if both in ORDER else parts[0]


@cache
def tree_of(path):
    return ast.parse(path.read_text())


@cache
def nodes_of(path):
    return [*ast.walk(tree_of(path))]


def imported(path):
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nestdecode"):
            # The version is no module.
            names = [f"{node.module}.{a.name}" for a in node.names if a.name != "__version__"]
            yield from names if node.module in DOORS else [node.module]
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("nestdecode"))


def only_types(path, folder):
    """Return the modules of a folder that are imported for annotations only."""
    for node in tree_of(path).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for found in ast.walk(node):
                if isinstance(found, ast.ImportFrom) and (found.module or "").startswith(folder):
                    yield found.module


def below(path):
    """Return the rooms below its own that a module imports from."""
    room = room_of(path)
    if room not in ORDER:
        return []  # the front door, and what says in one line what a folder holds
    # Parts of one whole may know its type: in the same folder, and not when it runs.
    folder = f"nestdecode.{room.split('.')[0]}."
    names = set(imported(path)).difference(only_types(path, folder))
    rooms = {room_named(name.split(".")[1:]) for name in names}
    return sorted(other for other in rooms if ORDER.index(other) > ORDER.index(room))


def test_a_module_imports_only_from_those_above_it():
    assert wrong_in_modules(below) == {}


def test_no_test_draws_a_fixed_number_of_examples():
    """``NESTDECODE_EXAMPLES`` says how many the default, or a number times EFFORT, becomes."""
    paths = sorted(Path(__file__).parent.rglob("test_*.py"))

    assert [p.name for p in paths if re.search(r"max_examples=\d", p.read_text())] == []


def test_every_room_is_in_the_order():
    doors = {"__init__", "__main__"} | {name.removeprefix("nestdecode.") for name in DOORS}
    assert {room_of(path) for path in MODULES} - doors == set(ORDER)


MOST_LINES, MOST_METHODS = 450, 15


def sizes():
    """Go through modules and their classes: name, size, and what it may be."""
    for path in MODULES:
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        text = path.read_text()
        yield name, len(text.splitlines()), MOST_LINES
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef):
                methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
                yield f"{name}.{node.name}", len(methods), MOST_METHODS


def test_modules_and_classes_are_small():
    assert [name for name, size, most in sizes() if size > most] == []


def test_no_two_classes_have_one_name():
    """An underscore does not make another name of it: people say it without."""
    names = Counter(
        node.name.lstrip("_")
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef)
    )

    assert [name for name, count in names.items() if count > 1] == []


# Folders that say in one line what each of their modules holds.
DESCRIBED = ("plan", "queries", "stream", "text")
# What has to be read twice in docstrings and comments, and what is plainer.
STUMBLES = {
    r"\btold\b": "reported",
    r"\b[Tt]ells? (of|whether|it from)\b": "reports, returns whether",
    r"\bbut for\b": "except",
    r"(?<![Tt]here )\bis no\b(?! longer)": "is not a",
    r"\bwhat is there\b": "the noun that is returned",
    r"\b(no|some)body\b|\bwhoever\b": "the caller, another process",
    r"\bfor itself\b": "alone, separately",
}


@cache
def prose(path):
    return [*docstrings_and_comments(path)]


def docstrings_and_comments(path):
    text = path.read_text()
    for node in nodes_of(path):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def stumbles(path):
    return [
        (match[0], plainer)
        for text in prose(path)
        for pattern, plainer in STUMBLES.items()
        for match in re.finditer(pattern, " ".join(text.split()))
    ]


def test_docstrings_and_comments_are_plain():
    assert wrong_in_modules(stumbles) == {}


def test_tests_that_a_docstring_names_exist():
    """An argument in a docstring is as good as the test that it names."""
    named = {
        name
        for path in MODULES
        for text in prose(path)
        for name in re.findall(r"\btest_\w+\b(?!\.py)", text)
    }
    sources = [path.read_text() for path in Path(__file__).parent.glob("test_*.py")]
    defined = {name for source in sources for name in re.findall(r"def (test_\w+)", source)}

    assert len(named) >= 10
    assert named - defined == set()


@pytest.mark.parametrize("folder", DESCRIBED)
def test_the_docstring_of_a_folder_names_each_of_its_modules(folder):
    modules = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    described = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text())) or ""
    named = set(re.findall(r"^``(\w+)``", described, re.MULTILINE))

    assert named == modules


def commands():
    """Go through the functions of commands, each with its lines after its docstring."""
    for path in sorted((PACKAGE / "cli").glob("*.py")):
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and ast.unparse(call.func).endswith("command")
                for call in node.decorator_list
            ):
                assert ast.get_docstring(node), f"{path.name}: {node.name} has no help"
                first, last = node.body[1], node.body[-1]
                yield f"{path.stem}.{node.name}", (last.end_lineno or 0) - first.lineno + 1


def test_commands_are_short():
    sizes = dict(commands())

    assert {"expand.command", "query.command", "spec.show"} <= set(sizes)
    assert {name for name, lines in sizes.items() if lines > 25} == set()


def used_of_orjson(path):
    used = {
        node.attr
        for node in nodes_of(path)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "orjson"
    }
    return used - {"loads", "JSONDecodeError"}


def test_nothing_is_written_by_orjson():
    """It writes past its buffer for some arrays in arrays; it may read, and say what is wrong."""
    assert wrong_in_modules(used_of_orjson) == {}


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda path: path.name)
def test_messages_have_one_way_out(path):
    """``say`` and its neighbours write what steers a terminal as escapes."""
    tree = tree_of(path)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [(node.func.attr, node) for node in calls if isinstance(node.func, ast.Attribute)]
    called = {name for name, _ in named}
    to_stderr = {name for name, node in named if any(k.arg == "err" for k in node.keywords)}
    touched = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    asked = {ast.unparse(argument) for node in calls for argument in node.args}

    # A question in words of ours, and a version that holds no names.
    assert to_stderr <= {"confirm"}
    assert "echo" not in called or path.name == "__init__.py"
    assert {"show", "secho"} & called == set()
    assert path.name == "output.py" or "sys.stderr" not in touched - asked


def test_public_names_are_sorted_and_there():
    assert nestdecode.__all__ == sorted(nestdecode.__all__)
    values = {name: getattr(nestdecode, name) for name in nestdecode.__all__}
    # Aliases of types have no docstring of their own.
    aliases = {name for name, value in values.items() if typing.get_origin(value)}

    assert aliases == {"Duplicates", "Framing", "Numbers", "Policy", "Start", "Undeclared"}
    assert all(value.__doc__ for name, value in values.items() if name not in aliases)
    assert set(nestdecode.__all__) <= set(dir(nestdecode))


def test_importing_loads_neither_click_nor_yaml():
    code = "import sys, nestdecode; print({'click', 'yaml'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert run.stdout.decode().strip() == "set()"


def test_expanding_a_file_loads_nothing_that_it_does_not_need(tmp_path):
    (tmp_path / "small.json").write_text('{"a": "[1]"}')
    code = (
        "import sys; before = set(sys.modules)\n"
        "from nestdecode.cli import main\n"
        "sys.argv = ['nestdecode', 'expand', 'small.json']\n"
        "try: main()\n"
        "finally: print(*sorted(set(sys.modules) - before), sep='\\n', file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path
    )
    loaded = set(run.stderr.decode().split())

    assert "nestdecode.plan.learnt" in loaded
    needless = (
        "base64 binascii bz2 jmespath lzma mmap pathlib pickle select subprocess urllib yaml zlib"
    )
    assert loaded & {*needless.split(), "click.shell_completion", "nestdecode.spec"} == set()


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def ours(nodes):
    """Return every name that a module gives to something."""
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.Constant(value=str(name)):  # in __slots__
                yield name


# Neither says the same in public.
LENT = {("os", "_exit"), ("visitor", "_Expression")}


def foreign(path):
    """Return the underscore names of others that a module reaches for."""
    nodes = nodes_of(path)
    its_own = set(ours(nodes))
    reached = [
        ast.unparse(node)
        for node in nodes
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.endswith("__")
        and node.attr not in its_own
        and (ast.unparse(node.value), node.attr) not in LENT
    ]
    reached += [
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nestdecode")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.endswith("__")
    ]
    return reached


def test_no_module_reaches_for_what_another_keeps_to_itself():
    assert wrong_in_modules(foreign) == {}
