"""``nestdecode spec``, and the folders of a user's specs."""

import json
import os
from pathlib import Path

import pytest

from nestdecode import Spec, SpecError
from nestdecode.cli import main
from nestdecode.spec import catalog, mistakes_in

SPECS = Path(__file__).parent.parent / "specs"
SPEC = "nestdecode: 1\ntitle: {}\nlayers: {{a: json}}\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home, which is the working directory, too."""
    monkeypatch.chdir(tmp_path)
    for name in ("NESTDECODE_SPECS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(capfd):
    """A function that runs a command: (stdout, stderr, exit code)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        out, err = capfd.readouterr()
        return out, err, caught.value.code

    return run


def put(path, text=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or SPEC.format("Mine"))
    return path


def test_a_spec_of_a_folder_has_a_name(home, run, monkeypatch):
    put(home / "one" / "team" / "orders.yaml")
    put(home / "two" / "logs.json", '{"nestdecode": 1, "layers": {"a": "json"}}')
    monkeypatch.setenv("NESTDECODE_SPECS", os.pathsep.join((f"{home}/one", "~/two", "nowhere")))
    (home / "x.json").write_text('{"a":"[1]","b":"[2]"}')
    for name in ("team/orders", "logs"):
        assert run("expand", "--spec", name, "x.json") == ('{"a":[1],"b":"[2]"}\n', "", 0)
        assert run("query", "--spec", name, "a", "x.json") == ("[1]\n", "", 0)


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="elsewhere")
@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="usual"),
        pytest.param({"XDG_CONFIG_HOME": "{home}/.config"}, id="XDG"),
    ],
)
def test_the_folder_for_configuration_is_used_unless_the_variable_is_set(
    home, run, monkeypatch, variables
):
    put(home / ".config" / "nestdecode" / "specs" / "mine.yml")
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(home=home))

    assert "mine  " in run("spec", "list")[0]
    monkeypatch.setenv("NESTDECODE_SPECS", "")
    assert "mine" not in run("spec", "list")[0]


def test_the_user_s_specs_go_first_and_the_list_says_so(home, run, monkeypatch):
    own = put(home / "one" / "repair-results.yaml")
    put(home / "two" / "repair-results.yaml", SPEC.format("Later"))
    put(home / "two" / "wrong.yaml", "nestdecode: 2")
    put(home / "two" / ".hidden" / "x.yaml")
    put(home / "two" / "samples" / "x.json")
    monkeypatch.setenv("NESTDECODE_SPECS", f"{home}/one{os.pathsep}{home}/two")
    wrong = "can't be loaded: nestdecode spec lint wrong says why"

    assert run("spec", "list") == (
        (
            "aws/cloudwatch-logs  CloudWatch Logs subscription event\n"
            "aws/sqs-sns          SNS notifications in an SQS event\n"
            f"repair-results       Mine  ({own}, instead of the shipped one)\n"
            f"wrong                {wrong}  ({home}/two/wrong.yaml)\n"
        ),
        "",
        0,
    )
    rows = [json.loads(row) for row in run("spec", "list", "--json")[0].splitlines()]
    assert rows[2:] == [
        {"name": "repair-results", "title": "Mine", "file": str(own), "own": True},
        {"name": "wrong", "title": wrong, "file": f"{home}/two/wrong.yaml", "own": True},
    ]
    assert run("spec", "cat", "repair-results")[0] == own.read_text()


def test_a_mistake_in_a_spec_of_the_user_names_its_file(home, run, monkeypatch):
    path = put(home / "own" / "orders.yaml", "nestdecode: 1\nlayers:\n  a: jsn\n")
    monkeypatch.setenv("NESTDECODE_SPECS", str(home / "own"))
    message = f"nestdecode: {path}:3: unknown codec 'jsn'; did you mean 'json'? - at /layers/a\n"

    assert run("spec", "lint", "orders") == ("", message, 3)
    assert run("expand", "--spec", "orders", "-") == ("", message, 3)


def test_a_name_with_several_files_is_an_error(home, run, monkeypatch):
    paths = [put(home / "own" / f"a.{suffix}") for suffix in ("yaml", "json")]
    monkeypatch.setenv("NESTDECODE_SPECS", str(home / "own"))
    files = f"{paths[0]} and {paths[1]}"

    assert run("spec", "show", "a") == (
        "",
        f"nestdecode: the name 'a' has several files: {files}; give one as a path\n",
        3,
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("ordres", "; did you mean 'team/orders'?", id="a letter"),
        pytest.param("orders", "; did you mean 'team/orders'?", id="the last part"),
        pytest.param("team/order", "; did you mean 'team/orders'?", id="no s"),
        pytest.param("sqs-sns", "; did you mean 'aws/sqs-sns'?", id="a shipped one"),
        pytest.param(
            "zzz",
            "; known are: aws/cloudwatch-logs, aws/sqs-sns, repair-results, team/orders"
            "; NESTDECODE_SPECS: no such folder: nowhere",
            id="none",
        ),
        pytest.param("team/../team/orders", "", id="not by another way"),
    ],
)
def test_a_mistyped_name_gets_a_suggestion(home, run, monkeypatch, name, hint):
    put(home / "own" / "team" / "orders.yaml")
    folders = [str(home / "own")] + (["nowhere"] if name == "zzz" else [])
    monkeypatch.setenv("NESTDECODE_SPECS", os.pathsep.join(folders))
    out, err, code = run("expand", "--spec", name, "-")

    assert (out, code) == ("", 3)
    assert err.startswith(f"nestdecode: unknown spec {name!r}{hint}")


def test_of_a_folder_that_holds_very_much_a_part_is_listed(home, run, monkeypatch):
    monkeypatch.setattr(catalog, "MOST_SPECS", 20)
    monkeypatch.setattr(catalog, "MOST_ENTRIES", 40)
    for number in range(30):
        put(home / "own" / f"a{number:02}.yaml")
    monkeypatch.setenv("NESTDECODE_SPECS", str(home / "own"))
    out, err, code = run("spec", "list")

    assert [line.split()[0] for line in out.splitlines()][:20] == [f"a{n:02}" for n in range(20)]
    assert len(out.splitlines()) == 20 + len(catalog.shipped())
    assert (err, code) == ("nestdecode: of each folder of specs, at most 20 are listed\n", 0)
    # By its name each of them is found.
    assert run("spec", "show", "a29")[2] == 0
    for number in range(30):
        (home / "own" / f"{number}.txt").touch()
    assert len(catalog.own([home / "own"])) == 10


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_not_a_file_or_is_large_is_not_read_to_be_listed(home, run, monkeypatch):
    put(home / "own" / "good.yaml")
    os.mkfifo(home / "own" / "pipe.yaml")
    (home / "own" / "link.yaml").symlink_to("/dev/zero")
    (home / "own" / "gone.yaml").symlink_to("nowhere")
    put(home / "own" / "large.yaml", "#" * (catalog.MOST_LISTED + 1))
    monkeypatch.setenv("NESTDECODE_SPECS", str(home / "own"))
    out, err, code = run("spec", "list")

    assert (err, code) == ("", 0)
    assert [line.split()[0] for line in out.splitlines() if "own/" in line] == ["good", "large"]
    assert "large" in out
    assert "too large to be listed" in out
    assert "unknown spec 'pipe'" in run("spec", "show", "pipe")[1]


def test_a_folder_that_is_given_as_a_spec_is_said_to_be_one(home, run, monkeypatch):
    put(home / "own" / "good.yaml")
    monkeypatch.chdir(home)
    message = "nestdecode: unknown spec 'own': it is a folder; name a file in it\n"

    assert run("spec", "lint", "own") == ("", message, 3)


def test_the_library_reads_no_variable(home, monkeypatch):
    put(home / "own" / "orders.yaml")
    monkeypatch.setenv("NESTDECODE_SPECS", str(home / "own"))

    with pytest.raises(SpecError, match="unknown spec 'orders'"):
        Spec.load("orders")
    assert "orders" not in catalog.names()
    assert Spec.load("orders", folders=[home / "own"]).title == "Mine"
    assert mistakes_in("orders", [home / "own"]) == []


@pytest.mark.parametrize("name", ["repair-results", "aws/sqs-sns", "repair-results#/x"])
def test_cat_writes_the_file_as_it_is(run, name):
    path = SPECS / f"{name.partition('#')[0]}.yaml"

    assert run("spec", "cat", name) == (path.read_text(), "", 0)


OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "description": "Two\n  lines", "version": "1"},
    "x-nestdecode": {"schema": "#/components/schemas/O", "limits": {"max_layers": 3}},
    "paths": {
        "/o/{id}": {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "get": {
                "summary": "One order",
                "parameters": [
                    {"name": "view", "in": "query", "schema": {"enum": ["full", "brief"]}}
                ],
            },
            "delete": {"description": "Take it\naway"},
        }
    },
    "components": {
        "parameters": {
            "id": {
                "name": "id", "in": "path", "required": True, "description": "Its number",
                "schema": {"type": ["integer", "string"]},
            }
        },
        "schemas": {"O": {"type": "object", "properties": {"a": {"type": "string", "contentMediaType": "application/json"}}}},
    },
}  # fmt: skip


def test_show_says_what_an_api_is_asked(home, run):
    (home / "o.json").write_text(json.dumps(OPENAPI))

    assert run("spec", "show", "o.json") == (
        (
            "name: o.json\n"
            "form: OpenAPI 3.1.0\n"
            "title: Orders\n"
            "description: Two lines\n"
            "limit max_layers: 3\n"
            "layers:\n"
            "  a  json\n"
            "operations:\n"
            "  GET /o/{id}     One order\n"
            "    id            (path, integer or string, required) Its number\n"
            "    view          (query, full or brief, optional)\n"
            "  DELETE /o/{id}  Take it away\n"
            "    id            (path, integer or string, required) Its number\n"
        ),
        "",
        0,
    )


def test_show_writes_json(home, run):
    (home / "o.json").write_text(json.dumps(OPENAPI))
    out, err, code = run("spec", "show", "--json", "o.json")
    number = {
        "name": "id", "in": "path", "required": True, "type": "integer or string", "values": [],
        "description": "Its number",
    }  # fmt: skip
    view = {
        "name": "view", "in": "query", "required": False, "type": "", "values": ["full", "brief"],
        "description": "",
    }  # fmt: skip

    assert (err, code) == ("", 0)
    assert json.loads(out) == {
        "name": "o.json",
        "file": "o.json",
        "form": "OpenAPI 3.1.0",
        "title": "Orders",
        "description": "Two\n  lines",
        "focus": None,
        "match": None,
        "undeclared": "keep",
        "numbers": "double",
        "duplicates": "last",
        "on-error": None,
        "limits": {"max_layers": 3},
        "layers": [{"path": "a", "codecs": ["json"], "optional": False, "on-error": None}],
        "queries": {},
        "operations": [
            {"method": "GET", "path": "/o/{id}", "summary": "One order",
             "parameters": [number, view]},
            {"method": "DELETE", "path": "/o/{id}", "summary": "Take it\naway",
             "parameters": [number]},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param(
            "nestdecode: 1\nlayers:\n\ta: jsn\n\tb: json |\n",
            [
                "3: indented by a tab, like 1 other line: YAML indents by spaces only",
                "3: unknown codec 'jsn'; did you mean 'json'? - at /layers/a",
                "4: a codec is missing beside | in 'json |' - at /layers/b",
            ],
            id="a tab, and what is behind it",
        ),
        pytest.param(
            "nestdecode: 1\nlayer:\n  a: jsn\nlayers2: {}\n",
            [
                "2: unknown key 'layer'; did you mean 'layers'? - at /layer",
                "3: unknown codec 'jsn'; did you mean 'json'? - at /layers/a",
                "4: unknown key 'layers2'; did you mean 'layers'? - at /layers2",
            ],
            id="a key, and what is below it",
        ),
        pytest.param(
            "nestdecode: 1\nlayers:\n- a: json\n",
            [
                ("2: expected an object: path to codecs, got a list: leave out the dashes, "
                "as in Records[].body: json - at /layers")
            ],
            id="a list",
        ),
        pytest.param(
            "nestdecode: 1\nlayers:\n  a:json\n",
            [
                ("2: expected an object: path to codecs; a space is missing after a colon, "
                "as in Records[].body: json - at /layers")
            ],
            id="no blank",
        ),
        pytest.param(
            "nestdecode: 1\nlayers: {}\nRecords[].body: json\n",
            [
                ("3: unknown key 'Records[].body'; a path and its codecs stand below layers, "
                "indented - at /Records[].body")
            ],
            id="a path beside layers",
        ),
        pytest.param(
            "nestdecode: 1\nlayers:\n  a: !x json\n  b: jsn\n",
            [
                "3: tags are not read: quote what begins with ! - at /layers",
                "4: unknown codec 'jsn'; did you mean 'json'? - at /layers/b",
            ],
            id="a tag",
        ),
        pytest.param(
            "Nestdecode: 1\nlayers: {a: application/json}\n",
            [
                "2: a short form begins with 'nestdecode: 1': write that line first - at /layers",
                ("2: unknown codec 'application/json': media types are for the schema form; "
                "did you mean 'json'? - at /layers/a"),
            ],
            id="a capital",
        ),

        pytest.param("a: [\n", ["1: the [ of this line is not closed, or a comma is missing after it"], id="a bracket"),
        pytest.param(
            '{"nestdecode": 1,\n "layers": {\n  "a": "jsn",\n  "a": "json"}}',
            ["4: key 'a' is written twice"],
            id="JSON with a name twice, whose last counts",
        ),
    ],
)  # fmt: skip
def test_lint_lists_all_mistakes_each_with_its_line(home, text, messages):
    (home / "my.yaml").write_text(text)

    assert [str(error) for error in mistakes_in("my.yaml")] == [f"my.yaml:{m}" for m in messages]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"nestdecode": 1,}', "1: invalid JSON: nothing follows this comma: column 17"),
        ('{"nestdecode": 1\n', "1: invalid JSON: it ends too early"),
        ("{'nestdecode': 1}", "1: invalid JSON: strings are in double quotes: column 2"),
        ('{"a": 1 // x\n}', "1: invalid JSON: JSON has no comments: column 9"),
        ('{"a": 1\n "b": 2}', "2: invalid JSON: a comma, a colon or an end is missing before '\"'"),
        ('{"a": tru}', "1: invalid JSON: 't' can't be here: column 7"),
        ('{\n"nestdecode": 1,\n"layers": {"a":\n"jsn"}}', "3: unknown codec 'jsn'"),
        ('{"layers": {\n"a": "json",\n"b": ["json",\n"jsn"]}, "nestdecode": 1}', "3: unknown cod"),
        ("nestdecode: 1", "1: invalid JSON: it begins with 'n'; a spec in YAML is named .yaml"),
        ('{"openapi":\n"2.0"}', "1: wanted OpenAPI 3.0, 3.1 or 3.2"),
    ],
)
def test_a_mistake_in_json_has_a_line_and_words_of_ours(home, text, message):
    (home / "my.json").write_text(text)

    assert str(mistakes_in("my.json")[0]).startswith(f"my.json:{message}")


@pytest.mark.parametrize(
    ("spec", "warnings"),
    [
        pytest.param(
            "layers: {a: json | base64}",
            [
                ("2: warning: json | base64 opens JSON first, whose string holds base64; "
                "JSON in base64 is base64 | json - at /layers/a")
            ],
            id="an order that is probably not meant",
        ),
        pytest.param("layers: {a: json | json, b: base64 | json}", [], id="two good orders"),
        pytest.param(
            "layers:\n  a[1].b: json",
            ["3: warning: [n] is one element only; for every element write a[].b - at /layers/a[1].b"],
            id="one element",
        ),
        pytest.param("layers: {'a[0]': json, 'a[]': base64}", [], id="one element and the others"),
        pytest.param(
            "layers: {a: [json?, base64]}",
            ["2: warning: ? makes the whole layer optional, its other chains too - at /layers/a"],
            id="one optional chain",
        ),
        pytest.param(
            "layers: {a: {codecs: json?, on-error: fail}}",
            ["2: warning: on-error has no effect on an optional layer - at /layers/a"],
            id="a policy without effect",
        ),
        pytest.param(
            "layers: {Records: json}\nqueries:\n  q: records.b",
            [
                ("4: warning: nothing is declared under records; did you mean 'Records'? "
                "- at /queries/q")
            ],
            id="a query in the wrong case",
        ),
    ],
)  # fmt: skip
def test_lint_warns_of_what_is_probably_not_meant(home, run, spec, warnings):
    (home / "my.yaml").write_text(f"nestdecode: 1\n{spec}\n")
    out, err, code = run("spec", "lint", "my.yaml")

    assert (out.splitlines()[:-1], err, code) == ([f"my.yaml:{w}" for w in warnings], "", 0)


@pytest.mark.parametrize(
    ("spec", "warnings"),
    [
        pytest.param(
            "layers: {p: json, q: json}",
            ["2: warning: none of the 2 layers is in the sample - at /layers"],
            id="nothing of it",
        ),
        pytest.param(
            "layers: {a: base64 | json}",
            [
                ("2: warning: 2 strings of the sample can't be opened: invalid base64: "
                "incorrect padding (base64), at /a - at /layers/a")
            ],
            id="strings that do not open",
        ),
        pytest.param(
            "layers: {a: json}\nmatch: n > `5`\nfocus: a[].n\nqueries: {x: 'a[].M', y: 'a[?n]', z: 'a[].n'}",
            [
                "3: warning: holds for no record of the sample - at /match",
                ("5: warning: gives nothing for the whole sample; it has no 'M'; did you mean 'm'? "
                "- at /queries/x"),
            ],
            id="what gives nothing, a filter excepted",
        ),
    ],
)  # fmt: skip
def test_lint_warns_of_what_a_sample_lacks(home, run, spec, warnings):
    (home / "my.yaml").write_text(f"nestdecode: 1\n{spec}\n")
    (home / "x.ndjson").write_text('{"a": "[{\\"n\\": 0}]"}\n{"a": "[{\\"n\\": 0, \\"m\\": 1}]"}\n')
    out, err, code = run("spec", "lint", "my.yaml", "x.ndjson")

    assert (out.splitlines()[:-1], err, code) == ([f"my.yaml:{w}" for w in warnings], "", 0)
