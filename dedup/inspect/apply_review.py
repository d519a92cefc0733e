"""Write an output anew with the decisions of its review, from the output alone.

Its tables hold all that the input held, so the input need not be there any more. Its articles and quarantined records
become the records that were read, with their sources and numbers, and are cleaned as before. So the new output is, byte
for byte, the one that `clean` writes from the input with the same review.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from dedup import output_layout as layout
from dedup.arrays import encode_utf8
from dedup.engines.local import LocalEngine
from dedup.errors import OutputError
from dedup.inspect.article_rows import Article
from dedup.inspect.output import Output, Quarantined, open_output
from dedup.inspect.restore import OriginalRow, checked_raw, source_rows
from dedup.output_layout import LOG_FILE, REVIEW_FILE
from dedup.pipeline import clean_again
from dedup.read.fields import join_fields, to_json_bytes
from dedup.read.formats import EXTRACTED, JSON_LINES, TEXT_FILE
from dedup.read.hosts import hosts_of_files
from dedup.read.pages import EXTRACTED_FROM
from dedup.read.records import BATCH_BYTES, BATCH_RECORDS, RECORD_SCHEMA
from dedup.review.ruling import Ruling, read_ruling
from dedup.runtime.progress import Progress
from dedup.write.report import Report

_PAGE_MEMBERS = (EXTRACTED_FROM, "html_sha256", "url", "warc_record")  # of a provenance: what it says about a page


def apply_review(
    path: str | Path,
    *,
    review: str | Path | None = None,
    engine: str | LocalEngine = "local",
    progress: Progress | None = None,
) -> Report:
    """Write the output in the folder `path` anew with the decisions of its review, and return a report.

    `review` is another file of decisions than that of the output. The new output takes the place of the old one when it
    is complete. Raises `OutputError` if `path` is no output, was written with `output_fields`, or was compared with
    articles of other corpora, and `FindingError` if it was changed since.
    """
    output = open_output(path)
    if output.settings.output_fields is not None and not all(map(output.is_text, output.sources)):
        raise OutputError(
            f"{path}: was written with `output_fields`, which left fields out for good; "
            "clean the input again, with this `review`"
        )
    for name in ("against", "index"):
        if name in output.run:
            raise OutputError(
                f"{path}: was compared with articles that it does not hold (`{name}`); "
                "clean the input again, with this `review`"
            )
    ruling = read_ruling(review or output.path / REVIEW_FILE) or Ruling()
    out = output.path.resolve()
    engine = LocalEngine() if isinstance(engine, str) else engine
    records = OutputRecords(output, batch_bytes=engine.batch_bytes)
    return clean_again(records, out, output.settings, ruling, engine=engine, progress=progress)


class OutputRecords:
    """The records that an output was made of; iterating yields record batches of `dedup.read.records.RECORD_SCHEMA`.

    It has the attributes of `dedup.read.selection.RecordSource`. `inputs` and `skipped` are those of the earlier run.
    """

    def __init__(self, output: Output, *, batch_bytes: int = BATCH_BYTES) -> None:
        self.output = output
        self.batch_bytes = batch_bytes
        self.inputs: list[dict[str, Any]] = output.run["inputs"]
        self.sizes: list[int] = []
        self.skipped = _skipped_files(output.path)
        self.total_bytes: int | None = sum(
            file.stat().st_size
            for table in (layout.ARTICLES, layout.DROPPED, layout.QUARANTINE)
            for file in output.table_paths(table)
            if file.exists()
        )
        names = list(output.sources)
        self._hosts = dict(zip(names, hosts_of_files(names), strict=True))
        self._unreported_bytes = 0

    def fresh_bytes(self) -> int:
        """Return the number of bytes read since the last call."""
        fresh, self._unreported_bytes = self._unreported_bytes, 0
        return fresh

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        size = 0
        for row in source_rows(self.output):
            rows.append({"file_host": self._hosts[row.source], **self._record_of(row)})
            size += len(rows[-1]["data"])
            if size >= self.batch_bytes or len(rows) == BATCH_RECORDS:
                yield self._batch(rows, size)
                rows, size = [], 0
        if rows or not self.sizes:
            yield self._batch(rows, size)

    def _batch(self, rows: list[dict[str, Any]], size: int) -> pa.RecordBatch:
        self.sizes.append(size)
        self._unreported_bytes += size
        return pa.RecordBatch.from_pylist(rows, RECORD_SCHEMA)

    def _record_of(self, row: OriginalRow) -> dict[str, Any]:
        """Return the values of the record that a row of the output was made of, but for its host."""
        place: dict[str, Any] = {"source": row.source, "record": row.record, "kind": JSON_LINES}
        if isinstance(row, Quarantined):
            data = base64.b64decode(row.raw) if row.encoding == "base64" else encode_utf8(row.raw)
            return {**place, "data": data, "error": row.error}
        raw = checked_raw(row)
        if EXTRACTED_FROM in row.provenance:
            return {**place, "kind": EXTRACTED, "data": _extracted_article(row)}
        charset = row.provenance.get("charset")
        if self.output.sources[row.source].kind == TEXT_FILE:
            return {**place, "kind": TEXT_FILE, "data": encode_utf8(raw), "charset": charset}
        return {**place, "data": join_fields(row.original()), "charset": charset}


def _extracted_article(article: Article) -> bytes:
    """Return an article that was extracted from a page as a record of the kind `EXTRACTED`."""
    page = {name: article.provenance[name] for name in _PAGE_MEMBERS if name in article.provenance}
    return to_json_bytes({"page": page})[:-1] + b',"article":' + join_fields(article.original()) + b"}"


def _skipped_files(path: Path) -> list[str]:
    """Return the files that the earlier run has skipped, as far as its log tells."""
    try:
        skipped = json.loads((path / LOG_FILE).read_bytes())["skipped"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [str(name) for name in skipped]
