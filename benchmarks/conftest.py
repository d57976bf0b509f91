"""The settings of pytest-benchmark: it saves the figures of the tables, and no host name."""

from measure import environment


def pytest_benchmark_update_json(config, benchmarks, output_json):
    rows = []
    for made in output_json["benchmarks"]:
        info, stats = made["extra_info"], made["stats"]
        rows.append(
            {
                "workload": made["group"],
                "contender": info["contender"],
                "bytes": info["bytes"] // info["documents"],
                "rounds": stats["rounds"],
                **{
                    f"{name}_us": round(stats[key] / info["documents"] * 1e6, 4)
                    for name, key in (("median", "median"), ("low", "q1"), ("high", "q3"))
                },
            }
        )
    output_json.clear()
    output_json.update(environment() | {"collector": "off while timing", "rows": rows})
