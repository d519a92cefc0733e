"""Match paragraphs across articles on Spark: the rules of `dedup.match.paragraphs`."""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.match.policy import SAME_FORM, SHARED_PARAGRAPH, keeps_similar_paragraphs, protected_roles
from dedup.prepare.batch import SHARED_WORDS
from dedup.rules import OFF
from dedup.settings import PARAGRAPH_SHINGLE, Settings
from dedup.spark.match_boilerplate import HOST_SQL
from dedup.spark.survivor_rounds import SparkSurvival, SurvivorQuery, survivor_rounds
from dedup.spark.tables import TableStore

_VERDICT_COLUMNS = "a bigint, i int, twin_a bigint, twin_i int, similarity double"


class SparkParagraphMatches(NamedTuple):
    """What paragraphs repeat.

    `verdicts` has the columns ``a, i, twin_a, twin_i, similarity`` of each paragraph that repeats another: article and
    number of both. `copies` are all paragraphs that repeat another one, ``a, i``: also those of known articles, and
    those that stay for another reason. `candidates` and `matches` count pairs of paragraphs.
    """

    verdicts: Any
    copies: Any
    candidates: int
    matches: int


def match_paragraphs(
    store: TableStore, kept: Any, site_text: Any, articles: Any, settings: Settings, *, compiled: bool
) -> SparkParagraphMatches:
    """Match the paragraphs of the prepared articles `kept`; those of known ones can repeat others, but never match.

    `site_text` are the lines of site text, ``a, i``, which are not compared, and `articles` the verdicts on articles.
    """
    if settings.rules[SHARED_PARAGRAPH] == OFF:
        verdicts = store.save("paragraphs", store.session.createDataFrame([], _VERDICT_COLUMNS))
        return SparkParagraphMatches(verdicts, verdicts.select("a", "i"), 0, 0)
    paragraphs = explode_paragraphs(kept)
    present = paragraphs.where(f"words >= {SHARED_WORDS}").join(site_text, ["a", "i"], "left_anti")
    survival = _find_shared(store, present, settings, compiled=compiled)
    shared = survival.verdicts.where("o.a >= 0").selectExpr(
        "o.a as a", "o.i as i", "twin.a as twin_a", "twin.i as twin_i", "similarity", "equal"
    )
    roles = protected_roles(settings)
    if roles:
        protected = paragraphs.where(f"needed in ({', '.join(map(str, roles))})").select("a", "i")
        shared = shared.join(protected, ["a", "i"], "left_anti")
    if keeps_similar_paragraphs(settings):
        similar = shared.where("not equal").join(_articles_of_one_form(articles), "a", "left_semi")
        shared = shared.join(similar.select("a", "i"), ["a", "i"], "left_anti")
    verdicts = store.save("paragraphs", shared.drop("equal"))
    copies = survival.verdicts.selectExpr("o.a as a", "o.i as i")
    return SparkParagraphMatches(verdicts, copies, survival.candidates, survival.matches)


def _articles_of_one_form(articles: Any) -> Any:
    """Return the column ``a`` of the articles that are of one form with another one and have other facts."""
    flagged = articles.where(f"rule = {SAME_FORM}")
    return flagged.selectExpr("aid as a").unionByName(flagged.selectExpr("twin as a")).distinct()


def explode_paragraphs(kept: Any) -> Any:
    """Return a row for each paragraph of the articles `kept`.

    The columns are ``a, i, h, k, words, size, needed, form, key_start, key_stop, buckets, key``: article, number, host,
    digest of the key, what preparing measured, the bytes of its key in that of the article, and that article's key.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    exploded = f.posexplode(f.arrays_zip("paragraphs", "paragraph_buckets")).alias("i", "paragraph")
    return kept.select("aid", f.expr(HOST_SQL).alias("h"), "key", exploded).selectExpr(
        "aid as a",
        "i",
        "h",
        "paragraph.paragraphs.digest as k",
        "paragraph.paragraphs.words as words",
        "paragraph.paragraphs.size as size",
        "paragraph.paragraphs.needed as needed",
        "paragraph.paragraphs.form as form",
        "paragraph.paragraphs.key_start as key_start",
        "paragraph.paragraphs.key_stop as key_stop",
        "paragraph.paragraph_buckets as buckets",
        "key",
    )


def _find_shared(store: TableStore, present: Any, settings: Settings, *, compiled: bool) -> SparkSurvival:
    """Return the paragraphs, of `present`, that are similar to one of an earlier article."""
    order = "struct(0L as r, a, i) as o"
    key_bytes = "cast(key_start + 1 as int), cast(key_stop - key_start as int)"
    query = SurvivorQuery(
        "paragraphs",
        present.selectExpr("k", order, "buckets"),
        present.selectExpr("k", order, f"substring(key, {key_bytes}) as key"),
        PARAGRAPH_SHINGLE,
        settings.paragraph_threshold,
        several_per_article=True,
    )
    return survivor_rounds(store, query, compiled=compiled)
