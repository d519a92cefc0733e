"""Tell two articles of one form, which say other things, from two copies of one article.

A weather report of another town, a job advertisement of another city and the result of another match repeat most of
their words, and so do a syndicated copy and an update. The differences of the two texts tell them apart. A form has
slots: a few words stand in place of a few others, inside the text, and everything around them is equal. A copy has
other words at its edges (dateline, byline, source), more or fewer sentences, and corrected typing.

Of short texts, the titles are compared as well (`dedup.match.titles`).

Most pairs are told by their names (`dedup.match.form_names`), and the others by aligning their words, in time linear in
their length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bools
from dedup.match.form_names import CHANGED_NUMBERS, LONG_FORM, SHORT_FORM
from dedup.match.form_text import FormText
from dedup.match.form_texts import FormTexts
from dedup.match.number_formats import have_other_facts
from dedup.match.spellings import is_same_word
from dedup.match.titles import differing_facts, differing_titles
from dedup.repairs.diff import common_prefix_length
from dedup.segment.words import is_unspaced, weighted_word_count

SAME_FORM_EVIDENCE = "same form, other"  # begins the evidence of a flag
OTHER_TITLES_EVIDENCE = f"{SAME_FORM_EVIDENCE} titles"  # the same where only the titles tell

# All figures were chosen on the pairs of tests/data/same_form.toml, and checked on pairs of press releases.
_SLOT_WORDS, _LONGEST_SLOT = 5, 15  # a slot holds a name, a date or an amount; longer replacements are other sentences
_FEW_WORDS = 60  # in a text of fewer words, any other word is another fact
INSERTED_SHARE = 0.03  # of the words: more than that was written anew, as in an update
_ALIGNED_WORDS = 60  # replacements up to this long are aligned word by word, in quadratic time
_ENOUGH_NAMES = 2  # different ones, each in one of the texts only: an update has the people and places of the story
_WORDS_PER_NAME = 1000  # a longer update may replace more names
_NAME_WORDS = 3  # the first words of a text may be a name: “Brindle won …”
_FEWEST, _TIMES, _PAIRS_AT_ONCE = 1, 8, 4096  # pairs whose names are compared at once; the plain ones take 20 MB
_SHOWN_SLOTS, _SHOWN_CHARACTERS = 3, 30  # in evidence

# Words that turn a sentence into its contrary, in the languages of the test cases.
_NEGATION_WORDS = (
    "not no never nicht kein keine keinen nie pas jamais non nunca não nem nigdy не нет никогда δεν μη لا لم لن ليس לא "
    "אין नहीं न 不 没 沒 未 無 ไม่ 않 안 못 không chưa değil ej inte ikke niet geen"
)
NEGATIONS = frozenset(_NEGATION_WORDS.split())


class _Slot(NamedTuple):
    """Words ``start:stop`` of one text that stand in place of ``other_start:other_stop`` of the other."""

    start: int
    stop: int
    other_start: int
    other_stop: int


class _Slots(NamedTuple):
    """The slots of two texts by kind, and what was inserted into either.

    `names` have a capital on both sides, or in texts whose names have no mark, are any words. `words` are other words,
    `numbers` have digits on both sides, and `negations` are insertions such as “not”. `edges` are changes in headlines,
    datelines and source lines.
    """

    names: list[_Slot]
    words: list[_Slot]
    numbers: list[_Slot]
    negations: list[_Slot]
    edges: list[_Slot]
    exclusive: set[tuple[str, str]]  # names that only one of the texts has, or that are exchanged, in pairs, encoded
    pairs: list[tuple[str, str]]  # all pairs of names
    inserted: int  # words


def have_same_form(texts: FormTexts, text: int, others: I64) -> Bools:
    """Return which of `others` are of one form with `text` and have other facts; else one is a copy of the other.

    All are numbers in `texts`, int64 [others]; the result is bool [others]. The texts of each pair are similar. Their
    order does not matter.
    """
    verdicts = texts.have_other_names(text, others)
    for place in np.flatnonzero(~verdicts).tolist():
        verdicts[place] = has_other_slots(texts, texts[text], texts[int(others[place])])
    return verdicts


def find_copy(texts: FormTexts, text: int, others: I64) -> int:
    """Return the place of the first of `others` that `have_same_form` does not tell of `text`, or -1."""
    places = np.flatnonzero(~texts.have_other_titles(text, others))
    place = _find_copy_in_pairs(texts, text, others[places])
    return int(places[place]) if place >= 0 else -1


def _find_copy_in_pairs(texts: FormTexts, text: int, others: I64) -> int:
    """Return the result of `find_copy`, from a comparison of each pair."""
    start, size = 0, _FEWEST
    while start < len(others):
        some = others[start : start + size]
        for place in np.flatnonzero(~texts.have_other_names(text, some)).tolist():
            if not has_other_slots(texts, texts[text], texts[int(some[place])]):
                return start + place
        start, size = start + size, min(_TIMES * size, _PAIRS_AT_ONCE)
    return -1


def has_other_slots(texts: FormTexts, first: FormText, second: FormText) -> bool:
    """Return True if two texts are of one form with other facts, by the alignment of all their words."""
    return _has_other_title(first, second) or _has_other_text(texts, first, second)


def _has_other_title(first: FormText, second: FormText) -> bool:
    """Return True if two texts are short and their titles say other things."""
    if first.title is None or second.title is None or max(len(first), len(second)) >= SHORT_FORM:
        return False
    return bool(differing_titles(first.title, second.title))


def _has_other_text(texts: FormTexts, first: FormText, second: FormText) -> bool:
    """Return True if two texts are of one form with other facts, whatever their titles."""
    if first.text == second.text:
        return False
    if texts.have_one_key(first, second):
        return have_other_facts(first.text, second.text)
    first, second = ordered_pair(first, second)
    return _has_form_slots(find_slots(texts, first, second), first, second)


def form_evidence(texts: FormTexts, text: int, other: int) -> str:
    """Return the evidence that two texts are of one form: the facts of `text`, each beside that of the `other` one.

    >>> report = "{} beat {} {} on Saturday in front of a crowd that had come to see the last match of the season."
    >>> from dedup.match.form_texts import FormTexts
    >>> texts = FormTexts(compiled=False)
    >>> numbers = texts.add([report.format("Brindle", "Ashby", "3-1"), report.format("Ashby", "Upton", "2-0")])
    >>> form_evidence(texts, *numbers)
    'same form, other facts: Ashby 3-1/Upton 2-0'
    """
    first, second = ordered_pair(texts[text], texts[other])
    begin = f"{SAME_FORM_EVIDENCE} facts"
    if not texts.have_other_names(text, np.array([other])).any() and not _has_other_text(texts, first, second):
        begin, pairs = OTHER_TITLES_EVIDENCE, differing_titles(str(first.title), str(second.title))
    elif texts.have_one_key(first, second):
        pairs = differing_facts(first.text, second.text)
    else:
        slots = find_slots(texts, first, second)
        shown = sorted({*slots.names, *slots.numbers, *slots.negations} or slots.words)
        pairs = [(_slot_text(first, slot.start, slot.stop), _slot_text(second, *slot[2:])) for slot in shown]
    distinct = list(dict.fromkeys("/".join(pair if first is texts[text] else pair[::-1]) for pair in pairs))
    more = ", …" if len(distinct) > _SHOWN_SLOTS else ""
    return f"{begin}: {', '.join(distinct[:_SHOWN_SLOTS])}{more}"


def ordered_pair(first: FormText, second: FormText) -> tuple[FormText, FormText]:
    """Return two texts in an order of their own, since the alignment depends on the order and the verdict must not."""
    place = common_prefix_length(first.encoded, 0, second.encoded, 0)
    is_later = second.words(place, place + 1) < first.words(place, place + 1)
    return (second, first) if is_later else (first, second)


def find_slots(texts: FormTexts, first: FormText, second: FormText) -> _Slots:
    """Return the slots of two texts; the search ends where enough exclusive names have decided."""
    slots = _Slots([], [], [], [], [], set(), [], 0)
    cased = first.is_cased and second.is_cased
    enough = _enough_names(first, second) if cased else len(first)
    inserted = 0
    for change in find_changes(texts, first, second):
        if is_at_edge(change, first, second):
            slots.edges.append(change)
            continue
        sizes = change.stop - change.start, change.other_stop - change.other_start
        if min(sizes) > 0 and max(sizes) > _LONGEST_SLOT:
            inserted += max(sizes)
            continue
        words, others = first.words(change.start, change.stop), second.words(change.other_start, change.other_stop)
        if not words or not others:
            inserted += sum(sizes)
            if sum(sizes) <= 2 and not NEGATIONS.isdisjoint([*words, *others, "".join(words + others)]):
                slots.negations.append(change)
        elif max(sizes) > _most_slot_words(words[0]):
            inserted += max(sizes)
        elif not is_same_word(words, others) and not _is_abbreviation(change, first, second):
            _add_slot(slots, change, first, second)
            if len(slots.exclusive) >= enough:
                break
    return slots._replace(inserted=inserted)


def _enough_names(first: FormText, second: FormText) -> int:
    """Return how many different exclusive names tell a form, whatever else differs."""
    return _ENOUGH_NAMES + max(len(first), len(second)) // _WORDS_PER_NAME


def is_at_edge(change: _Slot, first: FormText, second: FormText) -> bool:
    """Return True if a change reaches into an edge of one of the texts, or is the whole start or end of both."""
    start, stop, other_start, other_stop = change
    if start < first.head or other_start < second.head or stop > first.tail or other_stop > second.tail:
        return True
    sizes = stop - start, other_stop - other_start
    if min(sizes) == 0 or (sizes[0] == sizes[1] <= _NAME_WORDS):
        return False
    return start == other_start == 0 or (stop == len(first) and other_stop == len(second))


def _add_slot(slots: _Slots, change: _Slot, first: FormText, second: FormText) -> None:
    """Add a slot to the list of its kind, and to `slots.exclusive` if each text has another name in it."""
    start, stop, other_start, other_stop = change
    digits = first.have_digits(start, stop) > 0, second.have_digits(other_start, other_stop) > 0
    if all(digits):
        slots.numbers.append(change)
        return
    if first.is_cased and second.is_cased:
        pair = first.named(start, stop, second), second.named(other_start, other_stop, first)
        if any(digits) or not all(pair):
            slots.words.append(change)
            return
        slots.names.append(change)
        is_exclusive = _has_own_name(pair[0], second) and _has_own_name(pair[1], first)
    else:
        pair = _slot_words(change, first, second)
        slots.words.append(change)
        is_exclusive = _is_own_phrase(change, first, second)
    if is_exclusive or pair[::-1] in slots.pairs:
        slots.exclusive.add(pair)
    slots.pairs.append(pair)


def _is_own_phrase(slot: _Slot, first: FormText, second: FormText) -> bool:
    """Return True if neither text has the words that the other has in a slot."""
    words, others = _slot_words(slot, first, second)
    return words not in second.encoded and others not in first.encoded


def _slot_words(slot: _Slot, first: FormText, second: FormText) -> tuple[str, str]:
    """Return the words of both texts in a slot, encoded."""
    return first.encoded[slot.start : slot.stop], second.encoded[slot.other_start : slot.other_stop]


def _has_own_name(names: str, other: FormText) -> bool:
    """Return True if the names, or one of them, are not in the `other` text; they are encoded words."""
    return names not in other.encoded


def _most_slot_words(word: str) -> int:
    """Return the most words that a slot has: twice as many where each letter is a word."""
    return _LONGEST_SLOT if is_unspaced(word[0]) else _SLOT_WORDS


def find_changes(texts: FormTexts, first: FormText, second: FormText) -> Iterator[_Slot]:
    """Yield where two texts differ, in order; a change without words on one side is an insertion."""
    for edit in texts.edits(first, second).tolist():
        yield from _align(first.encoded, second.encoded, _Slot(*edit))


def _align(first: str, second: str, change: _Slot) -> Iterator[_Slot]:
    """Yield the parts of a change whose words differ; the words of both texts are encoded.

    As many words on both sides are paired by place, so that names that were exchanged are two slots.
    """
    start, stop, other_start, other_stop = change
    words, others = first[start:stop], second[other_start:other_stop]
    if min(len(words), len(others)) == 0 or not 2 <= max(len(words), len(others)) <= _ALIGNED_WORDS:
        yield change
        return
    if len(words) == len(others) <= _SLOT_WORDS:
        unequal = [place for place, pair in enumerate(zip(words, others, strict=True)) if pair[0] != pair[1]]
        spans = [(run[0], run[-1] + 1, run[0], run[-1] + 1) for run in _runs(unequal)]
    else:
        opcodes = SequenceMatcher(None, words, others, autojunk=False).get_opcodes()
        spans = [code[1:] for code in opcodes if code[0] != "equal"]
    for low, high, other_low, other_high in spans:
        yield _Slot(start + low, start + high, other_start + other_low, other_start + other_high)


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Return ascending numbers in runs of consecutive ones."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _is_abbreviation(change: _Slot, first: FormText, second: FormText) -> bool:
    """Return True if the last words of a slot are one word, in one of the texts with a full stop: “Sen.”, “Senator”."""
    start, stop, other_start, other_stop = change
    [short], text, end = first.words(stop - 1, stop), first, stop
    [long] = second.words(other_stop - 1, other_stop)
    if len(short) > len(long):
        short, long, text, end = long, short, second, other_stop
    if min(stop - start, other_stop - other_start) > 1 or not text.text.startswith(".", text.span(end - 1)[1]):
        return False
    return long.startswith(short) or (short[-1] == long[-1] and long.startswith(short[:-1]))


def _has_form_slots(slots: _Slots, first: FormText, second: FormText) -> bool:
    """Return True if the slots are those of a form, and not the changes of a copy or an update."""
    cased = first.is_cased and second.is_cased
    if cased and len(slots.exclusive) >= _enough_names(first, second):
        return True
    size = max(len(first), len(second))
    recurs = bool(slots.exclusive) and _recurs(slots, first, second)
    if slots.inserted > max(2, INSERTED_SHARE * size):
        return recurs or (len(slots.exclusive) >= _ENOUGH_NAMES and bool(slots.numbers))
    if (
        recurs
        or len(slots.exclusive) >= _enough_names(first, second)
        or (slots.exclusive and slots.numbers and size < _WORDS_PER_NAME)
    ):
        return True
    if size < SHORT_FORM:
        if slots.names or slots.numbers or slots.negations:
            return True
        own_words = any(_is_own_phrase(slot, first, second) for slot in slots.words)  # “the” and “that” are no facts
        return own_words and weighted_word_count(first.words(0, len(first))) < _FEW_WORDS
    if slots.exclusive and cased and size < LONG_FORM:
        return True
    return bool(slots.numbers) and _changed_numbers(slots, first) > CHANGED_NUMBERS


def _changed_numbers(slots: _Slots, text: FormText) -> float:
    """Return the share of the numbers of a text that are others in the other text."""
    changed = sum(text.have_digits(slot.start, slot.stop) for slot in slots.numbers)
    return changed / text.have_digits(text.head, text.tail)


def _recurs(slots: _Slots, first: FormText, second: FormText) -> bool:
    """Return True if a name stands in place of the same other name in two places, of which one may be at an edge."""
    pairs = Counter(slots.pairs)
    for slot in slots.edges:
        pairs[_slot_words(slot, first, second)] += 1
    return any(pairs[pair] > 1 for pair in slots.exclusive)


def _slot_text(text: FormText, start: int, stop: int) -> str:
    """Return the words of a slot as evidence shows them."""
    if start == stop:
        return ""
    begin, end = text.span(start)[0], text.span(stop - 1)[1]
    shown = " ".join(text.text[begin:end].encode(errors="replace").decode().split())  # surrogates cannot be stored
    return shown if len(shown) <= _SHOWN_CHARACTERS else shown[:_SHOWN_CHARACTERS] + "…"
