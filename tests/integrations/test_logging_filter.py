"""The standard library's logging: handlers, their queues, and their configuration."""

import copy
import io
import json
import logging
import logging.config
import logging.handlers
import pickle
import queue
import sys
import threading

import pytest

from nestdecode.integrations.logging_filter import OpeningFilter
from tests.integrations.conftest import LINES
from tests.integrations.hostile import hostile, no_worse

OPENED = [
    {"id": "1", "body": {"a": [1, 2]}},
    "plain",
    '{"broken": ',
    {"big": {"n": "18446744073709551617"}},
]


class Kept(logging.Handler):
    """Keeps the records that it handles, as they are then."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(copy.copy(record))

    def values(self, name):
        return [getattr(record, name, None) for record in self.records]


@pytest.fixture
def logger():
    logger = logging.Logger("tests.filter")
    logger.propagate = False
    return logger


def opening(handler, **options):
    handler.addFilter(OpeningFilter(**options))
    return handler


def test_lines_come_through_in_order(logger):
    handler = opening(Kept(), message="body")
    logger.addHandler(handler)
    for line in LINES:
        logger.info("%s", line.decode(), extra={"raw": line.decode()})

    opener = handler.filters[0].opener
    assert handler.values("raw") == OPENED
    assert handler.values("body") == [OPENED[0], None, None, OPENED[3]]
    assert [record.getMessage() for record in handler.records] == [x.decode() for x in LINES]
    assert (opener.opened, opener.failed) == (4, 2)


def test_only_the_fields_that_are_named_are_opened(logger):
    handler = opening(Kept(), fields=["a", "c"])
    logger.addHandler(handler)
    logger.info("[1]", extra={"a": "[1]", "b": "[1]"})

    assert (handler.values("a"), handler.values("b")) == ([[1]], ["[1]"])


def test_a_message_that_is_no_text_is_opened_as_it_is(logger):
    handler = opening(Kept(), message="body")
    logger.addHandler(handler)
    logger.info({"a": "[1]"})

    assert (handler.values("msg"), handler.values("body")) == ([{"a": "[1]"}], [{"a": [1]}])


def test_other_handlers_see_the_record_as_it_was(logger):
    before, own, after = Kept(), opening(Kept(), message="body"), Kept()
    for handler in (before, own, after):
        logger.addHandler(handler)
    logger.info("[2]", extra={"a": "[1]"})

    # In Python 3.11 those before it only, as the docstring says.
    last = "[1]" if sys.version_info >= (3, 12) else [1]
    assert [h.values("a") for h in (before, own, after)] == [["[1]"], [[1]], [last]]
    assert [h.records[0].getMessage() for h in (before, own, after)] == ["[2]"] * 3


def test_records_go_through_a_queue_and_are_opened_by_the_listener(logger):
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = opening(Kept(), message="body")
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    listener = logging.handlers.QueueListener(waiting, handler)
    listener.start()
    for line in LINES:
        logger.info("%s", line.decode(), extra={"raw": line.decode()})
    listener.stop()

    assert handler.values("raw") == OPENED
    assert handler.values("body") == [OPENED[0], None, None, OPENED[3]]


def test_records_are_opened_before_a_queue_and_can_be_pickled(logger):
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = opening(logging.handlers.QueueHandler(waiting), message="body")
    logger.addHandler(handler)
    for line in LINES:
        logger.info("%s", line.decode())
    # As for another process, and for another host.
    records = [pickle.loads(pickle.dumps(waiting.get())) for _ in LINES]
    frame = logging.handlers.SocketHandler("127.0.0.1", 1).makePickle(records[0])

    assert [getattr(r, "body", None) for r in records] == [OPENED[0], None, None, OPENED[3]]
    assert pickle.loads(frame[4:])["body"] == OPENED[0]


def configure(**options):
    configuration = {
        "version": 1,
        "filters": {
            "open": {"()": "nestdecode.integrations.logging_filter.OpeningFilter", **options}
        },
        "handlers": {"out": {"class": f"{__name__}.Kept", "filters": ["open"]}},
        "loggers": {"tests.filter": {"handlers": ["out"], "propagate": False, "level": "INFO"}},
        "disable_existing_loggers": False,
    }
    logging.config.dictConfig(json.loads(json.dumps(configuration)))
    logger = logging.getLogger("tests.filter")
    return logger, logger.handlers[0]


def test_a_new_configuration_begins_anew(tmp_path):
    (tmp_path / "spec.yaml").write_text("{nestdecode: 1, layers: {a: json}}")
    text = '{"a":"[1]","b":"[1]"}'
    logger, first = configure()
    logger.info("up", extra={"x": text})
    logger, second = configure(spec=str(tmp_path / "spec.yaml"), fields=["x"], message="body")
    logger.info(text, extra={"x": text, "y": text})

    assert first.values("x") == [{"a": [1], "b": [1]}]
    assert second.values("x") == second.values("body") == [{"a": [1], "b": "[1]"}]
    assert (second.values("y"), second.filters[0].opener.opened) == ([text], 2)


def test_only_records_of_a_logger_that_is_named_pass():
    handler = opening(Kept(), name="a.b")
    for name in ("a", "a.b", "a.b.c", "a.bc"):
        handler.handle(logging.makeLogRecord({"name": name, "x": "{}"}))

    assert handler.values("name") == ["a.b", "a.b.c"]


def test_an_attribute_of_every_record_is_not_for_the_message():
    with pytest.raises(ValueError, match="message: every record has an attribute 'msg'"):
        OpeningFilter(message="msg")


def test_a_message_that_cannot_be_made_is_left_to_the_handler(logger):
    handler = opening(Kept(), message="body")
    logger.addHandler(handler)
    logger.info("%d", "text", extra={"a": "[1]"})

    assert (handler.values("a"), handler.values("body")) == ([[1]], [None])


@pytest.mark.slow
def test_nothing_fails_that_passes_without(logger):
    class Raising(logging.StreamHandler):  # type: ignore[type-arg]
        """Writes UTF-8, and lets the application see what fails."""

        def handleError(self, record):  # noqa: N802 - as it is called there
            raise

        def format(self, record):
            return json.dumps([record.getMessage(), record.value, record.values], default=repr)

    def log(**options):
        handler = Raising(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        if options:
            opening(handler, **options)

        def handle(value):
            handler.handle(logging.makeLogRecord({"msg": value, "value": value, "values": [value]}))

        return handle

    no_worse(hostile(10_000), log(), log(message="body"))


def test_threads_share_a_filter(logger):
    handler = opening(Kept(), message="body")
    logger.addHandler(handler)
    threads = [
        threading.Thread(target=lambda t=t: [logger.info("[%d,%d]", t, i) for i in range(500)])
        for t in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(handler.values("body")) == [[t, i] for t in range(8) for i in range(500)]
