"""The form of each line of a batch of articles: the definition, in plain Python.

A form says what the line looks like, whatever its words: how it ends, how many capitals, digits and separators it has,
and how much of the article's title is in it. A frame is the line without what changes from article to article: equal
frames are "Published 3 May 2020" and "Published 11 June 2021". `dedup.kernels.line_forms` computes the same in machine
code.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U64, Bytes, decode_utf8, offsets_of
from dedup.fingerprint.shingles import FNV_OFFSET, FNV_PRIME
from dedup.segment.batch import Segments
from dedup.site_text.characters import CLASS_OF, classes_of
from dedup.site_text.dates import date_name_hashes
from dedup.site_text.site_words import count_site_words

# The members of a form and their numbers of bits, from the lowest bit on. Shares are in fifteenths.
FORM_BITS = {
    "first": 5,  # class of the first character
    "last": 5,  # class of the last one that is no quotation mark or bracket
    "capitals": 4,  # share of the tokens that begin with a capital
    "digits": 4,  # share of the characters that are digits
    "ends": 3,  # ends of sentences
    "commas": 3,
    "separators": 3,
    "quotes": 2,  # quotation marks
    "is_quoted": 1,  # at least half of it is within quotation marks
    "has_at": 1,  # an at sign
    "has_time": 1,  # digits around a colon, a full stop, a dash or a slash
    "is_title": 1,  # the words of the article's title, or of its first line
    "from_title": 4,  # share of its words that are words of a title
    "of_title": 4,  # share of the title's words that it has
    "site_words": 2,  # words and pairs of words with which sites speak to readers
}
FORM_SHIFTS = dict(zip(FORM_BITS, accumulate(FORM_BITS.values(), initial=0), strict=False))
SHARES = 15
# Longer lines have no frame, and longer ones are no title. A site's lines of changing content are short.
FRAME_WORDS = 60
# A run of so many words of the title is taken to be the title in a frame.
TITLE_RUN = 3
DATE_NAME, TITLE_NAME = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F  # stand for such words in a frame

_ANY_SENTENCE_END = re.compile(r'[EQ]|[.?…](?=[_")]|$)')
_TOKEN_START = re.compile(r"(?<![^_])[^_]")
_TIME = re.compile(r"d[:.\-|]d")
_HASH_MASK = (1 << 64) - 1


class LineForms(NamedTuple):
    """The forms and frames of lines: one value per line.

    `forms` are bit fields with the members `FORM_BITS`, int64 [lines]; 0 for a line without words. `frames` are hashes,
    int64 [lines]; 0 for a line that has none.
    """

    forms: I64
    frames: I64


def form_member(forms: I64, name: str) -> I64:
    """Return one member of `forms`, int64 [lines].

    >>> forms = np.array([form_of("Read more: 5 stories"), form_of("He left. She did not.")])
    >>> form_member(forms, "ends").tolist(), form_member(forms, "capitals").tolist()
    ([0, 2], [3, 6])
    """
    member: I64 = (forms >> FORM_SHIFTS[name]) & ((1 << FORM_BITS[name]) - 1)
    return member


def form_of(text: str) -> int:
    """Return the form of a line, without the members that need the article's title or the hashes of its words."""
    classes = classes_of(text).strip("_")
    end = classes.rstrip('_")')
    last = CLASS_OF[end[-1]] if end else 0
    if end.endswith(".."):
        last = CLASS_OF["…"]
    starts = _TOKEN_START.findall(classes)
    characters = len(classes) - classes.count("_")
    quoted = sum(map(len, classes.split('"')[1::2]))
    members = {
        "first": CLASS_OF[classes[0]] if classes else 0,
        "last": last,
        "capitals": starts.count("U") * SHARES // max(len(starts), 1),
        "digits": classes.count("d") * SHARES // max(characters, 1),
        "ends": len(_ANY_SENTENCE_END.findall(classes)),
        "commas": classes.count(","),
        "separators": classes.count("|"),
        "quotes": classes.count('"'),
        "is_quoted": classes.count('"') > 0 and 2 * quoted >= len(classes),
        "has_at": "@" in classes,
        "has_time": bool(_TIME.search(classes)),
    }
    return sum(pack_member(name, value) for name, value in members.items())


def pack_member(name: str, value: int) -> int:
    """Return `value`, or the highest value that there is room for, as the member `name` of a form."""
    return min(int(value), (1 << FORM_BITS[name]) - 1) << FORM_SHIFTS[name]


def line_forms(
    data: Bytes, offsets: I64, segments: Segments, hashes: U64, title_hashes: U64, title_offsets: I64
) -> LineForms:
    """Return the forms and frames of the paragraphs of a batch.

    `data` and `offsets` are those of `dedup.segment.batch.segment_batch`. `segments` may have other paragraphs of the
    same texts, in order; `hashes` are those of all their words: uint64 [words]. `title_hashes` are those of the words
    of the title of each text, uint64 [title words], and `title_offsets` where they start, int64 [texts + 1].
    """
    count = len(segments.words)
    forms, frames = np.zeros(count, np.int64), np.zeros(count, np.uint64)
    word_offsets = offsets_of(segments.words).tolist()
    date_names = frozenset(date_name_hashes().tolist())
    for number, (first, last) in enumerate(pairwise(segments.borders.tolist())):
        text = decode_utf8(data[offsets[number] : offsets[number + 1]].tobytes())
        titles = [title_hashes[title_offsets[number] : title_offsets[number + 1]].tolist()]
        lines = [line for line in range(first, last) if segments.words[line]]
        if lines:
            titles.append(hashes[word_offsets[lines[0]] : word_offsets[lines[0] + 1]].tolist())
        titles = [title for title in titles if 0 < len(title) <= FRAME_WORDS]
        title_words = {value for title in titles for value in title}
        for line in lines:
            form = form_of(text[segments.starts[line] : segments.stops[line]])
            words = hashes[word_offsets[line] : word_offsets[line + 1]].tolist()
            if len(words) <= FRAME_WORDS:
                matched = sum(value in title_words for value in words)
                form += pack_member("is_title", words in titles)
                form += pack_member("from_title", matched * SHARES // len(words))
                form += pack_member("of_title", matched * SHARES // len(titles[0]) if titles else 0)
                form += pack_member("site_words", count_site_words(words))
                if matched < len(words):  # all headlines would have one frame
                    key = segments.keys[segments.key_starts[line] : segments.key_stops[line]].tobytes()
                    frames[line] = _frame_of_words(key, words, title_words, date_names)
            forms[line] = form
    return LineForms(forms, frames.view(np.int64))


def _frame_of_words(key: bytes, words: list[int], title_words: set[int], date_names: frozenset[int]) -> int:
    """Return the frame of a line from its comparison key and the hashes of its words."""
    is_dated = any(48 <= byte <= 57 for byte in key)
    frame = FNV_OFFSET
    run = 0  # words of the title up to here
    pending: list[int] = []  # what they are hashed as if the run is too short
    for value, word in zip([*words, -1], [*key.split(b" "), b""], strict=True):
        folded = value
        if is_dated:
            folded = DATE_NAME if value in date_names else _hash_without_digits(word, value)
        if value in title_words:
            run += 1
            pending.append(folded)
            continue
        for each in [TITLE_NAME] if run >= TITLE_RUN else pending:
            frame = ((frame ^ each) * FNV_PRIME) & _HASH_MASK
        run, pending = 0, []
        if word:
            frame = ((frame ^ folded) * FNV_PRIME) & _HASH_MASK
    return frame


def _hash_without_digits(word: bytes, value: int) -> int:
    """Return the hash of `word` with each run of digits as one 0, or its hash `value` if it has none."""
    if not any(48 <= byte <= 57 for byte in word):
        return value
    value, previous = FNV_OFFSET, 0
    for byte in word:
        is_digit = 48 <= byte <= 57
        if not (is_digit and 48 <= previous <= 57):
            value = ((value ^ (48 if is_digit else byte)) * FNV_PRIME) & _HASH_MASK
        previous = byte
    return value
