"""Say what a person should look at first: sources, groups and rules that are unlike the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dedup.inspect.counted import counted
from dedup.inspect.word_diff import replaced_words
from dedup.report.gather import Gathered, OfSource
from dedup.report.page import ALARMING, NOTABLE, Alarm, GroupRow, Reason, SourceRow
from dedup.report.shown_values import percent
from dedup.rules import WHOLE_ARTICLE_RULES

SOURCE_ARTICLES = 10  # of a smaller source, most articles may be copies by chance
SOURCE_LOST = 0.5  # share of its articles
GROUP_SIZE = 10  # 24,000 press releases have one such group, an error page that was saved 10 times; the next has 5
RULE_SHARE = 0.02  # of the characters of a source that one rule removes
RULE_TIMES = 5  # as much as in all other sources
CUT_SHARE = 0.25  # of all characters that one rule removes
BAD_SHARE = 0.01  # of the records in quarantine

_ALARMS_SHOWN = 5  # alarms of one kind
_FACT_WORDS = 3  # with a number, in place of others
_SAME_PAGE = "They repeat one another: was the same page saved in place of the articles?"
_COPIED = (
    "Their texts stay in other sources: is it a mirror or an agency? The setting keep chooses the copy that stays."
)


class OtherFacts(NamedTuple):
    """A dropped article in whose place of numbers its twin has others: both names, and the numbers in pairs."""

    article: str
    twin: str
    numbers: tuple[tuple[str, str], ...]


def other_numbers(text: str, twin: str) -> tuple[tuple[str, str], ...]:
    """Return the numbers of a text in whose place its twin has others, in pairs, each with the words around it.

    >>> other_numbers("On 5 May 12 people left.", "On 5 May 17 people left.")
    (('12', '17'),)
    """
    return tuple(
        (old, new)
        for old, new in replaced_words(text, twin, _FACT_WORDS)
        if _digits(old) and _digits(new) and _digits(old) != _digits(new)
    )


def _digits(words: str) -> str:
    return "".join(character for character in words if character.isdigit())


def alarms_of(
    gathered: Gathered,
    sources: Iterable[SourceRow],
    groups: Iterable[GroupRow],
    quarantine: Iterable[Reason],
    records: int,
    other_facts: tuple[list[OtherFacts], int],
) -> tuple[Alarm, ...]:
    """Return all alarms, the most urgent first. `other_facts` are those drops, and how many drops were compared."""
    alarms = [
        *_lost_sources(gathered, sources),
        *_large_groups(groups),
        *_eager_rules(gathered),
        *_quarantined(list(quarantine), records),
        *_dropped_facts(*other_facts),
    ]
    return tuple(sorted(alarms, key=lambda alarm: alarm.severity != ALARMING))


def _lost_sources(gathered: Gathered, sources: Iterable[SourceRow]) -> Iterator[Alarm]:
    known = gathered.known
    to_own = Counter(  # drops that repeat an article of their own source
        known[key].source for key, twin in gathered.drops if twin in known and known[key].source == known[twin].source
    )
    lost = [row for row in sources if row.articles >= SOURCE_ARTICLES and row.dropped_share > SOURCE_LOST]
    for row in sorted(lost, key=lambda row: (-row.dropped_share, -row.articles, row.name))[:_ALARMS_SHOWN]:
        rules = ", ".join(
            f"{count:,} by {rule}" for rule, count in sorted(row.drops.items(), key=lambda item: -item[1])
        )
        yield Alarm(
            severity=ALARMING,
            title=f"{row.name} lost most of its articles",
            text=f"{row.dropped:,} of {row.articles:,} articles read were dropped: {rules}.",
            advice=_SAME_PAGE if 2 * to_own[row.name] > row.dropped else _COPIED,
        )


def _large_groups(groups: Iterable[GroupRow]) -> Iterator[Alarm]:
    for group in [group for group in groups if group.size >= GROUP_SIZE][:_ALARMS_SHOWN]:
        yield Alarm(
            severity=ALARMING,
            title=f"{group.size:,} articles are taken for copies of one",
            text=f"The survivor is {group.survivor.name}, which begins “{group.beginning}”.",
            advice="Groups of this size are often error pages, consent walls or forms. Read a few of its members.",
        )


def _eager_rules(gathered: Gathered) -> Iterator[Alarm]:
    total: Counter[str] = Counter()
    characters = sum(source.characters for source in gathered.sources.values())
    for source in gathered.sources.values():
        total.update(source.touched)
    for rule, removed in sorted(total.items()):
        if removed > CUT_SHARE * characters:
            yield Alarm(
                severity=ALARMING,
                title=f"{rule} removes {percent(removed / characters)} of all characters",
                text=f"{removed:,} of {characters:,} characters read.",
                advice="Look at its examples below. If they are real content, set the rule to flag and clean again.",
            )
    unusual = [
        (share / max(rest, 1e-9), name, rule, share, rest)
        for name, source in gathered.sources.items()
        for rule, share, rest in _shares(source, total, characters)
        if share > RULE_SHARE and share > RULE_TIMES * rest and source.articles >= SOURCE_ARTICLES
    ]
    for _, name, rule, share, rest in sorted(unusual, key=lambda row: (-row[3], row[1], row[2]))[:_ALARMS_SHOWN]:
        yield Alarm(
            severity=NOTABLE,
            title=f"{rule} cuts far more from {name} than from other sources",
            text=f"It removes {percent(share)} of the characters of this source, and {percent(rest)} of all others.",
            advice="A template of this site may have changed, or it prints its articles twice.",
        )


def _shares(source: OfSource, total: Counter[str], characters: int) -> Iterator[tuple[str, float, float]]:
    """Yield each rule within articles with the share of characters that it removes here, and in all other sources."""
    elsewhere = characters - source.characters
    for rule, removed in source.touched.items():
        if source.characters and elsewhere > 0 and rule not in WHOLE_ARTICLE_RULES:
            yield rule, removed / source.characters, (total[rule] - removed) / elsewhere


def _quarantined(quarantine: list[Reason], records: int) -> Iterator[Alarm]:
    count = sum(reason.records for reason in quarantine)
    if count:
        first = quarantine[0]
        yield Alarm(
            severity=ALARMING if count > BAD_SHARE * records else NOTABLE,
            title=f"{counted(count, 'record')} could not be read",
            text=f"The commonest reason, of {first.records:,}: {first.error}.",
            advice="They are in the quarantine table as they came, and are listed below by reason.",
        )


def _dropped_facts(found: list[OtherFacts], compared: int) -> Iterator[Alarm]:
    if found:
        shown = "; ".join(
            f"{row.article} has {row.numbers[0][0]} where its twin {row.twin} has {row.numbers[0][1]}"
            for row in found[:3]
        )
        yield Alarm(
            severity=NOTABLE,
            title=f"{len(found):,} of {compared:,} dropped near-duplicates have other numbers than their twin",
            text=f"{shown}.",
            advice="Most are corrections, dates and page numbers. Where they are other results or prices, "
            "raise the threshold or set near-duplicate-article to flag.",
        )
