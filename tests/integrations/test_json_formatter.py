"""python-json-logger, as the formatter of handlers of logging."""

import io
import json
import logging
import logging.config
import sys
import threading

import pytest

from tests.integrations.conftest import LINES, need_module
from tests.integrations.hostile import hostile, no_worse

need_module("pythonjsonlogger")
from pythonjsonlogger.json import JsonFormatter  # noqa: E402
from pythonjsonlogger.msgspec import MsgspecFormatter  # noqa: E402
from pythonjsonlogger.orjson import OrjsonFormatter  # noqa: E402

from nestdecode.integrations.json_formatter import OpeningFormatter, OpeningJsonFormatter  # noqa: E402

OPENED = [
    {"id": "1", "body": {"a": [1, 2]}},
    "plain",
    '{"broken": ',
    {"big": {"n": "18446744073709551617"}},
]


def record(message, *args, **extra):
    return logging.makeLogRecord({"msg": message, "args": args, "levelname": "INFO", **extra})


class OpeningOrjsonFormatter(OpeningFormatter, OrjsonFormatter):
    pass


class OpeningMsgspecFormatter(OpeningFormatter, MsgspecFormatter):
    pass


KINDS = [OpeningJsonFormatter, OpeningOrjsonFormatter, OpeningMsgspecFormatter]


@pytest.mark.parametrize("kind", KINDS)
def test_lines_come_through_in_order(kind):
    formatter = kind("%(levelname)s %(message)s")

    got = [json.loads(formatter.format(record("%s", line.decode(), id="7"))) for line in LINES]

    assert got == [{"levelname": "INFO", "message": tree, "id": "7"} for tree in OPENED]
    assert (formatter.opener.opened, formatter.opener.failed) == (2, 1)


def test_only_the_fields_that_are_named_are_opened():
    formatter = OpeningJsonFormatter(fields=["a", "c"])

    text = formatter.format(record("{}", a="[1]", b="[1]"))
    assert json.loads(text) == {"message": "{}", "a": [1], "b": "[1]"}


def test_members_of_a_message_that_is_a_dict_are_opened():
    given = {"a": "[1]", "b": {"c": "[2]"}}

    assert json.loads(OpeningJsonFormatter().format(record(given)))["b"] == {"c": [2]}
    assert given == {"a": "[1]", "b": {"c": "[2]"}}


def test_the_record_stays_as_it_was():
    given = record("[1]", a="[1]")
    OpeningJsonFormatter().format(given)

    assert (given.msg, given.getMessage(), given.a) == ("[1]", "[1]", "[1]")


def test_integers_are_exact_if_that_is_asked_for():
    text = OpeningJsonFormatter(int64=False).format(record(LINES[3].decode()))

    assert json.loads(text)["message"] == {"big": {"n": 2**64 + 1}}


def configure(stream, **options):
    """Configure logging as a file does, twice as good as once."""
    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {
                "json": {
                    "()": "nestdecode.integrations.json_formatter.OpeningJsonFormatter",
                    "fmt": "%(message)s",
                    **options,
                }
            },
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": stream,
                    "formatter": "json",
                }
            },
            "loggers": {"tests.json": {"handlers": ["out"], "propagate": False, "level": "INFO"}},
            "disable_existing_loggers": False,
        }
    )
    return logging.getLogger("tests.json")


def test_a_new_configuration_begins_anew(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text("{nestdecode: 1, layers: {a: json}}")
    stream = io.StringIO()
    text = '{"a":"[1]","b":"[1]"}'
    configure(stream).info(text)
    configure(stream, spec=str(spec)).info(text)
    configure(stream, fields=[]).info(text)

    got = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert got == [{"a": [1], "b": [1]}, {"a": [1], "b": "[1]"}, text]


# Not orjson: what it writes past its buffer might end the tests.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "adapter"),
    [(JsonFormatter, OpeningJsonFormatter), (MsgspecFormatter, OpeningMsgspecFormatter)],
)
def test_nothing_fails_that_passes_without(host, adapter):
    def write(formatter):
        return lambda value: formatter.format(record(value, value=value, values=[value])).encode()

    no_worse(hostile(10_000), write(host()), write(adapter()))


def test_threads_share_a_formatter():
    stream = io.StringIO()
    logger = configure(stream)
    threads = [
        threading.Thread(target=lambda t=t: [logger.info("[%d,%d]", t, i) for i in range(500)])
        for t in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    got = sorted(json.loads(line)["message"] for line in stream.getvalue().splitlines())
    assert got == [[t, i] for t in range(8) for i in range(500)]


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "nestdecode.integrations.json_formatter")
    monkeypatch.setitem(sys.modules, "pythonjsonlogger.core", None)

    with pytest.raises(ImportError, match=r"pip install 'nestdecode\[json-logger\]'"):
        __import__("nestdecode.integrations.json_formatter")
