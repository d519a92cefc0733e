"""Which articles repeat which: duplicates and near-duplicates, in rounds."""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.errors import SettingsError
from dedup.match.policy import ARTICLE_MATCH_RULES, CONTAINED, DUPLICATE, NEAR_DUPLICATE
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.spark.survivor_rounds import SurvivorQuery, survivor_rounds
from dedup.spark.tables import TableStore

_LAST = (1 << 63) - 1  # a date behind all others


class SparkArticleMatches(NamedTuple):
    """`verdicts` has ``aid, rule, twin, similarity, evidence`` of each article that repeats another."""

    verdicts: Any
    candidates: int
    matches: int
    rounds: int


def match_articles(store: TableStore, prepared: Any, settings: Settings, *, compiled: bool) -> SparkArticleMatches:
    """What becomes of articles. Raises `SettingsError` where they are to be kept by date and none has one."""
    articles = prepared.where("error is null and words > 0")
    order = f"struct({_rank(articles, prepared, settings)} as r, aid as a, 0 as i) as o"
    question = SurvivorQuery(
        "articles",
        articles.selectExpr("digest as k", order, "buckets"),
        articles.selectExpr("digest as k", order, "key"),
        ARTICLE_SHINGLE,
        settings.threshold,
        parts=False,
    )
    found = survivor_rounds(store, question, compiled=compiled)
    rule = f"cast(case when equal then {DUPLICATE} else {NEAR_DUPLICATE} end as tinyint) as rule"
    verdicts = found.verdicts.selectExpr("o.a as aid", rule, "twin.a as twin", "similarity")
    if (
        settings.rules[ARTICLE_MATCH_RULES[NEAR_DUPLICATE]] != "drop"
    ):  # the first of equal articles stays, so the others repeat it
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
        if settings.rules[ARTICLE_MATCH_RULES[number]] == "off":
            verdicts = verdicts.where(f"rule <> {number}")
    verdicts = store.table("articles", verdicts.selectExpr("*", "cast(null as string) as evidence"))
    return SparkArticleMatches(verdicts, found.candidates, found.matches, found.rounds)


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


def dropped_articles(verdicts: Any, settings: Settings) -> Any:
    """The ``aid`` of each article that is dropped."""
    numbers = [
        number
        for number in (DUPLICATE, NEAR_DUPLICATE, CONTAINED)
        if settings.rules[ARTICLE_MATCH_RULES[number]] == "drop"
    ]
    return verdicts.where(f"rule in ({', '.join(map(str, [-1, *numbers]))})").select("aid")
