"""rsyslog, started here: its mmexternal runs ``nestdecode filter``."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

import nestdecode
from tests.integrations.conftest import LINES, need, send

ROOT = Path(nestdecode.__file__).parents[1]
MMEXTERNAL = """\
global(workDirectory="{folder}")
module(load="imtcp")
module(load="mmexternal")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{folder}/port")
template(name="tree" type="string" string="%$!all-json%\\n")
action(type="mmexternal" binary="{filter}" interface.input="{interface}")
action(type="omfile" file="{folder}/out" template="tree")
"""


@pytest.fixture
def rsyslog(start, tmp_path):
    need("rsyslogd")

    def run(options, interface="msg"):
        script = tmp_path / "filter"
        # mmexternal starts programs without any environment.
        program = f"cd {ROOT} && exec {sys.executable} -m nestdecode filter {options}"
        script.write_text(f"#!/bin/sh\n{program}\n")
        script.chmod(0o755)
        (tmp_path / "rsyslog.conf").write_text(
            MMEXTERNAL.format(folder=tmp_path, filter=script, interface=interface)
        )
        host = start(
            ["rsyslogd", "-n", "-C", "-i", tmp_path / "pid", "-f", tmp_path / "rsyslog.conf"]
        )
        port = host.until(lambda: (tmp_path / "port").read_text().strip())
        return host, int(port), tmp_path / "out"

    return run


BIG = {"big": {"n": "18446744073709551617"}}


@pytest.mark.parametrize("interface", ["msg", "fulljson"])
def test_messages_come_through_mmexternal_in_order(rsyslog, interface):
    name = "rsyslog" if interface == "msg" else "rsyslog-fulljson"
    host, port, out = rsyslog(f"--for {name} --under doc", interface)

    send(port, [*LINES, rb'@cee: {"b":"[1]"}'])

    got = list(map(json.loads, host.lines(out, 5)))
    assert got == [
        {"doc": {"id": "1", "body": {"a": [1, 2]}}},
        {},
        {},
        {"doc": BIG},
        {"doc": {"b": [1]}},
    ]


def test_members_of_an_object_become_properties(rsyslog):
    host, port, out = rsyslog("--for rsyslog")

    send(port, [*LINES, b"[1]"])

    got = list(map(json.loads, host.lines(out, 5)))
    assert got == [{"id": "1", "body": {"a": [1, 2]}}, {}, {}, BIG, {}]


def test_twenty_thousand_messages_come_through(rsyslog):
    host, port, out = rsyslog("--for rsyslog --under d")
    lines = [b'{"n":"[%d]"}' % number if number % 3 else b"text" for number in range(20_000)]

    send(port, lines)

    got = list(map(json.loads, host.lines(out, 20_000, 60)))
    assert got == [{"d": {"n": [number]}} if number % 3 else {} for number in range(20_000)]


def children_of(process):
    """Return the processes that one has started."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def test_a_killed_filter_loses_no_message(rsyslog):
    host, port, out = rsyslog("--for rsyslog --under d")
    lines = [b'{"n":"[%d]"}' % number for number in range(2_000)]

    send(port, lines[:1000])
    host.lines(out, 1000)
    for child in children_of(host.process.pid):
        os.kill(child, signal.SIGKILL)
    send(port, lines[1000:])

    got = list(map(json.loads, host.lines(out, 2000)))
    # Until rsyslog starts another one, messages go as they came.
    assert len(got) == 2000
    assert all(tree in ({}, {"d": {"n": [number]}}) for number, tree in enumerate(got))
    assert {} not in got[:1000]


def test_a_killed_filter_is_started_again(rsyslog):
    host, port, out = rsyslog("--for rsyslog --under d")
    send(port, [b'{"n":"[1]"}'])
    host.lines(out, 1)

    for child in children_of(host.process.pid):
        os.kill(child, signal.SIGKILL)

    def is_open():
        number = len(out.read_bytes().splitlines())
        send(port, [b'{"n":"[2]"}'])
        return json.loads(host.lines(out, number + 1)[-1]) == {"d": {"n": [2]}}

    host.until(is_open)


def test_a_filter_survives_hup_of_its_host(rsyslog):
    host, port, out = rsyslog("--for rsyslog --under d")
    send(port, [b'{"n":"[1]"}'])
    host.lines(out, 1)

    host.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    send(port, [b'{"n":"[2]"}'])

    assert list(map(json.loads, host.lines(out, 2))) == [{"d": {"n": [1]}}, {"d": {"n": [2]}}]
