"""Run the stages of a job on any Spark cluster, with output equal to the local engine's to the byte.

Stages that look at one article alone run through ``mapInArrow``; Spark itself groups and joins. Every table between
stages is saved as Parquet until the job has succeeded, so lineages stay short and a restarted driver can resume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import EngineError, InputError, SettingsError
from dedup.runtime.progress import StageTimer
from dedup.settings import Settings, invalid

if TYPE_CHECKING:
    from dedup.index.session import IndexSession
    from dedup.spark.job import SparkJob
    from dedup.spark.listing import InputListing

_PARTITION_BYTES = 32 << 20  # of input


@dataclass(frozen=True, kw_only=True)
class SparkEngine:
    """An engine that runs a job on Spark. None of its options changes a byte of output.

    `session`: a running session, as in a notebook. Without it, a session is started on the cluster at `url`, with
    `options` as its configuration, and stopped at the end.
    `partitions`: the number of partitions of tables. None derives it from the size of the input and the cluster.
    `tables`: the address of a folder that the driver and all workers can write to. None: a folder beside the output.
    `resume`: reuse the complete tables that an earlier run of the same job has left in `tables`.

    Raises `SettingsError` if `partitions` is below 1.
    """

    session: Any = field(default=None, kw_only=False)
    url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    partitions: int | None = None
    tables: str | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        if self.partitions is not None and self.partitions < 1:
            raise invalid("partitions", self.partitions, "not a number of partitions; give 1 or more")

    @contextmanager
    def job(
        self,
        source: Any,
        settings: Settings,
        timer: StageTimer,
        out: Path,
        against: Any = None,
        index: IndexSession | None = None,
    ) -> Iterator[SparkJob]:
        """Yield a job over `source`, which has prepared its articles; delete its tables once the block has succeeded.

        `against` are the paths of known articles. Those of `index` are known, too, and the job adds its own to it.
        Raises `InputError` or `OutputError` for the paths given, `SettingsError` for what only the local engine can do,
        and `EngineError` for failures of Spark.
        """
        inputs, others = _as_sequence(source), [] if against is None else _as_sequence(against)
        if not all(isinstance(value, (str, Path)) or hasattr(value, "semanticHash") for value in [*inputs, *others]):
            raise InputError(
                "Spark reads files and its own tables, not Python objects; write them to a file, "
                'or use `engine="local"`'
            )
        if settings.limit is not None or settings.sample is not None:
            raise SettingsError(
                "`limit` and `sample` work with the local engine only; leave them out, or cut the input"
            )
        from dedup.spark import session as sessions  # noqa: PLC0415 - PySpark is an extra
        from dedup.spark.job import SparkJob, job_identity  # noqa: PLC0415
        from dedup.spark.listing import list_with_known  # noqa: PLC0415
        from dedup.spark.progress import report_progress  # noqa: PLC0415
        from dedup.spark.tables import TableStore  # noqa: PLC0415

        sessions.check_package()
        has_address = any("://" in str(value) for value in [*inputs, *others])
        listing = (
            None if has_address else list_with_known(None, inputs, others, out, settings.input_format)
        )  # bad paths fail before Spark starts
        with timer.stage("start Spark"):
            size = listing.estimated_bytes if listing else None
            session = self.session or sessions.start_session(self.url, self.options, size)
        try:
            sessions.check_session(session)
            sessions.ship_package(session)
            listing = listing or list_with_known(session, inputs, others, out, settings.input_format)
            size = listing.estimated_bytes
            partitions = self.partitions or self._partitions(session, listing)
            folder = self.tables or (out.parent / f".{out.name}.spark").absolute().as_uri()
            with sessions.configured(session, partitions, size), report_progress(session, timer, listing.total_bytes):
                store = TableStore(session, folder, job_identity(listing, settings, index), resume=self.resume)
                job = SparkJob(store, listing, settings, timer, partitions, index)
                job.prepare()
                yield job
                store.delete()
        except Exception as error:
            if type(error).__module__.split(".")[0] not in {"pyspark", "py4j"}:
                raise
            raise EngineError(
                f"Spark: {sessions.main_line(error)}; fix that and continue with `resume=True`"
            ) from error
        finally:
            if self.session is None:
                session.stop()

    @staticmethod
    def _partitions(session: Any, listing: InputListing) -> int:
        """Return the number of partitions for the inputs: at least one for each core, one for a small input."""
        if not listing.compiled:
            return 1
        return max(int(session.sparkContext.defaultParallelism), -(-listing.total_bytes // _PARTITION_BYTES))


def _as_sequence(given: Any) -> Sequence[Any]:
    """Return what was given as inputs, one or several, as a sequence."""
    return given if isinstance(given, Sequence) and not isinstance(given, str) else [given]


__all__ = ["SparkEngine"]
