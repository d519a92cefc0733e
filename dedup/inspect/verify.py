"""Proof that an output is what it says: every text can be had again, every twin is there, every number is right.

Three passes over the tables, none of which holds them: the first checks each article by itself, the second puts
the texts of twins into a temporary file, the third compares each duplicate with its twin, on all cores. What is
compared is recomputed from the raw texts, by the plain definitions and no compiled code, so that a wrong similarity
cannot vouch for itself.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from dedup.arrays import decode_utf8, encode_utf8
from dedup.engines.local import LocalEngine, Workers
from dedup.errors import FindingError, OutputError
from dedup.findings import DROP, FLAG, Finding, Offsets, apply
from dedup.fingerprint.similarity import containment
from dedup.inspect.output import LOG, RUN, TABLES, Article, Key, Output, open_output
from dedup.match.contained import CONTAINED_SHARE
from dedup.prepare.one_text import AnalyzedText, analyze_text, compared_text
from dedup.rules import BY_NAME, TEXT
from dedup.segment.words import comparison_key, words
from dedup.settings import ARTICLE_SHINGLE, PARAGRAPH_SHINGLE, Settings

REPORT = "report.html"

# The least similarity of each rule; None: a setting says.
ARTICLE_RULES = {"duplicate-article": 1.0, "near-duplicate-article": None, "contained-article": 0.0}
SPAN_RULES = {"boilerplate": 1.0, "repeated-block": None, "repeated-paragraph": None, "shared-paragraph": None}

_TWINS_AT_HAND = 64
_BATCH_CHARACTERS = 1 << 18  # of articles compared at once, for half a second or so


class Mismatch(NamedTuple):
    """One thing that is not as the output says: where, and what."""

    where: str
    what: str


class Verified(NamedTuple):
    """How much was looked at, and what did not fit; all is well where `mismatches` is empty."""

    articles: int
    findings: int
    mismatches: list[Mismatch]


def verify(path: str | Path, engine: LocalEngine | None = None) -> Verified:
    """What checking every article, finding, twin, count and file of an output found.

    `engine` says how many processes compare texts. Raises `OutputError` where `path` is no output at all.
    """
    stored = open_output(path)
    size = sum(entry.stat().st_size for entry in stored.path.iterdir())
    workers = (engine or LocalEngine()).workers(size, compiled=False)
    found: list[Mismatch] = []
    counts: Counter[str] = Counter()
    try:
        found += _check_files(stored)
        twins = _check_articles(stored, counts, found)
        found += _check_counts(stored, counts)
        if twins:
            found += _check_twins(stored, twins, workers)
    except OutputError as error:  # a table that cannot be read on
        found.append(Mismatch(str(stored.path), str(error)))
    return Verified(counts["articles"], counts["findings"], found)


def _check_files(stored: Output) -> Iterator[Mismatch]:
    if stored.run["dedup"].get("digest") != stored.settings.digest:
        yield Mismatch(RUN, "the digest is not that of the settings beside it")
    expected = {stored.file(table).name for table in TABLES}
    there = {entry.name for entry in stored.path.iterdir()}
    yield from (Mismatch(name, "is not there") for name in sorted(expected - there))
    for name in sorted(there - expected - {RUN, LOG, REPORT}):
        yield Mismatch(name, "does not belong to the output")


def _check_articles(stored: Output, counts: Counter[str], found: list[Mismatch]) -> set[Key]:
    """Check each article by itself, count, and give back the keys of all twins."""

    def problem(where: str, what: str) -> None:
        found.append(Mismatch(where, what))

    twins: set[Key] = set()
    for article in stored.articles(problem):
        counts["articles"] += 1
        counts["kept" if article.kept else "dropped"] += 1
        counts["findings"] += len(article.findings)
        found += (Mismatch(article.where, what) for what in _wrong(article, stored.settings))
        for finding in article.findings:
            counts[f"{finding.rule}: {finding.action}"] += 1
            if finding.twin_source is not None and finding.twin_record is not None:
                twins.add((finding.twin_source, finding.twin_record))
    counts["quarantined"] = sum(1 for _ in stored.quarantined())
    counts["records"] = counts["articles"] + counts["quarantined"]
    return twins


def _wrong(article: Article, settings: Settings) -> Iterator[str]:
    """What of one article and its findings does not fit, twins aside."""
    findings = article.findings
    if article.provenance.get("findings") != len(findings):
        yield f"has {len(findings)} findings, its provenance says {article.provenance.get('findings')}"
    if any(later.start < earlier.start for earlier, later in pairwise(findings)):
        yield "its findings are out of order"
    try:
        raw = article.raw
        cleaned = apply(raw, findings)
    except FindingError as error:
        yield f"cannot be undone and done again: {error}"
        return
    if _sha256(raw) != article.provenance.get("sha256"):
        yield "its findings do not lead back to the text that came in: another sha256"
    if cleaned != article.cleaned:
        yield "its findings applied to the raw text do not give the cleaned text"
    for finding in findings:
        yield from (f"{_name(finding)}: {what}" for what in _odd(finding, article, len(raw), settings))
    if not article.kept:
        yield from _wrong_drop(article, len(raw))


def _odd(finding: Finding, article: Article, length: int, settings: Settings) -> Iterator[str]:
    if finding.article != article.id:
        yield f"names the article {finding.article!r}, not {article.id!r}"
    if not 0 <= finding.start <= finding.stop <= length:
        yield f"is outside the raw text of {length} characters"
    if finding.rule not in BY_NAME:
        yield "there is no such rule"
    elif settings.rules[finding.rule] != finding.action:
        yield f"the action of this rule was {settings.rules[finding.rule]}"
    if finding.action == FLAG and (finding.original, finding.replacement) != (None, None):
        yield "a flag has an original or a replacement"
    if finding.action == DROP and finding.replacement != "":
        yield "a drop has a replacement"
    if finding.action == DROP and BY_NAME[finding.rule].level != TEXT and finding.twin_source is None:
        yield "a drop without a twin"


def _wrong_drop(article: Article, length: int) -> Iterator[str]:
    drops = [finding for finding in article.findings if finding.action == DROP]
    if len(drops) != 1 or (drops[0].start, drops[0].stop) != (0, length):
        yield "is dropped, but not by one finding over its whole text"
        return
    for name in ("rule", "twin", "similarity"):
        if article.provenance.get(name) != getattr(drops[0], name):
            yield f"its provenance gives another {name} than its finding"


def _check_counts(stored: Output, counts: Counter[str]) -> Iterator[Mismatch]:
    said = stored.run.get("counts", {})
    for name in ("records", "articles", "kept", "dropped", "quarantined", "findings"):
        if name in said and said[name] != counts[name]:
            yield Mismatch(RUN, f"counts {said[name]} {name}, the tables hold {counts[name]}")
    for rule, actions in stored.run.get("rules", {}).items():
        for action, told in actions.items():
            if told["findings"] != counts[f"{rule}: {action}"]:
                holds = counts[f"{rule}: {action}"]
                yield Mismatch(RUN, f"counts {told['findings']} of {rule}: {action}, the tables hold {holds}")


def _check_twins(stored: Output, twins: set[Key], workers: Workers) -> Iterator[Mismatch]:
    """Check every finding that names a twin against the twin's own text."""
    with tempfile.TemporaryDirectory(prefix="dedup-") as folder:
        file = Path(folder) / "twins"
        places = _kept_twins(stored, twins, file)
        task = partial(_wrong_twins, settings=stored.settings, file=file)
        for found in workers.map(task, _repeats(stored, places)):
            yield from found


class _Place(NamedTuple):
    """Where the text of a twin is in the temporary file, and what else matters of its article."""

    article: str
    kept: bool
    start: int
    size: int
    gone: list[tuple[int, int]]  # span of each drop


class _Repeats(NamedTuple):
    """An article that repeats others: its raw text, and each finding that says so with the twin, if it is there."""

    where: str
    raw: str
    findings: list[tuple[Finding, _Place | None]]


def _kept_twins(stored: Output, keys: set[Key], file: Path) -> dict[Key, _Place]:
    """Puts the raw texts of twins into `file`; where they are."""
    places: dict[Key, _Place] = {}
    with file.open("wb") as out:
        for article in stored.articles(lambda _where, _what: None):
            if article.key in keys:
                try:
                    data = encode_utf8(article.raw)
                except FindingError:  # told of already
                    data = b""
                gone = [(one.start, one.stop) for one in article.findings if one.action == DROP]
                places[article.key] = _Place(article.id, article.kept, out.tell(), len(data), gone)
                out.write(data)
    return places


def _repeats(stored: Output, places: dict[Key, _Place]) -> Iterator[list[_Repeats]]:
    """Articles with findings that name twins, some at a time."""
    some: list[_Repeats] = []
    size = 0
    for article in stored.articles(lambda _where, _what: None):
        repeats = [finding for finding in article.findings if finding.twin_source is not None]
        if not repeats:
            continue
        try:
            raw = article.raw
        except FindingError:  # told of already
            continue
        some.append(_Repeats(article.where, raw, [(finding, places.get(_twin_key(finding))) for finding in repeats]))
        size += len(raw)
        if size >= _BATCH_CHARACTERS:
            yield some
            some, size = [], 0
    yield some


def _wrong_twins(some: list[_Repeats], settings: Settings, file: Path) -> list[Mismatch]:
    """What does not fit between articles and the twins that their findings name."""
    with file.open("rb") as texts:

        @lru_cache(_TWINS_AT_HAND)
        def text_of(start: int, size: int) -> _Text:
            texts.seek(start)
            return _Text(decode_utf8(texts.read(size)), settings)

        found = []
        for where, raw, findings in some:
            text = _Text(raw, settings)
            for finding, place in findings:
                twin = text_of(place.start, place.size) if place else None
                found += [
                    Mismatch(where, f"{_name(finding)}: {what}") for what in _wrong_twin(finding, text, place, twin)
                ]
    return found


class _Text:
    """A raw text and, once asked for, what of it was compared."""

    def __init__(self, raw: str, settings: Settings) -> None:
        self.raw = raw
        self.settings = settings

    @cached_property
    def compared(self) -> str:
        """What articles are compared by."""
        return compared_text(self.raw, self.settings)

    @cached_property
    def made(self) -> AnalyzedText:
        """The text level by level."""
        return analyze_text(self.raw, self.settings)

    @cached_property
    def paragraphs(self) -> list[tuple[int, int, str]]:
        """Paragraphs as they are compared, with their spans in the raw text."""
        offsets = Offsets(self.made.findings)
        return [(*offsets.widen(start, stop), self.made.text[start:stop]) for start, stop in self.made.spans]

    def span(self, start: int, stop: int) -> str | None:
        """The paragraphs, or the part of one, in a span of the raw text.

        None where a repair across its border makes that uncertain: such a span is not compared.
        """
        inside = []
        for first, last, text in self.paragraphs:
            low, high = max(start, first), min(stop, last)
            if low >= high:
                continue
            part = text if (low, high) == (first, last) else self._part(low, high)
            if part is None:
                return None
            inside.append(part)
        return "\n\n".join(inside)

    def _part(self, start: int, stop: int) -> str | None:
        edits = [edit for edit in self.made.findings if edit.start < stop and start < edit.stop]
        if any(edit.start < start or stop < edit.stop for edit in edits):
            return None
        return apply(
            self.raw[start:stop],
            [edit._replace(start=edit.start - start, stop=edit.stop - start) for edit in edits],
        )


def _twin_key(finding: Finding) -> Key:
    return finding.twin_source or "", -1 if finding.twin_record is None else finding.twin_record


def _wrong_twin(finding: Finding, text: _Text, place: _Place | None, twin: _Text | None) -> Iterator[str]:
    name = "its twin {!r} ({}#{})".format(finding.twin, *_twin_key(finding))
    if place is None or twin is None:
        yield f"{name} is not there"
        return
    if not place.kept:
        yield f"{name} is dropped itself"
    if place.article != finding.twin:
        yield f"{name} is named {place.article!r}"
    start, stop = finding.twin_start, finding.twin_stop
    if start is None or stop is None or not 0 <= start <= stop <= len(twin.raw):
        yield f"{name} is {len(twin.raw)} characters long, its span is {start}-{stop}"
        return
    if finding.action == DROP and any(first <= start < stop <= last for first, last in place.gone):
        yield f"{name} was dropped there"
    if finding.rule in ARTICLE_RULES:
        least = ARTICLE_RULES[finding.rule]
        least = text.settings.threshold if least is None else least
        here, there = text.compared, twin.compared
        exact = similarity(here, there, ARTICLE_SHINGLE)
        yield from _not_contained(finding, text, twin)
    else:
        least = SPAN_RULES.get(finding.rule) or text.settings.paragraph_threshold
        span, twin_span = text.span(finding.start, finding.stop), twin.span(start, stop)
        if span is None or twin_span is None:
            return
        here, there = span, twin_span
        exact = similarity(here, there, PARAGRAPH_SHINGLE)
    if finding.similarity is None or not math.isclose(exact, finding.similarity, rel_tol=1e-9):
        yield f"its similarity to {finding.twin!r} is {exact}, not {finding.similarity}"
    elif exact < least and not (finding.rule == "repeated-block" and _stands_in(here, there, least)):
        yield f"its similarity to {finding.twin!r} is {exact}, below the threshold {least}"


def similarity(text: str, other: str, n: int) -> float:
    """Exact Jaccard similarity of two texts on word `n`-grams; 1.0 for equal comparison keys.

    >>> similarity("a b c d", "a b c e", 3)
    0.3333333333333333
    """
    first, second = words(text), words(other)
    if first == second:
        return 1.0
    one, two = ({tuple(each[i : i + n]) for i in range(len(each) - n + 1)} for each in (first, second))
    return len(one & two) / len(one | two) if one or two else 0.0


def _stands_in(text: str, other: str, least: float) -> bool:
    """Whether `other` has so much of `text`, a copy cut short, that nothing is lost with it."""
    return (
        containment(encode_utf8(comparison_key(text)), encode_utf8(comparison_key(other)), PARAGRAPH_SHINGLE) >= least
    )


def _not_contained(finding: Finding, text: _Text, twin: _Text) -> Iterator[str]:
    """What is wrong with a finding that says that `text` stands in `twin`."""
    if finding.rule == "contained-article":
        key, other = (encode_utf8(comparison_key(one.compared)) for one in (text, twin))
        if containment(key, other, ARTICLE_SHINGLE) < CONTAINED_SHARE:
            yield f"less than {CONTAINED_SHARE:.0%} of it stands in {finding.twin!r}"


def _name(finding: Finding) -> str:
    return f"{finding.rule} at {finding.start}-{finding.stop}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
