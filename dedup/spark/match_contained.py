"""Match articles that a longer article contains as a whole, on Spark: the rules of `dedup.match.contained`.

Articles are searched and compared in parts (`dedup.spark.partitioned_pairs`). What many articles share, such as a line
of their host, is sent to each part once, and not with every article that has it. That holds for the first articles that
have a minimizer, and then for the keys of candidate containers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, offsets_of
from dedup.findings import DROP
from dedup.match.buckets import Buckets
from dedup.match.contained import CONTAINED_SHARE, containment_evidence
from dedup.match.container_candidates import POSTINGS_AT_MOST, SHARED_MINIMIZERS, MinimizerIndex, find_candidates
from dedup.match.policy import ARTICLE_MATCH_RULES, CONTAINED, DUPLICATE
from dedup.prepare.batch import CONTAINED_WORDS
from dedup.rules import OFF
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.spark.arrow_types import spark_batch, sql_schema
from dedup.spark.partitioned_pairs import compare_parts, part_count, part_sql, visit_columns
from dedup.spark.prepare import IS_NEW
from dedup.spark.survivor_rounds import different_wordings_sql
from dedup.spark.tables import TableStore

_PART_MEETINGS = 1_000_000  # pairs of an article and another with the same minimizer; each may be a row of a task
_PART_WORDS = 1_000_000  # in the articles of a part: a task holds their keys, and a hash for each word
_VISIT_COLUMNS = visit_columns(pa.int64())


def match_contained(
    store: TableStore, prepared: Any, matched: Any, settings: Settings, partitions: int, *, compiled: bool
) -> Any:
    """Return the verdicts `matched`, as of `match_articles`, with those on articles that a longer one contains."""
    action = settings.rules[ARTICLE_MATCH_RULES[CONTAINED]]
    if action == OFF:
        return matched
    articles = prepared.where(f"error is null and own_words >= {CONTAINED_WORDS}")
    articles = articles.join(matched.select("aid"), "aid", "left_anti")
    articles = articles.selectExpr(
        "aid",
        "-own_words as r",
        "minimizers",
        "substring(key, 1, cast(own_key as int)) as key",
        "digest",
        "size(minimizers) as total",
    )
    searched, postings = _rank_minimizers(store, articles)
    searched = searched.where(IS_NEW)  # what contains a known article does not matter
    visits = store.save("contained-candidates", _find_visits(searched, postings, partitions, compiled=compiled))
    pairs = _differ_in_words(_measure_visits(visits, articles, compiled=compiled), articles)
    if action == DROP:
        similar_twins = matched.where(f"rule <> {DUPLICATE}").selectExpr("twin as aid").distinct()
        pairs = pairs.join(similar_twins, "aid", "left_anti")
    pairs = store.save("contained-pairs", pairs)
    ranked = _rank_containers(pairs)
    chosen = _choose_in_rounds(store, ranked) if action == DROP else ranked.where("at = 1")
    verdicts = _with_evidence(chosen).selectExpr(
        "aid", f"cast({CONTAINED} as tinyint) as rule", "container as twin", "similarity", "evidence"
    )
    if action == DROP:
        verdicts = store.save("contained-originals", verdicts)
        copies = matched.where(f"rule = {DUPLICATE}").selectExpr("aid as copy", "twin as aid")
        copies = verdicts.join(copies, "aid").selectExpr("copy as aid", "rule", "twin", "similarity", "evidence")
        matched = matched.join(copies.select("aid"), "aid", "left_anti")
        verdicts = verdicts.unionByName(copies)
    return store.save("articles-contained", matched.unionByName(verdicts))


def _rank_minimizers(store: TableStore, articles: Any) -> tuple[Any, Any]:
    """Return the minimizers to search for, the rarest that each article shares, and the first articles that have each.

    The former has the columns ``v, aid, r, holders, place``: the minimizer, the article, minus its number of words, how
    many articles have the minimizer, and its place among those of the article. The latter has ``v, aid, r``.
    """
    from pyspark.sql import Window  # noqa: PLC0415 - an extra
    from pyspark.sql import functions as f  # noqa: PLC0415

    exploded = articles.select("aid", "r", "total", f.explode("minimizers").alias("v"))
    # Spark has signed integers only; with the highest bit flipped they sort like unsigned ones.
    exploded = exploded.withColumn("v", f.col("v").bitwiseXOR(f.lit(-(1 << 63))))
    holders = f.count("*").over(Window.partitionBy("v"))
    shared = exploded.withColumn("holders", holders).where("holders > 1")
    posting = f.row_number().over(Window.partitionBy("v").orderBy("r", "aid"))
    shared = store.save("contained-minimizers", shared.withColumn("posting", posting))
    rarest_first = f.row_number().over(Window.partitionBy("aid").orderBy("holders", "v"))
    shared_count = f.count("*").over(Window.partitionBy("aid"))
    searched = shared.withColumns({"place": rarest_first, "shared": shared_count}).where(
        f"place <= shared - greatest(1, cast({SHARED_MINIMIZERS}D * total as bigint)) + 1"
    )
    searched = store.save("contained-searches", searched.select("v", "aid", "r", "holders", "place"))
    return searched, shared.where(f"posting <= {POSTINGS_AT_MOST}").select("v", "aid", "r")


def _find_visits(searched: Any, postings: Any, partitions: int, *, compiled: bool) -> Any:
    """Return the candidate containers of all articles, as rows of `visit_columns`.

    Members are the articles, visitors their candidates, and tags the ranks of candidates, from 0 for the likeliest.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415

    # No part may exceed the memory of a task, by its meetings (even if no two of its articles share one) or its words.
    meetings, words = searched.agg(
        f.sum(f.least("holders", f.lit(POSTINGS_AT_MOST))), f.sum(f.when(f.col("place") == 1, -f.col("r")))
    ).first()
    parts = part_count(partitions, max((meetings or 0) // _PART_MEETINGS, (words or 0) // _PART_WORDS) + 1)
    searched = searched.selectExpr(f"{part_sql('aid', parts)} as part", "v", "aid", "r", "true as searched")
    postings = searched.select("part", "v").distinct().join(postings, "v").withColumn("searched", f.expr("false"))
    rows = searched.unionByName(postings).repartition("part").sortWithinPartitions("part")
    return rows.mapInArrow(partial(_find_visits_task, compiled=compiled), sql_schema(_VISIT_COLUMNS))


def _find_visits_task(batches: Iterable[pa.RecordBatch], *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: find candidates part by part; the rows of a part are neighbours."""
    pending: list[pa.RecordBatch] = []  # the rows of the part so far
    number = -1
    for batch in batches:
        parts = np.asarray(batch.column("part"), np.int64)
        starts = np.flatnonzero(np.diff(parts, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], batch.num_rows], strict=True):
            if pending and parts[start] != number:
                yield _visits_of_part(pa.Table.from_batches(pending), compiled=compiled)
                pending = []
            number = int(parts[start])
            pending.append(batch.slice(start, stop - start))
    if pending:
        yield _visits_of_part(pa.Table.from_batches(pending), compiled=compiled)


def _visits_of_part(table: pa.Table, *, compiled: bool) -> pa.RecordBatch:
    """Return the visits of one part, as rows of `visit_columns`.

    `table` has the columns ``part, v, aid, r, searched``: the minimizers of its articles, and the postings of these.
    """
    v, aid, r = (np.asarray(table.column(name), np.int64) for name in ("v", "aid", "r"))
    is_search = np.asarray(table.column("searched"))
    order = np.lexsort((aid, r))  # longest first, ties in input order
    is_new = np.diff(aid[order], prepend=-1) != 0
    articles = np.empty(len(order), np.int64)
    articles[order] = np.cumsum(is_new) - 1
    ids = aid[order][is_new]
    values, numbers = np.unique(v, return_inverse=True)
    searched = _group_sorted(articles[is_search], numbers[is_search], len(ids))
    holders = _group_sorted(numbers[~is_search], articles[~is_search], len(values))
    # Zeros, since the rarest minimizers are chosen already: all of them are searched for.
    index = MinimizerIndex(searched, np.zeros(len(ids), np.int64), np.zeros(len(values), np.int64), holders)
    pairs = find_candidates(index, compiled=compiled)
    by_container = np.argsort(pairs.others, kind="stable")
    ones, others, ranks = pairs.ones[by_container], pairs.others[by_container], pairs.ranks()[by_container]
    visitors, starts = np.unique(others, return_index=True)
    members = np.unique(ones)
    columns = {
        "part": np.full(len(members) + len(visitors), table.column("part")[0].as_py()),
        "id": ids[np.concatenate([members, visitors])],
        "members": _lists_after_nulls(len(members), ids[ones], starts),
        "tags": _lists_after_nulls(len(members), ranks, starts),
    }
    return spark_batch(columns, _VISIT_COLUMNS)


def _group_sorted(rows: I64, values: I64, count: int) -> Buckets:
    """Return `values` by row, ascending within each of `count` rows; `rows` and `values` are int64 [values]."""
    order = np.lexsort((values, rows))
    return Buckets(values[order], offsets_of(np.bincount(rows, minlength=count)))


def _lists_after_nulls(nulls: int, values: I64, starts: I64) -> pa.Array:
    """Return a list array of `nulls` nulls and then lists of `values`, which begin at `starts`: int64 [lists]."""
    offsets = pa.array([*[None] * nulls, *starts.tolist(), len(values)], pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(values))


def _measure_visits(visits: Any, articles: Any, *, compiled: bool) -> Any:
    """Return the pairs whose container has `CONTAINED_SHARE` of the article's shingles or more.

    The columns are ``aid, container, candidate_rank, similarity, share, size_x, size_y, closeness``.
    """
    keys = articles.selectExpr("aid as id", "key")
    pairs = compare_parts(visits, keys, ARTICLE_SHINGLE, CONTAINED_SHARE, pa.int64(), compiled=compiled)
    pairs = pairs.selectExpr(
        "x as aid",
        "y as container",
        "tag as candidate_rank",
        "common / (size_x + size_y - common) as similarity",
        "common / size_x as share",
        "size_x",
        "size_y",
    )
    # The share as the local engine computes it for sorting, to the last bit.
    closeness = "(similarity * (size_x + size_y)) / ((1 + similarity) * size_x) as closeness"
    return pairs.where(f"share >= {CONTAINED_SHARE}D").selectExpr("*", closeness)


def _differ_in_words(pairs: Any, articles: Any) -> Any:
    """Return `pairs` without those of articles that differ in nothing but facts."""
    pairs = pairs.join(articles.selectExpr("aid", "digest"), "aid")
    pairs = pairs.join(articles.selectExpr("aid as container", "digest as other_digest"), "container")
    return pairs.where(different_wordings_sql("digest", "other_digest")).drop("digest", "other_digest")


def _rank_containers(pairs: Any) -> Any:
    """Return the pairs as ``aid, container, at, similarity, share``; `at` is 1 for an article's best."""
    from pyspark.sql import Window  # noqa: PLC0415
    from pyspark.sql import functions as f  # noqa: PLC0415

    best_first = Window.partitionBy("aid").orderBy(f.col("closeness").desc(), "candidate_rank")
    ranked = pairs.withColumn("at", f.row_number().over(best_first))
    return ranked.selectExpr("aid", "container", "at", "similarity", "share")


# Whether the container of a pair is dropped, or stays, or is undecided. It stays if no other article contains it.
_CONTAINER_STATE = """
    case
        when has_pairs is null then 'stays'
        when dropped is null then 'undecided'
        when dropped then 'dropped'
        else 'stays'
    end as state
"""


def _choose_in_rounds(store: TableStore, ranked: Any) -> Any:
    """Return for each article its first pair whose container is not dropped itself, if it has one.

    Articles without a pair stay. The others are decided in rounds: an article is dropped with its first pair whose
    container stays, once the containers of all its earlier pairs are known to be dropped. It stays if the containers
    of all its pairs are dropped.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415

    ranked = store.save("contained-ranked", ranked)
    no_decisions = ranked.selectExpr("aid", "cast(null as int) as at", "false as dropped").limit(0)
    decided = store.save("contained-decided", no_decisions)
    number = 0
    while True:
        undecided = ranked.join(decided.select("aid"), "aid", "left_anti")
        if not undecided.limit(1).count():
            break
        with_pairs = ranked.select(f.col("aid").alias("container")).distinct().withColumn("has_pairs", f.expr("true"))
        decisions = decided.selectExpr("aid as container", "dropped")
        pairs = undecided.join(with_pairs, "container", "left").join(decisions, "container", "left")
        pairs = pairs.selectExpr("aid", "at", _CONTAINER_STATE).where("state <> 'dropped'")
        firsts = pairs.groupBy("aid").agg(f.min(f.struct("at", "state")).alias("first"))
        firsts = undecided.select("aid").distinct().join(firsts, "aid", "left")
        new = firsts.where("first is null or first.state = 'stays'")
        new = new.selectExpr("aid", "first.at as at", "first is not null as dropped")
        decided = store.save(f"contained-decided-{number}", decided.unionByName(new))
        number += 1
    return ranked.join(decided.where("dropped").select("aid", "at"), ["aid", "at"])


def _with_evidence(chosen: Any) -> Any:
    """Return the pairs `chosen` as ``aid, container, similarity, evidence``."""
    schema = "aid bigint, container bigint, similarity double, evidence string"
    return chosen.select("aid", "container", "similarity", "share").mapInArrow(_evidence_task, schema)


def _evidence_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: put the share into words."""
    for batch in batches:
        evidence = pa.array(map(containment_evidence, batch.column("share").to_pylist()), pa.string())
        names = ["aid", "container", "similarity"]
        yield pa.RecordBatch.from_arrays([*(batch.column(name) for name in names), evidence], [*names, "evidence"])
