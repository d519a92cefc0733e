"""Say what a decision of a review is about, from the rows of an output: by the digests of texts.

Each function returns the attributes of `dedup.review.decisions.Decision` that name the thing decided about.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dedup.findings import Finding
from dedup.inspect.article_rows import Article
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import SiteTextRow
from dedup.review.decisions import (
    ABOUT_ARTICLE,
    ABOUT_FINDING,
    ABOUT_GROUP,
    ABOUT_LINE,
    ABOUT_RULE,
    ArticleText,
    text_digest,
)


def text_of_article(article: Article) -> ArticleText:
    """Return the id and the digest of the raw text of an article."""
    return ArticleText(id=article.id, sha256=str(article.provenance.get("sha256")))


def about_finding(
    article: Article, finding: Finding, twin: Article | None = None, line: SiteTextRow | None = None
) -> dict[str, Any]:
    """Return what a decision about one finding in `article` names.

    `twin` is the article that the finding repeats, `line` the row of site text, if it repeats one of these.
    """
    values: dict[str, Any] = {
        "about": ABOUT_FINDING,
        "rule": finding.rule,
        "article": text_of_article(article),
        "removed": text_digest(article.raw[finding.start : finding.stop]),
        "start": finding.start,
        "similarity": finding.similarity,
    }
    if twin is not None:
        values["twin"] = text_of_article(twin)
    if line is not None and finding.rule == BOILERPLATE:
        values |= {"line": line.text, "host": line.host}
    return values


def about_group(survivor: Article, members: Iterable[ArticleText]) -> dict[str, Any]:
    """Return what a decision about all articles that repeat `survivor` names."""
    return {
        "about": ABOUT_GROUP,
        "article": text_of_article(survivor),
        "members": tuple(members),
    }


def about_line(row: SiteTextRow) -> dict[str, Any]:
    """Return what a decision about a line of site text, in all articles of its host, names."""
    return {"about": ABOUT_LINE, "host": row.host, "line": row.text}


def about_rule(rule: str, host: str) -> dict[str, Any]:
    """Return what a decision about all findings of a rule in the articles of a host names."""
    return {"about": ABOUT_RULE, "rule": rule, "host": host}


def about_survivor(article: Article, survivor: Article) -> dict[str, Any]:
    """Return what the decision names that `article` is to survive in place of `survivor`."""
    return {"about": ABOUT_ARTICLE, "article": text_of_article(article), "twin": text_of_article(survivor)}
