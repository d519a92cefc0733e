"""The survivors of the design, in rounds, for texts that no single machine could hold.

A text is known by its order ``o``, a struct ``(r, a, i)``: priority, article, paragraph; texts of one article never
match. Texts of equal keys share one key ``k``, and only keys are compared. In every bucket a window is opened on the
first undecided keys: four in the first round, four times as many in each that follows. A key survives that is inside
the window of all of its buckets and matches no undecided key before it; what shares a bucket with a new survivor is
compared with it, and goes where it matches; the rest is for the next round. So members of a bucket are compared with
survivors, as in the loop of the design, and with each other only as far as the window goes.

That a key goes does not decide all of its texts: those in the article of the very survivor cannot match it. The first
of them takes its place and is decided in a later round.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

from dedup.spark.pair_similarity import commons, contents
from dedup.spark.tables import TableStore

ORDER = "struct<r:bigint,a:bigint,i:int>"
_WIDER = 4  # times, each round
_UNDECIDED, _SURVIVES, _GOES = 0, 1, 2


class SparkSurvival(NamedTuple):
    """`verdicts` has ``o``, ``twin`` and ``similarity`` of each text that goes, and whether its twin is ``equal``."""

    verdicts: Any
    candidates: int
    matches: int
    rounds: int


class SurvivorQuery(NamedTuple):
    """What is to be decided.

    `texts` has ``k, o, buckets`` of each text, `keys` its ``k, o, key``. With `parts`, an article has several texts.
    """

    name: str
    texts: Any
    keys: Any
    n: int
    threshold: float
    parts: bool


def survivor_rounds(store: TableStore, question: SurvivorQuery, *, compiled: bool) -> SparkSurvival:
    """Which texts go, and for whom."""
    return _Rounds(store, question, compiled=compiled).run()


class _Rounds:
    def __init__(self, store: TableStore, question: SurvivorQuery, *, compiled: bool) -> None:
        self.store = store
        self.question = question
        self.compiled = compiled
        self.keys: Any = None
        self.copies: Any = None
        self.contents: Any = None
        self.survivors: list[Any] = []
        self.pairs: list[Any] = []

    def table(self, name: str, frame: Any) -> Any:
        """`frame` as a table of this question."""
        return self.store.table(f"{self.question.name}-{name}", frame)

    def run(self) -> SparkSurvival:
        """All rounds, and what they add up to."""
        entries = self.first()
        number = 0
        while not entries.isEmpty():
            entries = self.round(entries, number)
            number += 1
        return self.result(number)

    def first(self) -> Any:
        """One row per key and bucket that it shares with another key."""
        from pyspark.sql import Window  # noqa: PLC0415 - an extra
        from pyspark.sql import functions as f  # noqa: PLC0415

        texts = self.question.texts
        keys = texts.groupBy("k").agg(
            f.min("o").alias("o"),
            f.max("o").alias("last"),
            f.count("*").alias("copies"),
            f.first("buckets").alias("buckets"),
        )
        self.keys = self.table("keys", keys)
        several = self.keys.where("copies > 1").select("k")
        self.copies = self.table("copies", texts.select("k", "o").join(several, "k", "left_semi"))
        # Most of what is sorted here stands in no bucket with another: it is a bucket and a key, and nothing else.
        every = self.keys.select("k", f.posexplode("buckets").alias("band", "bucket"))
        every = every.selectExpr("shiftleft(cast(band as bigint), 32) | bucket as b", "k")
        members = f.count("*").over(Window.partitionBy("b"))
        shared = self.table("shared", every.withColumn("members", members).where("members > 1").drop("members"))
        orders = self.keys.select("k", "o", "last").join(shared.select("k").distinct(), "k", "left_semi")
        # of equal texts the first alone is read, by its own place: no task gets all copies of an article
        mine = self.question.keys.join(orders.select("o"), "o", "left_semi")
        self.contents = self.table("contents", contents(mine, self.question.n, compiled=self.compiled))
        told = shared.join(orders.join(self.contents.select("k", "size", "print"), "k"), "k")
        told = told.select("b", "k", "o", "last", "size", "print")
        return self.table("entries", told.selectExpr("*", f"{_UNDECIDED} as status"))

    def round(self, entries: Any, number: int) -> Any:
        """The entries after one more round; those of buckets where all is decided are gone."""
        from pyspark.sql import Window  # noqa: PLC0415
        from pyspark.sql import functions as f  # noqa: PLC0415

        window = _WIDER ** (number + 1)
        place = f.row_number().over(Window.partitionBy("b").orderBy("o"))
        worst = f.max("place").over(Window.partitionBy("k"))
        placed = entries.where(f"status = {_UNDECIDED}").withColumn("place", place).withColumn("worst", worst)
        inside = self.table(f"inside-{number}", placed.where(f"place <= {window}").drop("status"))
        later = inside.where(f"worst <= {window}")
        eligible = later.select("k", "o", "last", "size", "print").distinct()
        blocked = self.matching(_met(inside, later, "x.o < y.o")).select(f.col("y").alias("k")).distinct()
        new = self.table(f"survivors-{number}", eligible.join(blocked, "k", "left_anti"))
        assert not new.isEmpty(), "a round decides the first of the undecided, if nothing else"
        self.survivors.append(new)
        self.pairs.append(self.meetings(entries, new, number))
        return self.table(f"entries-{number}", self.after(entries, new))

    def meetings(self, entries: Any, new: Any, number: int) -> Any:
        """The pairs of a new survivor ``x``, of order ``o``, and a key ``y``, and their similarity where they match."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        theirs = entries.join(new.select("k"), "k", "left_semi").drop("status", "last")
        met = _met(theirs, entries, "x.k <> y.k and x.o < y.last", ("x.o as o", "y.status"))
        met = met.join(new.select(f.col("k").alias("y"), f.expr("true").alias("stays")), "y", "left")
        status = f"case when stays then {_SURVIVES} else status end as status"
        met = self.table(f"met-{number}", met.selectExpr("x", "y", "o", status, *_SIZES))
        found = self.matching(met.where(f"status <> {_SURVIVES}"))
        return self.table(f"pairs-{number}", met.select("x", "y", "o").join(found, ["x", "y"], "left"))

    def matching(self, pairs: Any) -> Any:
        """The pairs whose similarity reaches the threshold, with it."""
        least = self.question.threshold
        # Sizes alone say that most pairs do not match, and parities of hashes that most of the others do not: each bit
        # that differs stands for a shingle that only one of them has.
        pairs = pairs.where(
            f"size_x > 0 and size_y > 0 and least(size_x, size_y) / greatest(size_x, size_y) >= {least!r}D"
        ).where(
            "bit_count(print_x ^ print_y) <= "
            f"size_x + size_y - 2 * (ceil({least!r}D * (size_x + size_y) / (1 + {least!r}D)) - 2)"
        )
        found = commons(pairs, self.contents, self.question.n, least, compiled=self.compiled)
        found = found.selectExpr("x", "y", "common / (sx + sy - common) as similarity")
        return found.where(f"similarity >= {least!r}D")

    def after(self, entries: Any, new: Any) -> Any:
        """The entries with what the last round has decided."""
        from pyspark.sql import Window  # noqa: PLC0415
        from pyspark.sql import functions as f  # noqa: PLC0415

        pairs = self.pairs[-1].where("similarity is not null")
        if self.question.parts:
            changes = self.changes(entries, new, pairs)
        else:
            changes = pairs.selectExpr("y as k", f"cast(null as {ORDER}) as next", f"{_GOES} as becomes").distinct()
        changes = changes.unionByName(new.selectExpr("k", f"cast(null as {ORDER}) as next", f"{_SURVIVES} as becomes"))
        changed = entries.join(changes, "k", "left").selectExpr(
            "b", "k", "coalesce(next, o) as o", "last", "size", "print", "coalesce(becomes, status) as status"
        )
        left = f.min("status").over(Window.partitionBy("b"))
        return changed.withColumn("left", left).where(f"left = {_UNDECIDED}").drop("left")

    def changes(self, entries: Any, new: Any, pairs: Any) -> Any:
        """What becomes of keys that match a new survivor: ``k, next, becomes``."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        orders = (
            entries.where(f"status = {_UNDECIDED}").select(f.col("k").alias("y"), f.col("o").alias("mine")).distinct()
        )
        orders = orders.join(new.select(f.col("k").alias("y")), "y", "left_anti")
        gone = (
            pairs.join(orders, "y")
            .where("o < mine and o.a <> mine.a")
            .groupBy("y")
            .agg(f.first("mine").alias("mine"), f.min("o.a").alias("home"))
        )
        # the first text of the same key in the article of the survivor, where nothing else goes against it
        copies = self.copies.select(f.col("k").alias("y"), f.col("o").alias("next"))
        nexts = (
            gone.join(copies, "y").where("next.a = home and next > mine").groupBy("y").agg(f.min("next").alias("next"))
        )
        nexts = self.table(f"next-{len(self.pairs)}", nexts)
        against = nexts.join(self.matches(), "y").where("o < next and o.a <> next.a").select("y").distinct()
        nexts = nexts.join(against, "y", "left_anti")
        becomes = f"case when next is null then {_GOES} else {_UNDECIDED} end as becomes"
        return gone.select("y").join(nexts, "y", "left").selectExpr("y as k", "next", becomes)

    def matches(self) -> Any:
        """All matches of survivors so far."""
        return _union(self.pairs).where("similarity is not null").drop("x")

    def result(self, rounds: int) -> SparkSurvival:
        """The verdict on every text that goes, and what it took."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        if not rounds:
            firsts = self.keys.where("copies > 1").selectExpr("k", "o as stays")
            return self.summed(_equal(self.copies.join(firsts, "k")), rounds)
        keys = self.keys.selectExpr("k", "o as first", "copies")
        keys = keys.join(_union(self.survivors).selectExpr("k", "o as stays"), "k", "left")
        keys = keys.join(self.contents.select("k", f.expr("true").alias("meets")), "k", "left")
        keys = keys.where("meets or copies > 1").selectExpr(
            "k", "first", "copies", "coalesce(meets, false) as meets", "case when meets then stays else first end stays"
        )
        keys = self.table("stays", keys)
        texts = self.copies.join(keys.drop("first", "copies"), "k")
        texts = texts.unionByName(keys.where("copies = 1").selectExpr("k", "first as o", "meets", "stays"))
        # What a text has met before it was decided: never as a list, for it may be many.
        pairs = _union(self.pairs).selectExpr("y as k", "o as before", "similarity")
        asked = texts.where("meets and (stays is null or o <= stays)").alias("text")
        met = asked.join(pairs.alias("pair"), f.expr("text.k = pair.k and before < o and before.a <> o.a"), "left")
        best = "case when similarity is not null then struct(similarity, -before.r, -before.a, -before.i) end"
        met = met.groupBy("o", "stays").agg(
            f.count("before").alias("met"), f.count("similarity").alias("matched"), f.max(f.expr(best)).alias("best")
        )
        told = met.selectExpr(
            "o",
            "case when best is not null then "
            f"cast(struct(-best.col2, -best.col3, cast(-best.col4 as int)) as {ORDER}) end as twin",
            "best.similarity as similarity",
            "false as equal",
            "met",
            "matched",
            "stays",
        )
        return self.summed(told.unionByName(_equal(texts)), rounds)

    def summed(self, texts: Any, rounds: int) -> SparkSurvival:
        """The verdicts as a table, and their counts."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        lost = "cast(twin is null and (stays is null or o < stays) as int) as lost"
        table = self.table("verdicts", texts.selectExpr("o", "twin", "similarity", "equal", "met", "matched", lost))
        row = table.agg(f.sum("met"), f.sum("matched"), f.sum("lost")).first()
        if row[2]:
            raise AssertionError(f"{row[2]} {self.question.name} are left undecided")
        verdicts = table.where("twin is not null").select("o", "twin", "similarity", "equal")
        return SparkSurvival(verdicts, int(row[0] or 0), int(row[1] or 0), rounds)


def _equal(texts: Any) -> Any:
    """The verdicts on texts that stand behind the one of their key that stays, in another article."""
    equal = texts.where("o > stays and o.a <> stays.a")
    return equal.selectExpr(
        "o", "stays as twin", "1D as similarity", "true as equal", "0L as met", "0L as matched", "stays"
    )


def _union(frames: list[Any]) -> Any:
    return reduce(lambda one, two: one.unionByName(two), frames)


_SIZES = ("size_x", "print_x", "size_y", "print_y")


def _met(ones: Any, others: Any, condition: str, more: tuple[str, ...] = ()) -> Any:
    """The distinct pairs of keys that share a bucket: ``x, y``, their sizes and prints, and more columns."""
    joined = ones.alias("x").join(others.alias("y"), "b").where(condition)
    sizes = ("x.size as size_x", "x.print as print_x", "y.size as size_y", "y.print as print_y")
    return joined.selectExpr("x.k as x", "y.k as y", *sizes, *more).dropDuplicates(["x", "y"])
