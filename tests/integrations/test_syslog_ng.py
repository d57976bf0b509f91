"""syslog-ng, started here, with the parser in its process."""

import os
import signal
import sys
from pathlib import Path

import pytest

import nestdecode
from nestdecode.integrations.syslog_ng import Parser
from tests.integrations.conftest import LINES, free_port, need, send
from tests.integrations.page import recipe

# rsyslog can't be installed beside it, so its packages may be unpacked somewhere.
PLACE = Path(os.environ.get("SYSLOG_NG_ROOT", "/"))
MODULES = PLACE / "usr/lib/syslog-ng/3.38"
CONFIGURATION = """\
@version: 3.38
options {{ keep-hostname(yes); flush-lines(1); stats-freq(0); }};
log {{
  source {{ network(ip("127.0.0.1") port({port}) transport("tcp") log-msg-size(1048576)); }};
  parser(p_nestdecode);
  destination {{ file("{folder}/out" template("{template}\\n")); }};
}};
{parser}
"""
PARSER = """\
parser p_nestdecode {{
  python(class("nestdecode.integrations.syslog_ng.Parser") options({options}));
}};
"""
BIG = b'{"big":{"n":18446744073709551617}}'


@pytest.fixture
def syslog_ng(start, tmp_path):
    program = PLACE / "usr/sbin/syslog-ng"
    need(str(program))

    def run(options="", template="$MESSAGE", parser=None, wait=True):
        port = free_port()
        (tmp_path / "c").write_text(
            CONFIGURATION.format(
                port=port,
                folder=tmp_path,
                template=template,
                parser=parser or PARSER.format(options=options),
            )
        )
        libraries = [
            MODULES.parent,
            PLACE / "usr/lib/x86_64-linux-gnu",
            PLACE / "lib/x86_64-linux-gnu",
        ]
        packages = [MODULES / "python", Path(nestdecode.__file__).parents[1]]
        packages += [path for path in map(Path, sys.path) if path.name == "site-packages"]
        host = start(
            [program, "-F", "--stderr", "--no-caps", "-f", tmp_path / "c", "-p", tmp_path / "pid",
             "-R", tmp_path / "persist", "-c", tmp_path / "ctl", "--module-path", MODULES],
            env={**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
                 "PYTHONPATH": ":".join(map(str, packages))},
        )  # fmt: skip
        if wait:
            host.listens(port)
        return host, port, tmp_path / "out"

    return run


def test_messages_come_through_in_order(syslog_ng):
    host, port, out = syslog_ng()

    send(port, LINES)

    assert host.lines(out, 4) == [b'{"id":"1","body":{"a":[1,2]}}', b"plain", b'{"broken": ', BIG]


def test_scalars_become_values_with_a_prefix(syslog_ng):
    host, port, out = syslog_ng('"prefix" "nd."', "${nd.id}|${nd.body.a.1}|${nd.big.n}|$MESSAGE")

    send(port, LINES)

    assert host.lines(out, 4) == [
        b"1|2||" + LINES[0],
        b"|||plain",
        b'|||{"broken": ',
        b"||18446744073709551617|" + LINES[3],
    ]


def test_the_parser_of_the_page_runs(syslog_ng, tmp_path):
    parser, place = recipe("parser p_nestdecode"), "/etc/nestdecode/app.yaml"
    assert place in parser
    (tmp_path / "app.yaml").write_text("nestdecode: 1\nlayers: {body: json}\n")
    parser = parser.replace(place, str(tmp_path / "app.yaml"))
    host, port, out = syslog_ng(template="${nd.id}|${nd.body.a}|$MESSAGE", parser=parser)

    send(port, LINES[:2])

    assert host.lines(out, 2) == [b"1|[1,2]|" + LINES[0], b"||plain"]


def test_what_can_not_be_opened_is_dropped_where_that_is_asked(syslog_ng):
    host, port, out = syslog_ng('"on-malformed" "drop"')

    send(port, LINES)

    assert host.lines(out, 2) == [b'{"id":"1","body":{"a":[1,2]}}', BIG]


def test_twenty_thousand_messages_come_through(syslog_ng):
    host, port, out = syslog_ng()
    lines = [b'{"n":"[%d]"}' % number if number % 3 else b"text" for number in range(20_000)]

    send(port, lines)

    wanted = [b'{"n":[%d]}' % number if number % 3 else b"text" for number in range(20_000)]
    assert host.lines(out, 20_000, 60) == wanted


def test_a_hup_makes_it_read_its_options_again(syslog_ng, tmp_path):
    host, port, out = syslog_ng()
    send(port, [b'{"n":"[1]"}'])
    host.lines(out, 1)
    (tmp_path / "c").write_text(
        (tmp_path / "c").read_text().replace("options()", 'options("prefix" "x")')
    )

    host.process.send_signal(signal.SIGHUP)
    host.until(lambda: b"Configuration reload" in (tmp_path / "log").read_bytes())
    host.listens(port)
    send(port, [b'{"n":"[2]"}'])

    assert host.lines(out, 2) == [b'{"n":[1]}', b'{"n":"[2]"}']


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ('"spek" "a"', b"nestdecode: unknown option 'spek' of the parser; did you mean 'spec'?"),
        ('"spec" "nothing-like-it"', b"nestdecode: unknown spec 'nothing-like-it'"),
        ('"on-malformed" "x"', b"nestdecode: on_malformed is keep or drop, got 'x'"),
    ],
)
def test_wrong_options_keep_it_from_starting(syslog_ng, tmp_path, options, reason):
    host, _, _ = syslog_ng(options, wait=False)

    assert host.process.wait(20) != 0
    assert reason in (tmp_path / "log").read_bytes()


class Refusing(dict):  # type: ignore[type-arg]
    """A message that takes no values."""

    def __setitem__(self, name, value):
        raise TypeError("only str or bytes")


def test_nothing_is_raised_whatever_the_message_is():
    parser = Parser()
    assert parser.init({b"field": b"MESSAGE"})

    for message in (Refusing(MESSAGE=b"{}"), {}, {"MESSAGE": b"\xff"}, {"MESSAGE": b"[" * 10**5}):
        before = dict(message)
        assert parser.parse(message)
        assert dict(message) == before
    assert parser.opener.failed == 3


def test_a_document_does_not_fill_a_message_with_values():
    parser = Parser()
    assert parser.init({"prefix": "x"})
    message = {"MESSAGE": b"[" + b",".join([b"1"] * 2000) + b"]"}

    assert parser.parse(message)
    assert list(message) == ["MESSAGE"]
