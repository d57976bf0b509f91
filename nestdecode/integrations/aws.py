"""
Handlers for AWS Lambda: Firehose transformations, and batches of SQS and Kinesis.

Each is made once, when Lambda loads the module, and needs no SDK. Data that is gzip, as that of
CloudWatch Logs, is unpacked first.

https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from nestdecode.codecs import CODECS
from nestdecode.errors import DecodeError, NestdecodeError
from nestdecode.integrations.opener import Opener, held
from nestdecode.text.reader import Budget
from nestdecode.text.write import dump

if TYPE_CHECKING:
    from nestdecode.decoder import Decoder, Query
    from nestdecode.spec import Spec

__all__ = ["Handler", "Malformed", "batch_handler", "firehose_handler"]

_log = logging.getLogger(__name__)

Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]
# What becomes of a record that is not JSON or is refused.
Malformed = Literal["keep", "drop", "fail"]
_RESULTS = {"keep": "Ok", "drop": "Dropped", "fail": "ProcessingFailed"}
# Of a response; Lambda takes no more, and Firehose loses the whole batch with it.
_MOST_BYTES = 6 * 1024 * 1024
_ENVELOPE = len('{"records": []}')


def firehose_handler(
    spec: Spec | str | os.PathLike[str] | None = None,
    *,
    on_malformed: Malformed = "keep",
    partition_keys: Mapping[str, str] | None = None,
    newline: bool = True,
    **options: Any,
) -> Handler:
    """
    Return a handler that opens the records of a Firehose stream.

    It answers each record once, in order. A response has room for 6 MB. A record for which
    none is left, opened, comes back as it came and ``ProcessingFailed``: Firehose writes it
    under ``processing-failed/``, and delivers all others. A smaller buffer of the stream helps.

    Args:
        spec: As for ``Decoder``; it describes a record. None finds all layers.
        on_malformed: ``keep`` delivers a record that is not JSON as it came, ``drop`` drops
            it, ``fail`` leaves it to Firehose as ``ProcessingFailed``.
        partition_keys: Name to query. A record for which one gives null, an empty string, an
            array or an object is ``ProcessingFailed``. Surrogates that have no partner become
            their escapes.
        newline: Whether each record ends in a newline.
        options: Other arguments of ``Opener`` and ``Decoder``, ``on_dead_letter`` and
            ``int64`` among them.

    Raises:
        SpecError: If the spec is wrong.
        QueryError: If a query is.
        ValueError: If an argument is out of range.

    >>> handler = firehose_handler(partition_keys={"id": "a.id"})
    >>> event = {"records": [{"recordId": "1", "data": "eyJhIjogIntcImlkXCI6N30ifQ=="}]}
    >>> handler(event, None)["records"][0]["metadata"]
    {'partitionKeys': {'id': '7'}}
    """
    opener = Opener(spec, **options)
    refused = _result(on_malformed)
    queries = {
        name: opener.decoder.compile(expression)
        for name, expression in (partition_keys or {}).items()
    }
    end = b"\n" if newline else b""

    def answer(record: Mapping[str, Any]) -> dict[str, Any]:
        name = _data_of(record)
        came, raw = _raw(record[name], opener.decoder)
        tree = opener.record(raw)
        if tree is raw and refused != "Ok":
            return _failed(record) if on_malformed == "fail" else _answer(record, refused, "")
        keys = _partition_keys(queries, raw)
        if keys is None:
            return _failed(record)
        text = came.removesuffix(end) if tree is raw else dump(tree)
        given = _answer(record, "Ok", base64.b64encode(text + end).decode())
        return {**given, "metadata": {"partitionKeys": keys}} if keys else given

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        records = event["records"]
        # As it came each has room: Lambda takes no more in a request either.
        left = _MOST_BYTES - _ENVELOPE - sum(_size(_failed(record)) for record in records)
        answers = []
        for record in records:
            given = answer(record)
            more = _size(given) - _size(_failed(record))
            if more > left:
                given, more = _failed(record), 0
            left -= more
            answers.append(given)
        return {"records": answers}

    return handler


def batch_handler(
    work: Callable[[Any, Mapping[str, Any]], object],
    spec: Spec | str | os.PathLike[str] | None = None,
    *,
    on_malformed: Malformed = "keep",
    **options: Any,
) -> Handler:
    """
    Return a handler that does some work with each record of a batch from SQS or Kinesis.

    A record for which the work raises an error is reported, so that Lambda tries it again and
    not those that are done; the trigger has to have ``ReportBatchItemFailures``. Order is
    kept: in a batch of a FIFO queue all records after it are reported too, and in one of
    Kinesis nothing after it is tried.

    Args:
        work: Takes the tree of a record, and the record.
        spec: As for ``Decoder``; it describes the body or data of a record. None finds all
            layers.
        on_malformed: What becomes of a body or data that is not JSON: ``keep`` hands it to
            *work* as bytes, ``drop`` takes it as done, ``fail`` reports it.
        options: Other arguments of ``Opener`` and ``Decoder``, ``on_dead_letter`` among them.

    Raises:
        SpecError: If the spec is wrong.
        ValueError: If an argument is out of range.

    >>> handler = batch_handler(lambda tree, record: print(tree))
    >>> handler({"Records": [{"messageId": "1", "body": '{"a": "[1]"}'}]}, None)
    {'a': [1]}
    {'batchItemFailures': []}
    """
    opener = Opener(spec, **options)
    _result(on_malformed)

    def done(record: Mapping[str, Any]) -> bool:
        stream = record.get("kinesis")
        raw = _raw(stream["data"], opener.decoder)[1] if stream else _text(record["body"])
        tree = opener.record(raw)
        if tree is raw and on_malformed != "keep":
            return on_malformed == "drop"
        # Whatever the work raises: the other records are not to be tried again for it.
        try:
            work(tree, record)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("a record failed, and is tried again")
            return False
        return True

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        records = event["Records"]
        failed: list[str] = []
        for number, record in enumerate(records):
            if not done(record):
                if "kinesis" in record:
                    failed = [record["kinesis"]["sequenceNumber"]]
                    break
                if record.get("eventSourceARN", "").endswith(".fifo"):
                    failed = [rest["messageId"] for rest in records[number:]]
                    break
                failed.append(record["messageId"])
        return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

    return handler


def _result(on_malformed: str) -> str:
    if on_malformed not in _RESULTS:
        raise ValueError(f"on_malformed: wanted keep, drop or fail, got {on_malformed!r}")
    return _RESULTS[on_malformed]


def _raw(data: str, decoder: Decoder) -> tuple[bytes, bytes]:
    """Return the bytes of base64, and what they are unpacked, if they are gzip."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raw = _text(data)
    unpack = CODECS["gzip"].open
    if not raw.startswith(b"\x1f\x8b\x08") or unpack is None:
        return raw, raw
    try:
        return raw, unpack(raw, Budget(decoder.limits.max_record_bytes))
    except DecodeError:
        return raw, raw


def _text(body: str) -> bytes:
    return body.encode("utf-8", "surrogatepass")


def _partition_keys(queries: Mapping[str, Query], raw: bytes) -> dict[str, str] | None:
    """Return the keys of a record; None if one of them is none that Firehose takes."""
    keys = {}
    for name, query in queries.items():
        try:
            found = query(raw)
        except NestdecodeError:
            return None
        if found is None or found == "" or isinstance(found, (dict, list)):
            return None
        # Lambda writes the answer as UTF-8, which has no place for a surrogate without partner.
        keys[name] = held(found) if isinstance(found, str) else dump(found).decode()
    return keys


def _data_of(record: Mapping[str, Any]) -> str:
    """Return the name that the data of a record has; with Amazon MSK as the source, another."""
    return "data" if "data" in record else "kafkaRecordValue"


def _answer(record: Mapping[str, Any], result: str, data: str) -> dict[str, Any]:
    return {"recordId": record["recordId"], "result": result, _data_of(record): data}


def _failed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer that leaves a record as it came, and to Firehose."""
    return _answer(record, "ProcessingFailed", record[_data_of(record)])


def _size(answer: Mapping[str, Any]) -> int:
    """Return how many bytes of a response an answer takes at most."""
    return len(json.dumps(answer)) + len(", ")
