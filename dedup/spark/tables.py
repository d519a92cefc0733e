"""Tables of a job, kept as Parquet: what makes lineages short, and what a restart finds again.

A table is complete when Spark's own ``_SUCCESS`` marker is in its folder; all are made of content and place alone, so
that one written again by a retried task, or by a restarted job, is the same.
"""

from __future__ import annotations

from typing import Any

from dedup.errors import OutputError

_JOB = "job.json"


class TableStore:
    """Tables in a folder that Spark can write to, by name."""

    def __init__(self, session: Any, folder: str, job: str, *, resume: bool) -> None:
        """`job` says what is done with what: with `resume`, tables of the same job are taken as they are."""
        self.session = session
        self.folder = folder.rstrip("/")
        jvm = session.sparkContext._jvm  # noqa: SLF001 - PySpark's only way to the file systems that Spark knows
        self._path = jvm.org.apache.hadoop.fs.Path
        self._files = self._path(self.folder).getFileSystem(session.sparkContext._jsc.hadoopConfiguration())  # noqa: SLF001
        self._names: set[str] = set()
        self.reused: list[str] = []
        earlier = self._read(_JOB)
        if resume and earlier is not None and earlier != job:
            raise OutputError(f"{folder}: was begun with other inputs or settings; leave out --resume to begin again")
        if not resume or earlier is None:
            self.remove()
            self._write(_JOB, job)

    def remove(self) -> None:
        """Deletes the folder."""
        everything = True
        self._files.delete(self._path(self.folder), everything)

    def table(self, name: str, frame: Any) -> Any:
        """`frame` as it is once written under `name`; what an earlier run has written is not computed again."""
        assert name not in self._names, name
        self._names.add(name)
        path = f"{self.folder}/{name}"
        if self._files.exists(self._path(f"{path}/_SUCCESS")):
            self.reused.append(name)
        else:
            self.session.sparkContext.setJobDescription(f"dedup: {name}")
            frame.write.mode("overwrite").option("compression", "zstd").parquet(path)
        return self.session.read.schema(frame.schema).parquet(path)

    def read(self, name: str, schema: Any) -> Any:
        """The table `name` of an earlier stage."""
        return self.session.read.schema(schema).parquet(f"{self.folder}/{name}")

    def parts(self, name: str) -> list[str]:
        """The files of a table, in the order of its partitions."""
        listed = self._files.listStatus(self._path(f"{self.folder}/{name}"))
        paths = [one.getPath() for one in listed]
        return sorted(path.toString() for path in paths if path.getName().startswith("part-"))

    def _read(self, name: str) -> str | None:
        path = self._path(f"{self.folder}/{name}")
        if not self._files.exists(path):
            return None
        stream = self._files.open(path)
        try:
            return bytes(stream.readAllBytes()).decode()
        finally:
            stream.close()

    def _write(self, name: str, text: str) -> None:
        stream = self._files.create(self._path(f"{self.folder}/{name}"))
        try:
            stream.write(bytearray(text.encode()))
        finally:
            stream.close()
