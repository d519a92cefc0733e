"""Decide in rounds which texts survive, where no single machine could hold all texts.

The result is that of the loop in docs/design.md. A text is known by its order ``o``, a struct ``(r, a, i)`` of
priority, article and paragraph; texts of one article never match. Texts with equal comparison keys and facts share one
key ``k``, which begins with their digest, and only keys are compared. Paragraphs that differ in nothing but facts never
match; the first halves of their digests are equal.

Each round opens a window on the first undecided keys of every bucket: four keys in the first round, and four times as
many in each one after it. A key survives if it is inside the window of all its buckets and matches no undecided key
before it. Keys that share a bucket with a new survivor are compared with it, and dropped if they match. A match of the
same form with other facts, or of another story, neither drops a key nor makes it wait. All other keys wait for the next
round. So members of a bucket are compared with survivors, as in the loop, and with each other only as far as the window
reaches.

Known articles have numbers below 0. They survive before the first round, and never match each other. Their paragraphs
are decided like all others.

Dropping a key does not decide all of its texts: those in the article of the survivor itself cannot match it. The first
of these texts takes the place of its key, and a later round decides it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dedup.segment.batch import DIGEST_BYTES
from dedup.segment.digests import WORDING_BYTES
from dedup.spark.form_evidence import judge_matches, rebuild_texts
from dedup.spark.pair_similarity import common_shingles, summarize_keys
from dedup.spark.rare_shingles import shrink_large_buckets
from dedup.spark.tables import TableStore, union_all

ORDER = "struct<r:bigint,a:bigint,i:int>"
_WINDOW_GROWTH = 4  # times as many keys, each round
_UNDECIDED_STATE, _SURVIVES, _DROPPED = 0, 1, 2


class SparkSurvival(NamedTuple):
    """What `survivor_rounds` decided.

    `verdicts` has the columns ``o, twin, similarity, equal, drops, evidence`` for each text that repeats a survivor.
    `equal` is true if their digests are equal. Unless `drops`, the text survives: it has other facts than its twin.
    `candidates` counts the pairs that share a bucket; the number of matches is that of the loop.
    """

    verdicts: Any
    candidates: int
    matches: int


class SurvivorQuery(NamedTuple):
    """The texts to decide on, and how.

    `texts` has the columns ``k, o, buckets`` of each text, `keys` its ``k, o, key``; `shingle_words` is the number of
    words in a shingle. With `several_per_article`, an article may have several texts, and keys that differ in nothing
    but facts never match. With `known_survive`, the texts of known articles come first and survive. Where forms matter,
    `forms` has ``k, o, title`` and `dedup.prepare.compared_texts.COMPARED_TEXT_COLUMNS` of each text, the actions of
    the rules, and the similarity below which only texts of the same story match.
    """

    name: str
    texts: Any
    keys: Any
    shingle_words: int
    threshold: float
    several_per_article: bool
    known_survive: bool = False
    forms: tuple[Any, Mapping[str, str], float] | None = None


def survivor_rounds(store: TableStore, query: SurvivorQuery, *, compiled: bool) -> SparkSurvival:
    """Return which texts of `query` repeat a survivor, and which survivor each repeats."""
    return _Rounds(store, query, compiled=compiled).run()


class _Rounds:
    """The rounds of one query, and the tables that they add up to.

    An entry is one key in one bucket that it shares: ``b, k, o, last, size, parities, status``. ``o`` is the first
    undecided text of the key, ``last`` its last one.
    """

    def __init__(self, store: TableStore, query: SurvivorQuery, *, compiled: bool) -> None:
        self.store = store
        self.query = query
        self.compiled = compiled
        self.may_match = different_wordings_sql("x.k", "y.k") if query.several_per_article else "true"
        if query.known_survive:
            self.may_match += " and y.o.a >= 0"
        self.keys: Any = None
        self.copies: Any = None
        self.summaries: Any = None
        self.compared: Any = None  # the texts of keys, where forms are looked at
        self.survivors: list[Any] = []  # a table for each round
        self.pairs: list[Any] = []  # a table for each round

    def save(self, name: str, frame: Any) -> Any:
        """Save `frame` as a table of this query."""
        return self.store.save(f"{self.query.name}-{name}", frame)

    def run(self) -> SparkSurvival:
        """Run all rounds and return their result."""
        entries = self.first_entries()
        if self.query.known_survive and not entries.isEmpty():
            entries = self.let_known_survive(entries)
        number = 0
        while not entries.isEmpty():
            entries = self.run_round(entries, number)
            number += 1
        return self.result() if self.survivors else self.result_without_rounds()

    def first_entries(self) -> Any:
        """Return the entries before the first round, and set `keys`, `copies` and `summaries`."""
        from pyspark.sql import Window  # noqa: PLC0415 - an extra
        from pyspark.sql import functions as f  # noqa: PLC0415

        texts = self.query.texts
        keys = texts.groupBy("k").agg(
            f.min("o").alias("o"),
            f.max("o").alias("last"),
            f.count("*").alias("copies"),
            f.min_by("buckets", "o").alias("buckets"),  # stored articles that are copies have none
        )
        self.keys = self.save("keys", keys)
        repeated = self.keys.where("copies > 1").select("k")
        self.copies = self.save("copies", texts.select("k", "o").join(repeated, "k", "left_semi"))
        # Most rows of this sort share no bucket with another key, so they hold a bucket and a key and nothing else.
        members = self.keys.select("k", f.posexplode("buckets").alias("band", "bucket"))
        members = members.selectExpr("shiftleft(cast(band as bigint), 32) | bucket as b", "k")
        member_count = f.count("*").over(Window.partitionBy("b"))
        shared = self.save("shared", members.withColumn("members", member_count).where("members > 1"))
        # Of equal texts only the first is read, found by its own order: no task receives all copies of an article.
        first_texts = self.query.keys.join(self.keys.select("o"), "o", "left_semi")
        shared = shrink_large_buckets(
            self.store,
            self.query.name,
            shared,
            self.keys.select("k", "buckets"),
            first_texts,
            self.query.shingle_words,
            self.query.threshold,
            compiled=self.compiled,
        )
        orders = self.keys.select("k", "o", "last").join(shared.select("k").distinct(), "k", "left_semi")
        first_texts = self.query.keys.join(orders.select("o"), "o", "left_semi")
        summaries = summarize_keys(first_texts, self.query.shingle_words, compiled=self.compiled)
        self.summaries = self.save("summaries", summaries)
        if self.query.forms is not None:
            articles, rules, _ = self.query.forms
            first_articles = articles.join(orders.select("o"), "o", "left_semi")
            self.compared = self.save("compared", rebuild_texts(first_articles, rules))
        entries = shared.join(orders.join(self.summaries.select("k", "size", "parities"), "k"), "k")
        entries = entries.select("b", "k", "o", "last", "size", "parities")
        return self.save("entries", entries.selectExpr("*", f"{_UNDECIDED_STATE} as status"))

    def let_known_survive(self, entries: Any) -> Any:
        """Return the entries after the keys of known articles have survived, and have met all other keys."""
        new = entries.where("o.a < 0").select(*_KEY_COLUMNS).distinct()
        return self.let_survive(entries, self.save("survivors-known", new), "known")

    def run_round(self, entries: Any, number: int) -> Any:
        """Run one round and return the entries after it, without the buckets in which all keys are decided."""
        from pyspark.sql import Window  # noqa: PLC0415
        from pyspark.sql import functions as f  # noqa: PLC0415

        window = _WINDOW_GROWTH ** (number + 1)
        place = f.row_number().over(Window.partitionBy("b").orderBy("o"))
        last_place = f.max("place").over(Window.partitionBy("k"))
        undecided = entries.where(f"status = {_UNDECIDED_STATE}")
        placed = undecided.withColumn("place", place).withColumn("last_place", last_place)
        inside = self.save(f"inside-{number}", placed.where(f"place <= {window}").drop("status"))
        inside_everywhere = inside.where(f"last_place <= {window}")
        eligible = inside_everywhere.select(*_KEY_COLUMNS).distinct()
        earlier_pairs = _bucket_pairs(inside, inside_everywhere, f"x.o < y.o and {self.may_match}")
        blocked = self.matching(earlier_pairs).where("drops").select(f.col("y").alias("k")).distinct()
        new = self.save(f"survivors-{number}", eligible.join(blocked, "k", "left_anti"))
        assert not new.isEmpty(), "each round decides at least the first undecided key"
        return self.let_survive(entries, new, str(number))

    def let_survive(self, entries: Any, new: Any, round_name: str) -> Any:
        """Return the entries after the keys `new` have survived, without the buckets in which all keys are decided."""
        self.survivors.append(new)
        self.pairs.append(self.pairs_with_survivors(entries, new, round_name))
        return self.save(f"entries-{round_name}", self.entries_after(entries, new))

    def pairs_with_survivors(self, entries: Any, new: Any, round_name: str) -> Any:
        """Return the pairs of a new survivor ``x``, of order ``o``, and another key ``y`` in one of its buckets.

        ``similarity`` is null where they do not match; ``drops`` is true if the survivor drops the key.
        """
        from pyspark.sql import functions as f  # noqa: PLC0415

        survivor_entries = entries.join(new.select("k"), "k", "left_semi").drop("status", "last")
        condition = f"x.k <> y.k and x.o < y.last and {self.may_match}"
        pairs = _bucket_pairs(survivor_entries, entries, condition, ("x.o as o", "y.status"))
        pairs = pairs.join(new.select(f.col("k").alias("y"), f.expr("true").alias("survives")), "y", "left")
        status = f"case when survives then {_SURVIVES} else status end as status"
        pairs = self.save(f"candidates-{round_name}", pairs.selectExpr("x", "y", "o", status, *_PAIR_COLUMNS))
        # Survivors match no survivor before them, unless they have one form.
        matches = self.matching(pairs.where(f"status <> {_SURVIVES}") if self.compared is None else pairs)
        return self.save(f"pairs-{round_name}", pairs.select("x", "y", "o").join(matches, ["x", "y"], "left"))

    def matching(self, pairs: Any) -> Any:
        """Return the pairs ``x, y`` whose exact ``similarity`` reaches the threshold, and what `judge_matches` says."""
        least = self.query.threshold
        # Sizes alone rule out most pairs, and parities of hashes most of the others: each bit that differs stands for
        # at least one shingle that only one of the keys has.
        pairs = pairs.where(
            f"size_x > 0 and size_y > 0 and least(size_x, size_y) / greatest(size_x, size_y) >= {least!r}D"
        ).where(
            "bit_count(parities_x ^ parities_y) <= "
            f"size_x + size_y - 2 * (ceil({least!r}D * (size_x + size_y) / (1 + {least!r}D)) - 2)"
        )
        compared = common_shingles(pairs, self.summaries, self.query.shingle_words, least, compiled=self.compiled)
        compared = compared.selectExpr("x", "y", "common / (size_x + size_y - common) as similarity")
        matches = compared.where(f"similarity >= {least!r}D")
        if self.compared is None or self.query.forms is None:
            return matches.selectExpr("*", "true as drops", "cast(null as string) as evidence")
        return judge_matches(matches, self.compared, self.query.forms[2], compiled=self.compiled)

    def entries_after(self, entries: Any, new: Any) -> Any:
        """Return the entries with the decisions of the last round, whose survivors are `new`."""
        from pyspark.sql import Window  # noqa: PLC0415
        from pyspark.sql import functions as f  # noqa: PLC0415

        matches = self.pairs[-1].where("drops")
        if self.query.several_per_article:
            changes = self.changes_by_article(entries, new, matches)
        else:
            changes = matches.selectExpr("y as k", f"cast(null as {ORDER}) as next", f"{_DROPPED} as becomes")
            changes = changes.distinct()
        survivors = new.selectExpr("k", f"cast(null as {ORDER}) as next", f"{_SURVIVES} as becomes")
        changed = entries.join(changes.unionByName(survivors), "k", "left").selectExpr(
            "b", "k", "coalesce(next, o) as o", "last", "size", "parities", "coalesce(becomes, status) as status"
        )
        least_status = f.min("status").over(Window.partitionBy("b"))
        return changed.withColumn("least", least_status).where(f"least = {_UNDECIDED_STATE}").drop("least")

    def changes_by_article(self, entries: Any, new: Any, matches: Any) -> Any:
        """Return what becomes of the keys that match a new survivor: ``k, next, becomes``.

        ``next`` is the text of the same key in the article of that survivor, which is still undecided.
        """
        from pyspark.sql import functions as f  # noqa: PLC0415

        undecided = entries.where(f"status = {_UNDECIDED_STATE}")
        orders = undecided.select(f.col("k").alias("y"), f.col("o").alias("current")).distinct()
        orders = orders.join(new.select(f.col("k").alias("y")), "y", "left_anti")
        dropped = (
            matches.join(orders, "y")
            .where("o < current and o.a <> current.a")
            .groupBy("y")
            .agg(f.first("current").alias("current"), f.min("o.a").alias("survivor_article"))
        )
        # The first text of the same key in the article of the survivor, unless another survivor matches it.
        copies = self.copies.select(f.col("k").alias("y"), f.col("o").alias("next"))
        nexts = (
            dropped.join(copies, "y")
            .where("next.a = survivor_article and next > current")
            .groupBy("y")
            .agg(f.min("next").alias("next"))
        )
        nexts = self.save(f"next-{len(self.pairs)}", nexts)
        all_matches = union_all(self.pairs).where("similarity is not null").drop("x")
        matched = nexts.join(all_matches, "y").where("o < next and o.a <> next.a").select("y").distinct()
        nexts = nexts.join(matched, "y", "left_anti")
        becomes = f"case when next is null then {_DROPPED} else {_UNDECIDED_STATE} end as becomes"
        return dropped.select("y").join(nexts, "y", "left").selectExpr("y as k", "next", becomes)

    def result_without_rounds(self) -> SparkSurvival:
        """Return the verdicts where no two keys share a bucket: only equal keys repeat each other."""
        survivors = self.keys.where("copies > 1").selectExpr("k", "o as survivor")
        return self.summarize(self.equal_key_verdicts(self.copies.join(survivors, "k")))

    def result(self) -> SparkSurvival:
        """Return the verdicts after at least one round."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        keys = self.keys.selectExpr("k", "o as first", "copies")
        keys = keys.join(union_all(self.survivors).selectExpr("k", "o as survivor"), "k", "left")
        keys = keys.join(self.summaries.select("k", f.expr("true").alias("compared")), "k", "left")
        keys = keys.where("compared or copies > 1").selectExpr(
            "k",
            "first",
            "copies",
            "coalesce(compared, false) as compared",
            "case when compared then survivor else first end survivor",
        )
        keys = self.save("key-survivors", keys)
        texts = self.copies.join(keys.drop("first", "copies"), "k")
        texts = texts.unionByName(keys.where("copies = 1").selectExpr("k", "first as o", "compared", "survivor"))
        # The candidates of a text are counted and their best is kept; there may be too many for a list.
        pairs = union_all(self.pairs).selectExpr(
            "y as k", "o as before", "similarity", "drops", "evidence", equal_digests_sql("x", "y")
        )
        decided = texts.where("compared and (survivor is null or o <= survivor)").alias("text")
        condition = f.expr("text.k = pair.k and before < o and before.a <> o.a")
        met = decided.join(pairs.alias("pair"), condition, "left")
        # A match that drops the text is the best one, whatever its similarity.
        best = (
            "case when similarity is not null then "
            "struct(drops, similarity, -before.r, -before.a, -before.i, evidence, equal) end"
        )
        met = met.groupBy("o", "survivor").agg(
            f.count("before").alias("met"), f.count("similarity").alias("matched"), f.max(f.expr(best)).alias("best")
        )
        verdicts = met.selectExpr(
            "o",
            "case when best.drops or best.evidence is not null then "
            f"cast(struct(-best.col3, -best.col4, cast(-best.col5 as int)) as {ORDER}) end as twin",
            "best.similarity as similarity",
            "best.equal as equal",
            "best.drops as drops",
            "best.evidence as evidence",
            "met",
            "matched",
            "survivor",
        )
        return self.summarize(verdicts.unionByName(self.equal_key_verdicts(texts)))

    def summarize(self, verdicts: Any) -> SparkSurvival:
        """Save `verdicts` and return them with their counts; check that every text is decided."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        undecided = "cast(twin is null and (survivor is null or o < survivor) as int) as undecided"
        table = self.save(
            "verdicts",
            verdicts.selectExpr("o", "twin", "similarity", "equal", "drops", "evidence", "met", "matched", undecided),
        )
        candidates, matches, undecided_count = table.agg(f.sum("met"), f.sum("matched"), f.sum("undecided")).first()
        if undecided_count:
            raise AssertionError(f"{undecided_count} {self.query.name} are left undecided")
        repeats = table.where("twin is not null").select("o", "twin", "similarity", "equal", "drops", "evidence")
        return SparkSurvival(repeats, int(candidates or 0), int(matches or 0))

    def equal_key_verdicts(self, texts: Any) -> Any:
        """Return the verdicts on texts that come after the surviving text of their key, in another article."""
        equal = texts.where("o > survivor and o.a <> survivor.a")
        if self.query.known_survive:
            equal = equal.where("o.a >= 0")
        return equal.selectExpr(
            "o",
            "survivor as twin",
            "1D as similarity",
            "true as equal",
            "true as drops",
            "cast(null as string) as evidence",
            "0L as met",
            "0L as matched",
            "survivor",
        )


def equal_digests_sql(key: str, other: str) -> str:
    """Return an SQL expression ``equal`` that is true for two keys of texts with equal words and facts."""
    return f"substring({key}, 1, {DIGEST_BYTES}) = substring({other}, 1, {DIGEST_BYTES}) as equal"


def different_wordings_sql(digest: str, other: str) -> str:
    """Return an SQL expression that is true for two digests of different comparison keys, whatever their facts."""
    return f"substring({digest}, 1, {WORDING_BYTES}) <> substring({other}, 1, {WORDING_BYTES})"


_KEY_COLUMNS = ("k", "o", "last", "size", "parities")
_PAIR_COLUMNS = ("size_x", "parities_x", "size_y", "parities_y")


def _bucket_pairs(left: Any, right: Any, condition: str, more: tuple[str, ...] = ()) -> Any:
    """Return the distinct pairs of an entry of `left` and one of `right` that share a bucket and meet `condition`.

    Columns: the keys ``x, y``, `_PAIR_COLUMNS`, and the expressions `more`.
    """
    joined = left.alias("x").join(right.alias("y"), "b").where(condition)
    sizes = ("x.size as size_x", "x.parities as parities_x", "y.size as size_y", "y.parities as parities_y")
    return joined.selectExpr("x.k as x", "y.k as y", *sizes, *more).dropDuplicates(["x", "y"])
