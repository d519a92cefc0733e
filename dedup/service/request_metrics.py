"""The metrics of a server for Prometheus: requests, seconds, verdicts, and the size of the index."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from dedup.online.online_index import Index
from dedup.online.verdict import IndexVerdict

METRICS_TYPE = CONTENT_TYPE_LATEST
_PATHS = ("/query", "/add", "/remove", "/health", "/metrics", "/openapi.json")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class RequestMetrics:
    """The metrics of the server of one index."""

    def __init__(self, index: Index) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "dedup_requests", "Answers, by path and status.", ["path", "status"], registry=self._registry
        )
        self._verdicts = Counter(
            "dedup_verdicts", "Verdicts, by path and the rule that drops.", ["path", "rule"], registry=self._registry
        )
        self._seconds = Histogram(
            "dedup_verdict_seconds",
            "Seconds until a verdict, without the network.",
            ["path"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        articles = Gauge("dedup_index_articles", "Articles in the index.", registry=self._registry)
        articles.set_function(lambda: len(index))

    def count_answer(self, path: str, status: int) -> None:
        """Count an answer; unknown paths count together, so that clients cannot create any number of metrics."""
        self._requests.labels(path if path in _PATHS else "other", str(status)).inc()

    @contextmanager
    def timed(self, path: str) -> Iterator[None]:
        """Measure the time that a verdict takes."""
        start = time.perf_counter()
        yield
        self._seconds.labels(path).observe(time.perf_counter() - start)

    def count_verdict(self, path: str, verdict: IndexVerdict) -> None:
        """Count a verdict; an article that stays has the rule "none"."""
        self._verdicts.labels(path, verdict.rule or "none").inc()

    def as_text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        text: bytes = generate_latest(self._registry)
        return text
