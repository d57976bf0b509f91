"""Of each kind of failure ten are reported and all are counted, in one line at the end."""

from pathlib import Path

import pytest

from nestdecode.cli.summary import summary
from nestdecode.stream.report import Report
from tests import command


def run(*arguments: str, cwd: Path) -> tuple[str, list[str], int]:
    done = command.run(*arguments, cwd=cwd)
    return done.stdout.decode(), done.stderr.decode().splitlines(), done.returncode


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("summary")
    # Two kinds of failure in turn, and layers that stay shut between them.
    deep = "[" * 300 + "]" * 300
    lines = ["{", deep, '{"a":"{oops","n":1}', '{"a":"[1]","n":"x"}'] * 1001
    (folder / "x").write_text("\n".join(lines))
    (folder / "letters").write_text("{\n" * 1234 + '{"raw":"{}"}\n')
    (folder / "s.yaml").write_text("{nestdecode: 1, layers: {a: json}}")
    (folder / "numbers").write_text('{"n":1}\n' * 1234 + '{"n":"x"}\n')
    return folder


FAILED = "2,002 of 4,004 records failed (20 reported"
SHUT = "; 1,001 layers stayed shut in 1,001 records (10 reported)"


@pytest.mark.parametrize("letters", [False, True], ids=["", "dead letters"])
@pytest.mark.parametrize(
    ("arguments", "shut"),
    [
        pytest.param(["expand", "-s", "./s.yaml", "--lines", "x"], True, id="expand"),
        pytest.param(["expand", "-s", "./s.yaml", "--lines", "-j2", "x"], True, id="by two"),
        pytest.param(["query", "-s", "./s.yaml", "--lines", "a", "x"], True, id="query"),
        pytest.param(["query", "--csv", "--lines", "n", "x"], False, id="rows"),
        pytest.param(["explain", "-s", "./s.yaml", "--lines", "x"], False, id="explain"),
        pytest.param(["collapse", "-s", "./s.yaml", "--lines", "x"], False, id="collapse"),
    ],
)
def test_a_stream_reports_ten_of_each_kind_and_counts_all(folder, arguments, shut, letters):
    (folder / "dead").unlink(missing_ok=True)
    keeping = ["--dead-letters", "dead"] if letters else []
    _, err, code = run(*arguments, *keeping, cwd=folder)
    note = ", all kept in dead)" if letters else ", --dead-letters FILE keeps all)"

    assert code == 5
    assert sum("char 1 - at document root" in line for line in err) == 10
    assert sum("at /a (json)" in line for line in err) == 10 * shut
    assert sum("--max-depth" in line for line in err) == 10
    assert err[-1] == f"nestdecode: {FAILED}{note}{SHUT if shut else ''}"
    assert len(err) == 20 + 10 * shut + 1
    assert not letters or len((folder / "dead").read_text().splitlines()) == 2002


def test_replay_and_set_report_ten_and_count_all(folder):
    out, err, code = run("replay", "letters", cwd=folder)
    assert (out, code, len(err)) == ("{}\n", 5, 11)
    assert err[-1] == "nestdecode: 1,234 of 1,235 records failed (10 reported)"

    _, err, code = run("set", "--where", "contains(n, 'x')", "n=y", "numbers", cwd=folder)
    assert (code, sum(": line " in line for line in err)) == (5, 10)
    assert err[-1] == (
        "nestdecode: numbers: changed 1 place in 1 of 1,235 records; "
        "1,234 of 1,235 records failed (10 reported)"
    )


def reported(**counts: int) -> Report:
    report = Report()
    for name, number in counts.items():
        setattr(report, name, number)
    return report


@pytest.mark.parametrize(
    ("report", "options", "line"),
    [
        pytest.param(reported(records=9, written=9), {}, "", id="all is well"),
        pytest.param(reported(records=1, failed=1), {}, "", id="the only one, reported before"),
        pytest.param(reported(records=2, failed=1), {}, "1 of 2 records failed", id="one"),
        pytest.param(
            reported(records=2, failed=1),
            {"letters": "dead"},
            "1 of 2 records failed (kept in dead)",
            id="one is kept",
        ),
        pytest.param(
            reported(records=200_002, failed=19_802, skipped=1000),
            {"hidden": 19_782},
            "19,802 of 200,002 records failed (20 reported, --dead-letters FILE keeps all); "
            "1,000 skipped",
            id="many",
        ),
        pytest.param(
            reported(records=20, failed=11),
            {"hidden": 1, "hints": False},
            "11 of 20 records failed (10 reported)",
            id="nothing to keep them",
        ),
        pytest.param(
            reported(records=3, malformed=1, problems=1, with_problems=1),
            {"malformed": "keep"},
            "1 of 3 records kept as it came (not JSON); 1 layer stayed shut in 1 record",
            id="one of each",
        ),
        pytest.param(
            reported(records=3, malformed=2, problems=12, with_problems=1),
            {"malformed": "wrap"},
            "2 of 3 records wrapped (not JSON); 12 layers stayed shut in 1 record (10 reported)",
            id="several",
        ),
        pytest.param(
            reported(records=1, problems=2, with_problems=1), {}, "2 layers stayed shut", id="alone"
        ),
    ],
)
def test_the_line_at_the_end_reads_well(report, options, line):
    usual = {"hidden": 0, "letters": None, "malformed": "dead", "hints": True}

    assert summary(report, **(usual | options)) == line
