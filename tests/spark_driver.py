"""A driver as a user would write it: jobs from standard input, one application, one line of JSON for each job.

Each job: ``{"source": ..., "out": ..., "settings": {...}, "conf": {...}, "partitions": 2, "frame": false}``. Two run at
a time, each in a session of its own: while one plans, the other works.
"""

from __future__ import annotations

import copyreg
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import dedup
from dedup.spark.session import started

SENT = threading.local()


def counted(settings):
    """How settings are pickled; counted by the thread of each job."""
    SENT.times += 1
    return settings.__reduce_ex__(4)


def run(session, job):
    for name, value in job.get("conf", {}).items():
        session.conf.set(name, value)
    source = session.read.json(job["source"]) if job.get("frame") else job["source"]
    engine = dedup.SparkEngine(session, partitions=job.get("partitions", 2))
    told, SENT.times = [], 0

    def progress(stage, done, total):
        told.append((stage, done, total))

    try:
        settings = dedup.Settings(**job.get("settings", {}))
        counts = dedup.clean(source, job["out"], settings, engine=engine, progress=progress).counts
    except dedup.DedupError as error:
        return {type(error).__name__: str(error)}
    return {**counts, "progress": told, "settings_sent": SENT.times}


def main():
    copyreg.pickle(dedup.Settings, counted)
    told = json.load(sys.stdin)
    session = started(told["url"], told["options"])
    with ThreadPoolExecutor(2) as threads:
        running = [(number, threads.submit(run, session.newSession(), job)) for number, job in enumerate(told["jobs"])]
        for number, job in running:
            sys.stdout.write(json.dumps({"job": number, "told": job.result()}) + "\n")
    session.stop()


if __name__ == "__main__":
    main()
