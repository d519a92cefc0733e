"""Verdicts joined to the articles they are about, and the lines of the output, in input order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.decide.outcomes import outcomes
from dedup.decide.verdicts import COLUMNS, VERDICTS
from dedup.match.policy import ARTICLE_MATCH_RULES, PARAGRAPH_MATCH_RULES
from dedup.prepare.columns import prepared_schema
from dedup.settings import Settings
from dedup.spark.arrow_types import batch_of, cast, ddl_of
from dedup.spark.tables import TableStore
from dedup.write.report import FIELDS, Tally
from dedup.write.tables import OutputChunk, encode_tables

_LINES = {
    "first": pa.int64(),
    "articles": pa.binary(),
    "dropped": pa.binary(),
    "provenance": pa.binary(),
    "quarantine": pa.binary(),
    "tally": pa.string(),
    "bytes": pa.int64(),
}
_LINES_AT_ONCE = 4 << 20  # bytes of records


def verdicts(store: TableStore, prepared: Any, articles: Any, paragraphs: Any) -> Any:
    """Everything that is said of articles and paragraphs: `VERDICTS` with ``aid`` in the place of a row."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    rules = f.element_at(f.array(*(f.lit(name) for name in ARTICLE_MATCH_RULES)), f.col("rule") + 1).alias("rule")
    whole = articles.select(
        "aid",
        rules,
        f.lit(-1).alias("i"),
        f.col("twin").alias("twin_a"),
        f.lit(-1).alias("twin_i"),
        "similarity",
        "evidence",
    )
    rules = f.element_at(f.array(*(f.lit(name) for name in PARAGRAPH_MATCH_RULES)), f.col("rule") + 1).alias(
        "rule"
    )
    parts = paragraphs.select(f.col("a").alias("aid"), rules, "i", "twin_a", "twin_i", "similarity", "evidence")
    twins = prepared.selectExpr(
        "aid as twin_a",
        "id as twin",
        "source as twin_source",
        "record as twin_record",
        "characters",
        "paragraphs.raw_start as starts",
        "paragraphs.raw_stop as stops",
    )
    told = (
        whole.unionByName(parts)
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
        )
    )
    return store.table("verdicts", told)


def written(store: TableStore, prepared: Any, told: Any, settings: Settings, partitions: int) -> list[str]:
    """The output lines as a table; its files, in order."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    columns = [name for name in COLUMNS if name not in {"source", "record"}]
    rows = prepared.select("aid", f.lit(1).alias("kind"), "source", "record", "bytes", *columns)
    first = told.select(
        "aid",
        f.lit(0).alias("kind"),
        f.struct(*(name for name in VERDICTS.names if name != "row")).alias("verdict"),
    )
    both = first.unionByName(rows, allowMissingColumns=True)
    both = both.repartitionByRange(partitions, "aid").sortWithinPartitions("aid", "kind", "verdict.paragraph")
    store.table("lines", both.mapInArrow(partial(_lines, settings=settings), ddl_of(_LINES)))
    return store.parts("lines")


def chunks(store: TableStore, files: list[str]) -> Iterator[tuple[OutputChunk, int]]:
    """The output lines, in input order, and how many bytes of input they are of."""
    for file in files:
        table = store.session.read.schema(ddl_of(_LINES)).parquet(file)
        for row in sorted(table.collect(), key=lambda one: int(one["first"])):
            data = {name: bytes(row[name]) for name in ("articles", "dropped", "provenance", "quarantine")}
            yield OutputChunk(**data, tally=_tally(row["tally"])), int(row["bytes"])


def field_counts(prepared: Any) -> tuple[int, dict[str, dict[str, int]]]:
    """How many articles there are; for text, id, date and source the fields they were read from, and how often."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    names = f.array(*(f.struct(f.lit(what).alias("what"), f.col(f"{what}_field").alias("name")) for what in FIELDS))
    counted = prepared.select(f.explode(names).alias("one")).groupBy("one.what", "one.name")
    rows = counted.agg(f.count("*").alias("times")).collect()
    told: dict[str, dict[str, int]] = {}
    for what in FIELDS:
        mine = [(row["name"], row["times"]) for row in rows if row["what"] == what and row["name"] is not None]
        told[what] = dict(sorted(mine, key=lambda item: (-item[1], item[0])))
    return sum(row["times"] for row in rows if row["what"] == FIELDS[0]), told


def _lines(batches: Iterable[pa.RecordBatch], settings: Settings) -> Iterator[pa.RecordBatch]:
    """In a task: the lines of articles, each behind the verdicts on it."""
    kinds = {field.name: field.type for field in prepared_schema(settings)}
    waiting: list[pa.RecordBatch] = []  # verdicts whose article is to come
    for batch in batches:
        kind = np.asarray(batch.column("kind"))
        rows = np.flatnonzero(kind == 1)
        aids = np.asarray(batch.column("aid"))
        verdict_rows = np.flatnonzero(kind == 0)
        told = pa.record_batch(
            [batch.column("aid"), *batch.column("verdict").flatten()],
            names=["aid", *(name for name in VERDICTS.names if name != "row")],
        ).take(pa.array(verdict_rows))
        waiting.append(told)
        if not len(rows):
            continue
        every = pa.Table.from_batches(waiting).combine_chunks()
        whose = np.asarray(every.column("aid"), np.int64)
        sizes = np.asarray(batch.column("bytes").take(pa.array(rows)).fill_null(0), np.int64)
        part = (np.cumsum(sizes) - sizes) // _LINES_AT_ONCE
        starts = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
            mine = rows[start:stop]
            low, high = np.searchsorted(whose, [aids[mine[0]], aids[mine[-1]] + 1]).tolist()
            about = every.slice(low, high - low)
            places = np.searchsorted(aids[mine], whose[low:high])
            piece = batch.take(pa.array(mine))
            yield _chunk(
                pa.record_batch([cast(piece.column(name), kinds[name]) for name in COLUMNS], names=list(COLUMNS)),
                _verdicts(places, about),
                settings,
                int(aids[mine[0]]),
                int(sizes[start:stop].sum()),
            )
        done = int(np.searchsorted(whose, aids[rows[-1]] + 1))
        waiting = every.slice(done).to_batches()


def _verdicts(places: Any, about: pa.Table) -> pa.RecordBatch:
    columns = {name: about.column(name).combine_chunks() for name in about.column_names if name != "aid"}
    arrays = [pa.array(places) if field.name == "row" else columns[field.name] for field in VERDICTS]
    return pa.record_batch(
        [cast(_whole(one), field.type) for one, field in zip(arrays, VERDICTS, strict=True)], schema=VERDICTS
    )


def _whole(column: Any) -> Any:
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column


def _chunk(piece: pa.RecordBatch, told: pa.RecordBatch, settings: Settings, first: int, size: int) -> pa.RecordBatch:
    made = encode_tables(outcomes(piece, told, settings))
    columns = {name: [getattr(made, name)] for name in ("articles", "dropped", "provenance", "quarantine")}
    return batch_of({"first": [first], **columns, "tally": [_told(made.tally)], "bytes": [size]}, _LINES)


_COUNTERS = ("counts", "characters", "findings", "touched", "errors")


def _told(tally: Tally) -> str:
    return json.dumps([list(getattr(tally, name).items()) for name in _COUNTERS])


def _tally(told: str) -> Tally:
    def counter(items: list[Any]) -> Counter[Any]:
        return Counter({tuple(key) if isinstance(key, list) else key: count for key, count in items})

    return Tally(*map(counter, json.loads(told)))
