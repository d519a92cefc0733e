"""Show pairs of texts to a person, and take the answers.

Neither the similarity of a pair nor how much of a text was left out is shown, because the answer should come from the
texts. Texts come from the web, so control characters in them are made visible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.inspect.visible import WIDE, visible
from dedup.segment.words import comparison_key, words
from dedup.tune.labels import DIFFERENT, SAME, SKIPPED, Label
from dedup.tune.survey import Question

CONTEXT_WORDS = 12  # common words shown on either side of a difference
MAX_DIFFERING_WORDS = 50  # shown of a longer run that is in one text only
_LAST_WORDS = 10  # of those, shown from the end of the run
MAX_SHOWN_WORDS = 180  # of a text: a person reads no more
MAX_COMPARED_WORDS = 2_000  # of a text: later differences are never shown

PROMPT = "Does one repeat the other? y same, n different, s skip, q stop: "
_ANSWER_KEYS = {"y": SAME, "n": DIFFERENT, "s": SKIPPED}
_STOP_KEY = "q"
_ELLIPSIS = "[…]"
_SIDE_STYLES = ("bold red", "bold green")
_SIDE_BRACKETS = (("[-", "-]"), ("{+", "+}"))


class ShownRun(NamedTuple):
    """A run of words, and whether the other text has it too.

    The dots that stand for words left out are a run that both texts have.
    """

    words: list[str]
    common: bool


def ask(
    questions: Sequence[Question], shingle: int, console: Console, answers: Iterator[str], keep: Callable[[Label], None]
) -> None:
    """Show each pair, take one line of `answers` for it, and call `keep` with the label.

    Stops at an answer ``q`` or after the last line. `shingle` is the number of words per shingle, for the labels.
    """
    for number, question in enumerate(questions, 1):
        _show_question(question, f"{number} of {len(questions)}", console)
        answer = _read_answer(console, answers)
        if answer is None:
            return
        keep(Label(question.digests, question.articles, question.similarity, answer, shingle))


def _read_answer(console: Console, answers: Iterator[str]) -> str | None:
    """Return the answer, None to stop; repeat the prompt until an answer is valid."""
    while True:
        console.print(PROMPT, end="", style="bold", soft_wrap=True)
        line = next(answers, None)
        if not console.is_terminal:
            console.print()
        if line is None or line.strip().lower() == _STOP_KEY:
            return None
        if line.strip().lower() in _ANSWER_KEYS:
            return _ANSWER_KEYS[line.strip().lower()]


def _show_question(question: Question, title: str, console: Console) -> None:
    """Print both texts of a pair: side by side on a wide terminal, else one after the other."""
    plain = console.color_system is None or console.no_color
    left, right = (
        _styled_text(runs, style, brackets if plain else ("", ""))
        for runs, style, brackets in zip(side_by_side(*question.texts), _SIDE_STYLES, _SIDE_BRACKETS, strict=True)
    )
    left_label, right_label = (Text(visible(article), "dim") for article in question.articles)
    console.print()
    console.rule(Text(title))
    if console.width >= WIDE:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        table.add_row(left_label, right_label)
        table.add_row(left, right)
        console.print(table)
        return
    for label, text in ((left_label, left), (right_label, right)):
        console.print(label)
        console.print(Padding(text, (0, 0, 1, 2)))


def side_by_side(text: str, other: str) -> tuple[list[ShownRun], list[ShownRun]]:
    """Return two texts as runs of common and of differing words, shortened around the differences.

    Words are compared as in every other stage: folded, without punctuation.

    >>> side_by_side("The bridge is open.", "the bridge was open")[1] == [
    ...     ShownRun(["the", "bridge"], common=True), ShownRun(["was"], common=False), ShownRun(["open"], common=True)
    ... ]
    True
    """
    first, second = _words_with_keys(text), _words_with_keys(other)
    # difflib ignores frequent words as anchors by default; otherwise its time grows with the square of a text's length.
    matcher = SequenceMatcher(None, [key for _, key in first], [key for _, key in second])
    left: list[ShownRun] = []
    right: list[ShownRun] = []
    steps = matcher.get_opcodes()
    for number, (tag, start, stop, other_start, other_stop) in enumerate(steps):
        ends = (number == 0, number == len(steps) - 1)
        for runs, side, low, high in ((left, first, start, stop), (right, second, other_start, other_stop)):
            run = [word for word, _ in side[low:high]]
            if tag == "equal":
                runs.extend(_shorten_common(run, ends))
            elif run:
                runs.append(ShownRun(_shorten_differing(run), common=False))
    return _limit_words(left), _limit_words(right)


def _words_with_keys(text: str) -> list[tuple[str, str]]:
    """Return the words of `text`, each with its comparison key, up to about `MAX_COMPARED_WORDS`."""
    pairs = []
    for match in re.finditer(r"\S+", text):
        word = match[0]
        if word.isascii() or len(words(word)) < 2:
            pairs.append((word, comparison_key(word)))
        else:  # a script written without spaces, or almost
            pairs.extend((character, comparison_key(character)) for character in word)
        if len(pairs) >= MAX_COMPARED_WORDS:
            break
    return pairs


def _shorten_differing(run: list[str]) -> list[str]:
    """Return a run that is in one text only, without the middle of a long one."""
    if len(run) <= MAX_DIFFERING_WORDS:
        return run
    return [*run[: MAX_DIFFERING_WORDS - _LAST_WORDS], _ELLIPSIS, *run[-_LAST_WORDS:]]


def _shorten_common(run: list[str], ends: tuple[bool, bool]) -> list[ShownRun]:
    """Return a common run without the words that are far from every difference.

    `ends` says whether the run is the first of its text, and whether it is the last.
    """
    before, after = (0 if ends[0] else CONTEXT_WORDS), (0 if ends[1] else CONTEXT_WORDS)
    if all(ends) or len(run) <= 2 * CONTEXT_WORDS:
        return [ShownRun(run, common=True)]
    return [
        *([ShownRun(run[:before], common=True)] if before else []),
        ShownRun([_ELLIPSIS], common=True),
        *([ShownRun(run[-after:], common=True)] if after else []),
    ]


def _limit_words(runs: list[ShownRun]) -> list[ShownRun]:
    """Return `runs` up to the last word that is shown."""
    left = MAX_SHOWN_WORDS
    shown: list[ShownRun] = []
    for run in runs:
        if len(run.words) > left:
            return [*shown, ShownRun([*run.words[:left], _ELLIPSIS], run.common)]
        shown.append(run)
        left -= len(run.words)
    return shown


def _styled_text(runs: Sequence[ShownRun], style: str, brackets: tuple[str, str]) -> Text:
    text = Text()
    for run in runs:
        if text:
            text.append(" ")
        shown = visible(" ".join(run.words))
        text.append(shown if run.common else f"{brackets[0]}{shown}{brackets[1]}", "" if run.common else style)
    return text
