"""The Spark engine: the same stages on any cluster, and the same bytes out.

Stages that look at one article alone run through ``mapInArrow``; groups and joins are Spark's. Every table in between
is kept as Parquet until the job has ended well, so that lineages are short and a restarted driver goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import EngineError, SettingsError
from dedup.runtime.progress import StageTimer
from dedup.settings import Settings

if TYPE_CHECKING:
    from dedup.spark.job import SparkJob
    from dedup.spark.listing import Listing

if ".zip" in __file__:  # sent to a worker: see `dedup.spark.numba_cache`, which loads Numba and is named only
    os.environ.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", "dedup.spark.numba_cache.Shipped")

_PART_BYTES = 32 << 20  # of input, to one partition


@dataclass(frozen=True, kw_only=True)
class SparkEngine:
    """Runs a job on Spark.

    `session` is one that runs, as in a notebook; without it one is started on the cluster at `url`, with `options` as
    its configuration, and stopped at the end. `partitions` is how many parts tables are cut into (None: by the size of
    the input and the cluster). `tables` is a folder that the driver and all workers can write to (None: beside the
    output); with `resume`, what an earlier run of the same job has left there is not computed again. None of it changes
    a byte of output.
    """

    session: Any = field(default=None, kw_only=False)
    url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    partitions: int | None = None
    tables: str | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        if self.partitions is not None and self.partitions < 1:
            raise SettingsError(f"partitions: {self.partitions} is not a number of parts; give 1 or more")

    @contextmanager
    def job(self, source: Any, settings: Settings, watch: StageTimer, out: Path) -> Iterator[SparkJob]:
        """A job over `source`; its tables are gone when the block ends well."""
        from dedup.spark import session as sessions  # noqa: PLC0415 - PySpark is an extra
        from dedup.spark.job import SparkJob, fingerprint  # noqa: PLC0415
        from dedup.spark.listing import listing  # noqa: PLC0415
        from dedup.spark.progress import watched  # noqa: PLC0415
        from dedup.spark.tables import TableStore  # noqa: PLC0415

        sessions.check_package()
        inputs = source if isinstance(source, Sequence) and not isinstance(source, str) else [source]
        listed = None if any("://" in str(one) for one in inputs) else listing(None, inputs, out)
        with watch.stage("start Spark"):
            size = listed.known_bytes if listed else None
            session = self.session or sessions.started(self.url, self.options, size)
        try:
            sessions.check_session(session)
            sessions.ship(session)
            listed = listed or listing(session, inputs, out)
            size = listed.known_bytes
            partitions = self.partitions or self._partitions(session, listed)
            folder = self.tables or (out.parent / f".{out.name}.spark").absolute().as_uri()
            with sessions.configured(session, partitions, size), watched(session, watch, listed.total_bytes):
                store = TableStore(session, folder, fingerprint(listed, settings), resume=self.resume)
                yield SparkJob(store, listed, settings, watch, partitions)
                store.remove()
        except Exception as error:
            if type(error).__module__.split(".")[0] not in {"pyspark", "py4j"}:
                raise
            raise EngineError(
                f"Spark: {sessions.first_line(error)}; mend that and go on with --resume (-v shows all of it)"
            ) from error
        finally:
            if self.session is None:
                session.stop()

    @staticmethod
    def _partitions(session: Any, listed: Listing) -> int:
        if not listed.compiled:
            return 1
        return max(int(session.sparkContext.defaultParallelism), -(-listed.total_bytes // _PART_BYTES))


__all__ = ["SparkEngine"]
