"""Which articles repeat which: duplicates and near-duplicates in rounds, then those that stand inside a longer one."""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.contained import CONTAINED_SHARE, POSTINGS_AT_MOST, SHARED_MINIMIZERS, VERIFIED_AT_MOST
from dedup.engines.spark.compare import commons
from dedup.engines.spark.rounds import Question, survive
from dedup.engines.spark.store import Store
from dedup.errors import SettingsError
from dedup.match import CONTAINED, DUPLICATE, NEAR_DUPLICATE, RULES
from dedup.prepare import CONTAINED_WORDS
from dedup.settings import ARTICLE_SHINGLE, Settings

_LAST = (1 << 63) - 1  # a date behind all others
_NONE = -1.0  # similarity of no match


class Matched(NamedTuple):
    """`verdicts` has ``aid, rule, twin, similarity, evidence`` of each article that repeats another."""

    verdicts: Any
    candidates: int
    matches: int
    rounds: int


def match_articles(store: Store, prepared: Any, settings: Settings, *, compiled: bool) -> Matched:
    """What becomes of articles. Raises `SettingsError` where they are to be kept by date and none has one."""
    articles = prepared.where("error is null and words > 0")
    order = f"struct({_rank(articles, prepared, settings)} as r, aid as a, 0 as i) as o"
    question = Question(
        "articles",
        articles.selectExpr("digest as k", order, "buckets"),
        articles.selectExpr("digest as k", order, "key"),
        ARTICLE_SHINGLE,
        settings.threshold,
        parts=False,
    )
    found = survive(store, question, compiled=compiled)
    rule = f"cast(case when equal then {DUPLICATE} else {NEAR_DUPLICATE} end as tinyint) as rule"
    verdicts = found.verdicts.selectExpr("o.a as aid", rule, "twin.a as twin", "similarity")
    if settings.rules[RULES[NEAR_DUPLICATE]] != "drop":  # the first of equal articles stays, so the others repeat it
        from pyspark.sql import functions as f  # noqa: PLC0415

        texts = question.texts.select("k", "o")
        firsts = texts.groupBy("k").agg(f.min("o").alias("first"), f.count("*").alias("copies")).where("copies > 1")
        later = (
            texts.join(firsts, "k")
            .where("o > first")
            .selectExpr("o.a as aid", f"cast({DUPLICATE} as tinyint) as rule", "first.a as twin", "1D as similarity")
        )
        verdicts = verdicts.join(later.select("aid"), "aid", "left_anti").unionByName(later)
    for number in (DUPLICATE, NEAR_DUPLICATE):
        if settings.rules[RULES[number]] == "off":
            verdicts = verdicts.where(f"rule <> {number}")
    verdicts = store.table("articles", verdicts.selectExpr("*", "cast(null as string) as evidence"))
    return Matched(verdicts, found.candidates, found.matches, found.rounds)


def _rank(articles: Any, prepared: Any, settings: Settings) -> str:
    """What articles are ordered by, the first to be decided first."""
    if settings.keep == "first":
        return "0L"
    if settings.keep == "longest":
        return "-length"
    if articles.limit(1).count() and not prepared.where("date is not null").limit(1).count():
        raise SettingsError(f"--keep {settings.keep}: no article has a date; name the field with --date-field")
    sign = "" if settings.keep == "earliest" else "-"
    return f"coalesce({sign}date, {_LAST}L)"


def gone(verdicts: Any, settings: Settings) -> Any:
    """The ``aid`` of each article that is dropped."""
    numbers = [number for number in (DUPLICATE, NEAR_DUPLICATE, CONTAINED) if settings.rules[RULES[number]] == "drop"]
    return verdicts.where(f"rule in ({', '.join(map(str, [-1, *numbers]))})").select("aid")


def match_contained(store: Store, prepared: Any, matched: Any, settings: Settings, *, compiled: bool) -> Any:
    """The verdicts `matched` with those on articles that stand inside a longer one."""
    action = settings.rules[RULES[CONTAINED]]
    if action == "off":
        return matched
    alone = prepared.where(f"error is null and words >= {CONTAINED_WORDS}").join(
        matched.select("aid"), "aid", "left_anti"
    )
    alone = alone.selectExpr(
        "aid", "struct(-words as r, aid as a) as o", "minimizers", "key", "size(minimizers) as total"
    )
    pairs = store.table("contained-candidates", _candidates(store, alone))
    close = store.table("contained-close", _close(pairs, alone, compiled=compiled))
    chosen = _chosen(store, close, drops=action == "drop")
    told = chosen.selectExpr(
        "one as aid",
        f"cast({CONTAINED} as tinyint) as rule",
        "other as twin",
        "similarity",
        "evidence",
    )
    return store.table("articles-contained", matched.unionByName(told))


def _candidates(store: Store, articles: Any) -> Any:
    """For each article those before it that share minimizers, and how far up they are among those."""
    from pyspark.sql import Window  # noqa: PLC0415
    from pyspark.sql import functions as f  # noqa: PLC0415

    # as unsigned integers are ordered
    exploded = articles.select("aid", "o.r", "total", f.explode("minimizers").alias("v"))
    exploded = exploded.withColumn("v", f.col("v").bitwiseXOR(f.lit(-(1 << 63))))
    holders = f.count("*").over(Window.partitionBy("v"))
    held = exploded.withColumn("holders", holders).where("holders > 1")
    held = held.selectExpr("v", "aid", "struct(r, aid as a) as o", "total", "holders")
    held = store.table("contained-minimizers", held)
    rarest = f.row_number().over(Window.partitionBy("aid").orderBy("holders", "v"))
    own = f.count("*").over(Window.partitionBy("aid"))
    wanted = held.withColumns({"place": rarest, "own": own}).where(
        f"place <= own - greatest(1, cast({SHARED_MINIMIZERS}D * total as bigint)) + 1"
    )
    posted = held.withColumn("posting", f.row_number().over(Window.partitionBy("v").orderBy("o")))
    posted = posted.where(f"posting <= {POSTINGS_AT_MOST}").selectExpr("v", "aid as other", "o as before")
    met = wanted.select("v", "aid", "o").join(posted, "v").where("before < o")
    shares = met.groupBy("aid", "other", "before").agg(f.count("*").alias("shares"))
    best = f.row_number().over(Window.partitionBy("aid").orderBy(f.col("shares").desc(), "before"))
    return shares.withColumn("place", best).where(f"place <= {VERIFIED_AT_MOST}").select("aid", "other", "place")


def _close(pairs: Any, articles: Any, *, compiled: bool) -> Any:
    """The pairs that hold, with what is measured of them."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    number = "to_binary(lpad(hex({0}), 16, '0'), 'hex')"
    keyed = articles.select(f.expr(number.format("aid")).alias("k"), "key")
    asked = pairs.selectExpr(f"{number.format('aid')} as x", f"{number.format('other')} as y")
    found = commons(asked, keyed, ARTICLE_SHINGLE, CONTAINED_SHARE, compiled=compiled)
    found = found.selectExpr(
        "cast(conv(hex(x), 16, 10) as bigint) as aid",
        "cast(conv(hex(y), 16, 10) as bigint) as other",
        "common / (sx + sy - common) as similarity",
        "common / sx as share",
        "common",
        "sx",
        "sy",
    )
    # the order is that of the share as the local engine computes it, to the last bit
    rank = "(similarity * (sx + sy)) / ((1 + similarity) * sx) as rank"
    return found.where(f"share >= {CONTAINED_SHARE}D").selectExpr("*", rank).join(pairs, ["aid", "other"])


def _chosen(store: Store, close: Any, *, drops: bool) -> Any:
    """For each article the first close pair with one that is not gone itself."""
    from pyspark.sql import Window  # noqa: PLC0415
    from pyspark.sql import functions as f  # noqa: PLC0415

    order = Window.partitionBy("aid").orderBy(f.col("rank").desc(), "place")
    ranked = close.withColumn("at", f.row_number().over(order))
    ranked = ranked.selectExpr("aid as one", "other", "at", "similarity", "share")
    if not drops:
        return _evidence(store, ranked.where("at = 1"))
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
    return _evidence(store, ranked.join(decided.where("gone").select("one", "at"), ["one", "at"]))


def _evidence(store: Store, chosen: Any) -> Any:
    """`chosen` with words on how much it is."""
    del store
    return chosen.mapInArrow(_told, "one bigint, other bigint, similarity double, evidence string")


def _told(batches: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    for batch in batches:
        evidence = [f"{share:.1%} of it stands there" for share in batch.column("share").to_pylist()]
        columns = [batch.column(name) for name in ("one", "other", "similarity")]
        yield pa.RecordBatch.from_arrays(
            [*columns, pa.array(evidence, pa.string())], ["one", "other", "similarity", "evidence"]
        )
