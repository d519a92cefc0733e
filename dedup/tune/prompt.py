"""Pairs shown to a person, and what the person says.

Similarity is not shown, nor how much was left out: the answer should come from the texts. Texts come from the web, so
control characters in them are made visible.
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

CONTEXT_WORDS = 12  # words shown on either side of a difference
UNCHANGED_RUN = 50  # words shown of a longer run that stands in one text only
SHOWN = 180  # words shown of a text: more is not read
COMPARED = 2_000  # words of a text that are held against the other's: no difference behind them is ever shown

PROMPT = "Does one repeat the other? y same, n different, s skip, q stop: "
_ANSWERS = {"y": SAME, "n": DIFFERENT, "s": SKIPPED}
_STOP = "q"
_LEFT_OUT = "[…]"
_STYLES = ("bold red", "bold green")
_MARKS = (("[-", "-]"), ("{+", "+}"))


class WordSpan(NamedTuple):
    """A run of words; whether the other text has it too. The dots of what was left out are a run of both."""

    words: list[str]
    common: bool


def ask(
    questions: Sequence[Question], shingle: int, console: Console, answers: Iterator[str], keep: Callable[[Label], None]
) -> None:
    """Shows each pair, takes one line of `answers` for it and hands it to `keep`; stops at ``q`` or the last line."""
    for number, question in enumerate(questions, 1):
        _show(question, f"{number} of {len(questions)}", console)
        answer = _answer(console, answers)
        if answer is None:
            return
        keep(Label(question.digests, question.articles, question.similarity, answer, shingle))


def _answer(console: Console, answers: Iterator[str]) -> str | None:
    """What was answered, None to stop; asks again until it is understood."""
    while True:
        console.print(PROMPT, end="", style="bold", soft_wrap=True)
        line = next(answers, None)
        if not console.is_terminal:
            console.print()
        if line is None or line.strip().lower() == _STOP:
            return None
        if line.strip().lower() in _ANSWERS:
            return _ANSWERS[line.strip().lower()]


def _show(question: Question, title: str, console: Console) -> None:
    plain = console.color_system is None or console.no_color
    left, right = (
        _rendered(runs, style, marks if plain else ("", ""))
        for runs, style, marks in zip(side_by_side(*question.texts), _STYLES, _MARKS, strict=True)
    )
    here, there = (Text(visible(article), "dim") for article in question.articles)
    console.print()
    console.rule(Text(title))
    if console.width >= WIDE:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        table.add_row(here, there)
        table.add_row(left, right)
        console.print(table)
        return
    for label, text in ((here, left), (there, right)):
        console.print(label)
        console.print(Padding(text, (0, 0, 1, 2)))


def side_by_side(one: str, two: str) -> tuple[list[WordSpan], list[WordSpan]]:
    """Two texts as runs of words, common ones and others, shortened around what differs.

    Words are held against each other as everywhere: folded, without punctuation.

    >>> side_by_side("The bridge is open.", "the bridge was open")[1]
    [Run(words=['the', 'bridge'], common=True), Run(words=['was'], common=False), Run(words=['open'], common=True)]
    """
    first, second = _words(one), _words(two)
    # Frequent words are no anchors (difflib's default): with them, time grows with the square of a text's length.
    matcher = SequenceMatcher(None, [key for _, key in first], [key for _, key in second])
    sides: tuple[list[WordSpan], list[WordSpan]] = ([], [])
    steps = matcher.get_opcodes()
    for number, (tag, *borders) in enumerate(steps):
        ends = (number == 0, number == len(steps) - 1)
        for side, found, start, stop in zip(sides, (first, second), borders[::2], borders[1::2], strict=True):
            run = [word for word, _ in found[start:stop]]
            if tag == "equal":
                side.extend(_shortened(run, ends))
            elif run:
                side.append(
                    WordSpan(
                        [*run[: UNCHANGED_RUN - 10], _LEFT_OUT, *run[-10:]] if len(run) > UNCHANGED_RUN else run,
                        common=False,
                    )
                )
    return _at_most(sides[0]), _at_most(sides[1])


def _words(text: str) -> list[tuple[str, str]]:
    """The words of `text` as they stand, each with the key it is compared by."""
    found = []
    for match in re.finditer(r"\S+", text):
        word = match[0]
        if word.isascii() or len(words(word)) < 2:  # else a script without spaces, or nearly
            found.append((word, comparison_key(word)))
        else:
            found.extend((part, comparison_key(part)) for part in word)
        if len(found) >= COMPARED:
            break
    return found


def _shortened(run: list[str], ends: tuple[bool, bool]) -> list[WordSpan]:
    """A common run without its middle, or what of it is far from any difference; `ends`: first run, last run."""
    before, after = (0 if ends[0] else CONTEXT_WORDS), (0 if ends[1] else CONTEXT_WORDS)
    if all(ends) or len(run) <= 2 * CONTEXT_WORDS:
        return [WordSpan(run, common=True)]
    return [
        *([WordSpan(run[:before], common=True)] if before else []),
        WordSpan([_LEFT_OUT], common=True),
        *([WordSpan(run[-after:], common=True)] if after else []),
    ]


def _at_most(runs: list[WordSpan]) -> list[WordSpan]:
    """`runs` up to the last word that is shown."""
    left = SHOWN
    shown: list[WordSpan] = []
    for run in runs:
        if len(run.words) > left:
            return [*shown, WordSpan([*run.words[:left], _LEFT_OUT], run.common)]
        shown.append(run)
        left -= len(run.words)
    return shown


def _rendered(runs: Sequence[WordSpan], style: str, marks: tuple[str, str]) -> Text:
    text = Text()
    for run in runs:
        if text:
            text.append(" ")
        shown = visible(" ".join(run.words))
        text.append(shown if run.common else f"{marks[0]}{shown}{marks[1]}", "" if run.common else style)
    return text
