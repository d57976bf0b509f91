"""loguru, writing to its own sinks."""

import copy
import io
import json
import multiprocessing
import threading

import pytest

from nestdecode.integrations.loguru_patcher import OpeningPatcher
from tests.integrations.conftest import LINES, need_module
from tests.integrations.hostile import hostile, no_worse

loguru = need_module("loguru")

BIG = {"big": {"n": "18446744073709551617"}}


@pytest.fixture
def logger():
    """Return a logger of this test alone, that writes nowhere."""
    loguru.logger.remove()
    own = copy.deepcopy(loguru.logger)
    yield own
    own.remove()


def records(path):
    return [json.loads(line)["record"] for line in path.read_text().splitlines()]


def log_lines(logger):
    for line in LINES:
        logger.info(line.decode().replace("{", "{{").replace("}", "}}"), id="7", raw=line.decode())


def test_lines_come_through_in_order(logger, tmp_path):
    patcher = OpeningPatcher(message="body")
    logger.add(tmp_path / "log", serialize=True)
    logger.configure(patcher=patcher)

    log_lines(logger)

    got = records(tmp_path / "log")
    opened = [{"id": "1", "body": {"a": [1, 2]}}, "plain", '{"broken": ', BIG]
    assert [record["message"] for record in got] == [line.decode() for line in LINES]
    assert [record["extra"]["raw"] for record in got] == opened
    assert [record["extra"].get("body") for record in got] == [opened[0], None, None, BIG]
    assert (patcher.opener.opened, patcher.opener.failed) == (4, 2)


def test_only_the_fields_that_are_named_are_opened(logger, tmp_path):
    logger.add(tmp_path / "log", serialize=True)
    logger.patch(OpeningPatcher(fields=["a", "c"])).info("[1]", a="[1]", b="[1]")

    assert records(tmp_path / "log")[0]["extra"] == {"a": [1], "b": "[1]"}


def test_values_that_are_bound_stay_as_they_are_for_the_application(logger, tmp_path):
    logger.add(tmp_path / "log", serialize=True)
    logger.configure(patcher=OpeningPatcher())
    context = {"a": "[1]"}
    bound = logger.bind(context=context)
    bound.info("up")
    bound.info("up")

    assert [r["extra"] for r in records(tmp_path / "log")] == [{"context": {"a": [1]}}] * 2
    assert context == {"a": "[1]"}


def test_a_file_in_utf8_takes_what_was_opened(logger, tmp_path):
    logger.add(tmp_path / "log", serialize=True, catch=False)
    logger.configure(patcher=OpeningPatcher())
    logger.info("up", text=r'["\ud800"]')

    assert records(tmp_path / "log")[0]["extra"] == {"text": [r"\ud800"]}


def test_a_new_configuration_begins_anew(logger, tmp_path):
    first, second = OpeningPatcher(), OpeningPatcher(fields=[])
    logger.add(tmp_path / "log", serialize=True)
    for patcher in (first, second):
        logger.configure(patcher=patcher)
        logger.info("up", text="{}")

    assert [r["extra"]["text"] for r in records(tmp_path / "log")] == [{}, "{}"]
    assert (first.opener.opened, second.opener.opened) == (1, 0)


def work(logger):
    log_lines(logger)
    logger.complete()


def test_another_process_logs_through_a_queue(logger, tmp_path):
    context = multiprocessing.get_context("spawn")
    logger.add(tmp_path / "log", serialize=True, enqueue=True, context=context)
    logger.configure(patcher=OpeningPatcher())
    # The logger goes to the other process as it is, with its patcher.
    process = context.Process(target=work, args=(logger,))
    process.start()
    process.join()
    logger.remove()

    opened = [{"id": "1", "body": {"a": [1, 2]}}, "plain", '{"broken": ', BIG]
    assert [record["extra"]["raw"] for record in records(tmp_path / "log")] == opened


@pytest.mark.slow
def test_nothing_fails_that_passes_without(logger):
    class Sink(io.TextIOWrapper):
        """A file in UTF-8 that keeps nothing."""

        def write(self, text):
            return len(text.encode())

    def log(patcher):
        own = logger.patch(patcher)
        return lambda value: own.info(
            "{}", value if type(value) is str else "", value=value, values=[value]
        )

    logger.add(Sink(io.BytesIO()), serialize=True, catch=False)
    no_worse(hostile(10_000), log(lambda _: None), log(OpeningPatcher(message="body")))


def test_threads_share_a_patcher(logger, tmp_path):
    logger.add(tmp_path / "log", serialize=True)
    logger.configure(patcher=OpeningPatcher())
    threads = [
        threading.Thread(target=lambda t=t: [logger.info("up", a=f"[{t},{i}]") for i in range(500)])
        for t in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    got = sorted(record["extra"]["a"] for record in records(tmp_path / "log"))
    assert got == [[t, i] for t in range(8) for i in range(500)]
