"""Kafka: confluent-kafka and aiokafka, on the broker that librdkafka brings for tests."""

import asyncio
import time
from typing import Any

import pytest

import nestdecode
from nestdecode import DeadLetter, Spec
from nestdecode.integrations.kafka import OpeningDeserializer
from tests.integrations.broken_records import hostile
from tests.integrations.conftest import LINES, need_module
from tests.integrations.page import recipe

TREES = [
    {"id": "1", "body": {"a": [1, 2]}},
    b"plain",
    b'{"broken": ',
    {"big": {"n": 18446744073709551617}},
    None,
]


@pytest.fixture
def broker():
    """Start a broker; return its address, and a function that sends values to a topic."""
    kafka = need_module("confluent_kafka")
    producer = kafka.Producer({"test.mock.num.brokers": 1, "log_level": 3})
    brokers = producer.list_topics(timeout=10).brokers.values()

    def send(values, topic="in"):
        for number, value in enumerate(values):
            producer.produce(topic, value=value, key=str(number), partition=0)
        assert producer.flush(10) == 0

    return ",".join(f"{one.host}:{one.port}" for one in brokers), send


def consumer_of(address, topic="in", **options):
    """Return a consumer of a topic, from its beginning."""
    kafka = need_module("confluent_kafka")
    settings = {"bootstrap.servers": address, "group.id": "g", "enable.auto.commit": False}
    kind = kafka.DeserializingConsumer if options else kafka.Consumer
    consumer = kind({**settings, **options})
    # To subscribe would take three seconds until the group is made.
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([kafka.TopicPartition(topic, number, 0) for number in partitions])
    return consumer


def read(consumer, number):
    end = time.monotonic() + 20
    messages: list[Any] = []
    while len(messages) < number and time.monotonic() < end:
        message = consumer.poll(0.5)
        # A message without a value is false.
        if message is not None:
            assert message.error() is None
            messages.append(message)
    return messages


def test_confluent_kafka_gives_trees(broker):
    address, send = broker
    send([*LINES, None])
    deserialize = OpeningDeserializer()
    consumer = consumer_of(address, **{"value.deserializer": deserialize})

    assert [message.value() for message in read(consumer, 5)] == TREES
    assert (deserialize.opener.opened, deserialize.opener.failed) == (2, 2)
    consumer.close()


def test_aiokafka_gives_trees(broker):
    aiokafka = need_module("aiokafka")
    address, send = broker
    send([*LINES, None])

    async def consume():
        consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=address,
            value_deserializer=OpeningDeserializer(),
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            partition = aiokafka.TopicPartition("in", 0)
            consumer.assign([partition])
            consumer.seek(partition, 0)
            async with asyncio.timeout(20):
                return [(await consumer.getone()).value for _ in TREES]
        finally:
            await consumer.stop()

    assert asyncio.run(consume()) == TREES


def test_the_recipe_sends_what_is_not_json_to_a_topic_of_its_own(broker):
    kafka = need_module("confluent_kafka")
    address, send = broker
    send([*LINES, None])
    names: dict[str, Any] = {}
    exec(recipe("def consume("), names)
    consumer = consumer_of(address)
    producer = kafka.Producer({"bootstrap.servers": address, "log_level": 3})
    done = []

    def work(value):
        if value is None:
            raise InterruptedError
        done.append(value)

    with pytest.raises(InterruptedError):
        names["consume"](consumer, producer, work)

    assert done == [TREES[0], TREES[3]]
    assert consumer.committed([kafka.TopicPartition("in", 0)], 5)[0].offset == 4
    consumer.close()
    dead = consumer_of(address, "in.dead")
    letters = sorted((m.key(), m.value(), dict(m.headers())) for m in read(dead, 2))
    dead.close()
    assert letters == [
        (str(number).encode(), LINES[number], {"error": why(number), "at": b"in[0]@%d" % number})
        for number in (1, 2)
    ]


def why(number):
    with pytest.raises(nestdecode.DecodeError) as caught:
        nestdecode.expand(LINES[number])
    return str(caught.value).encode()


def test_dead_letters_hold_the_value_and_the_reason():
    letters: list[DeadLetter] = []
    deserialize = OpeningDeserializer(on_dead_letter=letters.append)

    assert list(map(deserialize, LINES)) == TREES[:4]
    assert [(one.line, one.raw, str(one.error).encode()) for one in letters] == [
        (2, LINES[1], why(1)),
        (3, LINES[2], why(2)),
    ]


def test_what_a_dead_letter_is_taken_with_may_raise():
    def take(letter):
        raise RuntimeError

    assert OpeningDeserializer(on_dead_letter=take)(b"plain", None) == b"plain"


def test_a_spec_says_what_a_value_holds():
    spec = Spec.parse("{nestdecode: 1, layers: {a: base64 | json}}")

    assert OpeningDeserializer(spec)(b'{"a":"WzFd","b":"[1]"}') == {"a": [1], "b": "[1]"}
    with pytest.raises(nestdecode.SpecError):
        OpeningDeserializer("no-such-spec")


def test_json_of_any_kind_is_opened_and_counted():
    deserialize = OpeningDeserializer()

    assert [deserialize(value) for value in (b"7", b'"up"', b" null ", b"")] == [7, "up", None, b""]
    assert repr(deserialize.opener) == "<Opener: 3 opened, 1 failed>"


def test_hostile_values_raise_nothing():
    letters: list[DeadLetter] = []
    deserialize = OpeningDeserializer(on_dead_letter=letters.append)
    values = hostile()
    trees = list(map(deserialize, values))

    stayed = [value for value, tree in zip(values, trees, strict=True) if type(tree) is bytes]
    assert [letter.raw for letter in letters] == stayed
    assert deserialize.opener.failed == len(stayed)
    assert deserialize.opener.opened == len(values) - len(stayed)
    assert 1000 < len(stayed) < 9000
