"""Remove texts that share few shingles from large buckets, in Spark, without missing a match.

In a large bucket all pairs are candidates, although most may be forms that do not match. The local engine finds the
matches among them by an index (`dedup.kernels.set_index`); this is its first half, as joins.

A shingle is rare if at most a few texts of large buckets have it, and common otherwise. A pair without a rare shingle
in common can match only if both texts have at least ``least = threshold * (size + other) / (1 + threshold)`` common
shingles, so the other text has at most ``room = common * (1 + threshold) / threshold - size`` shingles. Two texts with
less room than shingles cannot both meet this. Such a text stays in a large bucket only if a text there has room for it,
that is, at least as much room as shingles, and each fits into the room of the other. For its other matches it is in a
bucket of two with each text that has one of its rare shingles, if both share a bucket.

A match may lack at most ``lacking = size - threshold * size`` shingles of a text, so of any ``lacking + 1`` of them it
has at least one (prefix filtering; Chaudhuri, Ganti and Kaushik, 2006). Shingles that no other text has count among
these, but need no search. So all pairs that can match still share a bucket, and a text that can match no other is in no
large bucket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.spark.arrow_types import spark_batch, sql_schema
from dedup.spark.pair_similarity import partition_sets, summarize_keys
from dedup.spark.tables import TableStore

LARGE_BUCKET = 1024  # keys; the pairs of a smaller bucket cost less than a shuffle of its shingles
_RARE_KEYS = 32  # of all in large buckets: the most that have a rare shingle; as in the local engine

_SHINGLE_COLUMNS = {"k": pa.binary(), "h": pa.int64()}
_ERROR = "1e-6D"  # more than the error of a similarity as a float


def shrink_large_buckets(
    store: TableStore, name: str, shared: Any, keys: Any, texts: Any, n: int, threshold: float, *, compiled: bool
) -> Any:
    """Return the members of buckets, ``b, k``, in which each two keys that can match share a bucket.

    `shared` has ``b, k, members`` of all buckets with several members, `keys` has ``k, buckets`` of their keys, and
    `texts` has ``k, key``. Tables are saved under names that begin with `name`; `n` is the number of words in a
    shingle. New buckets have numbers below 0.
    """
    large = shared.where(f"members > {LARGE_BUCKET}").select("b", "k")
    if large.isEmpty():
        return shared.select("b", "k")
    texts = texts.join(large.select("k").distinct(), "k", "left_semi")
    sizes = store.save(f"{name}-large", summarize_keys(texts, n, compiled=compiled).select("k", "size"))
    rare = store.save(f"{name}-rare", _rare_shingles(texts, n, compiled=compiled))
    room = store.save(f"{name}-room", _room(rare, sizes, threshold))
    store.save(f"{name}-rare-pairs", _sharing_a_bucket(_pairs_by_shingle(rare, room), keys))
    pairs = store.number_rows(f"{name}-rare-pairs").selectExpr("-1 - number as b", "explode(array(x, y)) as k")
    small = shared.where(f"members <= {LARGE_BUCKET}").select("b", "k")
    return small.unionByName(_members_that_stay(large, room, threshold)).unionByName(pairs)


def _rare_shingles(texts: Any, n: int, *, compiled: bool) -> Any:
    """Return the rare shingles of each key: its ``k``, the hash ``h``, and how many ``holders`` it has."""
    from pyspark.sql import Window  # noqa: PLC0415 - an extra
    from pyspark.sql import functions as f  # noqa: PLC0415

    task = partial(_shingles_task, n=n, compiled=compiled)
    shingles = texts.select("k", "key").mapInArrow(task, sql_schema(_SHINGLE_COLUMNS))
    holders = f.count("*").over(Window.partitionBy("h"))
    return shingles.withColumn("holders", holders).where(f"holders <= {_RARE_KEYS}")


def _room(rare: Any, sizes: Any, threshold: float) -> Any:
    """Return for each key its ``k, size, room``, and how many rare shingles are ``searched`` for its matches."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    counts = rare.groupBy("k").agg(f.count("*").alias("rare"), f.expr("count_if(holders = 1) as single"))
    counts = sizes.join(counts, "k", "left").na.fill(0, ["rare", "single"])
    return counts.selectExpr(
        "k",
        "size",
        f"(size - rare) * (1 + {threshold!r}D) / {threshold!r}D - size + {_ERROR} as room",
        f"cast(size - {threshold!r}D * size + {_ERROR} as bigint) - single + 1 as searched",
    )


def _pairs_by_shingle(rare: Any, room: Any) -> Any:
    """Return the pairs ``x, y`` of a key with little room and another that has a shingle which it searches for."""
    from pyspark.sql import Window  # noqa: PLC0415
    from pyspark.sql import functions as f  # noqa: PLC0415

    held = rare.where("holders > 1")
    place = f.row_number().over(Window.partitionBy("k").orderBy("holders", "h"))
    searching = held.join(room.where("room < size and searched > 0"), "k").withColumn("place", place)
    searched = searching.where("place <= searched").selectExpr("k as one", "h")
    met = searched.join(held.selectExpr("k as other", "h"), "h").where("one <> other")
    return met.selectExpr("least(one, other) as x", "greatest(one, other) as y").distinct()


def _sharing_a_bucket(pairs: Any, keys: Any) -> Any:
    """Return the pairs whose keys have the same bucket in a band."""
    both = pairs.join(keys.selectExpr("k as x", "buckets as ones"), "x")
    both = both.join(keys.selectExpr("k as y", "buckets as others"), "y")
    return both.where("exists(zip_with(ones, others, (one, other) -> one = other), same -> same)").select("x", "y")


def _members_that_stay(large: Any, room: Any, threshold: float) -> Any:
    """Return the members ``b, k`` of `large` buckets that can match another one without a rare shingle in common."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    members = large.join(room.drop("searched"), "k")
    roomy = members.where("room >= size").groupBy("b").agg(f.min("size").alias("least"), f.max("room").alias("most"))
    stays = f"room >= size or (room >= {threshold!r}D * size - {_ERROR} and least <= room and size <= most)"
    return members.join(roomy, "b").where(stays).select("b", "k")


def _shingles_task(batches: Iterable[pa.RecordBatch], n: int, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: one row for each shingle of a key."""
    for batch in batches:
        sets = partition_sets(batch.column("key").to_pylist(), n, compiled=compiled)
        rows = np.repeat(np.arange(batch.num_rows), sets.sizes)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(sets.sizes) - sets.sizes, sets.sizes)
        hashes = sets.hashes[sets.places[rows] + within].view(np.int64)
        yield spark_batch({"k": batch.column("k").take(pa.array(rows)), "h": pa.array(hashes)}, _SHINGLE_COLUMNS)
