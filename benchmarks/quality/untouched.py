"""Untouched articles: what each dropping rule removes from a whole corpus, and whether article drops are justified.

Nothing is inserted, so nothing should be removed except real repeats. Each article dropped as a duplicate is checked
against the article that stays. Of the articles that stay, the characters removed by the other rules are counted.
Removed text is *redundant* if the same words follow one another in the rest of the article, or if half of the articles
of its host print the line. The rest has to be read by a person: the lines removed most often are listed, with their
digits masked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.quality import corpora
from benchmarks.quality.score import jaccard, shingles, without
from dedup import Settings, clean_articles
from dedup.findings import Finding
from dedup.prepare.one_text import compared_text
from dedup.read.article_fields import field_names
from dedup.segment.words import comparison_key, words

ARTICLE_RULES = ("duplicate-article", "near-duplicate-article")
SOURCES = set(field_names()["source"].first)
SENTENCE_WORDS = 8
SHOWN = 12  # lines and sentences that are listed
_ENDS = re.compile(r"[.!?。！？।][\"'”’»)]*$")
_ADDRESS = re.compile(r"@|https?:|www\.|\d{3}\W{1,3}\d{3}")
_NOTICE = re.compile(r"\b(?:newsletters?|(?:un)?subscri\w+|cookies?|rights reserved|privacy policy)\b", re.IGNORECASE)
_COUNTED = re.compile(r"in (\d+) of (\d+) articles")
PRINTED = 0.5  # share of the articles of a host from which a line belongs to the page, not to the article


def is_sentence(text: str) -> bool:
    """Return True if a line reads like a sentence, not like a label, an address or a notice about newsletters.

    >>> is_sentence("Contact: Ann Moss and Tom Ash, or Jo Bell, 202/224-5521.")
    False
    >>> is_sentence("It was cut, and nobody in the newsroom knew why.")
    True
    >>> is_sentence("Unsolicited newsletters cannot be sent by this office for sixty days before an election.")
    False
    """
    if _ADDRESS.search(text) or _NOTICE.search(text):
        return False
    return len(words(text)) >= SENTENCE_WORDS and bool(_ENDS.search(text.strip()))


def read_articles(path: Path, *, hosts: bool) -> list[dict[str, Any]]:
    """Return the rows of a corpus, with or without the fields that name the host."""
    hidden = set() if hosts else SOURCES
    return [{key: value for key, value in row.items() if key not in hidden} for row in corpora.rows(path)]


def measure(path: Path, settings: Settings, *, hosts: bool) -> dict[str, Any]:
    """Return the figures of one corpus."""
    rows = read_articles(path, hosts=hosts)
    drops = [finding for finding in clean_articles(rows, settings).findings if finding.action == "drop"]
    twins = {drop.record: drop.twin_record for drop in drops if drop.rule in ARTICLE_RULES}
    kept = sum(len(row["text"]) for at, row in enumerate(rows) if at not in twins)
    removed: dict[str, int] = {}  # characters, by rule
    affected: dict[str, set[int]] = {}  # records, by rule
    lines: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    redundant = 0
    inner_drops = [drop for drop in drops if drop.rule not in ARTICLE_RULES]
    rest = _remaining_words(rows, inner_drops)
    for drop in inner_drops:
        redundant += (drop.stop - drop.start) * _is_redundant(drop, rest[drop.record])
        removed[drop.rule] = removed.get(drop.rule, 0) + drop.stop - drop.start
        affected.setdefault(drop.rule, set()).add(drop.record)
        if drop.rule == "boilerplate":
            line = " ".join((drop.original or "").split())
            (sentences if is_sentence(line) else lines)[re.sub(r"\d", "0", line)] += 1
    total = sum(removed.values())
    prose = sum(len(line) * count for line, count in sentences.items())
    return {
        "articles": len(rows),
        "characters": sum(len(row["text"]) for row in rows),
        "dropped articles": len(twins),
        "dropped without a reason": _count_unjustified(rows, twins, settings),
        "characters that stay": kept,
        "cut": {
            rule: {"characters": count, "share": round(count / kept, 6), "articles": len(affected[rule])}
            for rule, count in sorted(removed.items())
        },
        "cut by all": round(total / kept, 6),
        "cut that is told twice": round(redundant / kept, 6),
        "cut besides": round((total - redundant) / kept, 6),
        "cut as boilerplate that reads like a sentence": round(prose / kept, 6),
        "most cut": [[line[:100], count] for line, count in lines.most_common(SHOWN)],
        "sentences cut": [[line[:160], count] for line, count in sentences.most_common(SHOWN)],
    }


def _remaining_words(rows: list[dict[str, Any]], drops: list[Finding]) -> dict[int, str]:
    """Return the comparison key of the rest of each article from which something is removed, by record."""
    spans: dict[int, list[tuple[int, int, str]]] = {}
    for drop in drops:
        spans.setdefault(drop.record, []).append((drop.start, drop.stop, drop.rule))
    return {record: f" {comparison_key(without(rows[record]['text'], cuts))} " for record, cuts in spans.items()}


def _is_redundant(drop: Finding, rest: str) -> bool:
    """Return True if the rest of the article has the removed words in a row, or half of the host prints the line."""
    if drop.rule == "boilerplate":
        counts = _COUNTED.search(drop.evidence or "")
        return counts is not None and int(counts[1]) >= PRINTED * int(counts[2])
    return f" {comparison_key(drop.original or '')} " in rest


def _count_unjustified(rows: list[dict[str, Any]], twins: Mapping[int, int | None], settings: Settings) -> int:
    """Return the number of dropped articles with a twin that does not stay or is less similar than the threshold."""
    unjustified = 0
    for record, twin in twins.items():
        if twin is None or twin in twins:
            unjustified += 1
            continue
        one, two = (compared_text(rows[at]["text"], settings) for at in (record, twin))
        unjustified += words(one) != words(two) and jaccard(shingles(one), shingles(two)) < settings.threshold
    return unjustified
