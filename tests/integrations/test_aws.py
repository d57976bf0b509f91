"""AWS Lambda: events as Firehose, SQS and Kinesis send them, beside what Powertools makes of them."""

import base64
import gzip
import json
import logging

import pytest

from nestdecode import DeadLetter, QueryError, Spec
from nestdecode.integrations.aws import batch_handler, firehose_handler
from tests.integrations.broken_records import hostile
from tests.integrations.conftest import LINES, need_module

OPENED = [
    b'{"id":"1","body":{"a":[1,2]}}\n',
    b"plain\n",
    b'{"broken": \n',
    b'{"big":{"n":18446744073709551617}}\n',
]
TREES = [
    {"id": "1", "body": {"a": [1, 2]}},
    b"plain",
    b'{"broken": ',
    {"big": {"n": 18446744073709551617}},
]


def encoded(data):
    return base64.b64encode(data).decode()


def firehose(records, name="data"):
    """Return an event of a Firehose stream."""
    return {
        "invocationId": "2b4d1ad9-2f48-94bd-a088-767c317e994a",
        "deliveryStreamArn": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/orders",
        "region": "eu-central-1",
        "records": [
            {
                "recordId": f"4954698668313554428650745793632162567570019247115678515{number}",
                "approximateArrivalTimestamp": 1760086805000 + number,
                name: encoded(data),
            }
            for number, data in enumerate(records)
        ],
    }


def sqs(bodies, queue="orders"):
    """Return a batch of an SQS queue."""
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": "d", "SequenceNumber": "1"}
    return {
        "Records": [
            {
                "messageId": f"059f36b4-87a3-44ab-83d2-66197583{number:04}",
                "receiptHandle": "EXAMPLE-receipt-handle",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1760086805000",
                    "SenderId": "AIDAEXAMPLESENDERID0",
                    "ApproximateFirstReceiveTimestamp": "1760086805012",
                    **(fifo if queue.endswith(".fifo") else {}),
                },
                "messageAttributes": {},
                "md5OfBody": "7bcdb8249f3057571c4a7da7d7256b6e",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{queue}",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def kinesis(records):
    """Return a batch of a Kinesis stream."""
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "1",
                    "sequenceNumber": f"4959033827149025660855969253836157109592157598913658{number:04}",
                    "data": encoded(data),
                    "approximateArrivalTimestamp": 1760086805.012,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"shardId-000000000006:495903382714902566085596925383615710959215{number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda",
                "awsRegion": "eu-central-1",
                "eventSourceARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/orders",
            }
            for number, data in enumerate(records)
        ]
    }


def answers(handler, event):
    """Return result and data of each answer; check that each record has one, in order."""
    given = json.loads(json.dumps(handler(event, None), ensure_ascii=False).encode())["records"]
    assert [one["recordId"] for one in given] == [one["recordId"] for one in event["records"]]
    return [(one["result"], base64.b64decode(one["data"])) for one in given]


def test_firehose_gets_four_lines_back_in_order():
    assert answers(firehose_handler(), firehose(LINES)) == [("Ok", line) for line in OPENED]


@pytest.mark.parametrize(
    ("on_malformed", "wanted"),
    [
        pytest.param("keep", [("Ok", b"plain\n"), ("Ok", b'{"broken": \n')], id="keep"),
        pytest.param("drop", [("Dropped", b"")] * 2, id="drop"),
        pytest.param("fail", [("ProcessingFailed", line) for line in LINES[1:3]], id="fail"),
    ],
)
def test_what_is_not_json_is_kept_dropped_or_failed(on_malformed, wanted):
    letters: list[DeadLetter] = []
    handler = firehose_handler(on_malformed=on_malformed, on_dead_letter=letters.append)

    assert answers(handler, firehose(LINES))[1:3] == wanted
    assert [letter.raw for letter in letters] == LINES[1:3]


def test_a_newline_ends_each_record_once_or_never():
    assert answers(firehose_handler(), firehose([b'"a"\n', b"b\n", b"c"])) == [
        ("Ok", b'"a"\n'), ("Ok", b"b\n"), ("Ok", b"c\n"),
    ]  # fmt: skip
    assert answers(firehose_handler(newline=False), firehose([b'"a"\n', b"b\n"])) == [
        ("Ok", b'"a"'), ("Ok", b"b\n"),
    ]  # fmt: skip


def test_partition_keys_are_queries():
    handler = firehose_handler(partition_keys={"kind": "body.kind", "day": "body.day"})
    records = [
        {"body": '{"kind":"a","day":7}'}, {"body": '{"kind":"ü","day":true}'},
        {"body": '{"kind":"","day":7}'}, {"body": '{"kind":"a"}'}, {"body": '{"kind":[],"day":1}'},
    ]  # fmt: skip
    event = firehose([json.dumps(record).encode() for record in records] + [b"plain"])
    given = handler(event, None)["records"]

    assert [one.get("metadata") for one in given[:2]] == [
        {"partitionKeys": {"kind": "a", "day": "7"}},
        {"partitionKeys": {"kind": "ü", "day": "true"}},
    ]
    assert [(one["result"], one["data"]) for one in given[2:]] == [
        ("ProcessingFailed", one["data"]) for one in event["records"][2:]
    ]


def test_a_partition_key_with_half_a_character_does_not_break_the_response():
    records = [rb'{"a":"\ud800"}', rb'{"a":"{\"k\":\"x\udc00\"}"}', rb'{"a":"\ud83d\ude00"}']
    response = firehose_handler(partition_keys={"k": "a.k || a"})(firehose(records), None)

    # As the runtime of Lambda writes it.
    given = json.loads(json.dumps(response, ensure_ascii=False).encode())["records"]
    assert [one["metadata"]["partitionKeys"]["k"] for one in given] == [
        r"\ud800", r"x\udc00", "\U0001f600",
    ]  # fmt: skip
    assert {one["result"] for one in given} == {"Ok"}


def test_a_response_takes_no_more_than_6_mb():
    spec = Spec.parse("{nestdecode: 1, layers: {a: base64 | gzip | json}}")
    large = json.dumps({"b": "x" * 1_000_000}).encode()
    record = json.dumps({"a": encoded(gzip.compress(large))}).encode()
    small = b'{"a":"[1]"}'
    event = firehose([small, *[record] * 9, small])
    handler = firehose_handler(spec, max_bytes=1 << 22)

    response = handler(event, None)

    assert 5 << 20 < len(json.dumps(response)) <= 6 << 20
    given = answers(handler, event)
    assert [result for result, _ in given] == ["Ok"] * 5 + ["ProcessingFailed"] * 5 + ["Ok"]
    # As they came: nothing of them is lost.
    assert given[5:10] == [("ProcessingFailed", record)] * 5


def test_a_response_may_be_as_large_as_a_request():
    records = LINES[:1] * 10
    event = firehose([b"x" * 1023 for _ in range(4150)] + records)
    assert 5.5 * 2**20 < len(json.dumps(event)) < 6 << 20

    given = answers(firehose_handler(), event)
    assert {result for result, _ in given} == {"Ok"}


def test_records_from_msk_have_their_data_under_another_name():
    [given] = firehose_handler()(firehose(LINES[:1], "kafkaRecordValue"), None)["records"]

    assert base64.b64decode(given["kafkaRecordValue"]) == OPENED[0]
    assert "data" not in given


def test_what_cloudwatch_logs_sends_is_unpacked():
    text = b'{"logEvents":[{"message":"{\\"a\\":1}"}]}'
    opened = b'{"logEvents":[{"message":{"a":1}}]}\n'
    trees = []

    assert answers(firehose_handler(), firehose([gzip.compress(text)])) == [("Ok", opened)]
    batch_handler(lambda tree, record: trees.append(tree))(kinesis([gzip.compress(text)]), None)
    assert trees == [json.loads(opened)]
    broken = gzip.compress(text)[:-1]
    assert answers(firehose_handler(), firehose([broken])) == [("Ok", broken + b"\n")]


def test_integers_beyond_64_bits_become_strings_where_the_destination_has_none():
    [(_, data)] = answers(firehose_handler(int64=True), firehose(LINES[3:]))

    assert json.loads(data) == {"big": {"n": "18446744073709551617"}}


class Worked:
    """Work that fails for some records, by number."""

    def __init__(self, *fails):
        self.fails = fails
        self.seen = []

    def __call__(self, tree, record):
        self.seen.append(tree)
        if len(self.seen) - 1 in self.fails:
            raise KeyError("body")


BATCHES = [
    pytest.param(sqs([line.decode() for line in LINES]), id="sqs"),
    pytest.param(kinesis(LINES), id="kinesis"),
]


@pytest.mark.parametrize("event", BATCHES)
def test_work_gets_four_trees_in_order(event):
    work = Worked()

    assert batch_handler(work)(event, None) == {"batchItemFailures": []}
    assert work.seen == TREES


def identifiers(handler, event):
    return [one["itemIdentifier"] for one in handler(event, None)["batchItemFailures"]]


def test_of_a_queue_the_failed_messages_are_reported(caplog):
    event = sqs(["{}"] * 5)
    work = Worked(1, 3)

    assert identifiers(batch_handler(work), event) == [
        event["Records"][number]["messageId"] for number in (1, 3)
    ]
    assert len(work.seen) == 5
    assert [(r.levelno, r.name) for r in caplog.records] == [
        (logging.ERROR, "nestdecode.integrations.aws")
    ] * 2


def test_of_a_queue_in_order_all_messages_from_the_first_failed_on_are_reported():
    event = sqs(["{}"] * 5, "orders.fifo")
    work = Worked(2)

    assert identifiers(batch_handler(work), event) == [
        record["messageId"] for record in event["Records"][2:]
    ]
    assert len(work.seen) == 3


def test_of_a_stream_the_first_failed_record_is_reported():
    event = kinesis([b"{}"] * 5)
    work = Worked(2, 3)

    assert identifiers(batch_handler(work), event) == [
        event["Records"][2]["kinesis"]["sequenceNumber"]
    ]
    assert len(work.seen) == 3


@pytest.mark.parametrize(
    ("on_malformed", "reported"),
    [pytest.param("drop", [], id="drop"), pytest.param("fail", [1, 2], id="fail")],
)
def test_what_is_not_json_is_taken_as_done_or_reported(on_malformed, reported):
    event = sqs([line.decode() for line in LINES])
    work = Worked()

    assert identifiers(batch_handler(work, on_malformed=on_malformed), event) == [
        event["Records"][number]["messageId"] for number in reported
    ]
    assert work.seen == [TREES[0], TREES[3]]


def test_wrong_arguments_are_refused_before_the_first_event():
    with pytest.raises(ValueError, match="on_malformed: wanted keep, drop or fail, got 'null'"):
        firehose_handler(on_malformed="null")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="on_malformed"):
        batch_handler(print, on_malformed="raise")  # type: ignore[arg-type]
    with pytest.raises(QueryError):
        firehose_handler(partition_keys={"a": "a["})


@pytest.mark.slow
def test_hostile_records_raise_nothing():
    records = hostile()
    event = firehose(records)
    # The identifiers are different ones, as they have to be.
    for number, record in enumerate(event["records"]):
        record["recordId"] = str(number)
    given = answers(firehose_handler(partition_keys={"id": "id"}), event)
    assert sum(result == "Ok" for result, _ in given) > 500
    assert sum(result == "ProcessingFailed" for result, _ in given) > 500

    work = Worked()
    assert batch_handler(work)(kinesis(records), None) == {"batchItemFailures": []}
    bodies = [record.decode("utf-8", "surrogateescape") for record in records]
    assert batch_handler(work)(sqs(bodies), None) == {"batchItemFailures": []}
    assert len(work.seen) == 20_000


@pytest.fixture
def powertools(monkeypatch):
    monkeypatch.setenv("POWERTOOLS_DEV", "1")
    return need_module("aws_lambda_powertools.utilities.parser.models")


def test_events_are_those_that_powertools_reads(powertools):
    assert [one.data for one in powertools.KinesisFirehoseModel(**firehose(LINES)).records] == LINES
    assert [one.kinesis.data for one in powertools.KinesisDataStreamModel(**kinesis(LINES)).Records] == LINES  # fmt: skip
    for queue in ("orders", "orders.fifo"):
        bodies = [line.decode() for line in LINES]
        assert [one.body for one in powertools.SqsModel(**sqs(bodies, queue)).Records] == bodies


def test_firehose_is_answered_as_powertools_answers(powertools):
    classes = need_module("aws_lambda_powertools.utilities.data_classes.kinesis_firehose_event")
    event = firehose([b'{"a":"[1]"}', b"plain"])
    handler = firehose_handler(on_malformed="drop", partition_keys={"one": "a[0]"})
    metadata = classes.KinesisFirehoseDataTransformationRecordMetadata({"one": "1"})
    response = classes.KinesisFirehoseDataTransformationResponse()
    first, second = classes.KinesisFirehoseEvent(event).records
    response.add_record(
        first.build_data_transformation_response(data=encoded(b'{"a":[1]}\n'), metadata=metadata)
    )
    response.add_record(second.build_data_transformation_response(result="Dropped"))

    assert handler(event, None) == response.asdict()


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        pytest.param(sqs(["{}"] * 5), "SQS", id="sqs"),
        pytest.param(sqs(["{}"] * 5, "orders.fifo"), "FIFO", id="fifo"),
        pytest.param(kinesis([b"{}"] * 5), "KinesisDataStreams", id="kinesis"),
    ],
)
def test_batches_are_answered_as_powertools_answers(powertools, event, kind):
    batch = need_module("aws_lambda_powertools.utilities.batch")
    fifo = kind == "FIFO"
    processor = (
        batch.SqsFifoPartialProcessor() if fifo else batch.BatchProcessor(batch.EventType[kind])
    )
    work = Worked(2, 3)
    theirs = batch.process_partial_response(
        event=event,
        record_handler=lambda record: work({}, record),
        processor=processor,
        context=None,
    )
    ours = batch_handler(Worked(2, 3))(event, None)

    if kind == "KinesisDataStreams":
        # Lambda takes the first that is reported.
        theirs = {"batchItemFailures": theirs["batchItemFailures"][:1]}
    assert ours == theirs
