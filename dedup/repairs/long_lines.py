"""Cut lines that are too long to repair at once, where no character, entity or sequence of mojibake is cut in two.

A cut is safe if no step of ftfy looks across it. Two letters or signs of ASCII are never parts of one character's
mojibake, whatever the encoding and however often it was applied: all bytes of a longer sequence of UTF-8 are beyond
ASCII. The same holds for letters of a script that none of ftfy's encodings has. Where a line has none of these, it is
decoded as ftfy would decode it, and cut between two of the decoded characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ftfy.chardata import CHARMAP_ENCODINGS, UTF8_CLUES, UTF8_DETECTOR_RE, possible_encoding

from dedup.repairs.ftfy_patterns import looks_bad
from dedup.repairs.separators import ends_with_first_surrogate

# ftfy decodes CESU-8 in quadratic time: a line of it with 50,000 characters takes 0.02 s, one of 1,000,000
# takes 2.3 s. Longer lines are cut, between words where there are any.
MAX_LINE = 50_000

_NEAR_LIMIT = 1000  # characters before the limit in which a safe cut is looked for
_AHEAD = 200  # characters behind the limit that are decoded with those before it
_MAX_LAYERS = 8  # of mojibake; each multiplies the length of a character
_LONGEST_SEQUENCE = 4  # bytes of UTF-8
_ENTITY = 64  # characters before a cut that may belong to an entity

_SPACE_BETWEEN_WORDS = re.compile("(?<=[!-~]) (?=[!-~])")
# Letters of Hebrew, Arabic, Devanagari, Thai, kana, Han and Hangul that do not combine with one before them.
_FOREIGN = (
    "\u05d0-\u05ea\u0620-\u063a\u0641-\u064a\u0904-\u0939\u0e01-\u0e30"
    "\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
)
# Places where a cut is safe, the best first: ftfy also looks at the ASCII letter beside a sequence.
_SAFE = (
    re.compile(f"(?<=[!-~{_FOREIGN}])(?=[!-~{_FOREIGN}])"),
    re.compile(f"(?<=[{_FOREIGN}])|(?=[{_FOREIGN}])"),
)
_SEQUENCE = re.compile(
    "[{utf8_first_of_2}][{utf8_continuation}]|[{utf8_first_of_3}][{utf8_continuation}]{{2}}|"
    "[{utf8_first_of_4}][{utf8_continuation}]{{3}}".format(**UTF8_CLUES)
)
_ENTITY_PART = re.compile("&[&#;0-9A-Za-z]*\\Z")


def pieces_of_line(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of the pieces of the line ``text[start:stop]`` that are repaired each by itself.

    A byte order mark is a piece of its own and is omitted: it belongs to the rule ``whitespace``.
    """
    while start < stop:
        end = text.find("\ufeff", start, stop)
        end = stop if end < 0 else end
        while end - start > MAX_LINE:
            cut = start + MAX_LINE
            for space in _SPACE_BETWEEN_WORDS.finditer(text, cut - _NEAR_LIMIT, cut):
                cut = space.end()
            if cut == start + MAX_LINE:
                size = min(MAX_LINE, end - start - _AHEAD)
                cut = start + safe_cut(text[start : start + size + _AHEAD], size)
            yield start, cut
            start = cut
        if start < end:
            yield start, end
        start = end + 1


def safe_cut(text: str, limit: int, layer: int = 0) -> int:
    r"""Return a place to cut `text`, from 1 to `limit`, as late as possible; `text` may be longer than `limit`.

    >>> safe_cut("中文" * 5, 7), safe_cut("Ð´Ð°" * 5, 7), safe_cut("fish&amp;chips", 7)
    (7, 6, 4)
    """
    low = max(1, limit - _NEAR_LIMIT)
    for pattern in _SAFE:
        for border in reversed(list(pattern.finditer(text, low, min(limit + 1, len(text))))):
            if border.start() <= limit and not _is_joined(text, border.start()):
                return border.start()
    place = _cut_of_mojibake(text, limit, layer)
    while place > low and _is_joined(text, place):
        place -= 1
    return max(place, 1)


def _cut_of_mojibake(text: str, limit: int, layer: int) -> int:
    """Return the last place up to `limit` that is inside no sequence of mojibake; `limit` if there is none."""
    if limit >= len(text) or not looks_bad(text):
        return limit
    decoded = _cut_of_decoded(text, limit, layer)
    if decoded:
        return decoded
    for match in UTF8_DETECTOR_RE.finditer(text):
        start, stop = match.span()
        if start < limit < stop:
            if start > 0 and limit - start <= _NEAR_LIMIT:
                return start
            decoded = _cut_of_decoded(text[start:stop], limit - start, layer)
            return start + decoded if decoded else _border_of_sequences(text, start, limit)
    return limit


def _border_of_sequences(text: str, start: int, limit: int) -> int:
    """Return the last place up to `limit` between two sequences that look like UTF-8; they follow each other."""
    while (match := _SEQUENCE.match(text, start)) and match.end() <= limit:
        start = match.end()
    return start


def _cut_of_decoded(text: str, limit: int, layer: int) -> int | None:
    """Return the last place up to `limit` between two characters that `text` is mojibake of; None if it is of none.

    The encoding is the first one of ftfy's that gives UTF-8. If the decoded text is mojibake again, the place is
    between two characters of that, and so on.
    """
    for name in CHARMAP_ENCODINGS if layer < _MAX_LAYERS else ():
        if not possible_encoding(text, name):
            continue
        data = text.encode(name)
        # The last character may be cut off at the end of `text`.
        stop = max((at for at in range(len(data))[-_LONGEST_SEQUENCE:] if data[at] & 0xC0 != 0x80), default=0)
        try:
            decoded = data[:stop].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            continue
        # The number of characters up to `limit`: those of the bytes that are no continuation, but for the last.
        count = sum(byte & 0xC0 != 0x80 for byte in data[: min(limit + 1, stop)])
        count -= limit < stop
        if 0 < count <= len(decoded):
            count = safe_cut(decoded, count, layer + 1) if count < len(decoded) else count
            return len(decoded[:count].encode("utf-8", "surrogatepass"))
    return None


def _is_joined(text: str, place: int) -> bool:
    r"""Return True if the characters on both sides of `place` belong together, as parts of an entity or otherwise.

    >>> _is_joined("e\u0301", 1), _is_joined("&amp;", 3), _is_joined("&amp;&lt;", 5), _is_joined("&#55357;&#56832;", 8)
    (True, True, False, True)
    """
    if place >= len(text):
        return False
    before, after = text[place - 1], text[place]
    if (before == "\r" and after == "\n") or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff"):
        return True
    if unicodedata.category(after).startswith("M") or "\u1160" <= after <= "\u11ff":
        return True
    entity = _ENTITY_PART.search(text, max(place - _ENTITY, 0), place)
    return bool(entity) and not (before == ";" and after == "&" and not ends_with_first_surrogate(text[:place][-32:]))
