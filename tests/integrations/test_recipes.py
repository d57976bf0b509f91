"""The recipes of the page, run as it shows them."""

import contextlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nestdecode import Decoder
from tests.integrations.conftest import LINES, free_port, need, need_module, send
from tests.integrations.page import PAGE, recipe

REMOTE = "/lib/systemd/systemd-journal-remote"
OPENED = [
    b'{"id":"1","body":{"a":[1,2]}}',
    b"plain",
    b'{"broken": ',
    b'{"big":{"n":18446744073709551617}}',
]


@pytest.fixture
def command(tmp_path):
    """Make a folder with the command ``nestdecode`` of this checkout; return an environment."""
    folder = tmp_path / "bin"
    folder.mkdir()
    root = Path(__file__).parents[2]
    script = folder / "nestdecode"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m nestdecode "$@"\n')
    script.chmod(0o755)
    programs = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{folder}:{programs}:{os.environ['PATH']}"}


def output(script, environment, folder, **options):
    """Run a script; return what it writes, and check that it does not fail."""
    done = subprocess.run(
        ["sh", "-ec", script], env=environment, cwd=folder, stdout=subprocess.PIPE, timeout=60,
        check=True, **options,
    )  # fmt: skip
    return done.stdout


def test_journald(command, tmp_path):
    need("journalctl", REMOTE)
    entry = (
        b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n"
        b"_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=%s\n\n"
    )
    lines = [*LINES, b"\xff"]
    entries = b"".join(entry % (1764000000000000 + n, n + 1, line) for n, line in enumerate(lines))
    (tmp_path / "entries").write_bytes(entries)
    subprocess.run(
        [REMOTE, "-o", tmp_path / "j.journal", tmp_path / "entries"],
        check=True,
        capture_output=True,
    )
    pipe = recipe("journalctl -f").replace("-f ", f"--file {tmp_path}/j.journal ")

    records = list(map(json.loads, output(pipe, command, tmp_path).splitlines()))

    assert [record["MESSAGE"] for record in records] == [
        *({"id": "1", "body": {"a": [1, 2]}}, "plain", '{"broken": '),
        *({"big": {"n": 18446744073709551617}}, [255]),
    ]


def test_mqtt(command, tmp_path, start):
    need("mosquitto", "mosquitto_sub", "mosquitto_pub", "stdbuf")
    port = free_port()
    (tmp_path / "c").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
    )
    start(["mosquitto", "-c", tmp_path / "c"]).listens(port)
    address = f"-h 127.0.0.1 -p {port}"

    def publish(topic, line, *options):
        words = ["mosquitto_pub", *address.split(), "-t", topic, *options, "-s"]
        subprocess.run(words, input=line, check=True)

    def running(name, script):
        folder = tmp_path / name
        folder.mkdir()
        return start(["sh", "-c", f"{script.strip()} > out"], folder, env=command), folder / "out"

    def probe():
        publish("opened", b"probe")
        return out.read_bytes()

    host, out = running("sub", f"stdbuf -oL mosquitto_sub {address} -t opened")
    host.until(probe)
    # Kept by the broker, each under a name of its own: no race with the pipe.
    for number, line in enumerate(LINES):
        publish(f"raw/{number}", line, "-r")
    pipe = recipe("mosquitto_sub").replace("-t raw", f"{address} -t raw/#")
    running("pipe", pipe.replace("-t opened", f"{address} -t opened"))

    def lines():
        found = [line for line in out.read_bytes().splitlines() if line != b"probe"]
        return len(found) >= 4 and found

    assert sorted(host.until(lines)) == sorted(OPENED)


@pytest.fixture
def postgres():
    need_module("psycopg")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    need(*(["runuser"] if programs else ["initdb"]))
    # Which refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if user:
            shutil.chown(folder, "postgres")
        port = free_port()

        def run(program, *words):
            subprocess.run(
                [*user, programs[-1] / program, "-D", f"{folder}/data", *words],
                check=True, cwd="/", stdout=subprocess.DEVNULL,
            )  # fmt: skip

        run("initdb", "-A", "trust", "-N", "--no-locale", "-E", "UTF8", "-U", "postgres")
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", settings, "start")
        stack.callback(run, "pg_ctl", "-m", "immediate", "stop")
        yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"


def test_postgresql(postgres):
    psycopg = need_module("psycopg")
    with psycopg.connect(postgres) as connection:
        exec(recipe("set_json_loads"), {"connection": connection})
        connection.execute("create table events (body jsonb, text json)")
        for line in (*LINES[::3], b'"{\\"a\\":\\"[1,2]\\"}"', b"7", b'"text"'):
            connection.execute("insert into events values (%s, %s)", [line.decode()] * 2)
        rows = connection.execute("select body, text from events").fetchall()

    trees = [Decoder().expand(line) for line in LINES[::3]]
    assert rows == [(tree, tree) for tree in (*trees, {"a": [1, 2]}, 7, "text")]


def test_sqlite(command, tmp_path):
    sqlite_utils = need_module("sqlite_utils")
    database = sqlite_utils.Database(tmp_path / "app.db")
    database["events"].insert_all({"body": line.decode()} for line in LINES)

    output(recipe("sqlite-utils convert"), command, tmp_path)

    assert [row["body"].encode() for row in database["events"].rows] == OPENED
    database.close()


def test_git(command, tmp_path):
    need("git")
    run = f"git init -q . && {recipe('textconv').strip()}"
    alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    (tmp_path / "a.ndjson").write_bytes(b"\n".join([*LINES, b'{"n":1e400,"m":1.10}', b""]))
    output(f"{run} && git add -A .", {**command, **alone}, tmp_path)
    text = (tmp_path / "a.ndjson").read_bytes()
    (tmp_path / "a.ndjson").write_bytes(text.replace(b"2", b"3").replace(b"plain", b"clear"))

    lines = output("git diff -U9 a.ndjson", {**command, **alone}, tmp_path).splitlines()

    changed = [line for line in lines if line[:1] in (b"+", b"-") and line[1:2] not in (b"+", b"-")]
    assert changed == [b"-      2", b"+      3", b"-plain", b"+clear"]
    assert b' {"broken": ' in lines
    assert b'   "n": 1e400,' in lines


@pytest.fixture
def rsyslog(command, tmp_path, start):
    """Return a function that runs rsyslog with a recipe; it returns the lines that come out."""
    need("rsyslogd")
    return lambda part, number: _rsyslog(recipe(part), number, tmp_path, start)


def _rsyslog(configuration, number, tmp_path, start):
    for shown, here in [
        ("/opt/nestdecode/bin", str(tmp_path / "bin")),
        ("/var/log/opened.ndjson", str(tmp_path / "out")),
    ]:
        assert shown in configuration
        configuration = configuration.replace(shown, here)
    (tmp_path / "c").write_text(
        f'global(workDirectory="{tmp_path}")\nmodule(load="imtcp")\n'
        f'input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{tmp_path}/port")\n'
        f"{configuration}"
    )
    host = start(["rsyslogd", "-n", "-C", "-i", tmp_path / "pid", "-f", tmp_path / "c"])
    send(int(host.until(lambda: (tmp_path / "port").read_text().strip())), LINES)
    return host.lines(tmp_path / "out", number)


def test_rsyslog_by_mmexternal(rsyslog):
    assert list(map(json.loads, rsyslog('load="mmexternal"', 2))) == [
        {"id": "1", "body": {"a": [1, 2]}},
        {"big": {"n": "18446744073709551617"}},
    ]


def test_rsyslog_by_omprog(rsyslog):
    opened, plain, broken, big = OPENED

    assert rsyslog('load="omprog"', 4) == [opened, b" " + plain, b" " + broken, big]


def test_logging_in_python(capsys):
    structlog = need_module("structlog")
    loguru = need_module("loguru")
    need_module("pythonjsonlogger")
    provider = need_module("opentelemetry.sdk._logs").LoggerProvider()
    handler = logging.StreamHandler(sys.stdout)
    lines: list[Any] = []
    names: dict[str, Any] = {"structlog": structlog, "handler": handler, "provider": provider}
    names["logger"] = loguru.logger
    for statement in re.findall(r"`(from nestdecode\.integrations\.\w+ import \w+)`", PAGE):
        exec(statement, names)

    exec(recipe("structlog.configure"), names)

    structlog.get_logger().info("up", payload='{"a":"[1]"}')
    record = logging.LogRecord("app", logging.INFO, "", 1, "up", None, None)
    handler.handle(logging.makeLogRecord({**vars(record), "payload": '{"a":"[1]"}'}))
    loguru.logger.remove()
    loguru.logger.add(lambda line: lines.append(line.record["extra"]["payload"]))
    loguru.logger.bind(payload='{"a":"[1]"}').info("up")
    written = [json.loads(line)["payload"] for line in capsys.readouterr().out.splitlines()]
    assert written + lines == [{"a": [1]}] * 3
    provider.shutdown()
    structlog.reset_defaults()
    loguru.logger.configure(patcher=None)
