"""Prove which texts ftfy leaves unchanged, from the parts of its mojibake pattern and the characters that NFC changes.

ftfy changes the encoding of a line only where its pattern of "badness" matches. That pattern is an alternation of about
forty short sequences of character sets. This module reads the sequences from the installed ftfy and builds a pattern
that looks closely only at characters that are rare in most texts. `dedup.kernels.repair_screen` compiles the same
sequences. A sequence that ftfy anchors to the start of a line matches anywhere here, so a line without a match has no
match in any of its parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from ftfy.badness import BADNESS_RE
from ftfy.chardata import CONTROL_CHARS

from dedup.repairs.code_ranges import (
    NOT_ASCII,
    Chars,
    Ranges,
    as_pattern,
    complement,
    holds,
    holds_no_ascii,
    intersection,
    of_codes,
    of_ranges,
    union,
)
from dedup.repairs.regex_tree import read_sequences

# How common characters are in ordinary text; a search should look closely at rare ones only.
_COMMON = {
    **dict.fromkeys(map(ord, "“”„«»…·°ÄÖÜÉÀÁÅØ"), 10),
    **dict.fromkeys(map(ord, "äöüßéèêàâçñáíóúãõåøæîôœ’–—"), 100),
    **dict.fromkeys((*range(0x3AC, 0x3CF), *range(0x430, 0x460)), 10_000),
    **dict.fromkeys(range(128), 1_000_000),
}
BYTE_ORDER_MARK = 0xFEFF


@cache
def suspect_pattern() -> re.Pattern[str]:
    r"""Return a pattern that matches in every text that ftfy would change, entities aside.

    >>> bool(suspect_pattern().search("caf\u00c3\u00a9")), bool(suspect_pattern().search("caf\u00e9 \u00e3\u00e9"))
    (True, False)
    """
    return any_of(suspect_sequences())


def looks_bad(text: str) -> bool:
    """Return True if ftfy may see mojibake in `text`: its pattern matches, or would match at the start of a line."""
    return not text.isascii() and bool(_bad().search(text))


def is_bad(text: str) -> bool:
    """Return True if ftfy's pattern matches in `text`: ``ftfy.badness.is_bad``, ten times as fast where it matches."""
    return bool(_surely_bad().search(text) or BADNESS_RE.search(text))


def may_not_be_normal(text: str) -> bool:
    """Return False only if `text` is in NFC."""
    return not text.isascii() and bool(_unnormal().search(text))


@cache
def _bad() -> re.Pattern[str]:
    return any_of(bad_sequences())


@cache
def _surely_bad() -> re.Pattern[str]:
    """Return a pattern that matches only where ftfy's pattern does, but not everywhere it does."""
    return any_of(surely_bad_sequences()) if surely_bad_sequences() else re.compile(r"(?!)")


@cache
def _unnormal() -> re.Pattern[str]:
    return any_of(unnormal_sequences())


def suspect_sequences() -> tuple[tuple[Chars, ...], ...]:
    """Return sequences of character sets, one of which is in every text that ftfy would change, entities aside."""
    return (*bad_sequences(), *unnormal_sequences(), (of_ranges(replaced()),))


def any_of(choices: Iterable[tuple[Chars, ...]]) -> re.Pattern[str]:
    """Return a pattern of all `choices`: it searches for the rarest character of each and checks its neighbours."""
    first, rest = [], []
    for sequence in choices:
        at = min(range(len(sequence)), key=lambda at: _commonness(sequence[at].ranges))
        patterns = [chars.pattern for chars in sequence]
        first.append(sequence[at].ranges)
        rest.append(f"(?<={''.join(patterns[: at + 1])}){''.join(patterns[at + 1 :])}")
    # Beyond the first plane, a search compares with each range of a set, but with none of a negated set.
    others = tuple((a, min(b, 0xFFFF)) for a, b in complement(union(first)) if a <= 0xFFFF)
    return re.compile(f"[^{as_pattern(others)[1:]}(?:{'|'.join(rest)})")


def _commonness(ranges: Ranges) -> int:
    """Return how common the characters of `ranges` are in ordinary text."""
    return sum(weight for code, weight in _COMMON.items() if holds(ranges, code))


@cache
def bad_sequences() -> tuple[tuple[Chars, ...], ...]:
    """Return sequences of character sets, one of which matches wherever ftfy's pattern does in non-ASCII text.

    Each has a set without ASCII characters. If ftfy's pattern has an unexpected form, each non-ASCII character is such
    a sequence.
    """
    try:
        sequences = read_sequences(BADNESS_RE.pattern, BADNESS_RE.flags)
    except NotImplementedError:
        return ((NOT_ASCII,),)
    usable = all(any(holds_no_ascii(chars) for chars in sequence) for sequence in sequences)
    return sequences if usable else ((NOT_ASCII,),)


@cache
def surely_bad_sequences() -> tuple[tuple[Chars, ...], ...]:
    """Return the sequences that match only where ftfy's pattern does; none if it has an unexpected form."""
    try:
        return read_sequences(BADNESS_RE.pattern, BADNESS_RE.flags, anchored=False)
    except NotImplementedError:
        return ()


# Beyond the first plane sets are coarse, because a pattern compares with each range there in turn.
_HISTORIC = ((0x10000, 0x1EFFF), (0x2F800, 0x2FA1F))
# All characters of the first plane that decompose or combine are in these ranges.
_BLOCKS = ((0xA0, 0x33FF), (0x4DC0, 0x4DFF), (0xA000, 0xABFF), (0xF900, 0xFFFF))
_HANGUL_FORMER = ((0x1100, 0x1112), (0xAC00, 0xD7A3))
_HANGUL_LATER = ((0x1161, 0x1175), (0x11A8, 0x11C2))


# Combining classes that a higher class often follows, in the order of NFC: nukta and virama, Arabic vowels and
# shadda, Thai and Lao vowels and tones.
_IN_ORDER = (((7,), 9), (tuple(range(27, 33)), 33), ((103,), 107), ((118,), 122))


@cache
def replaced() -> Ranges:
    """Return the characters that ftfy's other steps may change one by one, apart from mojibake, entities and NFC.

    These are control characters, line ends, surrogates and the first characters of terminal escapes. The form feed is
    one of them: `dedup.repairs.separators` may change it. The byte order mark belongs to the rule ``whitespace``.
    """
    ends = ((0x0C, 0x0D), (0x1B, 0x1B), (0x80, 0x9F), (0x2028, 0x2029), (0xD800, 0xDFFF))
    return union((of_codes(code for code in CONTROL_CHARS if code != BYTE_ORDER_MARK), ends))


@cache
def unnormal_sequences() -> tuple[tuple[Chars, ...], ...]:
    """Return sequences of character sets, one of which is in every text that is not in NFC.

    A text is in NFC if it has no character that NFC always replaces, no two combining marks that might be reordered,
    and no character that may compose with an earlier one (after a mark, or after a character that composes or
    decomposes). This is the quick check of Unicode Standard Annex 15, section 9, in a stricter form.
    """
    never, later, former = (set[int]() for _ in range(3))
    marks: dict[int, set[int]] = {}
    for code in (code for first, last in _BLOCKS for code in range(first, last + 1)):
        character = chr(code)
        if order := unicodedata.combining(character):
            marks.setdefault(order, set()).add(code)
        parts = unicodedata.decomposition(character)
        if not parts or parts[0] == "<":
            continue
        if unicodedata.is_normalized("NFC", character):
            codes = [int(part, 16) for part in parts.split()]
            former |= {code, codes[0]}
            later.update(codes[1:])
        else:
            never.add(code)
    every = of_codes(set().union(*marks.values()))
    pairs = []
    others = set(marks)
    for before, behind in _IN_ORDER:
        others -= set(before)
        first = of_codes(code for order in before for code in marks.get(order, ()))
        pairs.append((of_ranges(first), of_ranges(intersection(every, complement(of_codes(marks.get(behind, ())))))))
    pairs.append((of_ranges(of_codes(code for order in others for code in marks[order])), of_ranges(every)))
    former_ = union((of_codes(former), every, _HANGUL_FORMER))
    later_ = union((of_codes(later), _HANGUL_LATER))
    return ((of_ranges(union((of_codes(never), _HISTORIC))),), *pairs, (of_ranges(former_), of_ranges(later_)))
