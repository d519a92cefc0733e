"""Join verdicts to the articles that they are about, and encode the output in input order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.decide.outcomes import OUTCOME_COLUMNS, outcomes
from dedup.decide.verdicts import VERDICT_SCHEMA
from dedup.match.policy import ARTICLE_MATCH_RULES, SAME_FORM, SHARED_PARAGRAPH
from dedup.prepare.columns import prepared_schema
from dedup.prepare.unread_dates import NONE_UNREAD, UnreadDates, dates_matter, sum_unread, unread_values
from dedup.settings import Settings
from dedup.spark.arrow_types import cast_bits, spark_batch, sql_schema
from dedup.spark.prepare import IS_NEW
from dedup.spark.tables import TableStore
from dedup.write.report import FIELDS, Tally
from dedup.write.tables import OutputChunk, encode_tables

_OUTPUT_TABLES = ("articles", "dropped", "provenance", "quarantine")
_CHUNK_COLUMNS = {
    "first": pa.int64(),
    **dict.fromkeys(_OUTPUT_TABLES, pa.binary()),
    "tally": pa.string(),
    "bytes": pa.int64(),
}
_CHUNK_BYTES = 4 << 20  # of records
_IS_VERDICT, _IS_ARTICLE = 0, 1  # in the column `kind` of the rows that are encoded
_VERDICT_NAMES = tuple(name for name in VERDICT_SCHEMA.names if name != "row")


def join_verdicts(store: TableStore, prepared: Any, articles: Any, paragraphs: Any) -> Any:
    """Return all verdicts on articles and paragraphs, with the source and span of the twin of each.

    The columns are those of `VERDICT_SCHEMA`, with ``aid`` in place of ``row``.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    names = f.array(*(f.lit(name) for name in ARTICLE_MATCH_RULES))
    on_articles = articles.select(
        "aid",
        f.element_at(names, f.col("rule") + 1).alias("rule"),
        f.lit(-1).alias("i"),
        f.col("twin").alias("twin_a"),
        f.lit(-1).alias("twin_i"),
        "similarity",
        "evidence",
        (f.col("rule") == SAME_FORM).alias("only_flags"),
    )
    on_paragraphs = paragraphs.select(
        f.col("a").alias("aid"),
        f.lit(SHARED_PARAGRAPH).alias("rule"),
        "i",
        "twin_a",
        "twin_i",
        "similarity",
        f.expr("cast(null as string)").alias("evidence"),
        f.expr("false").alias("only_flags"),
    )
    twins = prepared.selectExpr(
        "aid as twin_a",
        "id as twin",
        "source as twin_source",
        "record as twin_record",
        "characters",
        "paragraphs.raw_start as starts",
        "paragraphs.raw_stop as stops",
    )
    verdicts = (
        on_articles.unionByName(on_paragraphs)
        .join(twins, "twin_a")
        .selectExpr(
            "aid",
            "rule",
            "cast(i as bigint) as paragraph",
            "similarity",
            "twin",
            "twin_source",
            "twin_record",
            "case when i < 0 then 0L else starts[twin_i] end as twin_start",
            "case when i < 0 then characters else stops[twin_i] end as twin_stop",
            "evidence",
            "only_flags",
        )
    )
    return store.save("verdicts", verdicts)


def encode_outcomes(store: TableStore, prepared: Any, verdicts: Any, settings: Settings, partitions: int) -> list[str]:
    """Save the output as a table of encoded chunks; return the files of that table, in input order."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    columns = [name for name in OUTCOME_COLUMNS if name not in {"source", "record"}]
    kind = f.lit(_IS_ARTICLE).alias("kind")
    articles = prepared.where(IS_NEW).select("aid", kind, "source", "record", "bytes", *columns)
    kind = f.lit(_IS_VERDICT).alias("kind")
    rows = verdicts.select("aid", kind, f.struct(*_VERDICT_NAMES).alias("verdict"))
    rows = rows.unionByName(articles, allowMissingColumns=True)
    rows = rows.repartitionByRange(partitions, "aid").sortWithinPartitions("aid", "kind", "verdict.paragraph")
    store.save("lines", rows.mapInArrow(partial(_encode_task, settings=settings), sql_schema(_CHUNK_COLUMNS)))
    return store.files("lines")


def read_chunks(store: TableStore, files: list[str]) -> Iterator[tuple[OutputChunk, int]]:
    """Yield the encoded output in input order, and the bytes of input behind each chunk."""
    for file in files:
        table = store.session.read.schema(sql_schema(_CHUNK_COLUMNS)).parquet(file)
        for row in sorted(table.collect(), key=lambda chunk: int(chunk["first"])):
            data = {name: bytes(row[name]) for name in _OUTPUT_TABLES}
            yield OutputChunk(**data, site_text=b"", tally=_tally_from_json(row["tally"])), int(row["bytes"])


def count_fields(prepared: Any) -> tuple[int, dict[str, dict[str, int]]]:
    """Return the number of records, and what `dedup.write.report.field_counts` returns."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    names = f.array(*(f.struct(f.lit(role).alias("role"), f.col(f"{role}_field").alias("name")) for role in FIELDS))
    groups = prepared.select(f.explode(names).alias("field")).groupBy("field.role", "field.name")
    rows = groups.agg(f.count("*").alias("times")).collect()
    counts: dict[str, dict[str, int]] = {}
    for role in FIELDS:
        named = [(row["name"], row["times"]) for row in rows if row["role"] == role and row["name"] is not None]
        counts[role] = dict(sorted(named, key=lambda item: (-item[1], item[0])))
    return sum(row["times"] for row in rows if row["role"] == FIELDS[0]), counts


def sum_unread_dates(prepared: Any, settings: Settings) -> UnreadDates:
    """Return what `dedup.prepare.unread_dates.sum_unread_dates` returns."""
    if not dates_matter(settings):
        return NONE_UNREAD
    suspects = prepared.where("date is null and date_field is not null").select("aid", "date", "date_field", "fields")
    unread = suspects.mapInArrow(_unread_task, sql_schema(_UNREAD_COLUMNS))
    first = unread.orderBy("aid").first()
    return NONE_UNREAD if first is None else sum_unread([first["value"]])._replace(dates=unread.count())


_UNREAD_COLUMNS = {"aid": pa.int64(), "value": pa.string()}


def _unread_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: find the dates that could not be read."""
    for batch in batches:
        rows = list(unread_values(batch))
        numbers = batch.column("aid").take(pa.array([row for row, _ in rows], pa.int64()))
        yield spark_batch({"aid": numbers, "value": [value for _, value in rows]}, _UNREAD_COLUMNS)


def _encode_task(batches: Iterable[pa.RecordBatch], settings: Settings) -> Iterator[pa.RecordBatch]:
    """Run in a task: encode the outcomes of articles, each of which follows the verdicts on it."""
    kinds = {field.name: field.type for field in prepared_schema(settings)}
    pending: list[pa.RecordBatch] = []  # verdicts whose article is still to come
    for batch in batches:
        kind = np.asarray(batch.column("kind"))
        article_rows = np.flatnonzero(kind == _IS_ARTICLE)
        aids = np.asarray(batch.column("aid"))
        verdicts = pa.record_batch(
            [batch.column("aid"), *batch.column("verdict").flatten()], names=["aid", *_VERDICT_NAMES]
        )
        pending.append(verdicts.take(pa.array(np.flatnonzero(kind == _IS_VERDICT))))
        if not len(article_rows):
            continue
        table = pa.Table.from_batches(pending).combine_chunks()
        verdict_aids = np.asarray(table.column("aid"), np.int64)
        sizes = np.asarray(batch.column("bytes").take(pa.array(article_rows)).fill_null(0), np.int64)
        chunk_numbers = (np.cumsum(sizes) - sizes) // _CHUNK_BYTES
        starts = np.flatnonzero(np.diff(chunk_numbers, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], len(article_rows)], strict=True):
            rows = article_rows[start:stop]
            low, high = np.searchsorted(verdict_aids, [aids[rows[0]], aids[rows[-1]] + 1]).tolist()
            places = np.searchsorted(aids[rows], verdict_aids[low:high])
            articles = batch.take(pa.array(rows))
            yield _encode_chunk(
                pa.record_batch(
                    [cast_bits(articles.column(name), kinds[name]) for name in OUTCOME_COLUMNS],
                    names=list(OUTCOME_COLUMNS),
                ),
                _verdict_batch(places, table.slice(low, high - low)),
                settings,
                first=int(aids[rows[0]]),
                size=int(sizes[start:stop].sum()),
            )
        encoded = int(np.searchsorted(verdict_aids, aids[article_rows[-1]] + 1))
        pending = table.slice(encoded).to_batches()


def _verdict_batch(rows: Any, table: pa.Table) -> pa.RecordBatch:
    """Return the verdicts in `table` as `VERDICT_SCHEMA`; `rows`, int64, are the rows of their articles."""
    arrays = []
    for field in VERDICT_SCHEMA:
        column = pa.array(rows) if field.name == "row" else table.column(field.name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
        arrays.append(cast_bits(column, field.type))
    return pa.record_batch(arrays, schema=VERDICT_SCHEMA)


def _encode_chunk(
    articles: pa.RecordBatch, verdicts: pa.RecordBatch, settings: Settings, *, first: int, size: int
) -> pa.RecordBatch:
    """Return one row of `_CHUNK_COLUMNS`: the output of `articles`, whose first number is `first`."""
    chunk = encode_tables(outcomes(articles, verdicts, settings), settings.output_fields)
    columns = {name: [getattr(chunk, name)] for name in _OUTPUT_TABLES}
    tally = _tally_to_json(chunk.tally)
    return spark_batch({"first": [first], **columns, "tally": [tally], "bytes": [size]}, _CHUNK_COLUMNS)


_COUNTERS = ("counts", "characters", "findings", "touched", "errors", "output_fields")


def _tally_to_json(tally: Tally) -> str:
    """Return `tally` as JSON; keys may be tuples, so each counter is a list of pairs."""
    return json.dumps([list(getattr(tally, name).items()) for name in _COUNTERS])


def _tally_from_json(text: str) -> Tally:
    """Return the tally that `_tally_to_json` was given."""

    def counter(items: list[Any]) -> Counter[Any]:
        return Counter({tuple(key) if isinstance(key, list) else key: count for key, count in items})

    return Tally(*map(counter, json.loads(text)))
