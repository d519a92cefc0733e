"""A Spark driver as a user would write it: reads jobs from standard input and prints one line of JSON for each.

A job is ``{"source": ..., "out": ..., "settings": {...}, "conf": {...}, "partitions": 2, "frame": false}``, and
may have ``against`` and ``index``. All jobs share one application, and the size from which a bucket is large. Two run
at a time, each in a session of its own: while one plans, the other does its tasks.
"""

from __future__ import annotations

import copyreg
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import dedup
from dedup.spark import rare_shingles
from dedup.spark.session import start_session

PICKLED = threading.local()


def reduce_and_count(settings):
    """Pickle `settings` as usual, and count how often the thread of a job does so."""
    PICKLED.times += 1
    return settings.__reduce_ex__(4)


def run(session, job):
    """Run one job; return its counts, the progress it reported and how often its settings were pickled."""
    for name, value in job.get("conf", {}).items():
        session.conf.set(name, value)
    source = session.read.json(job["source"]) if job.get("frame") else job["source"]
    engine = dedup.SparkEngine(session, partitions=job.get("partitions", 2))
    steps, PICKLED.times = [], 0

    def progress(stage, done, total):
        steps.append((stage, done, total))

    try:
        settings = dedup.Settings(**job.get("settings", {}))
        known = {name: job[name] for name in ("against", "index") if name in job}
        counts = dedup.clean(source, job["out"], settings, engine=engine, progress=progress, **known).counts
    except dedup.DedupError as error:
        return {type(error).__name__: str(error)}
    return {**counts, "progress": steps, "settings_sent": PICKLED.times}


def main():
    copyreg.pickle(dedup.Settings, reduce_and_count)
    request = json.load(sys.stdin)
    rare_shingles.LARGE_BUCKET = request["large_bucket"]
    session = start_session(request["url"], request["options"])
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(run, session.newSession(), job) for job in request["jobs"]]
        for number, job in enumerate(running):
            sys.stdout.write(json.dumps({"job": number, "report": job.result()}) + "\n")
    session.stop()


if __name__ == "__main__":
    main()
