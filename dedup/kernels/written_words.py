"""Cut texts into folded words with spans: the compiled version of `dedup.segment.written_words`.

Characters are decoded from UTF-8 one by one, and `dedup.kernels.characters` says what each becomes. The few words with
a hard character, which cannot be folded by itself, are folded by the definition, and texts with characters beyond the
tables are left to it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dedup.arrays import I32, I64, Bytes, decode_utf8, encode_utf8, offsets_of
from dedup.kernels.characters import (
    BREAK,
    CODES,
    ENDS_SORTED,
    HARD,
    IS_LONE,
    IS_REMOVED,
    ITSELF,
    MARK,
    SPACED,
    characters,
)
from dedup.kernels.constants import SPACE_BYTE
from dedup.kernels.declare import kernel, part
from dedup.kernels.utf8 import character_width, code_point_at
from dedup.segment import written_words as definition
from dedup.segment.written_words import BEGINS_UPPER, IN_NAME, WrittenWords, fold, join_words

_IS_UPPER, _IS_ALPHA = 1, 2  # bits of the cases of characters
_IS_HARD = 4  # a bit of the flags of words, while they are written
_ROOM = 16  # bytes that the words of a text may take beyond twice its length


@cache
def _cases() -> Bytes:
    """Return for each code point `_IS_UPPER` if it is a capital and `_IS_ALPHA` if a letter: uint8 [`CODES`]."""
    letters = np.arange(CODES, dtype=np.uint32).view("U1")
    return (np.char.isupper(letters) * _IS_UPPER + np.char.isalpha(letters) * _IS_ALPHA).astype(np.uint8)


@part
def _has_key_words(stream: Bytes, target: int, written: int) -> bool:
    """Return True if a folding has the class of the character as it is written, so that a key has the same words.

    The folding starts at `target` in `stream`, see `dedup.kernels.characters.Characters`.
    """
    parts = np.int64(stream[target])
    place: Any = target + 1
    same = 0
    while same < parts and stream[place] == written:
        same += 1
        place += 2 + np.int64(stream[place + 1])
    return same == parts and (parts == 1 or written == SPACED or written == BREAK)  # noqa: PLR1714, SIM109 - numba


@part
def _append_folded(data: Bytes, at: int, width: int, target: int, stream: Bytes, folded: Bytes, position: int) -> int:
    """Write what the character of `width` bytes at ``data[at]`` becomes to ``folded[position:]``; return its end."""
    if target == ITSELF:
        for offset in range(width):
            folded[position + offset] = data[at + offset]
        return position + width
    place: Any = target + 1
    for _ in range(np.int64(stream[target])):
        size: Any = np.int64(stream[place + 1])
        for offset in range(size):
            folded[position + offset] = stream[place + 2 + offset]
        position += size
        place += 2 + size
    return position


@kernel(
    "uint8[:], int64[:], int32[:], uint8[:], uint8[:], uint8[:], uint8[:], "
    "+uint8[:], +int64[:], +int32[:], +int32[:], +uint8[:], +int64[:], +int64[:], +uint8[:]",
    returns="int64",
)
def _write_words(
    data: Bytes,
    offsets: I64,
    becomes: I32,
    classes: Bytes,
    character_flags: Bytes,
    stream: Bytes,
    cases: Bytes,
    folded: Bytes,
    ends: I64,
    starts: I32,
    stops: I32,
    flags: Bytes,
    word_offsets: I64,
    capitals: I64,
    are_key_words: Bytes,
) -> int:
    """Write the words of texts, and return the number of the first text with a character beyond the tables.

    If there is none, return the number of all texts. Words that the definition must fold are marked `_IS_HARD`.

    `data` is uint8 [bytes] and `offsets` int64 [texts + 1]. The next four arrays are those of
    `dedup.kernels.characters.Characters`, and `cases` is `_cases`. The others are those of
    `dedup.segment.written_words.WrittenWords`, of which those for words have room.
    """
    count = 0
    position = 0
    for text in range(len(offsets) - 1):
        start, stop = offsets[text], offsets[text + 1]
        base = position
        state = BREAK  # the open word: `BREAK` for none, else `SPACED`, `EAST` or `SOUTH`
        place = 0  # in code points
        runs = 0
        in_run = False
        after_letter = False  # whether the character before is a letter
        may_begin = False  # whether a space is before, and a letter before that
        ends_sorted = False
        is_regular = True
        at = start
        while at < stop:
            byte = data[at]
            width = character_width(byte)
            code = code_point_at(data, at, width)
            if code >= CODES:
                return text
            begins_run = may_begin and cases[code] & _IS_UPPER != 0
            in_run = byte != SPACE_BYTE and (in_run or begins_run)
            runs += begins_run
            may_begin = byte == SPACE_BYTE and after_letter
            after_letter = cases[code] & _IS_ALPHA != 0
            target, flag, written = becomes[code], character_flags[code], classes[code]
            kind: Any = BREAK if written == MARK and state == BREAK else np.int64(written)
            opens = kind != BREAK and kind != MARK and (kind != SPACED or state != SPACED)  # noqa: PLR1714 - numba
            is_hard = target == HARD or flag & IS_REMOVED != 0 or (flag & IS_LONE != 0 and ends_sorted and not opens)
            ends_sorted = flag & ENDS_SORTED != 0
            if is_hard:
                is_regular = is_regular and kind == BREAK and flag & IS_REMOVED != 0
            elif target != ITSELF:
                is_regular = is_regular and _has_key_words(stream, target, written)
                is_hard = position + 4 * np.int64(stream[target]) > base + 2 * (at - start) + _ROOM
            if opens:
                ends[count] = position
                starts[count] = place
                flags[count] = (cases[code] & _IS_UPPER != 0) * BEGINS_UPPER | in_run * IN_NAME
                count += 1
            if kind != BREAK:
                stops[count - 1] = place + 1
                if is_hard:
                    flags[count - 1] |= _IS_HARD
                else:
                    position = _append_folded(data, at, width, target, stream, folded, position)
            if kind != MARK:
                state = kind
            place += 1
            at += width
        capitals[text] = runs
        are_key_words[text] = is_regular
        word_offsets[text + 1] = count
        ends[count] = position
    return len(offsets) - 1


def cut_words(data: Bytes, offsets: I64) -> WrittenWords:
    """Return the words of a batch of texts.

    `data` is the UTF-8 of the texts, uint8 [bytes]; `offsets` are where they start, int64 [texts + 1], in bytes. The
    compiled version of `dedup.segment.written_words.cut_words`.
    """
    parts: list[WrittenWords] = []
    first, count = 0, len(offsets) - 1
    while first < count or not parts:
        words, first = _cut_known_characters(data, offsets, first)
        parts.append(words)
        if first < count:
            start, stop = offsets[first : first + 2]
            parts.append(definition.cut_words(data[start:stop], np.array([0, stop - start])))
            first += 1
    return parts[0] if len(parts) == 1 else join_words(parts)


def _cut_known_characters(data: Bytes, offsets: I64, first: int) -> tuple[WrittenWords, int]:
    """Return the words of the texts from `first` to one with a character beyond the tables, and its number.

    `data` is uint8 [bytes] and `offsets` int64 [texts + 1].
    """
    texts = len(offsets) - 1 - first
    size = int(offsets[-1] - offsets[first])
    most = size // 2 + texts  # words: those written without a space between have three bytes or more
    words = WrittenWords(
        offsets=np.zeros(texts + 1, np.int64),
        folded=np.empty(2 * size + _ROOM * (texts + 1), np.uint8),
        ends=np.zeros(most + 1, np.int64),
        starts=np.empty(most, np.int32),
        stops=np.empty(most, np.int32),
        flags=np.empty(most, np.uint8),
        capitals=np.zeros(texts, np.int64),
        are_key_words=np.zeros(texts, bool),
    )
    done = _write_words(
        data,
        offsets[first:],
        *characters(),
        _cases(),
        words.folded,
        words.ends,
        words.starts,
        words.stops,
        words.flags,
        words.offsets,
        words.capitals,
        words.are_key_words.view(np.uint8),
    )
    count = int(words.offsets[done])
    words = WrittenWords(
        offsets=words.offsets[: done + 1],
        folded=words.folded[: words.ends[count]],
        ends=words.ends[: count + 1],
        starts=words.starts[:count].copy(),  # these are kept, without the room behind them
        stops=words.stops[:count].copy(),
        flags=words.flags[:count].copy(),
        capitals=words.capitals[:done],
        are_key_words=words.are_key_words[:done],
    )
    hard = np.flatnonzero(words.flags & _IS_HARD)
    return (_fold_hard_words(words, hard, data, offsets[first:]) if len(hard) else words), first + done


def _fold_hard_words(words: WrittenWords, hard: I64, data: Bytes, offsets: I64) -> WrittenWords:
    """Return `words` of the texts ``data[offsets]``, of which those of the numbers `hard`, int64, are folded again."""
    texts = (np.searchsorted(words.offsets, hard, side="right") - 1).tolist()
    decoded = {text: decode_utf8(data[offsets[text] : offsets[text + 1]].tobytes()) for text in dict.fromkeys(texts)}
    sizes, pieces, position = np.diff(words.ends), list[bytes](), 0
    for word, text in zip(hard.tolist(), texts, strict=True):
        folded = encode_utf8(fold(decoded[text][words.starts[word] : words.stops[word]]))
        pieces += (words.folded[position : words.ends[word]].tobytes(), folded)
        position, sizes[word] = words.ends[word + 1], len(folded)
    pieces.append(words.folded[position:].tobytes())
    return words._replace(
        folded=np.frombuffer(b"".join(pieces), np.uint8),
        ends=offsets_of(sizes),
        flags=words.flags & ~np.uint8(_IS_HARD),
    )
