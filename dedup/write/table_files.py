"""The files of the tables of an output: appended to chunk by chunk, split into shards, compressed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from dedup.output_layout import ARTICLES, TABLES, OutputFiles, table_file_name
from dedup.settings import Settings
from dedup.write.compression import open_compressed
from dedup.write.tables import OutputChunk

_CONVERTED = {"parquet": TABLES, "csv": (ARTICLES,)}  # tables that are not JSON lines, by `Settings.format`


class Writer:
    """The tables of an output, open for appending, until `finish` gives them the format of the settings."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.converted = _CONVERTED.get(settings.format, ())
        self.tables: dict[str, _TableFile] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        for name in TABLES:
            compress = "none" if name in self.converted else self.settings.compress
            table = _TableFile(self.folder, name, compress, self.settings.shard_size)
            self.tables[name] = self.stack.enter_context(table)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    def write(self, chunk: OutputChunk) -> None:
        """Append a chunk to the tables."""
        for name in TABLES:
            data: bytes = getattr(chunk, name)
            if data:
                self.tables[name].write(data)

    def finish(self) -> OutputFiles:
        """Close the tables, convert those that are to be Parquet or CSV, and return the names of the files."""
        self.stack.close()
        settings = self.settings
        shards = {name: self.tables[name].shards for name in TABLES} if settings.shard_size else {}
        files = OutputFiles(settings.format, settings.compress, settings.shard_size, shards)
        lines = files._replace(format="jsonl", compress="none")
        for name in self.converted:
            sources = [self.folder / file for file in lines.names(name)]
            targets = [self.folder / file for file in files.names(name)]
            if settings.format == "csv":
                from dedup.write.csv_articles import articles_to_csv  # noqa: PLC0415 - rarely used

                articles_to_csv(sources, targets, settings)
            else:
                from dedup.write.parquet import table_to_parquet  # noqa: PLC0415 - rarely used

                table_to_parquet(name, sources, targets, settings)
        return files


class _TableFile:
    """The file of one table as JSON lines, or its shards: each as many lines as fit into `shard_size` bytes.

    The size is that of the lines before compression, so that equal rows are cut in equal places. A line that alone
    exceeds it is a shard.
    """

    def __init__(self, folder: Path, table: str, compress: str, shard_size: int | None) -> None:
        self.folder = folder
        self.table = table
        self.compress = compress
        self.shard_size = shard_size
        self.shards = 0
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        self._open_next()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    def write(self, lines: bytes) -> None:
        """Append whole lines."""
        if self.shard_size is None:
            self.file.write(lines)
            return
        start = 0
        while start < len(lines):
            stop = max(start, min(start + self.shard_size - self.size, len(lines)))
            stop = lines.rfind(b"\n", start, stop) + 1 or start
            if stop == start and self.size:
                self._open_next()
                continue
            if stop == start:  # the line alone is too long
                stop = lines.index(b"\n", start) + 1
            self.file.write(memoryview(lines)[start:stop])
            self.size += stop - start
            start = stop

    def _open_next(self) -> None:
        """Open the only file, or the next shard."""
        self.stack.close()
        name = table_file_name(self.table, "jsonl", self.compress, None if self.shard_size is None else self.shards)
        self.file = self.stack.enter_context(open_compressed(self.folder / name, self.compress))
        self.size = 0  # bytes of the lines in the file
        self.shards += 1
