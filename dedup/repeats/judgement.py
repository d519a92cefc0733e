"""Judge whether two aligned versions of a text are one text printed twice, and which of them is dropped.

What counts is the prose that both share and agree on. How much is enough depends on how the versions stand: one behind
the other, apart, at an end of the article, or as the whole of it. `dedup.repeats.vetoes` knows what repeats on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dedup.repeats.article import PROSE
from dedup.repeats.candidate import Candidate, Piece
from dedup.repeats.versions import Version
from dedup.repeats.vetoes import OF_ALL_PARTS, VETOES, WHOLE
from dedup.segment.facts import fact_marks

# Chosen with the variants of `benchmarks/quality`, one constant changed at a time, and with the negative cases of the
# tests: see docs/quality.md.
ENOUGH = 40  # words of prose in versions that follow each other
WHOLE_ENOUGH = 20  # the same of equal ones that are the whole article, or its beginning
TEASER = 12  # the same of an opening that is cut short, with the whole text behind it
APART, APART_SHARE = 30, 0.5  # words between that still count as “follow”: a heading, an advertisement, a missing end
APART_LONE = 12  # the same for a single line: a heading, not the verse between refrains or a question
FAR_WORDS, FAR_LINES = 100, 4  # words and lines of prose in versions that are apart
STATED = 30  # words of sentences in versions with fewer; lines of verse and tables have no end
SOME_STATED, SOME_PARAGRAPHS = 80, 5  # words in sentences, and paragraphs, that do instead of lines
EDGE_LINES = 3  # lines of prose, or more than so many paragraphs, where a version opens or ends the article
SPARSE, DENSE = 0.5, 0.8  # shares of the words matched in the sparser and in the denser version
DENSE_MANY = 0.85  # the same in all versions together, where they run into each other
SOLID, CHOSEN = 0.95, 0.25  # the same of a summary at an end of the article, and of what it is chosen from
LINES = 6  # different short lines that repeat without a gap: a list printed twice, not a refrain
LINES_WORDS, LINES_WHOLE_WORDS = 100, 60  # words in them, and where they are the whole article; a chorus has about 50


class Judgement(NamedTuple):
    """The version to drop, or None if both stay; and whether no part of them can be two versions by itself."""

    drop: Version | None
    is_settled: bool


def judge(candidate: Candidate) -> Judgement:
    """Return whether one of two versions is dropped, and which."""
    if not _is_dense(candidate) or not _has_members(candidate):
        return Judgement(None, is_settled=False)
    candidate.leave_out_first_copies()
    candidate.leave_out_edited_questions()
    if not _has_members(candidate) or not _is_enough(candidate):
        return Judgement(None, is_settled=False)
    vetoes = {name for name, veto in VETOES.items() if veto(candidate)}
    if vetoes:  # a part of a letter to two people stands under no heading, but repeats on purpose all the same
        return Judgement(None, is_settled=not vetoes.isdisjoint(OF_ALL_PARTS) and not candidate.opens_article)
    return Judgement(_version_to_drop(candidate), is_settled=True)


def _has_members(candidate: Candidate) -> bool:
    return bool(candidate.copy.members and candidate.source.members)


def _is_dense(candidate: Candidate) -> bool:
    """Return True if enough of the words of both versions is matched."""
    units, copy, source = candidate.units, candidate.copy, candidate.source
    if candidate.overlaps:
        return candidate.matched >= DENSE_MANY * units.size(source.start, copy.stop)
    shares = [side.size / units.size(side.start, side.stop) for side in (copy, source)]
    if candidate.stands_at_edge and shares[1 if candidate.opens_article else 0] >= SOLID:
        return min(shares) >= CHOSEN  # a summary, of passages elsewhere
    return min(shares) >= SPARSE and max(shares) >= DENSE


def _is_enough(candidate: Candidate) -> bool:
    """Return True if the prose that versions share is enough for where they stand."""
    if _is_opening(candidate) and candidate.has_agreeing_words(TEASER):
        return True
    return _is_enough_prose(candidate) or _is_list_printed_twice(candidate)


def _is_enough_prose(candidate: Candidate) -> bool:
    """Return True if prose is enough; what takes long is looked at last, and only if it can be enough."""
    source, is_whole = candidate.source, candidate.whole >= WHOLE
    is_prefix = not source.start and not candidate.between
    enough = WHOLE_ENOUGH if (is_whole or is_prefix) and candidate.is_equal else ENOUGH
    if candidate.size_of(source) < enough or candidate.evidence_words < enough:
        return False
    size, is_lone = source.size, candidate.count_lines(candidate.evidence) < 2
    if is_lone and not candidate.is_equal and not (is_whole and (size >= FAR_WORDS or _lines_agree(candidate))):
        return False
    is_near = candidate.between <= (APART_LONE if is_lone else max(APART, APART_SHARE * size))
    if not is_near and not _is_enough_far_apart(candidate, candidate.evidence, size):
        return False
    return candidate.has_agreeing_words(enough) and (
        is_near or _is_enough_far_apart(candidate, candidate.agreeing, size)
    )


def _is_list_printed_twice(candidate: Candidate) -> bool:
    needed = LINES_WHOLE_WORDS if candidate.whole >= WHOLE else LINES_WORDS
    if candidate.between or candidate.source.size < needed or not candidate.is_equal:
        return False
    lines = {tuple(candidate.units.words_of(unit)) for unit in candidate.source.members}
    return len(lines) >= LINES and _have_equal_facts(candidate)


def _is_opening(candidate: Candidate) -> bool:
    """Return True if the source opens the article, is cut short, and the copy follows at once: a teaser."""
    units, source = candidate.units, candidate.source
    cut = candidate.cut == 1 or _ends_inside_sentence(candidate)
    opens = units.size(0, source.start) <= 0 and candidate.between <= 0 and not candidate.overlaps
    return cut and opens and not candidate.unmatched(source)


def _ends_inside_sentence(candidate: Candidate) -> bool:
    """Return True if the source ends with a unit of which the copy has more."""
    copy, units = candidate.copy, candidate.units
    last = units.unit_at(copy.stop - 1)
    return copy.stop < units.borders[last + 1]


def _have_equal_facts(candidate: Candidate) -> bool:
    """Return True if versions of equal words have the same facts, such as the signs of numbers."""
    units = candidate.units
    texts = ("\n".join(units.text(unit, unit) for unit in side.members) for side in (candidate.copy, candidate.source))
    one, two = texts
    return one == two or fact_marks(one) == fact_marks(two)


def _lines_agree(candidate: Candidate) -> bool:
    """Return True if the first lines of both versions have the same names and numbers."""
    units = candidate.units
    return units.article.agree(*(units.line_at(side.members[0]) for side in (candidate.source, candidate.copy)))


def _is_enough_far_apart(candidate: Candidate, evidence: Sequence[Piece], size: float) -> bool:
    """Return True if versions are enough where they are apart."""
    units = candidate.units
    count = candidate.count_lines(evidence)
    if sum(piece.size for piece in evidence) >= FAR_WORDS and count >= FAR_LINES:
        return True
    stated = sum(piece.size for piece in evidence if units.is_sentence(piece.units[-1]))
    paragraphs = len({units.paragraphs[unit] for unit in candidate.source.members})
    if stated < STATED:
        return False
    if (count >= EDGE_LINES or stated >= SOME_STATED) and paragraphs >= SOME_PARAGRAPHS and size >= FAR_WORDS:
        return True
    return candidate.stands_at_edge and size >= ENOUGH and (count >= EDGE_LINES or paragraphs > EDGE_LINES)


def _version_to_drop(candidate: Candidate) -> Version:
    """Return the version to drop: the one with less of its own; where both have as much, the earlier one.

    Equal copies: the later one, or what opens the article before more text: a summary.
    """
    copy, source, units = candidate.copy, candidate.source, candidate.units
    if candidate.overlaps:
        return copy
    own = [candidate.unmatched(side) + _inside(candidate, side) for side in (copy, source)]
    if not own[0] and not own[1]:
        if candidate.cut >= 0:
            return (copy, source)[candidate.cut]
        sizes = [candidate.size_of(side) for side in (copy, source)]
        if sizes[0] != sizes[1]:
            return copy if sizes[0] > sizes[1] else source
        if not _have_equal_facts(candidate):
            return source  # newsrooms correct forwards: “+1.2 %” became “-1.2 %”
        is_summary = candidate.opens_article and units.size(copy.stop, len(units.words)) >= PROSE
        return source if is_summary and candidate.between else copy
    if not own[0] or not own[1]:
        return copy if not own[0] else source
    if abs(own[0] - own[1]) >= PROSE:
        return copy if own[0] < own[1] else source
    return source


def _inside(candidate: Candidate, side: Version) -> float:
    """Return the weight of the prose inside a version that does not belong to it."""
    units = candidate.units
    members = set(side.members)
    rest = [unit for unit in range(side.members[0], side.members[-1]) if unit not in members]
    return sum(size for size in map(units.unit_size, rest) if size >= PROSE)
