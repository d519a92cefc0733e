"""Match articles with equal or similar articles on Spark: the rules of `dedup.match.articles`."""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.match.form_names import SHORT_FORM
from dedup.match.policy import (
    DUPLICATE,
    NEAR_DUPLICATE,
    NO_DATE,
    SAME_FORM,
    copies_repeat_first,
    inactive_codes,
    is_guarded,
    missing_dates_error,
    removing_codes,
)
from dedup.prepare.compared_texts import COMPARED_TEXT_COLUMNS
from dedup.segment.batch import DIGEST_BYTES
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.spark.prepare import IS_KNOWN, IS_NEW
from dedup.spark.survivor_rounds import SurvivorQuery, survivor_rounds
from dedup.spark.tables import TableStore


class SparkArticleMatches(NamedTuple):
    """What articles repeat.

    `verdicts` has the columns ``aid, rule, twin, similarity, evidence`` of each article that repeats another; ``rule``
    is a code of `dedup.match.policy`. `candidates` and `matches` count pairs of articles.
    """

    verdicts: Any
    candidates: int
    matches: int


def match_articles(
    store: TableStore, prepared: Any, removed: Any, settings: Settings, *, has_known: bool, compiled: bool
) -> SparkArticleMatches:
    """Match every article of `prepared` with the equal or most similar article that stays.

    `removed`, a table with ``aid``, or None, has articles that are dropped already and compared with nothing. With
    `has_known`, some articles may be known: these stay. Raises `SettingsError` if articles are to be kept by date and
    none has a date.
    """
    articles = prepared.where("error is null and words > 0")
    if removed is not None:
        articles = articles.join(removed, "aid", "left_anti")
    key = f"{_key_sql(settings)} as k"
    order = f"struct({_priority_sql(articles, prepared, settings)} as r, aid as a, 0 as i) as o"
    query = SurvivorQuery(
        "articles",
        articles.selectExpr(key, order, "buckets"),
        articles.selectExpr(key, order, "key"),
        ARTICLE_SHINGLE,
        settings.least_article_similarity,
        several_per_article=False,
        known_survive=has_known,
        forms=(articles.selectExpr(key, order, "title", *COMPARED_TEXT_COLUMNS), settings.rules, settings.threshold)
        if is_guarded(settings)
        else None,
    )
    survival = survivor_rounds(store, query, compiled=compiled)
    rule = (
        f"cast(case when not drops then {SAME_FORM} when equal then {DUPLICATE} else {NEAR_DUPLICATE} end "
        "as tinyint) as rule"
    )
    verdicts = survival.verdicts.selectExpr("o.a as aid", rule, "twin.a as twin", "similarity", "evidence")
    if copies_repeat_first(settings):
        copies = _copies(query.texts)
        verdicts = verdicts.join(copies.select("aid"), "aid", "left_anti").unionByName(copies)
    for code in inactive_codes(settings):
        verdicts = verdicts.where(f"rule <> {code}")
    verdicts = store.save("articles", verdicts)
    return SparkArticleMatches(verdicts, survival.candidates, survival.matches)


def _copies(texts: Any) -> Any:
    """Return verdicts by which each article after the first of an equal key repeats the first one."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    texts = texts.select("k", "o")  # of known articles, too
    firsts = texts.groupBy("k").agg(f.min("o").alias("first"), f.count("*").alias("copies")).where("copies > 1")
    return (
        texts.join(firsts, "k")
        .where("o > first and o.a >= 0")
        .selectExpr(
            "o.a as aid",
            f"cast({DUPLICATE} as tinyint) as rule",
            "first.a as twin",
            "1D as similarity",
            "cast(null as string) as evidence",
        )
    )


def _key_sql(settings: Settings) -> str:
    """Return an SQL expression for the key of an article: its digest, with its title behind it if the text is short."""
    if not is_guarded(settings):
        return "digest"
    title = f"unhex(substring(sha2(title, 256), 1, {2 * DIGEST_BYTES}))"
    return f"case when words < {SHORT_FORM} and title is not null then concat(digest, {title}) else digest end"


def _priority_sql(articles: Any, prepared: Any, settings: Settings) -> str:
    """Return an SQL expression for the priority of an article; the smallest is decided first, so known ones are."""
    if settings.keep == "first":
        return "0L"
    if settings.keep == "longest":
        return f"case when {IS_KNOWN} then -{NO_DATE}L else -length end"
    dated = prepared.where(f"date is not null and {IS_NEW}")
    if articles.where(IS_NEW).limit(1).count() and not dated.limit(1).count():
        raise missing_dates_error(settings)
    sign = "" if settings.keep == "earliest" else "-"
    return f"case when {IS_KNOWN} then -{NO_DATE}L else coalesce({sign}date, {NO_DATE}L) end"


def dropped_articles(verdicts: Any, settings: Settings) -> Any:
    """Return the column ``aid`` of the articles that `verdicts` remove from the output."""
    codes = (-1, *removing_codes(settings))  # -1 is no code; SQL has no empty list
    return verdicts.where(f"rule in ({', '.join(map(str, codes))})").select("aid")
