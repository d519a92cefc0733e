"""Save the tables of a Spark job as Parquet, so that lineages stay short and a restarted job can reuse them.

A table is complete when Spark's own ``_SUCCESS`` marker is in its folder. Rows depend on content and position alone, so
a table that a retried task or a restarted job writes again is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from dedup.errors import OutputError

_JOB_FILE = "job.json"


def union_all(frames: Sequence[Any]) -> Any:
    """Return the rows of all `frames`, which have the same columns."""
    return reduce(lambda union, frame: union.unionByName(frame), frames)


class TableStore:
    """Tables by name, in a folder that the driver and all workers can write to."""

    def __init__(self, session: Any, folder: str, job: str, *, resume: bool) -> None:
        """Open the store in `folder`, an address that Spark knows.

        `job` identifies inputs, settings and version. With `resume`, complete tables of the same job are kept; without
        it the folder is emptied. Raises `OutputError` if `resume` meets the tables of another job.
        """
        self.session = session
        self.folder = folder.rstrip("/")
        jvm = session.sparkContext._jvm  # noqa: SLF001 - PySpark's only way to the file systems that Spark knows
        self._path = jvm.org.apache.hadoop.fs.Path
        self._files = self._path(self.folder).getFileSystem(session.sparkContext._jsc.hadoopConfiguration())  # noqa: SLF001
        self._names: set[str] = set()
        earlier = self._read_text(_JOB_FILE)
        if resume and earlier is not None and earlier != job:
            raise OutputError(
                f"{folder}: holds tables of a job with other inputs or settings; leave out `resume` to start again"
            )
        if not resume or earlier is None:
            self.delete()
            self._write_text(_JOB_FILE, job)

    def delete(self) -> None:
        """Delete the folder and all tables in it."""
        recursive = True
        self._files.delete(self._path(self.folder), recursive)

    def save(self, name: str, frame: Any) -> Any:
        """Write the data frame `frame` as table `name`, and return a data frame that reads the table.

        A table that an earlier run has completed is not computed again. Each name is used once in a job.
        """
        assert name not in self._names, name
        self._names.add(name)
        path = f"{self.folder}/{name}"
        if not self._files.exists(self._path(f"{path}/_SUCCESS")):
            self.session.sparkContext.setJobDescription(f"dedup: {name}")
            frame.write.mode("overwrite").option("compression", "zstd").parquet(path)
        return self.session.read.schema(frame.schema).parquet(path)

    def number_rows(self, name: str) -> Any:
        """Return the rows of table `name` with a column ``number``, counted from 0 in the order of its files."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        table = self.session.read.parquet(f"{self.folder}/{name}")
        placed = table.select("*", "_metadata.file_name", "_metadata.row_index")
        counts = {row["file_name"]: row["count"] for row in placed.groupBy("file_name").count().collect()}
        names = [file for file in (path.rsplit("/", 1)[-1] for path in self.files(name)) if file in counts]
        starts = [(file, sum(counts[earlier] for earlier in names[:at])) for at, file in enumerate(names)]
        offsets = self.session.createDataFrame(starts, "file_name string, start bigint")
        numbered = placed.join(f.broadcast(offsets), "file_name").withColumn("number", f.expr("start + row_index"))
        return numbered.drop("file_name", "row_index", "start")

    def files(self, name: str) -> list[str]:
        """Return the addresses of the files of table `name`, in the order of its partitions."""
        statuses = self._files.listStatus(self._path(f"{self.folder}/{name}"))
        paths = [status.getPath() for status in statuses]
        return sorted(path.toString() for path in paths if path.getName().startswith("part-"))

    def _read_text(self, name: str) -> str | None:
        """Return the content of the file `name` in the folder, None if it does not exist."""
        path = self._path(f"{self.folder}/{name}")
        if not self._files.exists(path):
            return None
        stream = self._files.open(path)
        try:
            return bytes(stream.readAllBytes()).decode()
        finally:
            stream.close()

    def _write_text(self, name: str, text: str) -> None:
        """Write `text` to the file `name` in the folder."""
        stream = self._files.create(self._path(f"{self.folder}/{name}"))
        try:
            stream.write(bytearray(text.encode()))
        finally:
            stream.close()
