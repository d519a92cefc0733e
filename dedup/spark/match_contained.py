"""Articles that stand inside a longer one: what `dedup.match.contained` says, of a corpus that no single machine could hold.

Candidates and their keys are looked at in parts, each with some of the articles (`dedup.spark.partitioned_pairs`). What
many articles share, a line of their host say, is told to each part once, and not with every article that has it: for
candidates the first articles that have a minimizer, then the keys of those that seem to hold another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64
from dedup.match.buckets import Buckets
from dedup.match.contained import CONTAINED_SHARE
from dedup.match.container_candidates import POSTINGS_AT_MOST, SHARED_MINIMIZERS, MinimizerIndex, find_candidates
from dedup.match.policy import ARTICLE_MATCH_RULES, CONTAINED
from dedup.prepare.batch import CONTAINED_WORDS
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.spark.arrow_types import batch_of, ddl_of
from dedup.spark.partitioned_pairs import compared, in_part, parts_of, visits
from dedup.spark.tables import TableStore

_MEETINGS_AT_ONCE = 1_000_000  # of an article with one that shares a minimizer: a row each, where nothing is shared
_WORDS_AT_ONCE = 1_000_000  # of articles: their keys, and a hash for each
_VISITS = visits(pa.int64())


def match_contained(
    store: TableStore, prepared: Any, matched: Any, settings: Settings, partitions: int, *, compiled: bool
) -> Any:
    """The verdicts `matched` with those on articles that stand inside a longer one."""
    action = settings.rules[ARTICLE_MATCH_RULES[CONTAINED]]
    if action == "off":
        return matched
    alone = prepared.where(f"error is null and words >= {CONTAINED_WORDS}").join(
        matched.select("aid"), "aid", "left_anti"
    )
    alone = alone.selectExpr("aid", "-words as r", "minimizers", "key", "size(minimizers) as total")
    wanted, posted = _shared(store, alone)
    rows = store.table("contained-candidates", _candidates(wanted, posted, partitions, compiled=compiled))
    close = store.table("contained-close", _close(rows, alone, compiled=compiled))
    chosen = _chosen(store, close, drops=action == "drop")
    told = chosen.selectExpr(
        "one as aid",
        f"cast({CONTAINED} as tinyint) as rule",
        "other as twin",
        "similarity",
        "evidence",
    )
    return store.table("articles-contained", matched.unionByName(told))


def _shared(store: TableStore, articles: Any) -> tuple[Any, Any]:
    """For each article its rarest shared minimizers, ``v, aid, r, holders, place``; of each who has it first."""
    from pyspark.sql import Window  # noqa: PLC0415 - an extra
    from pyspark.sql import functions as f  # noqa: PLC0415

    # as unsigned integers are ordered
    exploded = articles.select("aid", "r", "total", f.explode("minimizers").alias("v"))
    exploded = exploded.withColumn("v", f.col("v").bitwiseXOR(f.lit(-(1 << 63))))
    holders = f.count("*").over(Window.partitionBy("v"))
    held = exploded.withColumn("holders", holders).where("holders > 1")
    posting = f.row_number().over(Window.partitionBy("v").orderBy("r", "aid"))
    held = store.table("contained-minimizers", held.withColumn("posting", posting))
    rarest = f.row_number().over(Window.partitionBy("aid").orderBy("holders", "v"))
    own = f.count("*").over(Window.partitionBy("aid"))
    wanted = held.withColumns({"place": rarest, "own": own}).where(
        f"place <= own - greatest(1, cast({SHARED_MINIMIZERS}D * total as bigint)) + 1"
    )
    wanted = store.table("contained-wanted", wanted.select("v", "aid", "r", "holders", "place"))
    return wanted, held.where(f"posting <= {POSTINGS_AT_MOST}").select("v", "aid", "r")


def _candidates(wanted: Any, posted: Any, partitions: int, *, compiled: bool) -> Any:
    """For each article those before it that share most of its rarest minimizers: rows as `visits` says."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    # No part has more than fits into a task: meetings, even where no two of its articles share one; and words.
    meetings, words = wanted.agg(
        f.sum(f.least("holders", f.lit(POSTINGS_AT_MOST))), f.sum(f.when(f.col("place") == 1, -f.col("r")))
    ).first()
    parts = parts_of(partitions, max((meetings or 0) // _MEETINGS_AT_ONCE, (words or 0) // _WORDS_AT_ONCE) + 1)
    wanted = wanted.selectExpr(f"{in_part('aid', parts)} as part", "v", "aid", "r", "true as asks")
    told = wanted.select("part", "v").distinct().join(posted, "v").withColumn("asks", f.expr("false"))
    every = wanted.unionByName(told).repartition("part").sortWithinPartitions("part")
    return every.mapInArrow(partial(_parts, compiled=compiled), ddl_of(_VISITS))


def _parts(batches: Iterable[pa.RecordBatch], *, compiled: bool) -> Iterator[pa.RecordBatch]:
    waiting: list[pa.RecordBatch] = []
    number = -1
    for batch in batches:
        parts = np.asarray(batch.column("part"), np.int64)
        starts = np.flatnonzero(np.diff(parts, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], batch.num_rows], strict=True):
            if waiting and parts[start] != number:
                yield _met(pa.Table.from_batches(waiting), compiled=compiled)
                waiting = []
            number = int(parts[start])
            waiting.append(batch.slice(start, stop - start))
    if waiting:
        yield _met(pa.Table.from_batches(waiting), compiled=compiled)


def _met(table: pa.Table, *, compiled: bool) -> pa.RecordBatch:
    """In a task: candidates for the articles of one part; `table` is who asks for which minimizer, and who has it."""
    v, aid, r = (np.asarray(table.column(name), np.int64) for name in ("v", "aid", "r"))
    asks = np.asarray(table.column("asks"))
    order = np.lexsort((aid, r))
    new = np.diff(aid[order], prepend=-1) != 0
    texts = np.empty(len(order), np.int64)
    texts[order] = np.cumsum(new) - 1
    ids = aid[order][new]
    count, (values, numbers) = len(ids), np.unique(v, return_inverse=True)
    own = _gathered(texts[asks], numbers[asks], count)
    holders = _gathered(numbers[~asks], texts[~asks], len(values))
    # all of the values are asked for, and as rare as each other
    index = MinimizerIndex(Buckets(*own), np.zeros(count, np.int64), np.zeros(len(values), np.int64), Buckets(*holders))
    pairs = find_candidates(index, compiled=compiled)
    order = np.argsort(pairs.others, kind="stable")
    ones, others, places = pairs.ones[order], pairs.others[order], pairs.ranks()[order]
    visitors, starts = np.unique(others, return_index=True)
    homes = np.unique(ones)
    columns = {
        "part": np.full(len(homes) + len(visitors), table.column("part")[0].as_py()),
        "id": ids[np.concatenate([homes, visitors])],
        "homes": _lists(len(homes), ids[ones], starts),
        "places": _lists(len(homes), places, starts),
    }
    return batch_of(columns, _VISITS)


def _gathered(rows: I64, values: I64, count: int) -> tuple[I64, I64]:
    """`values` by row, ascending within each, and the borders of the rows."""
    order = np.lexsort((values, rows))
    return values[order], np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))])


def _lists(empty: int, values: I64, starts: I64) -> pa.Array:
    """So many nulls, then `values` as lists that begin at `starts`."""
    offsets = pa.array([*[None] * empty, *starts.tolist(), len(values)], pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(values))


def _close(rows: Any, articles: Any, *, compiled: bool) -> Any:
    """The pairs that hold, with what is measured of them."""
    keys = articles.selectExpr("aid as id", "key")
    found = compared(rows, keys, ARTICLE_SHINGLE, CONTAINED_SHARE, pa.int64(), compiled=compiled)
    found = found.selectExpr(
        "x as aid",
        "y as other",
        "place",
        "common / (sx + sy - common) as similarity",
        "common / sx as share",
        "sx",
        "sy",
    )
    # the order is that of the share as the local engine computes it, to the last bit
    rank = "(similarity * (sx + sy)) / ((1 + similarity) * sx) as rank"
    return found.where(f"share >= {CONTAINED_SHARE}D").selectExpr("*", rank)


def _chosen(store: TableStore, close: Any, *, drops: bool) -> Any:
    """For each article the first close pair with one that is not gone itself."""
    from pyspark.sql import Window  # noqa: PLC0415
    from pyspark.sql import functions as f  # noqa: PLC0415

    order = Window.partitionBy("aid").orderBy(f.col("rank").desc(), "place")
    ranked = close.withColumn("at", f.row_number().over(order))
    ranked = ranked.selectExpr("aid as one", "other", "at", "similarity", "share")
    if not drops:
        return _evidence(ranked.where("at = 1"))
    ranked = store.table("contained-ranked", ranked)
    # An article that has no close pair stays. The others are decided in rounds: by the first pair whose other stays,
    # once all pairs before it are with articles that are gone.
    decided = store.table(
        "contained-decided", ranked.selectExpr("one", "cast(null as int) as at", "false as gone").limit(0)
    )
    number = 0
    while True:
        one = ranked.join(decided.select("one"), "one", "left_anti")
        if not one.limit(1).count():
            break
        waiting = ranked.select(f.col("one").alias("other")).distinct().withColumn("waits", f.expr("true"))
        known = decided.selectExpr("one as other", "gone")
        asked = one.join(waiting, "other", "left").join(known, "other", "left")
        # a state for each pair: the other is gone, or stays, or is not decided
        state = (
            "case when waits is null then 'stays' when gone is null then 'open' when gone then 'gone' else 'stays' end"
        )
        asked = asked.selectExpr("one", "at", f"{state} as state").where("state <> 'gone'")
        first = asked.groupBy("one").agg(f.min(f.struct("at", "state")).alias("first"))
        first = one.select("one").distinct().join(first, "one", "left").where("first is null or first.state = 'stays'")
        new = first.selectExpr("one", "first.at as at", "first is not null as gone")
        decided = store.table(f"contained-decided-{number}", decided.unionByName(new))
        number += 1
    return _evidence(ranked.join(decided.where("gone").select("one", "at"), ["one", "at"]))


def _evidence(chosen: Any) -> Any:
    """`chosen` with words on how much it is."""
    return chosen.mapInArrow(_told, "one bigint, other bigint, similarity double, evidence string")


def _told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        evidence = [f"{share:.1%} of it stands there" for share in batch.column("share").to_pylist()]
        columns = [batch.column(name) for name in ("one", "other", "similarity")]
        yield pa.RecordBatch.from_arrays(
            [*columns, pa.array(evidence, pa.string())], ["one", "other", "similarity", "evidence"]
        )
