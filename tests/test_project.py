"""What surrounds the code says what is true: names in documents, versions, workflows."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
FOLDERS = [ROOT / name for name in (".github", "benchmarks", "nestdecode", "specs", "tests")]
DOCUMENTS = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in folder.rglob("*.md"))]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
assert ROOT / "nestdecode" / "integrations" / "README.md" in DOCUMENTS
assert WORKFLOWS, "no workflows: is .github missing from this checkout?"

by_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
by_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def without_blocks(path: Path) -> str:
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def code_in(text: str) -> list[str]:
    """Return what stands between backquotes, on one line or over the end of one."""
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", text)]


def anchor_of(heading: str) -> str:
    """Return the name by which GitHub links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@by_document
def test_a_link_leads_to_a_file_and_to_a_heading_in_it(path):
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(path)):
        name, _, anchor = link.partition("#")
        if ":" in name:
            continue  # another site
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            broken.append(link)
        elif anchor:
            headings = re.findall(r"^#+ (.*)$", without_blocks(target), re.MULTILINE)
            broken += [] if anchor in map(anchor_of, headings) else [link]

    assert not broken


@by_document
def test_what_is_made_has_a_target(path):
    made = re.findall(r"^make ([a-z][a-z -]*[a-z])", path.read_text(), re.MULTILINE)
    made += [
        code.removeprefix("make ")
        for code in code_in(without_blocks(path))
        if re.match("make [a-z]", code)
    ]

    assert {target for words in made for target in words.split()} - TARGETS == set()


# The tests that a document names


def names_of_tests(path: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))


def files_of_tests() -> dict[str, set[str]]:
    """Return the tests of each file, whose name may leave out the folder."""
    tests = {}
    for folder in FOLDERS:
        for path in folder.rglob("test_*.py"):
            name = path.relative_to(folder).as_posix()
            tests[name] = tests[path.name] = names_of_tests(path)
    return tests


TESTS = files_of_tests()


def unknown_tests(paragraph: str) -> list[str]:
    """
    Return the names in a paragraph or row that no file or test has.

    A test without a file is one of the files that the same paragraph names, if it names any.

    >>> unknown_tests("`test_project.py::test_what_is_made_has_a_target`, `test_it_all`, `test_no.py`")
    ['test_it_all', 'test_no.py']
    >>> unknown_tests("`integrations/test_aws.py::test_no`, `tests/test_aws.py`, `specs/test_no.py`")
    ['integrations/test_aws.py::test_no', 'specs/test_no.py']
    """
    codes = [code.removeprefix("tests/") for code in code_in(paragraph)]
    words = [
        match
        for code in codes
        if (match := re.fullmatch(r"((?:\w+/)*test_\w+\.py)?(?:::)?(test_\w+)?", code))
    ]
    files = {match[1] for match in words if match[1]}
    unknown = []
    for match in words:
        among = {match[1]} if match[1] else files or set(TESTS)
        known = set[str]().union(*(TESTS.get(name, ()) for name in among))
        if not among <= set(TESTS) or (match[2] and match[2] not in known):
            unknown.append(match[0])
    return unknown


def paragraphs(path: Path) -> list[str]:
    """Return what belongs together: paragraphs, points of a list and rows of a table."""
    return re.split(r"\n\s*\n|\n(?=\||- )", without_blocks(path))


@by_document
def test_each_test_that_a_document_names_is_there(path):
    assert [name for part in paragraphs(path) for name in unknown_tests(part)] == []


def test_each_file_that_the_tests_readme_names_is_there():
    codes = code_in(without_blocks(ROOT / "tests" / "README.md"))
    names = {code.split("::")[0] for code in codes}
    files = [n for n in names if re.fullmatch(r"[\w/.-]+\.(py|json|toml)|cases/[\w/]*", n)]

    assert len(files) > 20
    assert [n for n in files if not any((f / n).exists() for f in (ROOT / "tests", ROOT))] == []


# Versions of Python


def minors(text: str) -> list[int]:
    return sorted({int(minor) for minor in re.findall(r"3\.(\d+)", text)})


def test_the_versions_of_python_are_the_same_wherever_they_stand():
    jobs = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())["jobs"]
    tried = minors(" ".join(jobs["test"]["strategy"]["matrix"]["python"]))
    project = PYPROJECT["project"]
    classified = minors(" ".join(c for c in project["classifiers"] if c[-1].isdigit()))
    newer = re.search(r"^NEWER := (.*)$", MAKEFILE, re.MULTILINE)
    oldest = minors(project["requires-python"])

    assert newer
    assert tried == oldest + minors(newer[1]) == list(range(tried[0], tried[-1] + 1))
    # The newest is classified once its checks have passed.
    assert classified in (tried, tried[:-1])
    assert minors(jobs["floors"]["steps"][1]["with"]["python-version"]) == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py3{oldest[0]}"


# Workflows


def steps_of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", ())]


@by_workflow
def test_an_action_is_pinned_to_a_commit_that_names_its_version(path):
    used = re.findall(r"uses: (.*)", path.read_text())

    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./.*\.yml", action)


def test_an_action_has_one_version():
    used = {use for path in WORKFLOWS for use in re.findall(r"uses: (.*@.*)", path.read_text())}

    assert len({use.split("@")[0] for use in used}) == len(used)


@by_workflow
def test_a_workflow_may_do_as_little_as_it_needs(path):
    workflow = yaml.safe_load(path.read_text())
    granted = {
        name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job
    }
    checkouts = [s for s in steps_of(workflow) if s.get("uses", "").startswith("actions/checkout@")]

    assert workflow["permissions"] == {"contents": "read"}
    assert granted == ({"publish": {"id-token": "write"}} if path.stem == "publish" else {})
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)
    assert "secrets." not in path.read_text()
    # What others write reaches a shell as a variable, not as a part of its text.
    assert not any("${{" in step.get("run", "") for step in steps_of(workflow))


@by_workflow
def test_a_workflow_ends_and_runs_once(path):
    workflow = yaml.safe_load(path.read_text())

    assert workflow["concurrency"]["cancel-in-progress"] is (path.stem != "publish")
    assert all("timeout-minutes" in job for job in workflow["jobs"].values() if "steps" in job)


@by_workflow
def test_a_workflow_makes_what_can_be_made_here(path):
    made = {
        target
        for step in steps_of(yaml.safe_load(path.read_text()))
        for words in re.findall(r"^make (.*)", step.get("run", ""), re.MULTILINE)
        for target in words.split()
    }

    assert made <= TARGETS
    assert made


def test_a_pull_request_is_checked_as_the_gate_checks():
    gate = re.search(r"^check: (.*)$", MAKEFILE, re.MULTILINE)
    text = (ROOT / ".github/workflows/check.yml").read_text()
    made = {target for words in re.findall(r"run: make (.*)", text) for target in words.split()}

    assert gate
    # Each newer Python has a job of its own.
    assert made == {*gate[1].split()} - {"test-newer"}


# What is released


def test_the_changelog_has_the_version_and_nothing_newer():
    text = (ROOT / ".github" / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    released = [
        re.fullmatch(r"(\d+)\.(\d+)\.(\d+), (not yet released|\d{4}-\d\d-\d\d)", s)
        for s in sections
    ]

    assert all(released)
    numbers = [tuple(map(int, match.groups()[:3])) for match in released if match]
    assert numbers == sorted(numbers, reverse=True)
    assert ".".join(map(str, numbers[0])) == PYPROJECT["project"]["version"]
    assert all("not yet" not in section for section in sections[1:])
