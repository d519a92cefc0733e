"""Boilerplate: what `dedup.match.boilerplate` says, of a corpus that no single machine could hold.

What is counted of a line is a sum over its articles, and where it stands in an article depends on that article
alone. So lines are counted by key and host, those that recur are told to their articles, each article says where they
stand in it, and that is summed by key and host again. Only the few lines that are frequent enough are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, decode_utf8
from dedup.match.boilerplate import (
    FEWEST_ARTICLES,
    FEWEST_WORDS,
    MOST_WORDS,
    SHORT_WORDS,
    STACKED,
    Groups,
    Lines,
    evidence_of,
    places,
    standing_of,
)
from dedup.match.boilerplate_text import FIELD, field_of, is_quotation, value_of
from dedup.prepare.columns import integer_values
from dedup.prepare.one_text import TWIN_ALONE
from dedup.spark.arrow_types import batch_of, ddl_of
from dedup.spark.tables import TableStore

_NO_HOST = b""

_PLACED = {
    "k": pa.binary(),
    "h": pa.binary(),
    "context": pa.binary(),
    "at_start": pa.int64(),
    "at_end": pa.int64(),
}
_STANDING = {
    "k": pa.binary(),
    "h": pa.binary(),
    "a": pa.int64(),
    "i": pa.int32(),
    "size": pa.float32(),
    "stands": pa.bool_(),
    "evidence": pa.string(),
}
_READ = {
    "k": pa.binary(),
    "h": pa.binary(),
    "stands": pa.bool_(),
    "evidence": pa.string(),
    "quoted": pa.bool_(),
    "name": pa.binary(),
    "value": pa.binary(),
}


def match_boilerplate(store: TableStore, kept: Any, paragraphs: Any) -> Any:
    """The lines that go: ``a, i``, those that stay for them, ``twin_a, twin_i``, and what was counted.

    `kept` are the prepared articles that stay; `paragraphs` theirs: ``a, i, k, words, size, needed, h``.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    lines = paragraphs.where(f"words > 0 and size >= {FEWEST_WORDS} and size <= {MOST_WORDS}")
    lines = lines.select("a", "i", "k", "h", "size", "needed")
    totals = kept.selectExpr(f"{HOST} as h").groupBy("h").agg(f.count("*").alias("total"))
    totals = store.table("hosts", totals)
    every = lines
    if totals.limit(2).count() > 1:  # counted once more in the whole corpus, as one host
        whole = totals.agg(f.sum("total").alias("total")).select(f.lit(_NO_HOST).alias("h"), "total")
        every, totals = lines.unionByName(lines.withColumn("h", f.lit(_NO_HOST))), totals.unionByName(whole)
    told = _Counted(store, kept, every, totals).told()
    own = f.when(f.col("h") != f.lit(_NO_HOST), f.col("evidence"))
    told = told.groupBy("a", "i", "k").agg(f.max(own).alias("own"), f.max("evidence").alias("any"))
    told = store.table("lines-told", told.selectExpr("a", "i", "k", "coalesce(own, any) as evidence"))
    mine = lines.join(told.select("k").distinct(), "k", "left_semi")
    firsts = mine.groupBy("k").agg(f.min(f.struct("a", "i")).alias("twin"))
    gone = told.join(mine.select("a", "i", "needed"), ["a", "i"]).join(firsts, "k")
    gone = gone.where(f"(a <> twin.a or i <> twin.i) and needed <> {TWIN_ALONE}")
    return store.table("boilerplate", gone.selectExpr("a", "i", "twin.a as twin_a", "twin.i as twin_i", "evidence"))


HOST = "case when host is null then unhex('00') else concat(unhex('01'), host) end"  # null is a host like others


class _Counted:
    """Lines counted by host; the whole corpus may be one more."""

    def __init__(self, store: TableStore, kept: Any, lines: Any, totals: Any) -> None:
        self.store = store
        self.kept = kept
        self.lines = lines
        self.totals = totals

    def told(self) -> Any:
        """The lines that stand in enough articles of their host, first copies among them, and what was counted."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        often = self.often()
        marks = self.lines.join(often.select("k", "h", "stacked"), ["k", "h"])
        marks = self.store.table("lines-marks", marks.select("a", "i", "k", "h", "stacked"))
        placed = self.placed(marks)
        placed = placed.groupBy("k", "h", "context").agg(f.sum("at_start").alias("s"), f.sum("at_end").alias("e"))
        placed = placed.groupBy("k", "h").agg(
            f.count("*").alias("texts"), f.sum("s").alias("at_start"), f.sum("e").alias("at_end")
        )
        groups = often.join(placed, ["k", "h"]).mapInArrow(_standing, ddl_of(_STANDING))
        groups = self.store.table("lines-groups", groups)
        standing = groups.where("stands").select("h").distinct()
        wanted = groups.where(f"stands or size <= {SHORT_WORDS}").join(standing, "h", "left_semi")
        read = self.store.table("lines-read", self.read(wanted))
        read = read.join(self.changing(read, marks), ["k", "h"], "left_anti").where("stands and not quoted")
        return marks.join(read.select("k", "h", "evidence"), ["k", "h"]).select("a", "i", "k", "h", "evidence")

    def often(self) -> Any:
        """The lines of a host that enough of its articles have, with the first of them."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        by_article = self.lines.groupBy("k", "h", "a").agg(f.min(f.struct("i", "size")).alias("one"))
        groups = by_article.groupBy("k", "h").agg(
            f.count("*").alias("articles"),
            f.min(f.struct("a", f.col("one.i").alias("i"), f.col("one.size").alias("size"))).alias("first"),
        )
        groups = groups.where(f"articles >= {FEWEST_ARTICLES}").join(self.totals, "h")
        groups = groups.selectExpr(
            "k",
            "h",
            "articles",
            "first.a as a",
            "first.i as i",
            "first.size as size",
            "total",
            f"articles >= {STACKED}D * total as stacked",
        )
        return self.store.table("lines-often", groups)

    def placed(self, marks: Any) -> Any:
        """Where each of the lines that recur stands in its article: counted for its host, and for the whole corpus."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        marked = marks.groupBy("a", "h").agg(f.collect_list(f.struct("i", "k", "h", "stacked")).alias("marks"))
        members = ("digest", "size", "words")
        articles = self.kept.selectExpr("aid as a", *(f"paragraphs.{name} as {name}" for name in members))
        return articles.join(marked.drop("h"), "a").mapInArrow(_places, ddl_of(_PLACED))

    def read(self, groups: Any) -> Any:
        """What the lines say: whether it is a quotation, and of which field which value."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        asked = groups.groupBy("a").agg(f.collect_list(f.struct("i", "k", "h", "stands", "evidence")).alias("asked"))
        texts = self.kept.selectExpr(
            "aid as a", "text", "paragraphs.raw_start as starts", "paragraphs.raw_stop as stops"
        )
        return texts.join(asked, "a").mapInArrow(_read, ddl_of(_READ))

    @staticmethod
    def changing(read: Any, marks: Any) -> Any:
        """The lines that are one of several values of a field."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        fields = read.where("name is not null").select("k", "h", "name", "value")
        several = fields.groupBy("h", "name").agg(f.count_distinct("value").alias("values")).where("values > 1")
        fields = fields.join(several.select("h", "name"), ["h", "name"])
        held = marks.select("k", "h", "a").join(fields, ["k", "h"]).select("h", "name", "value", "a").distinct()
        each = held.groupBy("h", "name", "value").agg(f.count("*").alias("held"))
        every = held.select("h", "name", "a").distinct().groupBy("h", "name").agg(f.count("*").alias("every"))
        found = each.join(every, ["h", "name"]).where(f"held < {FIELD}D * every").select("h", "name", "value")
        return fields.join(found, ["h", "name", "value"], "left_semi").select("k", "h")


def _standing(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """In a task: which lines stand in enough articles, and in words what was counted."""
    for batch in batches:
        count = batch.num_rows
        column = {name: np.asarray(batch.column(name)) for name in ("articles", "texts", "at_start", "at_end", "total")}
        rows = np.arange(count)
        sizes = np.asarray(batch.column("size"))
        groups = Groups(rows, rows, sizes, column["articles"], column["texts"], column["at_start"], column["at_end"])
        stands = standing_of(groups, column["total"])
        names = [_host(host) for host in batch.column("h").to_pylist()]
        evidence = [evidence_of(groups, row, column["total"], names) if stands[row] else None for row in rows.tolist()]
        columns = {name: batch.column(name) for name in ("k", "h", "a", "i", "size")}
        yield batch_of({**columns, "stands": pa.array(stands), "evidence": evidence}, _STANDING)


def _host(host: bytes) -> str | None:
    return decode_utf8(host[1:]) if host[:1] == b"\1" else None


def _places(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """In a task: where lines stand in their articles."""
    for batch in batches:
        if not batch.num_rows:
            continue
        digests, borders = _flat(batch.column("digest"))
        every = digests.dictionary_encode()
        sizes = np.asarray(_flat(batch.column("size"))[0])
        words = integer_values(_flat(batch.column("words"))[0])
        keys = np.asarray(every.indices, np.int64)
        articles = np.repeat(np.arange(batch.num_rows), np.diff(borders))
        nothing = np.zeros(batch.num_rows, np.int64)
        lines = Lines(articles, keys, sizes, words > 0, nothing, nothing[:1])
        marks, ends = _flat(batch.column("marks"))
        homes = np.repeat(np.arange(batch.num_rows), np.diff(ends))
        rows = borders[homes] + integer_values(marks.field("i"))
        order = np.argsort(rows, kind="stable")
        marks, rows = marks.take(pa.array(order)), rows[order]
        hosts = marks.field("h").dictionary_encode()
        width = len(every.dictionary) + 1
        group = np.asarray(hosts.indices, np.int64) * width + keys[rows]
        found = places(lines, rows, np.unique(group, return_inverse=True)[1], np.asarray(marks.field("stacked")))
        names = every.dictionary.to_pylist()
        alone = batch.column("a").to_pylist()
        most = int(keys.max(initial=0))
        contexts = [
            names[number] if number <= most else b"article %d" % alone[number - most - 1]
            for number in found.contexts.tolist()
        ]
        yield batch_of(
            {
                "k": marks.field("k"),
                "h": marks.field("h"),
                "context": contexts,
                "at_start": pa.array(found.at_start.astype(np.int64)),
                "at_end": pa.array(found.at_end.astype(np.int64)),
            },
            _PLACED,
        )


def _read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """In a task: what lines say."""
    for batch in batches:
        columns: dict[str, list[Any]] = {name: [] for name in _READ}
        for row in range(batch.num_rows):
            text, starts, stops, asked = (batch.column(name)[row] for name in ("text", "starts", "stops", "asked"))
            raw = decode_utf8(text.as_py())
            for one in asked.as_py():
                line = raw[starts[one["i"]].as_py() : stops[one["i"]].as_py()]
                name = field_of(line)
                told = {**one, "quoted": is_quotation(line), "name": None, "value": None}
                if name:
                    told["name"] = name.encode("utf-8", "surrogatepass")
                    told["value"] = value_of(line).encode("utf-8", "surrogatepass")
                for column, values in columns.items():
                    values.append(told[column])
        yield batch_of(columns, _READ)


def _flat(column: pa.ListArray) -> tuple[Any, I64]:
    """The values of a list column, and the borders between rows."""
    borders = np.asarray(column.offsets, np.int64)
    return column.flatten(), borders - borders[0]
