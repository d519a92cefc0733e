"""Measure the requests per second of ``dedup serve`` with several clients at once, and how long each waits.

    python -m benchmarks.serve_load [SECONDS] [CLIENTS]

Starts a server of a new index, and lets each client add articles for SECONDS, one after the other over one connection.
All clients add the same articles of `benchmarks.generate`, so most are duplicates. Prints the requests per second, the
median and the 99th percentile of the wait in milliseconds, and how many of the articles are kept. It fails if an
article is kept twice, or if a request is not answered with a verdict.
"""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.online_index import english_articles

ARTICLES = 2000


def send_articles(
    address: str, token: str, bodies: Iterable[bytes], end: float
) -> tuple[list[float], list[dict[str, Any]]]:
    """Add articles until `end`; return the seconds that each took, and the verdicts."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    seconds, verdicts = [], []
    for body in bodies:
        start = time.perf_counter()
        if start >= end:
            break
        connection.request("POST", "/add", body, headers)
        answer = connection.getresponse()
        contents = answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"answered {answer.status}: {contents[:200]!r}")
        seconds.append(time.perf_counter() - start)
        verdicts.append(json.loads(contents))
    connection.close()
    return seconds, verdicts


def main(duration: float, clients: int) -> None:
    """Start a server, send requests to it, and print the figures."""
    bodies = [json.dumps(article).encode() for article in itertools.islice(english_articles(), ARTICLES)]
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "dedup", "serve", str(Path(work) / "seen"), "--port", "0", "-q"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            address, token = server.stdout.readline().split()
            end = time.perf_counter() + duration
            with ThreadPoolExecutor(clients) as pool:
                results = list(pool.map(lambda _: send_articles(address, token, bodies, end), range(clients)))
            server.terminate()
    seconds = [second for part, _ in results for second in part]
    verdicts = [verdict for _, part in results for verdict in part]
    kept = Counter(verdict["article"] for verdict in verdicts if verdict["kept"])
    if max(kept.values()) > 1:
        raise SystemExit(f"{kept.most_common(1)[0][0]} stays twice")
    median, slow = 1e3 * np.percentile(seconds, [50, 99])
    print(f"{clients} clients: {len(seconds) / duration:.0f} requests a second, p50 {median:.1f} ms, p99 {slow:.1f} ms")
    print(f"{len(kept):,} of {len({verdict['article'] for verdict in verdicts}):,} articles stay, each once")


if __name__ == "__main__":
    main(*(int(argument) for argument in (sys.argv[1:] + ["10", "4"][len(sys.argv) - 1 :])))
