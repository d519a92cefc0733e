"""Articles as they are: what each dropping rule cuts of a whole corpus, and whether articles go for a reason.

Nothing is put in, so nothing should be cut but what really repeats. Articles dropped as duplicates are counted and
checked, one by one, against the article that stays; of what stays, the characters cut by the other rules are counted.
What is cut is *told twice* where the same words stand in a row in what is left of the article, or where the line is
printed by half of the articles of its host; the rest has to be read.
The lines cut most often are listed, to be read. Numbers in them are masked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dedup import Settings, clean_articles
from dedup.findings import Finding
from dedup.prepare.one_text import compared_text
from dedup.read.fields import SOURCE_FIELDS
from dedup.segment.words import comparison_key, words
from quality import corpora
from quality.score import jaccard, shingles, without

ARTICLE_RULES = ("duplicate-article", "near-duplicate-article")
SOURCES = set(SOURCE_FIELDS)
SENTENCE_WORDS = 8
SHOWN = 12
_ENDS = re.compile(r"[.!?。！？।][\"'”’»)]*$")
_ADDRESS = re.compile(r"@|https?:|www\.|\d{3}\W{1,3}\d{3}")
_NOTICE = re.compile(r"\b(?:newsletters?|(?:un)?subscri\w+|cookies?|rights reserved|privacy policy)\b", re.IGNORECASE)
_COUNTED = re.compile(r"in (\d+) of (\d+) articles")
PRINTED = 0.5  # share of the articles of a host from which a line is the page's and not the article's


def is_sentence(text: str) -> bool:
    """Whether a line reads like a sentence rather than a label, an address or a notice about newsletters and cookies.

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


def told(path: Path, *, hosts: bool) -> list[dict[str, Any]]:
    """The rows of a corpus, with or without what says which host they are from."""
    hidden = set() if hosts else SOURCES
    return [{key: value for key, value in row.items() if key not in hidden} for row in corpora.rows(path)]


def measure(path: Path, settings: Settings, *, hosts: bool) -> dict[str, Any]:
    """The figures of one corpus."""
    rows = told(path, hosts=hosts)
    found = [one for one in clean_articles(rows, settings).findings if one.action == "drop"]
    twins = {one.record: one.twin_record for one in found if one.rule in ARTICLE_RULES}
    kept = sum(len(row["text"]) for at, row in enumerate(rows) if at not in twins)
    cut: dict[str, int] = {}
    harmed: dict[str, set[int]] = {}
    lines: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    twice = 0
    left = _left(rows, [one for one in found if one.rule not in ARTICLE_RULES])
    for one in found:
        if one.rule in ARTICLE_RULES:
            continue
        twice += (one.stop - one.start) * _told_twice(one, left[one.record])
        cut[one.rule] = cut.get(one.rule, 0) + one.stop - one.start
        harmed.setdefault(one.rule, set()).add(one.record)
        if one.rule == "boilerplate":
            line = " ".join((one.original or "").split())
            (sentences if is_sentence(line) else lines)[re.sub(r"\d", "0", line)] += 1
    total = sum(cut.values())
    prose = sum(len(line) * count for line, count in sentences.items())
    return {
        "articles": len(rows),
        "characters": sum(len(row["text"]) for row in rows),
        "dropped articles": len(twins),
        "dropped without a reason": _false(rows, twins, settings),
        "characters that stay": kept,
        "cut": {
            rule: {"characters": count, "share": round(count / kept, 6), "articles": len(harmed[rule])}
            for rule, count in sorted(cut.items())
        },
        "cut by all": round(total / kept, 6),
        "cut that is told twice": round(twice / kept, 6),
        "cut besides": round((total - twice) / kept, 6),
        "cut as boilerplate that reads like a sentence": round(prose / kept, 6),
        "most cut": [[line[:100], count] for line, count in lines.most_common(SHOWN)],
        "sentences cut": [[line[:160], count] for line, count in sentences.most_common(SHOWN)],
    }


def _left(rows: list[dict[str, Any]], found: list[Finding]) -> dict[int, str]:
    """The words of what is left of each article that something is cut of."""
    cuts: dict[int, list[tuple[int, int, str]]] = {}
    for one in found:
        cuts.setdefault(one.record, []).append((one.start, one.stop, one.rule))
    return {record: f" {comparison_key(without(rows[record]['text'], mine))} " for record, mine in cuts.items()}


def _told_twice(one: Finding, left: str) -> bool:
    """Whether the words of a cut stand in a row in what is left of its article, or half of its host prints the line."""
    if one.rule == "boilerplate":
        counted = _COUNTED.search(one.evidence or "")
        return counted is not None and int(counted[1]) >= PRINTED * int(counted[2])
    return f" {comparison_key(one.original or '')} " in left


def _false(rows: list[dict[str, Any]], twins: Mapping[int, int | None], settings: Settings) -> int:
    """Dropped articles whose twin does not stay, or is less similar than the threshold."""
    wrong = 0
    for record, twin in twins.items():
        if twin is None or twin in twins:
            wrong += 1
            continue
        one, two = (compared_text(rows[at]["text"], settings) for at in (record, twin))
        wrong += words(one) != words(two) and jaccard(shingles(one), shingles(two)) < settings.threshold
    return wrong
