"""The survivors of the design, in rounds, for texts that no single machine could hold.

A text is known by its order ``o``, a struct ``(r, a, i)``: priority, article, paragraph; texts of one article never
match. Texts of equal keys share one key ``k``, and only keys are compared. In every bucket a window is opened on the
first undecided keys: one in the first round, four times as many in each that follows. A key survives that is inside the
window of all of its buckets and matches no undecided key before it; what shares a bucket with a new survivor is
compared with it, and goes where it matches; the rest is for the next round. So members of a bucket are compared with
survivors, as in the loop of the design, and with each other only as far as the window goes.

That a key goes does not decide all of its texts: those in the article of the very survivor cannot match it. The first
of them takes its place and is decided in a later round.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.engines.spark.compare import commons, contents
from dedup.engines.spark.store import Store

ORDER = "struct<r:bigint,a:bigint,i:int>"
_WIDER = 4  # times, each round
_UNDECIDED, _SURVIVES, _GOES = 0, 1, 2


class Survival(NamedTuple):
    """`verdicts` has ``o``, ``twin`` and ``similarity`` of each text that goes, and whether its twin is ``equal``."""

    verdicts: Any
    candidates: int
    matches: int
    rounds: int


class Question(NamedTuple):
    """What is to be decided.

    `texts` has ``k, o, buckets`` of each text, `keys` at least ``k, key`` of those; equal ones may stand several times.
    """

    name: str
    texts: Any
    keys: Any
    n: int
    threshold: float


def survive(store: Store, question: Question, *, compiled: bool) -> Survival:
    """Which texts go, and for whom."""
    return _Rounds(store, question, compiled=compiled).run()


class _Rounds:
    def __init__(self, store: Store, question: Question, *, compiled: bool) -> None:
        self.store = store
        self.question = question
        self.compiled = compiled
        self.copies = question.texts.select("k", "o")
        self.contents: Any = None
        self.survivors: list[Any] = []
        self.pairs: list[Any] = []

    def table(self, name: str, frame: Any) -> Any:
        """`frame` as a table of this question."""
        return self.store.table(f"{self.question.name}-{name}", frame)

    def run(self) -> Survival:
        """All rounds, and what they add up to."""
        entries = self.first()
        number = 0
        while entries.where(f"status = {_UNDECIDED}").limit(1).count():
            entries = self.round(entries, number)
            number += 1
        return self.result(number)

    def first(self) -> Any:
        """One row per key and bucket that it shares with another key."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        grouped = self.question.texts.groupBy("k").agg(
            f.min("o").alias("o"), f.max("o").alias("last"), f.first("buckets").alias("buckets")
        )
        every = grouped.select("k", "o", "last", f.posexplode("buckets").alias("band", "bucket"))
        every = every.selectExpr("shiftleft(cast(band as bigint), 32) | bucket as b", "k", "o", "last")
        several = every.groupBy("b").count().where("count > 1").select("b")
        shared = self.table("shared", every.join(several, "b"))
        mine = self.question.keys.join(shared.select("k").distinct(), "k", "left_semi")
        mine = mine.groupBy("k").agg(f.first("key").alias("key"))
        self.contents = self.table("contents", contents(mine, self.question.n, compiled=self.compiled))
        told = shared.join(self.contents.select("k", "size", "print"), "k")
        return self.table("entries", told.selectExpr("*", f"{_UNDECIDED} as status"))

    def round(self, entries: Any, number: int) -> Any:
        """The entries after one more round; those of buckets where all is decided are gone."""
        from pyspark.sql import Window  # noqa: PLC0415
        from pyspark.sql import functions as f  # noqa: PLC0415

        window = _WIDER**number
        place = f.row_number().over(Window.partitionBy("b").orderBy("o"))
        undecided = entries.where(f"status = {_UNDECIDED}").withColumn("place", place)
        eligible = (
            undecided.groupBy("k", "o", "last", "size", "print")
            .agg(f.max("place").alias("place"))
            .where(f"place <= {window}")
            .drop("place")
        )
        if window > 1:
            inside = undecided.where(f"place <= {window}").drop("place", "status", "last")
            later = inside.join(eligible.select("k"), "k", "left_semi")
            blocked = self.matching(_met(inside, later, "x.o < y.o")).select(f.col("y").alias("k")).distinct()
            eligible = eligible.join(blocked, "k", "left_anti")
        new = self.table(f"survivors-{number}", eligible)
        assert new.limit(1).count(), "a round decides the first of the undecided, if nothing else"
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
        from pyspark.sql import functions as f  # noqa: PLC0415

        orders = (
            entries.where(f"status = {_UNDECIDED}").select(f.col("k").alias("y"), f.col("o").alias("mine")).distinct()
        )
        orders = orders.join(new.select(f.col("k").alias("y")), "y", "left_anti")
        pairs = self.pairs[-1].where("similarity is not null").join(orders, "y")
        gone = (
            pairs.where("o < mine and o.a <> mine.a")
            .groupBy("y")
            .agg(f.first("mine").alias("mine"), f.min("o.a").alias("home"))
        )
        # the first text of the same key in the article of the survivor, where nothing else goes against it
        copies = self.copies.select(f.col("k").alias("y"), f.col("o").alias("next"))
        nexts = (
            gone.join(copies, "y").where("next.a = home and next > mine").groupBy("y").agg(f.min("next").alias("next"))
        )
        against = nexts.join(self.matches(), "y").where("o < next and o.a <> next.a").select("y").distinct()
        nexts = nexts.join(against, "y", "left_anti")
        changes = (
            gone.select("y")
            .join(nexts, "y", "left")
            .selectExpr("y as k", "next", f"case when next is null then {_GOES} else {_UNDECIDED} end as becomes")
        )
        changes = changes.unionByName(new.selectExpr("k", f"cast(null as {ORDER}) as next", f"{_SURVIVES} as becomes"))
        changed = entries.join(changes, "k", "left").selectExpr(
            "b", "k", "coalesce(next, o) as o", "last", "size", "print", "coalesce(becomes, status) as status"
        )
        open_ = changed.where(f"status = {_UNDECIDED}").select("b").distinct()
        return changed.join(open_, "b", "left_semi")

    def matches(self) -> Any:
        """All matches of survivors so far."""
        found = self.pairs[0]
        for one in self.pairs[1:]:
            found = found.unionByName(one)
        return found.where("similarity is not null").drop("x")

    def result(self, rounds: int) -> Survival:
        """The verdict on every text that goes, and what it took."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        keys = self.copies.groupBy("k").agg(f.min("o").alias("first"), f.count("*").alias("copies"))
        if not rounds:
            keys = keys.where("copies > 1").selectExpr("k", "first as stays")
            equal = self.copies.join(keys, "k").where("o > stays and o.a <> stays.a")
            made = equal.selectExpr(
                "o", "stays as twin", "1D as similarity", "true as equal", "0 as met", "0 as matched", "stays"
            )
            return self.summed(made, 0, rounds)
        survivors, pairs = self.survivors[0], self.pairs[0]
        for one, two in zip(self.survivors[1:], self.pairs[1:], strict=True):
            survivors, pairs = survivors.unionByName(one), pairs.unionByName(two)
        survivors = survivors.selectExpr("k", "o as stays")
        meeting = self.contents.select("k", f.expr("true").alias("meets"))
        keys = keys.join(survivors, "k", "left").join(meeting, "k", "left")
        keys = keys.selectExpr("k", "first", "copies", "case when meets then stays else first end as stays")
        # a key that survives at once has met only those before its first text
        single = pairs.selectExpr("y as k", "o").join(keys.where("stays = first").select("k", "first"), "k")
        met = single.where("o < first and o.a <> first.a").count()
        others = keys.where("stays is null or stays > first or copies > 1").select("k", "first", "stays")
        told = pairs.join(others.where("stays is null or stays > first").selectExpr("k as y"), "y", "left_semi")
        told = told.groupBy(f.col("y").alias("k")).agg(f.collect_list(f.struct("o", "similarity")).alias("met"))
        texts = self.copies.join(others.join(told, "k", "left"), "k")
        mine = "filter(met, one -> one.o < o and one.o.a <> o.a)"
        texts = texts.selectExpr("o", "first", "stays", f"case when stays is null or o <= stays then {mine} end as met")
        texts = texts.selectExpr(
            "o", "stays", "met", "filter(met, one -> one.similarity is not null) as matched", "first"
        ).where("stays is null or stays > first or o > stays")
        best = "array_max(transform(matched, one -> struct(one.similarity, -one.o.r, -one.o.a, -one.o.i)))"
        texts = texts.selectExpr("*", f"{best} as best", "coalesce(o > stays, false) as equal")
        texts = texts.where("stays is null or o <> stays or met is not null").selectExpr(
            "o",
            "case when equal then stays when best is not null then "
            f"cast(struct(-best.col2, -best.col3, cast(-best.col4 as int)) as {ORDER}) end as twin",
            "case when equal then 1D else best.similarity end as similarity",
            "equal",
            "coalesce(size(met), 0) as met",
            "coalesce(size(matched), 0) as matched",
            "stays",
        )
        texts = texts.where("not equal or o.a <> stays.a")
        return self.summed(texts, met, rounds)

    def summed(self, texts: Any, met: int, rounds: int) -> Survival:
        """The verdicts as a table, and their counts."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        lost = "cast(twin is null and (stays is null or o < stays) as int) as lost"
        table = self.table("verdicts", texts.selectExpr("o", "twin", "similarity", "equal", "met", "matched", lost))
        row = table.agg(f.sum("met"), f.sum("matched"), f.sum("lost")).first()
        assert not row[2], f"{row[2]} texts are left undecided"
        verdicts = table.where("twin is not null").select("o", "twin", "similarity", "equal")
        return Survival(verdicts, met + int(row[0] or 0), int(row[1] or 0), rounds)


_SIZES = ("size_x", "print_x", "size_y", "print_y")


def _met(ones: Any, others: Any, condition: str, more: tuple[str, ...] = ()) -> Any:
    """The distinct pairs of keys that share a bucket: ``x, y``, their sizes and prints, and more columns."""
    joined = ones.alias("x").join(others.alias("y"), "b").where(condition)
    sizes = ("x.size as size_x", "x.print as print_x", "y.size as size_y", "y.print as print_y")
    return joined.selectExpr("x.k as x", "y.k as y", *sizes, *more).dropDuplicates(["x", "y"])
