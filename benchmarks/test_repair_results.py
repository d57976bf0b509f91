"""
The response that the project was born from: expanding it, and asking it for its images.

The floor parses the outer text only. The hand-written code is what people write for
exactly this shape; the recursions are what they write for any.
"""

import json
from pathlib import Path

import jmespath
import orjson
import pytest

from nestdecode import Decoder

RAW = orjson.dumps(
    orjson.loads((Path(__file__).parent.parent / "specs/samples/repair-results.json").read_bytes())
)
IMAGES = "data.taskResult[].taskResult.result.data.structData.data[]"


def by_hand(raw):
    tree = orjson.loads(raw)
    for item in tree["data"]["taskResult"]:
        wrapper = item["taskResult"] = orjson.loads(item["taskResult"])
        wrapper["usageMap"] = orjson.loads(wrapper["usageMap"])
        result = wrapper["result"] = orjson.loads(wrapper["result"])
        data = result["data"]
        data["usageMap"] = orjson.loads(data["usageMap"])
        data["structData"]["usageMap"] = orjson.loads(data["structData"]["usageMap"])
    return tree


def images_by_hand(raw):
    found = []
    for item in orjson.loads(raw)["data"]["taskResult"]:
        result = orjson.loads(orjson.loads(item["taskResult"])["result"])
        found += result["data"]["structData"]["data"]
    return found


def recursion(loads):
    def opened(value):
        if isinstance(value, dict):
            return {key: opened(child) for key, child in value.items()}
        if isinstance(value, list):
            return [opened(child) for child in value]
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                return opened(loads(value))
            except ValueError:
                return value
        return value

    return lambda raw: opened(loads(raw))


with_spec, automatic = Decoder("repair-results"), Decoder()
EXPANDING = {
    "hand-written orjson": by_hand,
    "nestdecode, spec": with_spec.expand,
    "nestdecode, automatic": automatic.expand,
    "recursive orjson": recursion(orjson.loads),
    "recursive json": recursion(json.loads),
}
ASKING = {
    "hand-written orjson": images_by_hand,
    "nestdecode, spec": with_spec.compile("structData.data[]"),
    "nestdecode, automatic": automatic.compile(IMAGES),
    "recursive orjson, jmespath.py": lambda raw: jmespath.search(
        IMAGES, recursion(orjson.loads)(raw)
    ),
}


@pytest.mark.benchmark(group="floor")
def test_floor(benchmark):
    assert benchmark(orjson.loads, RAW)["code"] == "0"


@pytest.mark.benchmark(group="expand")
@pytest.mark.parametrize("contender", EXPANDING.values(), ids=EXPANDING.keys())
def test_expand(benchmark, contender):
    assert contender(RAW) == by_hand(RAW)
    benchmark(contender, RAW)


@pytest.mark.benchmark(group="query")
@pytest.mark.parametrize("contender", ASKING.values(), ids=ASKING.keys())
def test_query(benchmark, contender):
    assert contender(RAW) == images_by_hand(RAW)
    benchmark(contender, RAW)
