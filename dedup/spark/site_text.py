"""Find site text on Spark: the rules of `dedup.match.site_text`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from dedup.arrays import decode_utf8, encode_utf8
from dedup.findings import DROP, FLAG
from dedup.kernels.backend import load_backend
from dedup.match.boilerplate import NOTICE_FROM, NOTICE_SHARE, REPORT_WORDS
from dedup.match.known_lines import KnownLine, evidence_of_known_line, lines_by_digest
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import SHARE_DIGITS, SiteTextRow
from dedup.match.support import ENOUGH_OWN, FEWEST_OWN_TEXTS, LEAST_OWN, OWN_WORDS
from dedup.prepare.columns import SITE_TEXT_STRUCT, StructLists, prepared_schema
from dedup.prepare.compared_texts import COMPARED_TEXT_COLUMNS, edited_text
from dedup.prepare.site_text import compare_without_site_text
from dedup.rules import OFF
from dedup.settings import Settings
from dedup.spark.arrow_types import cast_bits, spark_batch, sql_schema
from dedup.spark.host_lines import judge_hosts
from dedup.spark.match_boilerplate import HOST_SQL, WHOLE_CORPUS, match_boilerplate
from dedup.spark.match_paragraphs import explode_paragraphs
from dedup.spark.prepare import prepared_columns
from dedup.spark.tables import TableStore, union_all
from dedup.write.report import Tally
from dedup.write.tables import OutputChunk, encode_site_text

_UNKNOWN_SQL = "unhex('00')"  # an unknown host as `HOST_SQL` encodes it
_LINE_COLUMNS = {"number": pa.int64(), "size": pa.int64(), "line": pa.binary()}
_CLEARED_FROM = ("key", *COMPARED_TEXT_COLUMNS)  # the columns that are needed to clear an article of site text


class SparkSiteText(NamedTuple):
    """The prepared records without site text, and the lines.

    `lines` has the columns ``a, i``: article and number of each line. `counts` are for the report.
    """

    records: Any
    lines: Any
    counts: dict[str, int]


def set_site_text_apart(
    store: TableStore,
    records: Any,
    settings: Settings,
    partitions: int,
    known_lines: Sequence[KnownLine] = (),
    *,
    compiled: bool,
) -> SparkSiteText:
    """Find site text, and return `records`, which are prepared, compared without it.

    `known_lines` are site text as well.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    none = store.session.createDataFrame([], "a bigint, i int")
    if settings.rules[BOILERPLATE] == OFF:
        return SparkSiteText(records, none, {"lines": 0, "articles": 0})
    copies = _find_copies(store, records, settings, known_lines)
    found = copies.where("evidence is not null")
    rows = _site_text_rows(store, records, copies, partitions)
    count = rows.where("a >= 0").count()  # lines that only known articles have are not in the table
    if not count and rows.isEmpty():
        return SparkSiteText(records, none, {"lines": 0, "articles": 0})
    sizes = store.save(
        "site-text",
        _encode_lines(records, rows).repartitionByRange(partitions, "number").sortWithinPartitions("number"),
    )
    lines = found.join(rows.join(sizes, "number").select("k", "scope", "number", "size"), ["k", "scope"])
    host = f.expr("case when length(scope) > 0 then substring(scope, 2) end")
    members = {
        "paragraph": f.col("i").cast("bigint"),
        "line": f.col("number"),
        "host": host,
        "size": f.col("size"),
        "action": f.expr(f"case when dropped then '{DROP}' else '{FLAG}' end"),
        "evidence": f.col("evidence"),
    }
    struct = f.struct(*(members[field.name].alias(field.name) for field in SITE_TEXT_STRUCT))
    by_article = lines.groupBy("a").agg(f.sort_array(f.collect_list(struct)).alias("site_text"))
    changed = records.drop("site_text").join(by_article.withColumnRenamed("a", "aid"), "aid")
    columns = prepared_columns(settings)
    changed = changed.select(*columns).mapInArrow(
        partial(_clear_task, settings=settings, compiled=compiled), sql_schema(columns)
    )
    changed = store.save("cleared", changed)
    records = records.join(changed.select("aid"), "aid", "left_anti").unionByName(changed)
    articles = found.where("dropped and a >= 0").select("a").distinct().count()
    return SparkSiteText(records, found.select("a", "i"), {"lines": count, "articles": articles})


def read_site_text(store: TableStore) -> Iterator[OutputChunk]:
    """Yield the rows of the table of site text in order, as chunks of output."""
    for file in store.files("site-text"):
        table = store.session.read.schema(sql_schema(_LINE_COLUMNS)).parquet(file)
        lines = [bytes(row["line"]) for row in sorted(table.collect(), key=lambda row: int(row["number"]))]
        yield OutputChunk(b"", b"", b"", b"", b"".join(lines), Tally())


def _find_copies(store: TableStore, records: Any, settings: Settings, known_lines: Sequence[KnownLine]) -> Any:
    """Return all copies of lines that are the site's: ``a, i, k, h, scope, evidence, dropped``.

    The scope of a line is its host, or `WHOLE_CORPUS`, which stands for unknown hosts as well. A copy that stays as it
    is has no evidence.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415

    active = str(settings.rules[BOILERPLATE] == DROP).lower()
    articles = records.where("error is null and words > 0")
    paragraphs = explode_paragraphs(articles).select("a", "i", "k", "h", "words", "size", "form").where("words > 0")
    judged = judge_hosts(store, articles.withColumn("h", f.expr(HOST_SQL)))
    counted = _articles_to_count(store, articles, paragraphs)
    matches = match_boilerplate(store, articles, counted, paragraphs.drop("h"), judged.select("a", "k", "h"))
    content = matches.where("evidence is null").select("k", "h")
    matches = matches.where("evidence is not null")
    is_whole = f.col("h") == f.lit(WHOLE_CORPUS)
    in_host = matches.where(~is_whole).select("k", "h", f.col("evidence").alias("in_host"))
    in_corpus = matches.where(is_whole).select("k", f.col("evidence").alias("in_corpus"))
    judged = judged.join(content, ["k", "h"], "left_anti")
    of_model = judged.select("a", "i", "sure", f.col("evidence").alias("of_model"))
    known = store.session.createDataFrame(_known_rows(known_lines), "k binary, h binary, known_in_host string")
    sources = [matches, judged, known] if known_lines else [matches, judged]
    keys = union_all([source.select("k") for source in sources]).distinct()
    copies = paragraphs.drop("form").join(keys, "k", "left_semi")
    copies = copies.join(in_host, ["k", "h"], "left").join(in_corpus, "k", "left").join(of_model, ["a", "i"], "left")
    if known_lines:
        everywhere = known.where(f"h = {_UNKNOWN_SQL}").selectExpr("k", "known_in_host as known_everywhere")
        copies = copies.join(known, ["k", "h"], "left").join(everywhere, "k", "left")
    else:
        copies = copies.selectExpr(
            "*", *(f"cast(null as string) as known_{which}" for which in ("in_host", "everywhere"))
        )
    # As `dedup.match.site_text` has it, the surest source first.
    unsure = "in_host is null and not coalesce(sure, false)"
    of_all = f"{unsure} and (in_corpus is not null or known_in_host is null and known_everywhere is not null)"
    scope = f.when(f.expr(f"({of_all}) or h = {_UNKNOWN_SQL}"), f.lit(WHOLE_CORPUS)).otherwise(f.col("h"))
    of_runs = "known_in_host, known_everywhere"
    evidence = f"coalesce(in_host, case when sure then of_model end, in_corpus, {of_runs}, of_model) as evidence"
    is_dropped = f"{active} and (not ({unsure}) or coalesce(in_corpus, {of_runs}) is not null) as dropped"
    size = f.col("size")
    copies = copies.select("a", "i", "k", "h", size, scope.alias("scope"), f.expr(evidence), f.expr(is_dropped))
    copies = store.save("candidates", copies)
    supported = _supported_lines(copies, paragraphs)
    lines = ["a", "i", "k", "h", "scope", "evidence", "dropped"]
    has_support = f.expr("supported is not null")
    return store.save(
        "copies",
        copies.join(supported, ["scope", "k"], "left")
        .withColumn("evidence", f.when(has_support, f.col("evidence")))
        .withColumn("dropped", has_support & f.col("dropped"))
        .withColumn("dropped", f.expr("bool_and(dropped) over (partition by a, k)"))
        .select(*lines),
    )


def _known_rows(known_lines: Sequence[KnownLine]) -> list[tuple[bytearray, bytearray, str]]:
    """Return the digest, the host as `HOST_SQL` encodes it, and the evidence of each line of earlier runs."""
    return [
        (
            bytearray(digest),
            bytearray(b"\0" if host is None else b"\1" + encode_utf8(host)),
            evidence_of_known_line(line),
        )
        for digest, of_hosts in lines_by_digest(known_lines).items()
        for host, line in of_hosts.items()
    ]


def _supported_lines(copies: Any, paragraphs: Any) -> Any:
    """Return the lines of scopes that have support, ``scope, k, supported``, as `dedup.match.support` has it."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    found = copies.where("evidence is not null").select("a", "i", "k", "scope")
    is_site = found.select("a", "i", f.expr("true as is_site"))
    prose = paragraphs.where(f"size >= {OWN_WORDS}").join(is_site, ["a", "i"], "left")
    keys = "array_sort(collect_list(case when is_site is null then hex(k) end))"
    own = prose.groupBy("a").agg(
        f.sum(f.expr("case when is_site then size else 0 end")).alias("of_site"),
        f.sum(f.expr("case when is_site is null then size else 0 end")).alias("own"),
        f.expr(f"md5(cast(array_join({keys}, ' ') as binary))").alias("text"),
    )
    own = own.where(f"own > 0 and own >= least(of_site / {LEAST_OWN}, {ENOUGH_OWN})").select("a", "text")
    counts = (
        found.join(own, "a", "left")
        .groupBy("scope", "k")
        .agg(f.countDistinct("text").alias("supported"), f.countDistinct("a").alias("articles"))
    )
    return counts.where(f"supported >= least(articles, {FEWEST_OWN_TEXTS})").select("scope", "k", "supported")


def _articles_to_count(store: TableStore, articles: Any, paragraphs: Any) -> Any:
    """Return the articles that count in each host, ``a, h``: the first version of each report.

    The whole corpus is one more host, unless all articles are of one.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415

    longest = (
        paragraphs.where(f"size >= {REPORT_WORDS}")
        .groupBy("a")
        .agg(f.min(f.struct(-f.col("size"), "i", "k")).alias("m"))
    )
    reports = articles.selectExpr("aid as a", f"{HOST_SQL} as h", "digest").join(longest, "a", "left")
    reports = store.save("reports", reports.select("a", "h", f.coalesce("m.k", "digest").alias("report")))
    if reports.select("h").distinct().limit(2).count() > 1:
        reports = reports.unionByName(reports.withColumn("h", f.lit(WHOLE_CORPUS)))
    versions = reports.groupBy("h", "report").agg(f.min("a").alias("first"), f.count("*").alias("versions"))
    totals = reports.groupBy("h").agg(f.count("*").alias("total"))
    notice = f"versions > {NOTICE_SHARE}D * total and total >= {NOTICE_FROM}"
    counted = reports.join(versions, ["h", "report"]).join(totals, "h").where(f"a = first or ({notice})")
    return store.save("counted", counted.select("a", "h"))


def _site_text_rows(store: TableStore, records: Any, copies: Any, partitions: int) -> Any:
    """Return the rows of the table of site text, without their texts.

    The columns are ``number, k, scope, a, i, articles, total, dropped``, where ``a, i`` is the first place. Lines of
    new articles come first.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415

    found = copies.where("evidence is not null")
    dropped = f.count_distinct(f.expr("case when dropped and a >= 0 then a end"))
    is_known = f.expr("a < 0").alias("is_known")
    first = f.min(f.struct(is_known, "a", "i")).alias("first")
    lines = found.groupBy("k", "scope").agg(first, dropped.alias("dropped"))
    whole = f.lit(WHOLE_CORPUS).alias("scope")
    everywhere = copies.select("k", f.col("h").alias("scope"), "a").unionByName(copies.select("k", whole, "a"))
    counts = everywhere.groupBy("k", "scope").agg(f.count_distinct("a").alias("articles"))
    totals = records.where("error is null and words > 0").selectExpr(f"{HOST_SQL} as scope")
    totals = totals.groupBy("scope").agg(f.count("*").alias("total"))
    totals = totals.unionByName(totals.agg(f.sum("total").alias("total")).select(whole, "total"))
    rows = lines.join(counts, ["k", "scope"]).join(totals, "scope")
    rows = rows.select("k", "scope", "first.a", "first.i", "articles", "total", "dropped")
    order = (is_known, "a", "i")
    store.save("site-rows", rows.repartitionByRange(partitions, *order).sortWithinPartitions(*order))
    return store.number_rows("site-rows")


def _encode_lines(records: Any, rows: Any) -> Any:
    """Return the rows of the table of site text, encoded, and the lengths of their texts: `_LINE_COLUMNS`.

    The rows of lines that only known articles have are empty.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415

    lines = f.collect_list(f.struct("number", "i", "scope", "articles", "total", "dropped")).alias("lines")
    by_article = rows.groupBy(f.col("a").alias("aid")).agg(lines)
    articles = records.select("aid", "text", "findings", "paragraphs", "source", "record")
    return articles.join(by_article, "aid").mapInArrow(_encode_lines_task, sql_schema(_LINE_COLUMNS))


def _encode_lines_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: read the texts of lines at their first places."""
    for batch in batches:
        edits = StructLists(batch.column("findings"), ("start", "stop", "replacement"))
        spans = StructLists(batch.column("paragraphs"), ("start", "stop", "raw_start", "raw_stop"))
        names = ("aid", "text", "source", "record", "lines")
        columns: dict[str, list[Any]] = {name: [] for name in _LINE_COLUMNS}
        for row, (aid, raw, source, record, lines) in enumerate(
            zip(*(batch.column(name).to_pylist() for name in names), strict=True)
        ):
            text, places = edited_text(decode_utf8(raw), edits.of(row)), spans.of(row)
            for line in lines:
                start, stop, raw_start, raw_stop = places[line["i"]]
                host = decode_utf8(line["scope"][1:]) if line["scope"] else None
                share = round(line["articles"] / line["total"], SHARE_DIGITS)
                counts = (line["articles"], share, line["dropped"])
                encoded = SiteTextRow(host, text[start:stop], *counts, source, record, raw_start, raw_stop)
                columns["number"].append(line["number"])
                columns["size"].append(stop - start)
                columns["line"].append(encode_site_text([encoded]) if aid >= 0 else b"")
        yield spark_batch(columns, _LINE_COLUMNS)


def _clear_task(batches: Iterable[pa.RecordBatch], settings: Settings, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: compute what articles are compared by without their lines of site text."""
    backend = load_backend(compiled=compiled)
    schema = prepared_schema(settings)
    kinds = prepared_columns(settings)
    for batch in batches:
        if batch.num_rows:
            arrays = [cast_bits(batch.column(name), schema.field(name).type) for name in _CLEARED_FROM]
            articles = pa.record_batch(arrays, names=list(_CLEARED_FROM))
            columns = {name: batch.column(name) for name in kinds}
            yield spark_batch(columns | compare_without_site_text(articles, settings, backend), kinds)
