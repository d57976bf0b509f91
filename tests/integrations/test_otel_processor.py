"""The OpenTelemetry SDK, exporting by OTLP over HTTP and gRPC to receivers that are started here."""

import concurrent.futures
import contextlib
import http.server
import json
import logging
import sys
import threading

import pytest

from tests.integrations.conftest import LINES, need_module
from tests.integrations.hostile import hostile, no_worse

need_module("opentelemetry.sdk._logs")
need_module("opentelemetry.exporter.otlp.proto.http._log_exporter")
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs  # noqa: E402
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: E402
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: E402
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor  # noqa: E402
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: E402

from nestdecode.integrations.otel_processor import OpeningLogRecordProcessor  # noqa: E402

OPENED = [
    {"id": "1", "body": {"a": [1, 2]}},
    "plain",
    '{"broken": ',
    {"big": {"n": "18446744073709551617"}},
]


def value_of(message):
    """Return what an AnyValue of OTLP holds."""
    kind = message.WhichOneof("value")
    if kind == "array_value":
        return [value_of(value) for value in message.array_value.values]
    if kind == "kvlist_value":
        return members_of(message.kvlist_value.values)
    return getattr(message, kind) if kind else None


def members_of(pairs):
    return {pair.key: value_of(pair.value) for pair in pairs}


class Receiver:
    """Takes OTLP batches, as a collector does: what can't be parsed is refused whole."""

    def __init__(self):
        self.records = []
        self.refused = 0

    @property
    def bodies(self):
        return [body for body, _ in self.records]

    def take(self, raw):
        """Keep the records of a batch; return whether it could be parsed."""
        try:
            batch = ExportLogsServiceRequest.FromString(raw)
        except Exception:  # noqa: BLE001 - of protobuf, whatever it is
            self.refused += 1
            return False
        self.records += [
            (value_of(record.body), members_of(record.attributes))
            for resource in batch.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]
        return True


@contextlib.contextmanager
def over_http(receiver):
    """Serve a receiver; yield a function that makes an exporter to it."""

    class Batch(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            taken = receiver.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if taken else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format, *args):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Batch) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/v1/logs"
        yield lambda: OTLPLogExporter(endpoint=url)
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def over_grpc(receiver):
    """Do the same over gRPC."""
    exporters = need_module("opentelemetry.exporter.otlp.proto.grpc._log_exporter")
    grpc = need_module("grpc")

    def export(raw, context):
        if not receiver.take(raw):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no batch")
        return ExportLogsServiceResponse().SerializeToString()

    methods = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    service = "opentelemetry.proto.collector.logs.v1.LogsService"
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield lambda: exporters.OTLPLogExporter(endpoint=f"127.0.0.1:{port}", insecure=True)
    server.stop(None).wait()


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture(params=[over_http, over_grpc], ids=["http", "grpc"])
def export(receiver, request):
    """Return a function that gives a logger whose records go to the receiver."""
    providers = []

    def start(*processors):
        provider = LoggerProvider(shutdown_on_exit=False)
        providers.append(provider)
        for processor in processors:
            provider.add_log_record_processor(processor)
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter()))
        return provider.get_logger("tests"), provider

    with request.param(receiver) as exporter:
        yield start
        for provider in providers:
            provider.shutdown()


def test_lines_come_through_in_order(receiver, export):
    processor = OpeningLogRecordProcessor()
    logger, provider = export(processor)
    for line in LINES:
        logger.emit(body=line.decode(), attributes={"raw": line.decode(), "id": "7"})
    provider.force_flush()

    assert receiver.records == [(tree, {"raw": tree, "id": "7"}) for tree in OPENED]
    assert (processor.opener.opened, processor.opener.failed) == (4, 2)


def test_without_it_one_integer_beyond_64_bits_loses_the_whole_batch(receiver, export, caplog):
    logger, provider = export()
    for body in ("first", {"n": 2**63}, "last"):
        logger.emit(body=body)
    provider.force_flush()
    assert receiver.records == []

    logger, provider = export(OpeningLogRecordProcessor())
    for whatever in ("first", {"n": 2**63}, 2**63, "\udc80", "last"):
        logger.emit(body=whatever)
    provider.force_flush()
    beyond = str(2**63)
    assert receiver.bodies == ["first", {"n": beyond}, beyond, r"\udc80", "last"]


def test_values_of_every_kind_arrive(receiver, export):
    logger, provider = export(OpeningLogRecordProcessor())
    text = '{"a":[null,{"b":null}],"c":true,"d":1.5,"e":-9223372036854775808,"f":"","g":[],"h":{}}'
    logger.emit(body=text, attributes={"x": text})
    logger.emit(body=text.encode())
    provider.force_flush()

    tree = json.loads(text)
    assert receiver.records == [(tree, {"x": tree}), (tree, {})]


def test_only_what_is_named_is_opened(receiver, export):
    logger, provider = export(OpeningLogRecordProcessor(body=False, fields=["a", "c"]))
    logger.emit(body="[1]", attributes={"a": "[1]", "b": "[1]"})
    provider.force_flush()

    assert receiver.records == [("[1]", {"a": [1], "b": "[1]"})]


def deep(containers, kind):
    return (
        "[" * containers + "]" * containers
        if kind == "arrays"
        else '{"a":' * containers + "1" + "}" * containers
    )


@pytest.mark.parametrize("kind", ["arrays", "objects"])
def test_what_is_deeper_than_a_receiver_reads_stays_text(receiver, export, kind):
    logger, provider = export(OpeningLogRecordProcessor())
    most, more = deep(31, kind), deep(32, kind)
    layered = json.dumps({"a": deep(30, kind), "b": deep(31, kind)})
    for text in (most, more, layered):
        logger.emit(body=text, attributes={"x": text})
    provider.force_flush()

    trees = [json.loads(most), more, {"a": json.loads(deep(30, kind)), "b": deep(31, kind)}]
    assert receiver.records == [(tree, {"x": tree}) for tree in trees]
    assert receiver.refused == 0


def test_no_deeper_objects_would_be_read(receiver, export, caplog):
    logger, provider = export()
    logger.emit(attributes={"x": json.loads(deep(32, "objects"))})
    provider.force_flush()

    assert (receiver.records, receiver.refused) == ([], 1)


@pytest.mark.parametrize(
    "text", ['{"a":[{"":1}]}', '{"a":[1,"2"]}', '[1,"2"]', '[{"a":1},[2]]', "[1,null]"]
)
def test_nothing_of_an_attribute_is_lost(receiver, export, text, caplog):
    logger, provider = export(OpeningLogRecordProcessor())
    logger.emit(body=text, attributes={"x": text, "y": "[1]"})
    provider.force_flush()

    # It depends on the version of the SDK which values can be attributes.
    [(body, attributes)] = receiver.records
    assert body == json.loads(text)
    assert attributes in ({"x": text, "y": [1]}, {"x": json.loads(text), "y": [1]})


def test_values_stay_as_they_are_for_the_application(receiver, export):
    logger, provider = export(OpeningLogRecordProcessor())
    body, attributes = {"a": "[1]"}, {"x": {"b": "[1]"}}
    logger.emit(body=body, attributes=attributes)
    provider.force_flush()

    assert receiver.records == [({"a": [1]}, {"x": {"b": [1]}})]
    assert (body, attributes) == ({"a": "[1]"}, {"x": {"b": "[1]"}})


class Encoding(LogRecordProcessor):
    """Does what an exporter and a receiver do, and lets the application see what fails."""

    def on_emit(self, log_record):
        ExportLogsServiceRequest.FromString(encode_logs([log_record]).SerializeToString())

    def shutdown(self):
        """Nothing."""

    def force_flush(self, timeout_millis=30000):
        return True


@pytest.mark.slow
def test_nothing_fails_that_passes_without(caplog):
    caplog.set_level(logging.CRITICAL)

    def log(*processors):
        provider = LoggerProvider(shutdown_on_exit=False)
        for processor in (*processors, Encoding()):
            provider.add_log_record_processor(processor)
        logger = provider.get_logger("tests")
        return lambda value: logger.emit(body=value, attributes={"x": value, "y": [value]})

    no_worse(hostile(10_000), log(), log(OpeningLogRecordProcessor()))


def test_threads_share_a_processor(receiver, export):
    logger, provider = export(OpeningLogRecordProcessor())
    threads = [
        threading.Thread(target=lambda t=t: [logger.emit(body=f"[{t},{i}]") for i in range(200)])
        for t in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    provider.force_flush()

    assert sorted(receiver.bodies) == [[t, i] for t in range(8) for i in range(200)]


def test_a_new_provider_begins_anew(receiver, export):
    for body in (True, False):
        logger, provider = export(OpeningLogRecordProcessor(body=body))
        logger.emit(body="[1]")
        provider.force_flush()

    assert receiver.bodies == [[1], "[1]"]


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "nestdecode.integrations.otel_processor")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk._logs", None)

    with pytest.raises(ImportError, match=r"pip install 'nestdecode\[otel\]'"):
        __import__("nestdecode.integrations.otel_processor")
