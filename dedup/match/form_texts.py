"""The texts that are compared with each other, to tell articles of one form from copies.

Their words are numbers in arrays, and so are the distinct words of each text. A `FormText` is made only of texts that
must be aligned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dedup.arrays import I32, I64, Bools, Bytes, encode_utf8, pack, with_room
from dedup.fingerprint import word_profiles
from dedup.fingerprint.form_tables import SIZE, TEXT_COLUMNS, TextTable
from dedup.fingerprint.vocabulary import LETTER_COLUMNS, Vocabulary
from dedup.fingerprint.word_profiles import WORD, WORD_COLUMNS, WordSequences
from dedup.match.form_names import LIMITS, SHORT_FORM, have_other_names
from dedup.match.form_text import FormText, TextBatch, WordNumbers, find_edges
from dedup.match.spellings import fold_spellings
from dedup.match.title_groups import FEW_TITLES, TitleGroups
from dedup.repairs import diff
from dedup.segment import batch as plain_batch
from dedup.segment import written_words
from dedup.segment.batch import Segments
from dedup.segment.written_words import WrittenWords

# All figures were chosen on the pairs of tests/data/same_form.toml, and checked on pairs of press releases.
_NAME_SHARE = 0.25  # of the words: where more have a capital, capitals do not mark names (German)
_LONG_TEXT, _LONG_EDGE = 200, 8  # words: at the ends of texts without lines there are contacts, too
# Of long texts, so many words at either end may be a headline, byline or contact. Of 5 pairs of press releases whose
# names were compared there, 3 were copies.
_WIDE_EDGE = 24
_NO_ROOM = np.empty((4, 0), np.int32)


class FormTexts:
    """Texts, each known by the number that `add` returns. `compiled` chooses the backend, which never changes a result.

    Attributes:
        characters: the number of characters of all texts.
        vocabulary: their distinct words.
    """

    def __init__(self, *, compiled: bool) -> None:
        self.compiled = compiled
        self.characters = 0
        self.vocabulary = _new_vocabulary(compiled=compiled)
        self._batches: list[TextBatch] = []
        self._places: list[tuple[int, int]] = []  # by text: its batch, and its number there
        self._made: dict[int, FormText] = {}
        self._keys: dict[FormText, bytes] = {}  # those that were asked for
        self._table = TextTable(
            np.zeros((0, TEXT_COLUMNS), np.int64),
            np.zeros((0, WORD_COLUMNS), np.int32),
            np.zeros(0, np.int32),
            np.zeros((0, LETTER_COLUMNS), np.int64),
        )
        self._row_count = 0
        self._room = _NO_ROOM
        self._titles = TitleGroups()
        self._titles_seen = 0

    def __getitem__(self, number: int) -> FormText:
        """Return the text of this number."""
        if number not in self._made:
            batch, at = self._places[number]
            self._made[number] = FormText(self._batches[batch], at, self.vocabulary)
        return self._made[number]

    def add(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> range:
        """Add texts, and the title of each if they have any, and return their numbers."""
        words = self._cut_words(texts)
        folded, ends = fold_spellings(words.folded, words.ends)
        sizes = np.diff(words.offsets)
        are_cased = (words.capitals > 0) & (words.capitals <= _NAME_SHARE * sizes)
        starts = np.split(words.starts, words.offsets[1:-1])
        edges = [find_edges(text, of_text) for text, of_text in zip(texts, starts, strict=False)]
        heads, tails = np.array(edges, np.int64).reshape(-1, 2).T
        have_contacts = (sizes >= _LONG_TEXT) & are_cased
        batch = TextBatch(
            texts=tuple(texts),
            titles=tuple(titles) if titles else (None,) * len(texts),
            offsets=words.offsets,
            numbers=self.vocabulary.number(folded, ends),
            starts=words.starts,
            stops=words.stops,
            flags=words.flags,
            heads=np.where(have_contacts, np.maximum(heads, _LONG_EDGE), heads),
            tails=np.where(have_contacts, np.minimum(tails, sizes - _LONG_EDGE), tails),
            are_cased=are_cased,
            are_key_words=words.are_key_words,
        )
        first = len(self._places)
        self._places += ((len(self._batches), at) for at in range(len(texts)))
        self._batches.append(batch)
        self.characters += sum(map(len, texts))
        self._add_profiles(batch, first)
        return range(first, first + len(texts))

    def profile(self, number: int) -> I32:
        """Return the distinct words of a text: int32 [words, columns] (`dedup.fingerprint.word_profiles`)."""
        return self._table.rows[slice(*self._table.texts[number, :2])]

    def have_other_names(self, one: int, others: I64) -> Bools:
        """Return which of `others` are of one form with the text `one`, by their words alone: bool [others].

        `others` are numbers of texts, int64 [others]. False is no answer. The order of two texts does not matter.
        """
        if not self.compiled:
            return have_other_names(self._table, one, others)
        from dedup.kernels import form_names as kernels  # noqa: PLC0415 - small jobs need no compiled code

        return kernels.have_other_names(self._table, one, others, LIMITS, self._room)

    def have_other_titles(self, one: int, others: I64) -> Bools:
        """Return which of `others` are short and have titles that certainly differ in meaning from that of `one`.

        `one` and `others` are numbers of texts, int64 [others]; the result is bool [others]. False means unknown.
        """
        if len(others) < FEW_TITLES:
            return np.zeros(len(others), bool)
        self._insert_titles()
        return self._titles.certainly_differ(one, others)

    def _insert_titles(self) -> None:
        """Add the titles of short texts that are not yet in groups."""
        for number in range(self._titles_seen, len(self._places)):
            batch, at = self._places[number]
            title = self._batches[batch].titles[at]
            if title is not None and self._table.texts[number, SIZE] < SHORT_FORM:
                self._titles.insert(number, title)
        self._titles_seen = len(self._places)

    def have_one_key(self, first: FormText, second: FormText) -> bool:
        """Return True if two texts have one comparison key, whatever the spelling (`dedup.match.spellings`).

        Their words may differ: where folding splits a word, such as that of fractions, a key has other words.
        """
        if first.has_key_words and second.has_key_words:
            return first.encoded == second.encoded
        return self._comparison_key(first) == self._comparison_key(second)

    def _comparison_key(self, text: FormText) -> bytes:
        key = self._keys.get(text)
        if key is None:
            segments = self._segment_batch(*pack([encode_utf8(text.text)]))
            key = self._keys[text] = segments.keys.tobytes()
        return key

    def edits(self, first: FormText, second: FormText) -> I64:
        """Return the edits between the words of two texts: see `dedup.repairs.diff.edits_of_words`."""
        if not self.compiled:
            return diff.edits_of_words(first.numbers, second.numbers)
        from dedup.kernels.word_edits import edits_of_words  # noqa: PLC0415

        return edits_of_words(first.numbers, second.numbers)

    def _segment_batch(self, data: Bytes, offsets: I64) -> Segments:
        if not self.compiled:
            return plain_batch.segment_batch(data, offsets)
        from dedup.kernels.segments import segment_batch  # noqa: PLC0415

        return segment_batch(data, offsets)

    def _cut_words(self, texts: Sequence[str]) -> WrittenWords:
        data, offsets = pack(list(map(encode_utf8, texts)))
        if not self.compiled:
            return written_words.cut_words(data, offsets)
        from dedup.kernels.written_words import cut_words  # noqa: PLC0415

        return cut_words(data, offsets)

    def _add_profiles(self, batch: TextBatch, first: int) -> None:
        """Add the distinct words of a batch, whose first text has the number `first`, to the arrays."""
        sizes = np.diff(batch.offsets)
        edges = np.where(sizes >= _LONG_TEXT, _WIDE_EDGE, 0)
        texts = WordSequences(batch.offsets, batch.numbers, batch.flags, batch.heads, batch.tails, edges)
        letters = self.vocabulary.letters
        if self.compiled:
            from dedup.kernels import word_profiles as kernels  # noqa: PLC0415

            profiles = kernels.profile_words(texts, letters)
        else:
            profiles = word_profiles.profile_words(texts, letters)
        stop = self._row_count + len(profiles.rows)
        rows, words = with_room(self._table.rows, stop), with_room(self._table.words, stop)
        rows[self._row_count : stop], words[self._row_count : stop] = profiles.rows, profiles.rows[:, WORD]
        table = with_room(self._table.texts, first + len(sizes))
        offsets = profiles.offsets + self._row_count
        columns = (offsets[:-1], offsets[1:], sizes, profiles.number_counts, batch.are_cased)
        table[first : first + len(sizes)] = np.stack(columns, axis=1)
        self._table, self._row_count = TextTable(table, rows, words, letters), stop
        if self._room.shape[1] < len(letters):
            self._room = np.full((4, len(letters)), -1, np.int32)


def _new_vocabulary(*, compiled: bool) -> WordNumbers:
    """Return a vocabulary without words."""
    if not compiled:
        return Vocabulary()
    from dedup.kernels import vocabulary as kernels  # noqa: PLC0415

    return kernels.Vocabulary()
