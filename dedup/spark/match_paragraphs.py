"""Paragraphs across articles: boilerplate, then paragraphs that another article that stays has too."""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.match.policy import BOILERPLATE, SHARED
from dedup.prepare.batch import SHARED_WORDS
from dedup.settings import PARAGRAPH_SHINGLE, Settings
from dedup.spark.match_boilerplate import HOST, match_boilerplate
from dedup.spark.survivor_rounds import SurvivorQuery, survivor_rounds
from dedup.spark.tables import TableStore


class SparkParagraphMatches(NamedTuple):
    """`verdicts` has ``a, i, rule, twin_a, twin_i, similarity, evidence`` of paragraphs that repeat another."""

    verdicts: Any
    candidates: int
    matches: int
    rounds: int


def match_paragraphs(store: TableStore, kept: Any, settings: Settings, *, compiled: bool) -> SparkParagraphMatches:
    """What becomes of the paragraphs of the articles `kept`."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    both = f.posexplode(f.arrays_zip("paragraphs", "paragraph_buckets")).alias("i", "one")
    every = kept.select("aid", f.expr(HOST).alias("h"), "key", both).selectExpr(
        "aid as a",
        "i",
        "h",
        "one.paragraphs.digest as k",
        "one.paragraphs.words as words",
        "one.paragraphs.size as size",
        "one.paragraphs.needed as needed",
        "one.paragraphs.key_start as key_start",
        "one.paragraphs.key_stop as key_stop",
        "one.paragraph_buckets as buckets",
        "key",
    )
    verdicts = _none(store)
    present = every.where(f"words >= {SHARED_WORDS}")
    if settings.rules["boilerplate"] != "off":
        found = match_boilerplate(store, kept, every.drop("key", "buckets"))
        verdicts = found.selectExpr(
            "a", "i", f"cast({BOILERPLATE} as tinyint) as rule", "twin_a", "twin_i", "1D as similarity", "evidence"
        )
        # the copy that stays for them is not dropped for another
        taken = found.select("a", "i").unionByName(found.selectExpr("twin_a as a", "twin_i as i")).distinct()
        present = present.join(taken, ["a", "i"], "left_anti")
    if settings.rules["shared-paragraph"] == "off":
        return SparkParagraphMatches(store.table("paragraphs", verdicts), 0, 0, 0)
    order, key = "struct(0L as r, a, i) as o", "cast(key_start + 1 as int), cast(key_stop - key_start as int)"
    question = SurvivorQuery(
        "paragraphs",
        present.selectExpr("k", order, "buckets"),
        present.selectExpr("k", order, f"substring(key, {key}) as key"),
        PARAGRAPH_SHINGLE,
        settings.paragraph_threshold,
        parts=True,
    )
    shared = survivor_rounds(store, question, compiled=compiled)
    told = shared.verdicts.selectExpr(
        "o.a as a",
        "o.i as i",
        f"cast({SHARED} as tinyint) as rule",
        "twin.a as twin_a",
        "twin.i as twin_i",
        "similarity",
        "cast(null as string) as evidence",
    )
    if settings.rules["shared-paragraph"] == "drop":  # the twin of a drop within its article stays
        needed = every.where("needed <> 0").select("a", "i")
        told = told.join(needed, ["a", "i"], "left_anti")
    return SparkParagraphMatches(
        store.table("paragraphs", verdicts.unionByName(told)), shared.candidates, shared.matches, shared.rounds
    )


def _none(store: TableStore) -> Any:
    columns = "a bigint, i int, rule tinyint, twin_a bigint, twin_i int, similarity double, evidence string"
    return store.session.createDataFrame([], columns)
