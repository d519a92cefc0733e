"""The texts that `verify` compares: repaired raw texts, without their repeats and site text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from operator import attrgetter

from dedup.arrays import encode_utf8, pack
from dedup.findings import Finding, Offsets, apply
from dedup.inspect.stored_twins import Duplicate, StoredTwin, TwinFolder
from dedup.kernels.backend import Backend
from dedup.match.form_texts import FormTexts
from dedup.match.site_text import SiteTextRow
from dedup.prepare.one_text import AnalyzedText, analyze_repaired, compared_spans, cut_dropped, repair_text
from dedup.prepare.repair_batch import repair_texts
from dedup.prepare.repeats_batch import analyze_texts
from dedup.repairs.notices import own_paragraph_count
from dedup.segment.facts import Mark, fact_marks_and_digits
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key
from dedup.settings import Settings


class _OrderedEdits:
    """Findings in order of their start, to look up those that touch a span."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = sorted(findings, key=attrgetter("start"))
        self._latest_stops = list(accumulate((finding.stop for finding in self._findings), max))

    def inside(self, start: int, stop: int) -> list[Finding]:
        """Return the findings that change a character in ``start:stop``, or insert between two of its characters."""
        first = bisect_right(self._latest_stops, start)
        last = bisect_left(self._findings, stop, first, key=attrgetter("start"))
        return [finding for finding in self._findings[first:last] if finding.stop > start]


class ComparedText:
    """A raw text and its compared forms, without the lines `site_text`; each is computed on first use."""

    def __init__(self, raw: str, settings: Settings, site_text: Sequence[str], title: str | None) -> None:
        self.raw = raw
        self.title = title
        self.settings = settings
        self.site_text = site_text

    @cached_property
    def key(self) -> bytes:
        """Return the key by which articles are compared."""
        return encode_utf8(comparison_key(self.compared))

    @cached_property
    def own_key(self) -> bytes:
        """Return the key without the notices at the end of the text."""
        spans = compared_spans(self.analysis, self.settings, self.site_text)
        keys = [(text, comparison_key(text)) for text in (self.analysis.text[start:stop] for start, stop in spans)]
        spoken = [(text, key) for text, key in keys if key]
        count = own_paragraph_count([text for text, _ in spoken])
        return encode_utf8(" ".join(key for _, key in spoken[:count]))

    @cached_property
    def compared(self) -> str:
        """Return the text that is compared with that of other articles."""
        return cut_dropped(self.analysis, self.settings, self.site_text)

    @cached_property
    def facts(self) -> list[Mark]:
        """Return the facts that distinguish articles with equal keys."""
        marks: list[Mark] = []
        digits = 0  # in the paragraphs before
        for start, stop in compared_spans(self.analysis, self.settings, self.site_text):
            of_paragraph, count = fact_marks_and_digits(self.analysis.text[start:stop])
            marks += (mark._replace(place=mark.place + digits) for mark in of_paragraph)
            digits += count
        return marks

    @cached_property
    def analysis(self) -> AnalyzedText:
        """Return the results of all levels within the article."""
        return analyze_repaired(*self.repair, self.settings)

    @cached_property
    def repair(self) -> tuple[str, list[Finding]]:
        """Return the text after the rules of the text level, and their findings."""
        return repair_text(self.raw, self.settings)

    @cached_property
    def offsets(self) -> Offsets:
        """Return the map from the repaired text to the raw text."""
        return Offsets(self.repair[1])

    @cached_property
    def paragraph_spans(self) -> list[tuple[int, int]]:
        """Return the spans of the paragraphs of the repaired text."""
        return paragraphs(self.repair[0])

    @cached_property
    def edits(self) -> _OrderedEdits:
        """Return the findings of the text level."""
        return _OrderedEdits(self.repair[1])

    def repaired(self, start: int, stop: int) -> str | None:
        """Return the repaired paragraphs, or parts of paragraphs, in a span of the raw text.

        None means that a repair crosses a border of the span, so that the compared text is uncertain.
        """
        parts = []
        spans = self.paragraph_spans
        # Spans of the raw text ascend as those of the repaired text do.
        first_place = bisect_right(spans, start, key=lambda span: self.offsets.widen(*span)[1])
        for place in range(first_place, len(spans)):
            first, last = self.offsets.widen(*spans[place])
            if first >= stop:
                break
            low, high = max(start, first), min(stop, last)
            if low >= high:
                continue
            is_whole = (low, high) == (first, last)
            part = self.repair[0][slice(*spans[place])] if is_whole else self._repaired_part(low, high)
            if part is None:
                return None
            parts.append(part)
        return "\n\n".join(parts)

    def _repaired_part(self, start: int, stop: int) -> str | None:
        edits = self.edits.inside(start, stop)
        if any(edit.start < start or stop < edit.stop for edit in edits):
            return None
        moved = [edit._replace(start=edit.start - start, stop=edit.stop - start) for edit in edits]
        return apply(self.raw[start:stop], moved)


class TextGroup:
    """Texts that are compared with each other, and repaired and searched for repeats in one batch.

    Attributes:
        forms: the texts that are compared by their form.
    """

    def __init__(self, settings: Settings, rows: Sequence[SiteTextRow], folder: TwinFolder, backend: Backend) -> None:
        self.settings = settings
        self.rows = rows
        self.folder = folder
        self.backend = backend
        self.forms = FormTexts(compiled=backend.compiled)
        self._form_numbers: dict[ComparedText, int] = {}
        self._twins: dict[tuple[str, int], ComparedText] = {}

    def of_duplicate(self, duplicate: Duplicate) -> ComparedText:
        """Return the text of a duplicate."""
        return ComparedText(duplicate.raw, self.settings, self._lines(duplicate.site_text), duplicate.title)

    def of_twin(self, twin: StoredTwin) -> ComparedText:
        """Return the text of a twin."""
        key = twin.file, twin.offset
        if key not in self._twins:
            lines = self._lines(twin.site_text)
            self._twins[key] = ComparedText(self.folder.text(twin), self.settings, lines, twin.title)
        return self._twins[key]

    def form_of(self, text: ComparedText) -> int:
        """Return the number of a text in `forms`."""
        if text not in self._form_numbers:
            [self._form_numbers[text]] = self.forms.add([text.compared], [text.title])
        return self._form_numbers[text]

    def _lines(self, site_text: Sequence[int | str]) -> tuple[str, ...]:
        """Return lines of site text, which are given as numbers or as texts."""
        return tuple(
            line if isinstance(line, str) else self.rows[line].text
            for line in site_text
            if isinstance(line, str) or 0 <= line < len(self.rows)
        )

    def analyze(self, repaired: Collection[ComparedText], whole: Collection[ComparedText]) -> None:
        """Set `repair` of the texts `repaired`; of the texts `whole`, a part of these, also `analysis` and `key`."""
        raws = [text.raw for text in repaired]
        results = repair_texts(raws, list(map(encode_utf8, raws)), self.settings, self.backend)
        for text, result, findings in zip(repaired, results.texts, results.findings, strict=True):
            text.repair = result, findings
        analyses = analyze_texts([text.repair for text in whole], self.settings, self.backend)
        for text, analysis in zip(whole, analyses, strict=True):
            text.analysis = analysis
        segments = self.backend.segment_batch(*pack([encode_utf8(text.compared) for text in whole]))
        for text, span in zip(whole, pairwise(segments.key_offsets.tolist()), strict=True):
            text.key = segments.keys[slice(*span)].tobytes()
