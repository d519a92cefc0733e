"""A driver as a user would write it: jobs from standard input, one session, one line of JSON for each job.

Each job: ``{"source": ..., "out": ..., "settings": {...}, "conf": {...}, "partitions": 2, "frame": false}``.
"""

from __future__ import annotations

import json
import sys

import dedup
from dedup.engines.spark.session import started


def main():
    told = json.load(sys.stdin)
    session = started(told["url"], {"spark.ui.enabled": "false", **told["options"]})
    for job in told["jobs"]:
        for name, value in job.get("conf", {}).items():
            session.conf.set(name, value)
        source = session.read.json(job["source"]) if job.get("frame") else job["source"]
        engine = dedup.SparkEngine(session=session, partitions=job.get("partitions", 2))
        try:
            report = dedup.clean(source, job["out"], dedup.Settings(**job.get("settings", {})), engine=engine)
            sys.stdout.write(json.dumps(report.counts) + "\n")
        except dedup.DedupError as error:
            sys.stdout.write(json.dumps({type(error).__name__: str(error)}) + "\n")
    session.stop()


if __name__ == "__main__":
    main()
