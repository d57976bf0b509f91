"""The script that people write to get the image addresses out of a file of records."""

import sys

import orjson

with open(sys.argv[1], "rb") as lines:
    for line in lines:
        found = []
        for item in orjson.loads(line)["data"]["taskResult"]:
            result = orjson.loads(orjson.loads(item["taskResult"])["result"])
            found += result["data"]["structData"]["data"]
        sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE))
