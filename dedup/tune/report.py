"""What the labels come to: for a person as a table and a sentence, for a program as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from dedup.errors import InputError
from dedup.tune.estimates import Bin, Choice, Estimate, Interval, choose, estimate
from dedup.tune.labels import SAME, SKIPPED, Label
from dedup.tune.sampling import bin_numbers
from dedup.tune.survey import Survey


class Answer(NamedTuple):
    """The bins, what each threshold would do, and which one to take."""

    bins: list[Bin]
    estimates: list[Estimate]
    choice: Choice
    skipped: int
    left: int  # pairs that have no label yet
    precision: float


def reckon(survey: Survey, labels: Iterable[Label], precision: float) -> Answer:
    """What `labels`, all of them about pairs of `survey`, say. Raises `InputError` where nothing was answered."""
    told = list(labels)
    answered = [label for label in told if label.answer != SKIPPED]
    if not answered:
        raise InputError("no pair of these articles is labelled yet; run dedup tune without --report, and answer some")
    numbers = bin_numbers(np.array([label.similarity for label in answered]), survey.borders)
    same = np.array([label.answer == SAME for label in answered])
    counts = np.bincount(numbers, minlength=len(survey.held)).tolist()
    sames = np.bincount(numbers, weights=same, minlength=len(survey.held)).astype(int).tolist()
    bins = [Bin(*found) for found in zip(survey.borders, survey.borders[1:], survey.held, counts, sames, strict=False)]
    estimates = [estimate(bins, one.low) for one in bins]
    choice = choose(estimates, precision, len(answered))
    assert choice is not None  # there is a label, so something can be said
    return Answer(bins, estimates, choice, len(told) - len(answered), survey.found - len(told), precision)


def as_dict(answer: Answer, shingle: int) -> dict[str, Any]:
    """`answer` as plain values."""
    return {
        "shingle": shingle,
        "window": [answer.bins[0].low, answer.bins[-1].high],
        "labels": sum(one.labels for one in answer.bins),
        "skipped": answer.skipped,
        "bins": [one._asdict() for one in answer.bins],
        "thresholds": [
            {
                "threshold": one.threshold,
                "pairs": one.pairs,
                "labels": one.labels,
                "precision": None if one.precision is None else one.precision._asdict(),
                "recall": None if one.recall is None else one.recall._asdict(),
            }
            for one in answer.estimates
        ],
        "precision": answer.precision,
        "choice": answer.choice._asdict(),
    }


def show(answer: Answer, what: str, console: Console) -> None:
    """Prints the table and the sentences; `what` is articles or paragraphs."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("threshold", "pairs", "labels", "same", "precision", "95 %", "recall", "95 %"):
        table.add_column(name, justify="right")
    for one, found in zip(answer.bins, answer.estimates, strict=True):
        chosen = found.threshold == answer.choice.threshold
        table.add_row(
            f"{found.threshold:g}",
            f"{one.pairs:,.0f}",
            f"{one.labels}",
            f"{one.same}",
            *_cells(found.precision),
            *_cells(found.recall),
            style="bold" if chosen else "",
        )
    console.print(table)
    console.print()
    console.print(
        f"Pairs, labels and same count one row's range, up to the next threshold, the last up to "
        f"{answer.bins[-1].high:g}. Precision and recall are of all pairs of {what} from the threshold up: stratified "
        "estimates, in which each range counts by its pairs. Recall is of the same pairs in the window; pairs outside "
        "it are in no figure, and equal texts are one text.",
        style="dim",
    )
    console.print()
    for sentence in sentences(answer):
        console.print(sentence)


def sentences(answer: Answer) -> list[str]:
    """The choice in words, and how sure it is."""
    choice, wanted = answer.choice, answer.precision
    if choice.reached:
        return [f"Take {choice.threshold:g}: the lowest threshold whose precision is {wanted:g} or more, with 95 %."]
    best = f"The best is {choice.threshold:g}, but no threshold is sure to have a precision of {wanted:g}"
    if choice.more is None:
        return [f"{best}: by these labels none has it. Ask for a lower --precision, or look --from higher."]
    if not answer.left:
        return [f"{best}: too few labels, and no pair is left to ask about."]
    more = f"About {choice.more:,} more" if choice.more <= answer.left else f"All {answer.left:,} pairs that are left"
    return [f"{best}: too few labels. {more} would settle it; run dedup tune again."]


def _cells(found: Interval | None) -> tuple[str, str]:
    return ("–", "–") if found is None else (f"{found.value:.3f}", f"{found.low:.3f}–{found.high:.3f}")
