"""Files changed in place by set -i and edit: whole or untouched, whatever happens to them."""

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests import command

NESTDECODE = [sys.executable, "-m", "nestdecode"]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs xattrs")
OLD = b'{"a": "[1]"}\n'
NEW = b'{"a": "[2]"}\n'
# An access list: its owner, user 4711, group, mask and others may read, its owner write.
ACCESS_LIST = bytes.fromhex(
    "02000000 01000600ffffffff 0200040067120000 04000400ffffffff 10000400ffffffff 20000000ffffffff"
)


def run(*arguments: Any, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return command.run(*arguments, **more)


def said(result: subprocess.CompletedProcess[bytes]) -> str:
    assert result.stdout == b""
    return result.stderr.decode()


@pytest.fixture
def file(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "f.json"
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def about(path: Path) -> Any:
    now = path.stat()
    names = os.listxattr(path) if hasattr(os, "listxattr") else []
    attributes = {name: os.getxattr(path, name) for name in names}
    return now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode), attributes


def names_beside(path: Path) -> list[str]:
    return sorted(other.name for other in path.parent.iterdir())


@LINUX
@pytest.mark.parametrize("how", ["set", "edit"])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o4755, 0o222])
def test_what_is_told_of_a_file_stays(file, tmp_path, how, mode):
    if os.geteuid() == 0:
        os.chown(file, 1234, 2345)
    os.setxattr(file, "user.tag", b"kept\0")
    file.chmod(mode)
    before = about(file)

    assert changed(file, tmp_path, how).returncode == 0
    assert file.read_bytes() == NEW
    assert about(file) == before


def changed(file: Path, tmp_path: Path, how: str) -> subprocess.CompletedProcess[bytes]:
    if how == "set":
        return run("set", "-i", "a[0]=2", file)
    return edit(file, tmp_path, "PATH.write_text(PATH.read_text().replace('1', '2'))")


@LINUX
def test_access_lists_stay_and_none_is_inherited(file):
    try:
        os.setxattr(file, "system.posix_acl_access", ACCESS_LIST)
    except OSError:
        pytest.skip("no access lists here")
    before = about(file)
    other = file.with_name("other.json")
    other.write_bytes(OLD)
    other.chmod(0o640)
    os.setxattr(file.parent, "system.posix_acl_default", ACCESS_LIST)

    for path in (file, other):
        assert run("set", "-i", "a[0]=2", path).returncode == 0
    assert about(file) == before
    assert about(other) == (*before[:2], 0o640, {})


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, and to be it no longer"
)
def test_an_owner_that_cannot_be_kept_is_a_reason_to_refuse(file):
    os.chown(file, 1234, 2345)
    before = about(file), file.stat().st_ino
    command = ["setpriv", "--bounding-set=-chown", *NESTDECODE, "set", "-i", "a[0]=2", str(file)]
    result = subprocess.run(command, capture_output=True, check=False)

    assert result.returncode == 2
    assert said(result) == (
        f"nestdecode: {file}: can't be replaced: its owner and group can't be kept: "
        "Operation not permitted\n"
    )
    assert (about(file), file.stat().st_ino) == before
    assert names_beside(file) == ["f.json"]


@pytest.mark.parametrize("command", [["set", "-i", "a[0]=2"], ["edit"]], ids=["set", "edit"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (
            "hard links",
            "it has 2 names (hard links), and the others would keep the old text",
        ),
        ("read-only", "it is read-only; chmod u+w makes it writable"),
        ("FIFO", "it is not a regular file"),
        ("device", "it is not a regular file"),
        ("directory", "it is a directory"),
        ("missing", "No such file or directory"),
        ("link to nothing", "No such file or directory"),
    ],
)
def test_what_cannot_be_replaced_as_a_whole_is_refused(file, command, kind, reason):
    if kind == "hard links":
        os.link(file, file.with_name("g.json"))
    elif kind == "read-only":
        file.chmod(0o444)
    else:
        file.unlink()
        if kind == "FIFO":
            os.mkfifo(file)
        elif kind == "directory":
            file.mkdir()
        elif kind == "link to nothing":
            file.symlink_to("nothing")
    name = "/dev/null" if kind == "device" else str(file)
    environment = {**os.environ, "EDITOR": "false", "VISUAL": ""}
    result = run(*command, name, env=environment)

    assert result.returncode == 2
    assert said(result) == f"nestdecode: {name}: can't be replaced: {reason}\n"
    if file.is_file():
        assert file.read_bytes() == OLD


def test_of_many_changes_at_once_none_is_lost(file):
    children = [
        subprocess.Popen([*NESTDECODE, "set", "-i", f"k{number}={number}", str(file)])
        for number in range(8)
    ]

    assert [child.wait(60) for child in children] == [0] * 8
    assert json.loads(file.read_bytes()) == {"a": "[1]"} | {f"k{n}": n for n in range(8)}
    assert names_beside(file) == ["f.json"]


@pytest.mark.slow
def test_a_file_that_grows_meanwhile_is_not_replaced(file):
    file.write_bytes(OLD * 10_000)
    child = subprocess.Popen(
        [*NESTDECODE, "set", "-i", "a[0]=3", str(file)], stderr=subprocess.PIPE
    )
    appended = 0
    while child.poll() is None:
        with file.open("ab") as log:
            log.write(b'{"appended":0}\n')
        appended += 1
        time.sleep(0.001)

    assert child.communicate()[1] == (
        f"nestdecode: {file}: another process has changed it since it was read: run the command again\n".encode()
    )
    assert child.returncode == 2
    assert file.read_bytes() == OLD * 10_000 + b'{"appended":0}\n' * appended


@pytest.mark.parametrize("how", ["same size and time", "another file", "attributes"])
def test_every_change_meanwhile_is_noticed(file, how, monkeypatch):
    from nestdecode.cli.inplace import InPlace
    from nestdecode.cli.output import RefusedError

    with InPlace(str(file)) as place:
        if how == "same size and time":
            times = file.stat().st_atime_ns, file.stat().st_mtime_ns
            file.write_bytes(NEW)
            os.utime(file, ns=times)
        elif how == "another file":
            other = file.with_name("g.json")
            other.write_bytes(OLD)
            other.replace(file)
        else:
            time.sleep(0.02)
            file.chmod(0o600)
        expected = file.read_bytes(), about(file)
        with pytest.raises(RefusedError) as caught:
            place.put(b"{}", OLD)

    assert caught.value.code == 2
    assert (file.read_bytes(), about(file)) == expected
    assert names_beside(file) == ["f.json"]


def test_whoever_waits_for_a_lock_is_told_and_gets_the_file_that_is_there_then(file):
    import fcntl

    with file.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        child = subprocess.Popen(
            [*NESTDECODE, "set", "-i", "a[0]=2", str(file)], stderr=subprocess.PIPE
        )
        assert child.stderr is not None
        line = child.stderr.readline()
        other = file.with_name("g.json")
        other.write_bytes(OLD.replace(b"a", b"b") + OLD)
        other.replace(file)

    assert (
        line == f"nestdecode: {file}: waiting for another process, which has locked it\n".encode()
    )
    assert child.wait(60) == 0
    child.stderr.close()
    assert file.read_bytes() == OLD.replace(b"a", b"b") + NEW


@pytest.mark.slow
def test_a_process_that_is_stopped_or_killed_leaves_the_old_or_the_new(file):
    old = OLD * 3_000
    chance = random.Random(60)
    file.write_bytes(old)
    began = time.monotonic()
    subprocess.run([*NESTDECODE, "set", "-i", "a[0]=2", str(file)], check=True)
    took = time.monotonic() - began
    new = file.read_bytes()
    assert new == NEW * 3_000
    for number in [signal.SIGTERM, signal.SIGKILL] * 8:
        file.write_bytes(old)
        child = subprocess.Popen([*NESTDECODE, "set", "-i", "a[0]=2", str(file)])
        threading.Timer(chance.uniform(0.8, 1.05) * took, child.send_signal, [number]).start()
        child.wait(60)

        assert file.read_bytes() in (old, new)
        left = [name for name in names_beside(file) if name != "f.json"]
        assert number == signal.SIGKILL or left == []
        for name in left:
            file.with_name(name).unlink()


@pytest.mark.parametrize("name", ["n" * 250, "é" * 125, "-i.json", " .json"])
def test_names_of_any_length_are_edited(file, tmp_path, name):
    path = file.with_name(name)
    file.rename(path)

    assert edit(path, tmp_path, "PATH.write_text(PATH.read_text().replace('1', '2'))").stderr == b""
    assert path.read_bytes() == NEW


# The values that set is given


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["canary", "f.json"],
            "wanted PATH=VALUE, got an argument without =; write it as one word in quotes: 'a.b=5'",
        ),
        (["=canary", "f.json"], "wanted PATH=VALUE, got an argument that begins with ="),
        (["a..b=canary", "f.json"], None),
        (["a[?b=='canary']=canary", "f.json"], None),
        (["-i", "a=1", "b=canary"], "--in-place needs a FILE to replace"),
        (["a=" + "canary" * 9, "--record=3", "f.json"], None),
        (["x.y=canary", "f.json"], None),
        (["a=" + "[" * 999 + '"canary"', "f.json"], None),
        (["a=8675309e8675309", "f.json"], None),
        (["--delete", "a..b", "a=canary", "f.json"], None),
    ],
)
def test_no_message_of_set_holds_a_value(file, arguments, message):
    result = run("set", *arguments, cwd=file.parent)

    assert result.returncode in (2, 5) or b"[[[" in result.stdout
    assert b"canary" not in result.stderr
    assert b"8675309" not in result.stderr
    if message is not None:
        assert said(result).splitlines()[-1] == f"Error: {message}"


# Editors


def editor(tmp_path: Path, code: str) -> dict[str, str]:
    """Return an environment whose editor is a script; PATH is what it edits."""
    script = tmp_path / "editor.py"
    script.write_text(
        f"import os, pathlib, shutil, signal, sys, time; PATH = pathlib.Path(sys.argv[1])\n{code}"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir(exist_ok=True)
    return {
        **os.environ,
        "EDITOR": f"{sys.executable} {script}",
        "VISUAL": " ",
        "TMPDIR": str(temporary),
    }


def edit(file: Path, tmp_path: Path, code: str) -> subprocess.CompletedProcess[bytes]:
    return run("edit", "--", file, env=editor(tmp_path, code))


def kept(tmp_path: Path) -> list[str]:
    folder = tmp_path / "temporary"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("code", "reason", "is_kept"),
    [
        pytest.param("PATH.unlink()", "the editor removed it", False, id="deleted"),
        pytest.param(
            "PATH.unlink(); PATH.mkdir()",
            "the editor replaced it by something that is not a file",
            True,
            id="a directory",
        ),
        pytest.param(
            "PATH.unlink(); os.mkfifo(PATH)",
            "the editor replaced it by something that is not a file",
            True,
            id="a FIFO",
        ),
        pytest.param("PATH.unlink(); PATH.symlink_to('/etc/hostname')", None, True, id="a link"),
    ],
)
def test_what_is_no_file_any_more_is_refused(file, tmp_path, code, reason, is_kept):
    result = edit(file, tmp_path, code)

    assert result.returncode == 2
    assert file.read_bytes() == OLD
    if reason is not None:
        assert said(result).endswith(f"/f.json: {reason}\n")
    assert (b"what you wrote is kept in" in result.stderr) is is_kept
    assert bool(kept(tmp_path)) is is_kept


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  "a": 1,\n  "b" 2\n}\n', "line 3, column 7: invalid JSON: unexpected character"),
        (
            '{"a": 1}\n{\n\n  "b": [1,]\n}\n',
            "line 4, column 10: invalid JSON: trailing comma is not allowed",
        ),
        ('{"a": 1}\n{"b": x}\n', "line 2, column 7: invalid JSON: "),
        ('\n\n{"a":\n', "line 3, column 6: invalid JSON: unexpected end of data"),
    ],
)
def test_a_mistake_in_an_editor_is_placed_as_the_editor_shows_it(file, tmp_path, text, place):
    result = edit(file, tmp_path, f"PATH.write_text({text!r})")

    assert result.returncode == 5
    assert f"/f.json: {place}" in said(result)
    assert "char " not in said(result)
    assert file.read_bytes() == OLD


SET_ONE = "; set VISUAL or EDITOR to an editor"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"VISUAL": "  ", "EDITOR": "false"}, "false: exited with 1"),
        ({"VISUAL": "sh -c 'kill -9 $$'"}, "sh -c 'kill -9 $$': was ended by signal 9"),
        ({"VISUAL": "\t", "EDITOR": "x 'y"}, f"x 'y: can't be run: No closing quotation{SET_ONE}"),
        (
            {"VISUAL": "", "EDITOR": "   ", "PATH": ""},
            f"vi: can't be run: No such file or directory{SET_ONE}",
        ),
    ],
)
def test_an_editor_that_fails_is_named_and_leaves_nothing(file, tmp_path, variables, message):
    result = run("edit", file, env=editor(tmp_path, "") | variables)

    assert (result.returncode, said(result)) == (2, f"nestdecode: {message}\n")
    assert kept(tmp_path) == []


def test_what_is_edited_is_closed_to_others(file, tmp_path):
    code = "print([oct(os.stat(p).st_mode & 0o777) for p in (PATH.parent, PATH)], file=sys.stderr)"
    environment = editor(tmp_path, code)
    result = subprocess.run(
        [*NESTDECODE, "edit", file],
        capture_output=True,
        env=environment,
        preexec_fn=lambda: os.umask(0),
    )

    assert said(result).splitlines() == [
        "['0o700', '0o600']",
        f"nestdecode: {file}: nothing was changed",
    ]
    assert result.returncode == 0
    assert kept(tmp_path) == []


def started(file: Path, tmp_path: Path, code: str, **more: Any) -> "subprocess.Popen[bytes]":
    """Start an editor, and come back when it runs."""
    ready = tmp_path / "ready"
    child = subprocess.Popen(
        [*NESTDECODE, "edit", str(file)],
        env=editor(tmp_path, f"pathlib.Path({str(ready)!r}).touch()\n{code}"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **more,
    )
    while not ready.exists():
        assert child.poll() is None
        time.sleep(0.01)
    time.sleep(0.05)
    return child


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("saves", [True, False])
def test_an_editor_gets_the_signal_and_what_it_saved_is_kept(file, tmp_path, number, saves):
    code = (
        "def stop(*_):\n"
        f"  PATH.write_text('saved') if {saves} else None\n"
        "  print('stopped', file=sys.stderr); sys.exit()\n"
        f"signal.signal({int(number)}, stop)\n"
        "time.sleep(60)"
    )
    child = started(file, tmp_path, code)
    child.send_signal(number)
    _, told = child.communicate(timeout=30)

    assert child.returncode == 128 + number
    assert file.read_bytes() == OLD
    lines = told.decode().splitlines()
    assert lines[0] == "stopped"
    if saves:
        assert lines[1:] == [
            f"nestdecode: what you wrote is kept in {tmp_path / 'temporary' / kept(tmp_path)[1]}"
        ]
        assert (tmp_path / "temporary" / kept(tmp_path)[1]).read_text() == "saved"
    else:
        assert (lines[1:], kept(tmp_path)) == ([], [])


def test_an_editor_is_not_killed_by_a_key_that_it_takes_for_something_else(file, tmp_path):
    code = (
        "got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "pathlib.Path(str(PATH) + '.listens').touch()\n"
        "while not got: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "os.remove(str(PATH) + '.listens')\n"
        "PATH.write_text(PATH.read_text().replace('1', '2'))"
    )
    child = started(file, tmp_path, code, start_new_session=True)
    while not any(name.endswith(".listens") for name in kept(tmp_path)):
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGINT)

    _, told = child.communicate(timeout=30)

    assert (child.returncode, told) == (0, b"")
    assert file.read_bytes() == NEW


def test_a_key_ends_an_editor_that_does_not_take_it(file, tmp_path):
    child = started(
        file,
        tmp_path,
        "signal.signal(signal.SIGINT, signal.SIG_DFL); time.sleep(60)",
        start_new_session=True,
    )
    time.sleep(0.2)
    os.killpg(child.pid, signal.SIGINT)
    _, told = child.communicate(timeout=30)

    assert child.returncode == 2
    assert told.endswith(b": was ended by signal 2\n")
    assert kept(tmp_path) == []
