"""structlog, its processor chain ending in its own renderers."""

import io
import json
import pickle
import threading

import pytest

from nestdecode.integrations.structlog_processor import OpeningProcessor
from tests.integrations.conftest import LINES, need_module
from tests.integrations.hostile import hostile, no_worse

structlog = need_module("structlog")

BIG = {"big": {"n": "18446744073709551617"}}


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    structlog.reset_defaults()


def logger_to(file, *processors, renderer=None):
    structlog.configure(
        processors=[*processors, renderer or structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(file),
        cache_logger_on_first_use=False,
    )
    return structlog.get_logger()


def written(file):
    return list(map(json.loads, file.getvalue().splitlines()))


def test_lines_come_through_in_order():
    file, processor = io.StringIO(), OpeningProcessor()
    log = logger_to(file, processor)

    for line in LINES:
        log.info(line.decode(), id="7", raw=line.decode())

    opened = [{"id": "1", "body": {"a": [1, 2]}}, "plain", '{"broken": ', BIG]
    assert written(file) == [{"event": tree, "id": "7", "raw": tree} for tree in opened]
    assert (processor.opener.opened, processor.opener.failed) == (4, 2)


def test_only_the_fields_that_are_named_are_opened():
    file = io.StringIO()
    logger_to(file, OpeningProcessor(fields="a")).info("{}", a="[1]", b="[1]")
    logger_to(file, OpeningProcessor(fields=["b", "c"])).info("{}", a="[1]", b="[1]")

    assert written(file) == [
        {"event": "{}", "a": [1], "b": "[1]"},
        {"event": "{}", "a": "[1]", "b": [1]},
    ]


def test_values_that_are_bound_stay_as_they_are_for_the_application():
    file, context = io.StringIO(), {"a": "[1]"}
    log = logger_to(file, OpeningProcessor()).bind(context=context, text="[1]")
    log.info("up")
    log.info("up")

    assert written(file) == [{"context": {"a": [1]}, "text": [1], "event": "up"}] * 2
    assert context == {"a": "[1]"}
    assert structlog.get_context(log)["text"] == "[1]"


def test_integers_are_exact_if_that_is_asked_for():
    file = io.StringIO()
    logger_to(file, OpeningProcessor(int64=False)).info(LINES[3].decode())

    assert written(file) == [{"event": {"big": {"n": 2**64 + 1}}}]


def test_orjson_can_write_what_was_opened():
    import orjson

    file = io.BytesIO()
    structlog.configure(
        processors=[OpeningProcessor(), structlog.processors.JSONRenderer(orjson.dumps)],
        logger_factory=structlog.BytesLoggerFactory(file),
    )
    structlog.get_logger().info(LINES[3].decode(), text=r'["\ud800"]')

    assert orjson.loads(file.getvalue()) == {"event": BIG, "text": [r"\ud800"]}


def test_a_new_configuration_begins_anew():
    file, first, second = io.StringIO(), OpeningProcessor(), OpeningProcessor(fields=[])
    logger_to(file, first).info("{}")
    logger_to(file, second).info("{}")

    assert written(file) == [{"event": {}}, {"event": "{}"}]
    assert (first.opener.opened, second.opener.opened) == (1, 0)


def test_records_of_logging_are_opened_in_a_foreign_chain():
    import logging

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[OpeningProcessor()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    for line in LINES:
        handler.handle(logging.makeLogRecord({"msg": line.decode()}))

    assert written(stream) == [
        {"event": tree}
        for tree in ({"id": "1", "body": {"a": [1, 2]}}, "plain", '{"broken": ', BIG)
    ]


# Not orjson: what it writes past its buffer might end the tests.
@pytest.mark.slow
@pytest.mark.parametrize("serializer", ["json", "msgspec"])
def test_nothing_fails_that_passes_without(serializer):
    import msgspec

    def dumps(event, default):
        if serializer == "msgspec":
            return msgspec.json.encode(event, enc_hook=default)
        return json.dumps(event, ensure_ascii=False, default=default).encode()

    renderer = structlog.processors.JSONRenderer(dumps)

    def log(*processors):
        logger = structlog.wrap_logger(
            structlog.BytesLogger(io.BytesIO()), processors=[*processors, renderer]
        )
        return lambda value: logger.info("event", value=value, values=[value])

    no_worse(hostile(10_000), log(), log(OpeningProcessor()))


def test_threads_share_a_processor():
    file = io.StringIO()
    log = logger_to(file, OpeningProcessor())
    threads = [
        threading.Thread(target=lambda t=t: [log.info(f'{{"a":"[{t},{i}]"}}') for i in range(500)])
        for t in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    got = sorted(event["event"]["a"] for event in written(file))
    assert got == [[t, i] for t in range(8) for i in range(500)]


def test_a_processor_can_be_pickled():
    processor = pickle.loads(pickle.dumps(OpeningProcessor(fields=["a"])))

    assert processor(None, "info", {"a": "[1]", "b": "[1]"}) == {"a": [1], "b": "[1]"}
