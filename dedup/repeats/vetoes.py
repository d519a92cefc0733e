"""Texts that an article repeats on purpose: each veto names one kind, and says whether two versions are of it."""

from __future__ import annotations

from collections.abc import Callable

from dedup.repeats.candidate import LONG_WORDS, Candidate
from dedup.repeats.headings import LABEL_WORDS, are_built_alike
from dedup.segment.words import weighted_word_count, words

WHOLE = 0.9  # share of the article from which two versions are the whole of it; in one case with a share of 79 %, the
# article is two different releases
REFRAIN_PLACES = 64  # places of a passage that are looked at
VERSE_LINES, VERSE_CHARACTERS = 3, 50  # lines of a paragraph, and their mean length; mail and books wrap at 60 or more


def _has_parallel_headings(candidate: Candidate) -> bool:
    """Return True if the versions stand under headings that are built alike: letters, menus, weather of two regions."""
    units = candidate.units
    sides = candidate.source, candidate.copy
    above = [units.head(units.borders[side.members[0]]) for side in sides]
    inside = [units.unmatched_start(side.members[0], side.words) for side in sides]
    if any(map(units.article.has_in_lower_case, inside)):  # a sentence whose first word was edited
        inside = ["", ""]
    heads = [pair for pair in (above, inside) if all(pair)]
    opens = not sides[0].members[0] or (above[0] and units.line_at(0) == above[0])
    if opens and candidate.is_long:  # what differs are versions of the title of the article
        heads = [above] if all(above) and weighted_word_count(words(above[0])) <= LABEL_WORDS else []
    return any(are_built_alike(*pair) for pair in heads)


def _is_statement_of_two(candidate: Candidate) -> bool:
    """Return True if each version is introduced as the words of another speaker."""
    units = candidate.units
    heads = [units.head(units.borders[side.members[0]]).rstrip() for side in (candidate.copy, candidate.source)]
    return all(head.endswith((":", "：")) for head in heads) and heads[0] != heads[1]


def _answers_question(candidate: Candidate) -> bool:
    """Return True if a lone piece is an answer under another question."""
    if candidate.count_lines(candidate.evidence) > 1 or candidate.evidence_words >= LONG_WORDS:
        return False
    units = candidate.units
    before = [side.members[0] - 1 for side in (candidate.copy, candidate.source)]
    if before[0] < 0 or not units.asks(before[0]) or before[0] in candidate.source.members:
        return False
    return before[1] < 0 or units.words_of(before[0]) != units.words_of(before[1])


def _is_refrain(candidate: Candidate) -> bool:
    """Return True if the same words stand three times or more, each time after something else."""
    units = candidate.units
    matched = {tuple(units.words_of(unit)) for side in (candidate.copy, candidate.source) for unit in side.members}
    for piece in candidate.evidence[:1]:
        longest = max(piece.units, key=units.unit_size)
        places = units.places_of(longest)[:REFRAIN_PLACES]
        before = {tuple(units.words_of(place - 1)) for place in places if place} - matched
        if len(places) > 2 and len(before) > 1:
            return True
    return False


def _is_verse(candidate: Candidate) -> bool:
    """Return True if a lone piece is lines of verse."""
    units = candidate.units
    paragraphs = {units.paragraphs[unit] for unit in candidate.copy.members}
    if len(paragraphs) != 1 or candidate.whole >= WHOLE:
        return False
    start, stop = units.article.spans[paragraphs.pop()]
    lines = units.article.text[start:stop].split("\n")
    return len(lines) >= VERSE_LINES and (stop - start) / len(lines) <= VERSE_CHARACTERS


VETOES: dict[str, Callable[[Candidate], bool]] = {
    "parallel headings": _has_parallel_headings,
    "statements of two speakers": _is_statement_of_two,
    "one answer to two questions": _answers_question,
    "refrain": _is_refrain,
    "verse": _is_verse,
}
OF_ALL_PARTS = {"parallel headings", "statements of two speakers"}  # vetoes that hold for parts of the versions, too
