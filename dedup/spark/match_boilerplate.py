"""Match boilerplate on Spark: the rules of `dedup.match.boilerplate`, where no single machine could hold all lines.

The counts of a line are sums over its articles, and its position in an article depends on that article alone. So lines
are counted by key and host, and those that recur are sent to their articles. Each article reports their positions in
it, and these reports are summed by key and host again. Only the few lines that are frequent enough are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import decode_utf8, encode_utf8
from dedup.match.boilerplate import (
    FEWEST_ARTICLES,
    FEWEST_WORDS,
    MOST_WORDS,
    SHORT_WORDS,
    STACKED,
    LineCounts,
    Lines,
    are_frequent,
    evidence_of,
    locate_lines,
)
from dedup.match.boilerplate_text import FIELD, field_of, is_quotation, value_of
from dedup.prepare.columns import integer_values
from dedup.site_text.counts import SENTENCE_ENDS, WORDS_OF_SITE
from dedup.site_text.line_forms import FORM_BITS, FORM_SHIFTS
from dedup.spark.arrow_types import flatten_lists, spark_batch, sql_schema
from dedup.spark.tables import TableStore

# Articles without a host form a host of their own. A first byte tells hosts, no host and the whole corpus (``h`` is
# empty) apart.
HOST_SQL = "case when host is null then unhex('00') else concat(unhex('01'), host) end"
WHOLE_CORPUS = b""


def _form_member_sql(name: str) -> str:
    """Return the expression for one member of the column ``form``, as `form_member` computes it."""
    return f"(shiftright(form, {FORM_SHIFTS[name]}) & {(1 << FORM_BITS[name]) - 1})"


# Whether a line may be a sentence of reports (`dedup.site_text.counts.are_of_reports`), and whether it looks like a
# part of an article (`dedup.match.host_lines.look_own`).
_OF_REPORTS_SQL = (
    f"{_form_member_sql('last')} in ({', '.join(map(str, SENTENCE_ENDS))}) "
    f"and {_form_member_sql('site_words')} < {WORDS_OF_SITE}"
)
OWN_SQL = (
    f"cast({_OF_REPORTS_SQL} or {_form_member_sql('is_title')} > 0 as bigint) as own",
    f"cast({_OF_REPORTS_SQL} as bigint) as of_reports",
)

# Columns: ``k`` is the digest of the key of a line, ``h`` a host, ``a`` an article and ``i`` a paragraph of it.
_PLACE_COLUMNS = {
    "k": pa.binary(),
    "h": pa.binary(),
    "context": pa.binary(),
    "at_start": pa.int64(),
    "at_end": pa.int64(),
}
_GROUP_COLUMNS = {
    "k": pa.binary(),
    "h": pa.binary(),
    "a": pa.int64(),
    "i": pa.int32(),
    "size": pa.float32(),
    "frequent": pa.bool_(),
    "evidence": pa.string(),
}
_TEXT_COLUMNS = {
    "k": pa.binary(),
    "h": pa.binary(),
    "frequent": pa.bool_(),
    "evidence": pa.string(),
    "judged": pa.bool_(),
    "quoted": pa.bool_(),
    "name": pa.binary(),
    "value": pa.binary(),
}


def match_boilerplate(store: TableStore, articles: Any, counted: Any, paragraphs: Any, marked: Any) -> Any:
    """Return the lines that are boilerplate or content: ``k, h, evidence``, where ``h`` is a host or `WHOLE_CORPUS`.

    Content has no evidence; it is never boilerplate, whatever another source says. `articles` are prepared, and
    `paragraphs` has ``a, i, k, words, size, form`` of theirs. `counted` says which articles count in which host,
    ``a, h``; the whole corpus may be one more host. `marked` are lines that another source takes for the site's, ``a,
    k, h``.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    lines = paragraphs.where(f"words > 0 and size >= {FEWEST_WORDS} and size <= {MOST_WORDS}")
    lines = lines.selectExpr("a", "i", "k", "size", *OWN_SQL).join(counted, "a")
    marked = marked.join(counted, ["a", "h"]).select("k", "h").distinct()
    totals = store.save("hosts", counted.groupBy("h").agg(f.count("*").alias("total")))
    return store.save("boilerplate", _LineCounts(store, articles, lines, totals, marked).find_boilerplate())


class _LineCounts:
    """The lines of each host, counted; the whole corpus may be one more host.

    `lines` has ``a, i, k, h, size, own, of_reports``, and `totals` the number of articles of each host, ``h, total``.
    `marked` are lines that another source takes for the site's, ``k, h``.
    """

    def __init__(self, store: TableStore, kept: Any, lines: Any, totals: Any, marked: Any) -> None:
        self.store = store
        self.kept = kept
        self.lines = lines
        self.totals = totals
        self.marked = marked

    def find_boilerplate(self) -> Any:
        """Return the lines that are boilerplate of their host, or content: ``k, h, evidence``, the last null."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        recurring = self.recurring()
        marks = self.lines.join(recurring.select("k", "h", "stacked"), ["k", "h"])
        marks = self.store.save("lines-marks", marks.select("a", "i", "k", "h", "stacked"))
        located = self.locate(marks)
        located = located.groupBy("k", "h", "context").agg(f.sum("at_start").alias("s"), f.sum("at_end").alias("e"))
        located = located.groupBy("k", "h").agg(
            f.count("*").alias("texts"), f.sum("s").alias("at_start"), f.sum("e").alias("at_end")
        )
        groups = recurring.join(located, ["k", "h"]).mapInArrow(_judge_task, sql_schema(_GROUP_COLUMNS))
        groups = groups.join(self.marked.withColumn("marked", f.expr("true")), ["k", "h"], "left")
        groups = groups.withColumn("judged", f.expr("frequent or marked is not null")).drop("marked")
        groups = self.store.save("lines-groups", groups)
        hosts = groups.where("judged").select("h").distinct()
        unread = groups.where(f"judged or size <= {SHORT_WORDS}").join(hosts, "h", "left_semi")
        texts = self.store.save("lines-texts", self.read_texts(unread))
        changing = self.changing_fields(texts, marks).distinct().withColumn("changing", f.expr("true"))
        texts = texts.where("judged").join(changing, ["k", "h"], "left")
        texts = texts.withColumn("content", f.expr("quoted or changing is not null")).where("content or frequent")
        return texts.selectExpr("k", "h", "case when not content then evidence end as evidence")

    def recurring(self) -> Any:
        """Return the lines that enough articles of their host have, and where the first of them is.

        The columns are ``k, h, articles, a, i, size, own, of_reports, total, stacked``.
        """
        from pyspark.sql import functions as f  # noqa: PLC0415

        own = [f.sum(name).alias(name) for name in ("own", "of_reports")]
        by_article = self.lines.groupBy("k", "h", "a").agg(f.min(f.struct("i", "size")).alias("line"), *own)
        first = f.min(f.struct("a", f.col("line.i").alias("i"), f.col("line.size").alias("size")))
        groups = by_article.groupBy("k", "h").agg(f.count("*").alias("articles"), first.alias("first"), *own)
        groups = groups.where(f"articles >= {FEWEST_ARTICLES}").join(self.totals, "h")
        groups = groups.selectExpr(
            "k",
            "h",
            "articles",
            "first.a as a",
            "first.i as i",
            "first.size as size",
            "own",
            "of_reports",
            "total",
            f"articles >= {STACKED}D * total as stacked",
        )
        return self.store.save("lines-recurring", groups)

    def locate(self, marks: Any) -> Any:
        """Return the position of each of the recurring lines `marks` in its article: `_PLACE_COLUMNS`.

        Articles look at the lines of their host and at those of the whole corpus separately.
        """
        from pyspark.sql import functions as f  # noqa: PLC0415

        marked = marks.groupBy("a", "h").agg(f.collect_list(f.struct("i", "k", "h", "stacked")).alias("marks"))
        members = (f"paragraphs.{name} as {name}" for name in ("digest", "size", "words"))
        articles = self.kept.selectExpr("aid as a", *members)
        return articles.join(marked.drop("h"), "a").mapInArrow(_locate_task, sql_schema(_PLACE_COLUMNS))

    def read_texts(self, groups: Any) -> Any:
        """Return whether the lines `groups` are quotations, and which fields they have: `_TEXT_COLUMNS`."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        lines = f.collect_list(f.struct("i", "k", "h", "frequent", "judged", "evidence")).alias("lines")
        texts = self.kept.selectExpr(
            "aid as a", "text", "paragraphs.raw_start as starts", "paragraphs.raw_stop as stops"
        )
        by_article = groups.groupBy("a").agg(lines)
        return texts.join(by_article, "a").mapInArrow(_read_texts_task, sql_schema(_TEXT_COLUMNS))

    @staticmethod
    def changing_fields(texts: Any, marks: Any) -> Any:
        """Return the lines, ``k, h``, that are one of several values of a field, so they say something."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        fields = texts.where("name is not null").select("k", "h", "name", "value")
        several = fields.groupBy("h", "name").agg(f.count_distinct("value").alias("values")).where("values > 1")
        fields = fields.join(several.select("h", "name"), ["h", "name"])
        articles = marks.select("k", "h", "a").join(fields, ["k", "h"]).select("h", "name", "value", "a").distinct()
        with_value = articles.groupBy("h", "name", "value").agg(f.count("*").alias("with_value"))
        with_field = articles.select("h", "name", "a").distinct()
        with_field = with_field.groupBy("h", "name").agg(f.count("*").alias("with_field"))
        changing = with_value.join(with_field, ["h", "name"]).where(f"with_value < {FIELD}D * with_field")
        return fields.join(changing.select("h", "name", "value"), ["h", "name", "value"], "left_semi").select("k", "h")


def _judge_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: decide which lines are in enough articles, and put the counts into words."""
    names = ("articles", "texts", "at_start", "at_end", "own", "of_reports", "total")
    for batch in batches:
        counts = {name: np.asarray(batch.column(name)) for name in names}
        rows = np.arange(batch.num_rows)
        totals = counts.pop("total")
        groups = LineCounts(first=rows, hosts=rows, sizes=np.asarray(batch.column("size")), **counts)
        hosts = [_host_name(host) for host in batch.column("h").to_pylist()]
        frequent = are_frequent(groups, totals)
        evidence = [evidence_of(groups, row, totals, hosts) if frequent[row] else None for row in rows.tolist()]
        columns = {name: batch.column(name) for name in ("k", "h", "a", "i", "size")}
        yield spark_batch({**columns, "frequent": pa.array(frequent), "evidence": evidence}, _GROUP_COLUMNS)


def _host_name(host: bytes) -> str | None:
    """Return the name of a host as `HOST_SQL` encodes it, None for no host and for the whole corpus."""
    return decode_utf8(host[1:]) if host[:1] == b"\1" else None


def _locate_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: find the positions of recurring lines in their articles."""
    for batch in batches:
        if batch.num_rows:
            yield _locate_lines(batch)


def _locate_lines(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the positions of the lines in column `marks` in the articles of `batch`: `_PLACE_COLUMNS`.

    An article may have two rows, for its host and for the whole corpus; each counts as an article of its own.
    """
    digests, borders = flatten_lists(batch.column("digest"))
    encoded = digests.dictionary_encode()
    keys = np.asarray(encoded.indices, np.int64)
    sizes = np.asarray(flatten_lists(batch.column("size"))[0])
    words = integer_values(flatten_lists(batch.column("words"))[0])
    articles = np.repeat(np.arange(batch.num_rows), np.diff(borders))
    no_hosts = np.zeros(batch.num_rows, np.int64)  # `locate_lines` does not look at hosts
    none = np.zeros(len(keys), bool)  # nor at these
    lines = Lines(articles, keys, sizes, words > 0, none, none, none, no_hosts, no_hosts[:1])

    marks, mark_borders = flatten_lists(batch.column("marks"))
    mark_articles = np.repeat(np.arange(batch.num_rows), np.diff(mark_borders))
    rows = borders[mark_articles] + integer_values(marks.field("i"))
    order = np.argsort(rows, kind="stable")
    marks, rows = marks.take(pa.array(order)), rows[order]
    hosts = np.asarray(marks.field("h").dictionary_encode().indices, np.int64)
    group = np.unique(hosts * (len(encoded.dictionary) + 1) + keys[rows], return_inverse=True)[1]
    located = locate_lines(lines, rows, group, np.asarray(marks.field("stacked")))

    digest_of_key = encoded.dictionary.to_pylist()
    article_ids = batch.column("a").to_pylist()
    last_key = int(keys.max(initial=0))
    contexts = [
        digest_of_key[number] if number <= last_key else b"article %d" % article_ids[number - last_key - 1]
        for number in located.contexts.tolist()
    ]
    columns = {
        "k": marks.field("k"),
        "h": marks.field("h"),
        "context": contexts,
        "at_start": pa.array(located.at_start.astype(np.int64)),
        "at_end": pa.array(located.at_end.astype(np.int64)),
    }
    return spark_batch(columns, _PLACE_COLUMNS)


def _read_texts_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: read the raw texts of lines."""
    for batch in batches:
        columns: dict[str, list[Any]] = {name: [] for name in _TEXT_COLUMNS}
        for row in range(batch.num_rows):
            text, starts, stops, lines = (batch.column(name)[row] for name in ("text", "starts", "stops", "lines"))
            raw = decode_utf8(text.as_py())
            for line in lines.as_py():
                line_text = raw[starts[line["i"]].as_py() : stops[line["i"]].as_py()]
                name = field_of(line_text)
                values = {
                    **line,
                    "quoted": is_quotation(line_text),
                    "name": encode_utf8(name) if name else None,
                    "value": encode_utf8(value_of(line_text)) if name else None,
                }
                for column, column_values in columns.items():
                    column_values.append(values[column])
        yield spark_batch(columns, _TEXT_COLUMNS)
