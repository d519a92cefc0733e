"""Find articles that have passages of known articles, on Spark: the rules of `dedup.match.known_passages`.

Runs of words of known articles and of new ones are joined by their hashes, and the pairs that share one are compared
word by word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.decide.known_items import item_row
from dedup.findings import DROP
from dedup.fingerprint.similarity import jaccard
from dedup.kernels.backend import load_backend
from dedup.match.known_passages import FEWEST_PASSAGE_WORDS, PLACES_SHOWN, covered_words, passage_evidence
from dedup.match.policy import ARTICLE_MATCH_RULES, KNOWN_PASSAGE
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.spark.arrow_types import spark_batch, sql_schema
from dedup.spark.prepare import IS_KNOWN, IS_NEW
from dedup.spark.tables import TableStore

# A run of ``n`` words of an article, by its hash.
_RUN_COLUMNS = {"aid": pa.int64(), "n": pa.int64(), "h": pa.int64()}
# An article and a known one, ``item``. The bits of `covered` are the words of the known one: 1 for those in passages.
# The last two columns are null unless enough words are covered.
_PASSAGE_COLUMNS = {
    "aid": pa.int64(),
    "item": pa.int64(),
    "share": pa.float64(),
    "covered": pa.binary(),
    "similarity": pa.float64(),
    "evidence": pa.string(),
}
_PLACE = pa.struct([("aid", pa.int64()), ("share", pa.float64())])
# How many words of a known article were found in all others, in how many articles, and where.
_ITEM_COLUMNS = {"item": pa.int64(), "found": pa.int64(), "articles": pa.int64(), "places": pa.list_(_PLACE)}


class SparkPassages(NamedTuple):
    """The passages of known articles that were found in new ones.

    `verdicts` has the columns of verdicts on articles (`dedup.spark.match_articles`), for those that have enough of a
    known one. `items` are the rows of the table of known items.
    """

    verdicts: Any
    items: list[dict[str, Any]]

    def removed(self, settings: Settings) -> Any:
        """Return the column ``aid`` of the articles that the rule drops."""
        aids = self.verdicts.select("aid")
        return aids if settings.rules[ARTICLE_MATCH_RULES[KNOWN_PASSAGE]] == DROP else aids.limit(0)


def find_passages(store: TableStore, records: Any, settings: Settings, *, compiled: bool) -> SparkPassages:
    """Return the new articles of `records` that have passages of known ones, and what was found of each of these."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    articles = records.where(f"error is null and words >= {FEWEST_PASSAGE_WORDS}")
    known, new = articles.where(IS_KNOWN), articles.where(IS_NEW).select("aid", "key")
    known = known.selectExpr("aid", "key", "words", f"cast(least(words, {settings.passage_words}) as bigint) as n")
    lengths = sorted(row["n"] for row in known.select("n").distinct().collect())
    runs = partial(_runs_task, lengths=lengths, compiled=compiled)
    known_runs = store.save("passage-runs", known.select("aid", "key", "n").mapInArrow(runs, sql_schema(_RUN_COLUMNS)))
    new_runs = new.mapInArrow(runs, sql_schema(_RUN_COLUMNS))
    met = new_runs.join(known_runs.withColumnRenamed("aid", "item"), ["n", "h"]).select("aid", "item").distinct()
    pairs = met.join(new, "aid").join(known.selectExpr("aid as item", "key as item_key"), "item")
    pairs = pairs.select("aid", "item", "key", "item_key")
    task = partial(_compare_task, run=settings.passage_words, least=settings.passage_share)
    pairs = store.save("passages", pairs.mapInArrow(task, sql_schema(_PASSAGE_COLUMNS)))
    best = f.max(f.struct("share", (-f.col("item")).alias("minus_item"), "similarity", "evidence")).alias("best")
    verdicts = pairs.where("similarity is not null").groupBy("aid").agg(best)
    verdicts = verdicts.selectExpr(
        "aid",
        f"cast({KNOWN_PASSAGE} as tinyint) as rule",
        "-best.minus_item as twin",
        "best.similarity as similarity",
        "best.evidence as evidence",
    )
    return SparkPassages(store.save("passage-articles", verdicts), list(_item_rows(store, records, known, pairs)))


def with_passages(store: TableStore, articles: Any, passages: SparkPassages, settings: Settings) -> Any:
    """Return the verdicts `articles` with those of `passages`.

    Where the rule only flags, the match of another rule for the same article comes first.
    """
    drops = settings.rules[ARTICLE_MATCH_RULES[KNOWN_PASSAGE]] == DROP
    first, second = (passages.verdicts, articles) if drops else (articles, passages.verdicts)
    return store.save("articles-passages", first.unionByName(second.join(first.select("aid"), "aid", "left_anti")))


def _item_rows(store: TableStore, records: Any, known: Any, pairs: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table of known items: one for each of the articles `known`, in their order."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    by_item = pairs.select("item", "aid", "share", "covered").repartition("item")
    by_item = by_item.sortWithinPartitions("item", f.col("share").desc(), "aid")
    items = store.save("passage-items", by_item.mapInArrow(_items_task, sql_schema(_ITEM_COLUMNS)))
    names = records.select("aid", f.struct("id", "source", "record").alias("name"))
    places = items.select("item", f.posexplode("places").alias("at", "place"))
    places = places.selectExpr("item", "at", "place.aid as aid", "place.share as place_share").join(names, "aid")
    places = places.groupBy("item").agg(
        f.sort_array(f.collect_list(f.struct("at", "name", "place_share"))).alias("list")
    )
    rows = known.selectExpr("aid as item", "words").join(items.drop("places"), "item", "left")
    rows = rows.join(places, "item", "left").join(names.withColumnRenamed("aid", "item"), "item")
    for row in store.save("passage-rows", rows).orderBy("item").collect():
        found_in = [(_article_name(place["name"]), place["place_share"]) for place in row["list"] or ()]
        share = (row["found"] or 0) / row["words"]
        yield item_row(_article_name(row["name"]), row["words"], share, row["articles"] or 0, found_in)


def _article_name(row: Any) -> tuple[str, str, int]:
    """Return the id, source and record of an article, as a row has them."""
    return decode_utf8(bytes(row["id"])), row["source"], row["record"]


def _runs_task(
    batches: Iterable[pa.RecordBatch], lengths: Sequence[int], *, compiled: bool
) -> Iterator[pa.RecordBatch]:
    """Run in a task: one row for each run of words of an article, of its own length `n` or of all `lengths`."""
    backend = load_backend(compiled=compiled)
    for batch in batches:
        keys = batch.column("key").to_pylist()
        own_lengths = np.asarray(batch.column("n")) if "n" in batch.schema.names else None
        for length in lengths:
            rows = np.arange(len(keys)) if own_lengths is None else np.flatnonzero(own_lengths == length)
            hashes, borders = backend.shingle_hash_sets([keys[row] for row in rows.tolist()], length)
            aids = batch.column("aid").take(pa.array(np.repeat(rows, np.diff(borders))))
            numbers = np.full(len(hashes), length, np.int64)
            yield spark_batch({"aid": aids, "n": pa.array(numbers), "h": pa.array(hashes.view(np.int64))}, _RUN_COLUMNS)


def _compare_task(batches: Iterable[pa.RecordBatch], run: int, least: float) -> Iterator[pa.RecordBatch]:
    """Run in a task: compare articles with known ones; leave out pairs without a passage."""
    for batch in batches:
        columns: dict[str, list[Any]] = {name: [] for name in _PASSAGE_COLUMNS}
        for aid, item, key, item_key in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            covered = np.array(covered_words(decode_utf8(item_key).split(" "), decode_utf8(key).split(" "), run))
            share = float(np.count_nonzero(covered) / len(covered))
            if not share:
                continue
            has_enough = share >= least
            values = (
                aid,
                item,
                share,
                np.packbits(covered).tobytes(),
                jaccard(key, item_key, ARTICLE_SHINGLE) if has_enough else None,
                passage_evidence(share) if has_enough else None,
            )
            for name, value in zip(_PASSAGE_COLUMNS, values, strict=True):
                columns[name].append(value)
        yield spark_batch(columns, _PASSAGE_COLUMNS)


def _items_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: sum up what was found of each known article; its pairs are neighbours, the best ones first."""
    rows = (row for batch in batches for row in batch.to_pylist())
    for item, pairs in groupby(rows, key=lambda row: row["item"]):
        covered, count, places = np.zeros(0, np.uint8), 0, []
        for pair in pairs:
            bits = np.frombuffer(pair["covered"], np.uint8)
            covered = bits | covered if count else bits
            count += 1
            if count <= PLACES_SHOWN:
                places.append({"aid": pair["aid"], "share": pair["share"]})
        yield spark_batch(
            {"item": [item], "found": [int(np.unpackbits(covered).sum())], "articles": [count], "places": [places]},
            _ITEM_COLUMNS,
        )
