"""Build the report on two runs: what differs in settings and rules, and which articles they treat differently."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from dedup.arrays import encode_utf8
from dedup.inspect.article_rows import Article
from dedup.inspect.names import RecordKey
from dedup.inspect.output import Output, open_output
from dedup.inspect.word_diff import diff_words
from dedup.report.build import SAMPLE_SEED, read_part
from dedup.report.gather import known_article
from dedup.report.page import ArticleChange, Change, ComparisonPage, RuleChange, Transition
from dedup.report.sampled_output import READING_COST, SampledOutput
from dedup.report.shown_values import flattened
from dedup.report.texts import member
from dedup.rules import NAMES

KEPT = "kept"
OTHER_TEXT = "kept, with another text"

CHANGES_SHOWN = 5  # articles of each transition

_ARTICLES_AT_ONCE = 2_000  # articles looked up at a time


class _Fate(NamedTuple):
    """What a run made of an article: how it left, and hashes of its raw and its cleaned text."""

    state: str
    raw: object
    cleaned: bytes


def compare_runs(old: str | Path, new: str | Path, seed: int = SAMPLE_SEED) -> ComparisonPage:
    """Return the report on the outputs in the folders `old` and `new`, which should be of the same inputs.

    The articles that are read of `old` are looked up in `new`, by their source and record. Raises `OutputError` if one
    of the folders is not an output or cannot be read.
    """
    outputs = open_output(old), open_output(new)
    samples = SampledOutput(outputs[0], seed, READING_COST // 2), SampledOutput(outputs[1], seed, READING_COST // 2)
    counted = _Compared()
    articles = samples[0].articles()
    read = findings = 0
    while batch := list(islice(articles, _ARTICLES_AT_ONCE)):
        read += len(batch)
        findings += sum(len(article.findings) for article in batch)
        others = samples[1].find([article.key for article in batch], limit=False)
        for article in batch:
            if article.key in others or not samples[1].is_out_of_reach(article.key):
                counted.add(article, others.get(article.key))
    is_whole = all(sample.is_whole for sample in samples)
    runs = outputs[0].run, outputs[1].run
    return ComparisonPage(
        part=read_part(samples[0], read, findings),
        settings=tuple(_value_changes(*(dict(flattened(run["settings"])) for run in runs))),
        versions=tuple(_value_changes(*(run.get("versions", {}) for run in runs))),
        inputs=tuple(
            _value_changes(*({entry["source"]: entry.get("sha256") for entry in run["inputs"]} for run in runs))
        ),
        counts=tuple(_count_changes(*runs)),
        rules=tuple(_rule_changes(*(run.get("rules", {}) for run in runs))),
        unchanged=counted.unchanged,
        other_text=counted.other_text,
        only_old=counted.only_old,
        only_new=samples[1].total - counted.in_both if is_whole else None,
        transitions=counted.transitions(outputs),
    )


class _Compared:
    """Counts of articles by what both runs made of them, and the first of each."""

    def __init__(self) -> None:
        self.unchanged = 0
        self.other_text = 0
        self.only_old = 0
        self.in_both = 0
        self.counts: dict[tuple[str, str], int] = {}
        self.first: dict[tuple[str, str], list[tuple[Article, Article]]] = {}

    def add(self, old: Article, new: Article | None) -> None:
        """Count an article of the old run, which is `new` in the other one."""
        if new is None:
            self.only_old += 1
            return
        self.in_both += 1
        fates = _fate(old), _fate(new)
        if fates[0].raw != fates[1].raw:
            self.other_text += 1
            return
        if fates[0] == fates[1]:
            self.unchanged += 1
            return
        states = fates[0].state, fates[1].state
        if states == (KEPT, KEPT):
            states = KEPT, OTHER_TEXT
        if states[0] == states[1]:  # dropped by one rule, from other fields
            self.unchanged += 1
            return
        self.counts[states] = self.counts.get(states, 0) + 1
        first = self.first.setdefault(states, [])
        if len(first) < CHANGES_SHOWN:
            first.append((old, new))

    def transitions(self, outputs: tuple[Output, Output]) -> tuple[Transition, ...]:
        """Return the transitions, the most frequent first."""
        rows = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(
            Transition(
                old=states[0],
                new=states[1],
                articles=count,
                examples=tuple(_article_change(*pair, states, outputs) for pair in self.first[states]),
            )
            for states, count in rows
        )


def _fate(article: Article) -> _Fate:
    drop = article.dropped_by
    state = KEPT if drop is None else f"dropped by {drop.rule}"
    digest = hashlib.blake2b(encode_utf8(article.cleaned), digest_size=16).digest()
    return _Fate(state, article.provenance.get("sha256"), digest)


def _article_change(
    old: Article, new: Article, states: tuple[str, str], outputs: tuple[Output, Output]
) -> ArticleChange:
    """Return an article that two runs treat differently, with its cleaned texts if both keep it."""
    words = diff_words(old.cleaned, new.cleaned) if old.kept and new.kept else None
    return ArticleChange(
        article=_named(old.key, old, outputs[0]),
        old=_twin_named(old) or states[0],
        new=_twin_named(new) or states[1],
        old_text=words.before if words else (),
        new_text=words.after if words else (),
    )


def _named(key: RecordKey, article: Article, output: Output) -> Any:
    return member(key, known_article(article, output.settings))


def _twin_named(article: Article) -> str | None:
    """Return what dropped an article, with its twin; None if it was kept."""
    drop = article.dropped_by
    if drop is None:
        return None
    similarity = "" if drop.similarity in {None, 1.0} else f", similarity {drop.similarity:.3f}"
    return f"dropped by {drop.rule}: repeats {drop.twin}{similarity}"


def _value_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the names whose values differ."""
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Change(name=name, old=old.get(name), new=new.get(name))


def _count_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield all counts of two runs, also equal ones."""
    for name in dict.fromkeys((*old.get("counts", {}), *new.get("counts", {}))):
        yield Change(name=name, old=old.get("counts", {}).get(name, 0), new=new.get("counts", {}).get(name, 0))
    for name in ("read", "written"):
        values = [run.get("characters", {}).get(name, 0) for run in (old, new)]
        yield Change(name=f"characters {name}", old=values[0], new=values[1])


def _rule_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[RuleChange]:
    """Yield the findings of each rule and action in two runs."""
    nothing = {"findings": 0, "characters": 0}
    for rule in NAMES:
        for action in sorted({*old.get(rule, {}), *new.get(rule, {})}):
            before, after = (rules.get(rule, {}).get(action, nothing) for rules in (old, new))
            yield RuleChange(
                rule=rule,
                action=action,
                old_findings=before["findings"],
                new_findings=after["findings"],
                old_characters=before["characters"],
                new_characters=after["characters"],
            )
