"""
The hand-written code for each workload: what people write for exactly one shape.

Subscripts and no checks: it fails where a layer is missing. The functions it calls are bound
to local names. ratios.py compares nestdecode with it, and saves its source with the results.
"""

from binascii import a2b_base64
from zlib import decompress

import orjson


def seed(raw, loads=orjson.loads):
    tree = loads(raw)
    for item in tree["data"]["taskResult"]:
        wrapper = item["taskResult"] = loads(item["taskResult"])
        wrapper["usageMap"] = loads(wrapper["usageMap"])
        result = wrapper["result"] = loads(wrapper["result"])
        data = result["data"]
        data["usageMap"] = loads(data["usageMap"])
        struct = data["structData"]
        struct["usageMap"] = loads(struct["usageMap"])
    return tree


def seed_parsed(tree, loads=orjson.loads):
    for item in tree["data"]["taskResult"]:
        wrapper = item["taskResult"] = loads(item["taskResult"])
        wrapper["usageMap"] = loads(wrapper["usageMap"])
        result = wrapper["result"] = loads(wrapper["result"])
        data = result["data"]
        data["usageMap"] = loads(data["usageMap"])
        struct = data["structData"]
        struct["usageMap"] = loads(struct["usageMap"])
    return tree


def seed_copied(given, loads=orjson.loads):
    tree = given.copy()
    top = tree["data"] = tree["data"].copy()
    items = top["taskResult"] = [item.copy() for item in top["taskResult"]]
    for item in items:
        wrapper = item["taskResult"] = loads(item["taskResult"])
        wrapper["usageMap"] = loads(wrapper["usageMap"])
        result = wrapper["result"] = loads(wrapper["result"])
        data = result["data"]
        data["usageMap"] = loads(data["usageMap"])
        struct = data["structData"]
        struct["usageMap"] = loads(struct["usageMap"])
    return tree


def images(raw, loads=orjson.loads):
    found = []
    for item in loads(raw)["data"]["taskResult"]:
        found += loads(loads(item["taskResult"])["result"])["data"]["structData"]["data"]
    return found


def sns(raw, loads=orjson.loads):
    tree = loads(raw)
    for record in tree["Records"]:
        body = record["body"] = loads(record["body"])
        body["Message"] = loads(body["Message"])
    return tree


def deep(raw, loads=orjson.loads, layers=6):
    tree = inner = loads(raw)
    for _ in range(layers):
        inner["message"] = inner = loads(inner["message"])
    return tree


def many(raw, loads=orjson.loads):
    tree = loads(raw)
    for event in tree["events"]:
        event["map"] = loads(event["map"])
    return tree


def line(raw, loads=orjson.loads):
    tree = loads(raw)
    log = tree["log"]
    if log[0] == "{":
        tree["log"] = loads(log)
    return tree


def each_line(lines, loads=orjson.loads):
    for line in lines:
        loads(line)


def each_seed(lines, loads=orjson.loads):
    for line in lines:
        tree = loads(line)
        for item in tree["data"]["taskResult"]:
            wrapper = item["taskResult"] = loads(item["taskResult"])
            wrapper["usageMap"] = loads(wrapper["usageMap"])
            result = wrapper["result"] = loads(wrapper["result"])
            data = result["data"]
            data["usageMap"] = loads(data["usageMap"])
            struct = data["structData"]
            struct["usageMap"] = loads(struct["usageMap"])


def totals(raw, loads=orjson.loads):
    return [loads(item["payload"])["total"] for item in loads(raw)["items"]]


def kinesis(raw, loads=orjson.loads, decode=a2b_base64):
    tree = loads(raw)
    for record in tree["Records"]:
        kinesis = record["kinesis"]
        kinesis["data"] = loads(decode(kinesis["data"]))
    return tree


def firehose(raw, loads=orjson.loads, decode=a2b_base64, decompress=decompress):
    tree = loads(raw)
    for record in tree["records"]:
        record["data"] = loads(decompress(decode(record["data"]), 31))
    return tree


def plain_or_base64(raw, loads=orjson.loads, decode=a2b_base64):
    tree = loads(raw)
    for record in tree["Records"]:
        body = record["body"]
        record["body"] = loads(body if body[0] == "{" else decode(body))
    return tree


def half_text(raw, loads=orjson.loads):
    tree = loads(raw)
    for record in tree["Records"]:
        body = record["body"]
        if body[0] == "{":
            record["body"] = loads(body)
    return tree


def services(raw, loads=orjson.loads):
    tree = loads(raw)
    for service in tree["services"].values():
        service["config"] = loads(service["config"])
    return tree


def annotations(raw, loads=orjson.loads):
    tree = loads(raw)
    annotations = tree["metadata"]["annotations"]
    for name, text in annotations.items():
        if name.startswith("example.com/"):
            annotations[name] = loads(text)
    return tree


def comments(raw, loads=orjson.loads):
    def open_below(comment):
        comment["body"] = loads(comment["body"])
        for reply in comment["replies"]:
            open_below(reply)

    tree = loads(raw)
    open_below(tree)
    return tree


def told_line(raw, failed, loads=orjson.loads):
    tree = loads(raw)
    try:
        tree["log"] = loads(tree["log"])
    except ValueError as error:
        failed(("/log", error))
    return tree


def large(raw, loads=orjson.loads):
    tree = loads(raw)
    for item in tree["items"]:
        if item["note"] is not None:
            item["note"] = loads(item["note"])
    return tree
