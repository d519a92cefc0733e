"""Judge the lines of hosts on Spark: the rules of `dedup.match.host_lines`.

Counts are sums of integers by number, so they are added up on any machines. Each article then gets the sums of its own
lines, and is judged by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, decode_utf8
from dedup.match.host_lines import LINE_MEMBERS, judge_lines, lines_of_articles
from dedup.prepare.columns import PARAGRAPH_STRUCT, integer_values
from dedup.site_text.counts import (
    VALUES,
    LineTallies,
    SiteLines,
    article_of_lines,
    core_of_articles,
    ids_of_articles,
    tally_lines,
)
from dedup.site_text.score import FEWEST_JUDGED
from dedup.spark.arrow_types import cast_bits, flatten_lists, spark_batch, sql_schema
from dedup.spark.tables import TableStore

# Columns: ``a`` is an article, ``n`` the number of its host, ``i`` a paragraph, ``id`` what is counted.
_CORE_COLUMNS = {"a": pa.int64(), "n": pa.int64(), "core": pa.int64()}
_TALLY_VALUES = tuple(f"v{number}" for number in range(VALUES))  # the counts of `LineTallies`
_TALLY_COLUMNS = {"id": pa.int64(), **dict.fromkeys(_TALLY_VALUES, pa.int64())}
_ID_COLUMNS = {"a": pa.int64(), "id": pa.int64()}
_JUDGED_COLUMNS = {
    "a": pa.int64(),
    "i": pa.int32(),
    "k": pa.binary(),
    "h": pa.binary(),
    "sure": pa.bool_(),
    "evidence": pa.string(),
}


def judge_hosts(store: TableStore, articles: Any) -> Any:
    """Return the lines of known hosts that are the site's by the model: `_JUDGED_COLUMNS`.

    `articles` are prepared, with ``h``, their encoded host. `sure` is true for lines that are dropped.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    known = articles.where("host is not null")
    judged = known.groupBy("host").count().where(f"count >= {FEWEST_JUDGED}").select("host")
    members = [f"paragraphs.{name} as {name}" for name in LINE_MEMBERS]
    number = f.expr("case when xxhash64(host) = -1 then 0 else xxhash64(host) end").alias("n")  # -1 is `NO_HOST`
    lines = known.join(judged, "host", "left_semi").select(
        f.col("aid").alias("a"), number, "host", "h", *map(f.expr, members)
    )
    cores = store.save(
        "cores", lines.withColumn("counted", f.expr("true")).mapInArrow(_cores_task, sql_schema(_CORE_COLUMNS))
    )
    copies = cores.groupBy("n", "core").agg(f.min("a").alias("first"), f.count("*").alias("size"))
    totals = cores.groupBy("n").agg(f.count("*").alias("total"))
    # As `dedup.site_text.counts.first_of_copies` has it.
    are_copies = "core != 0 and (2 * size <= total or size <= 2)"
    counted = (
        cores.join(copies, ["n", "core"])
        .join(totals, "n")
        .selectExpr("a", f"a = first or not ({are_copies}) as counted")
    )
    lines = lines.join(store.save("counted-lines", counted), "a")
    sums = lines.mapInArrow(_tally_task, sql_schema(_TALLY_COLUMNS)).groupBy("id")
    tallies = store.save("line-tallies", sums.agg(*(f.sum(name).alias(name) for name in _TALLY_VALUES)))
    ids = lines.mapInArrow(_ids_task, sql_schema(_ID_COLUMNS)).join(tallies, "id")
    by_article = ids.groupBy("a").agg(f.collect_list(f.struct("id", *_TALLY_VALUES)).alias("tallies"))
    return store.save(
        "judged-lines", lines.join(by_article, "a").mapInArrow(_judge_lines_task, sql_schema(_JUDGED_COLUMNS))
    )


def _lines_of(batch: pa.RecordBatch) -> SiteLines:
    """Return the lines of the articles of `batch`."""
    members = []
    for name in LINE_MEMBERS:
        values, borders = flatten_lists(batch.column(name))
        members.append(cast_bits(values, PARAGRAPH_STRUCT.field(name).type))
    hosts = integer_values(batch.column("n"))
    return lines_of_articles(members, borders, hosts, np.array(batch.column("counted").to_pylist(), bool))


def _cores_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: find what each article says."""
    for batch in batches:
        if batch.num_rows:
            cores = pa.array(core_of_articles(_lines_of(batch)))
            yield spark_batch({"a": batch.column("a"), "n": batch.column("n"), "core": cores}, _CORE_COLUMNS)


def _tally_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: count the lines of articles."""
    for batch in batches:
        if batch.num_rows:
            ids, values = tally_lines(_lines_of(batch))
            columns = zip(_TALLY_VALUES, map(pa.array, np.ascontiguousarray(values.T)), strict=True)
            yield spark_batch({"id": pa.array(ids.view(np.int64)), **dict(columns)}, _TALLY_COLUMNS)


def _ids_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: say which counts each article needs."""
    for batch in batches:
        if batch.num_rows:
            ids, articles = ids_of_articles(_lines_of(batch))
            columns = {"a": batch.column("a").take(pa.array(articles)), "id": pa.array(ids.view(np.int64))}
            yield spark_batch(columns, _ID_COLUMNS)


def _judge_lines_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: judge the lines of articles, given the counts of each."""
    for batch in batches:
        if batch.num_rows:
            lines = _lines_of(batch)
            names = [decode_utf8(host) for host in batch.column("host").to_pylist()]
            judged = judge_lines(lines, _read_tallies(batch), list(names))
            articles = article_of_lines(lines)[judged.numbers]
            digests, _ = flatten_lists(batch.column("digest"))
            columns = {
                "a": batch.column("a").take(pa.array(articles)),
                "i": pa.array(judged.numbers - lines.borders[articles]),
                "k": digests.take(pa.array(judged.numbers)),
                "h": batch.column("h").take(pa.array(articles)),
                "sure": pa.array(judged.is_sure),
                "evidence": judged.evidence.to_list(),
            }
            yield spark_batch(columns, _JUDGED_COLUMNS)


def _read_tallies(batch: pa.RecordBatch) -> LineTallies:
    """Return the counts in the column ``tallies`` of `batch`; several articles may have the same."""
    structs, _ = flatten_lists(batch.column("tallies"))
    ids, first = np.unique(integer_values(structs.field("id")).view(np.uint64), return_index=True)
    values: list[I64] = [integer_values(structs.field(name))[first] for name in _TALLY_VALUES]
    return LineTallies(ids, np.column_stack(values))
