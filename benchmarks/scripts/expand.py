"""The script that people write to open the layers of a file of records of one shape."""

import sys

import orjson

with open(sys.argv[1], "rb") as lines:
    for line in lines:
        tree = orjson.loads(line)
        for item in tree["data"]["taskResult"]:
            wrapper = item["taskResult"] = orjson.loads(item["taskResult"])
            wrapper["usageMap"] = orjson.loads(wrapper["usageMap"])
            result = wrapper["result"] = orjson.loads(wrapper["result"])
            data = result["data"]
            data["usageMap"] = orjson.loads(data["usageMap"])
            data["structData"]["usageMap"] = orjson.loads(data["structData"]["usageMap"])
        sys.stdout.buffer.write(orjson.dumps(tree, option=orjson.OPT_APPEND_NEWLINE))
