"""Report the estimates from labels: as a table and a sentence for a person, as plain values for a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from dedup.errors import InputError
from dedup.tune.estimates import Bin, Choice, Estimate, Interval, choose_threshold, estimate_threshold, same_share
from dedup.tune.labels import SAME, SKIPPED, Label
from dedup.tune.sampling import bin_numbers
from dedup.tune.survey import Survey


class TuningResult(NamedTuple):
    """The bins, the effect of each threshold, and the threshold to take.

    `skipped` labels are answers without an opinion, and `unlabelled` pairs have no label yet. `precision` is the one
    that the threshold must reach. `elsewhere` is the lower limit of the precision of the chosen threshold in other
    articles like these.
    """

    bins: list[Bin]
    estimates: list[Estimate]
    choice: Choice
    skipped: int
    unlabelled: int
    precision: float
    elsewhere: float


def reckon(survey: Survey, labels: Iterable[Label], precision: float) -> TuningResult:
    """Return the estimates for each threshold from `labels`, all of which are of pairs of `survey`.

    Raises `InputError` if all labels are skipped, or there are none.
    """
    labels = list(labels)
    answered = [label for label in labels if label.answer != SKIPPED]
    if labels and not answered:
        raise InputError("every pair of these articles that was asked about is skipped; run it again, and answer some")
    if not answered:
        raise InputError("no pair of these articles is labelled yet; leave out `report=True`, and answer some")
    similarities = [survey.known.get(label.key, label.similarity) for label in answered]
    numbers = bin_numbers(np.array(similarities), survey.edges)
    is_same = np.array([label.answer == SAME for label in answered])
    count = len(survey.pairs_per_bin)
    labels_per_bin = np.bincount(numbers, minlength=count).tolist()
    same_per_bin = np.bincount(numbers, weights=is_same, minlength=count).astype(int).tolist()
    columns = (survey.edges[:-1], survey.edges[1:], survey.pairs_per_bin, labels_per_bin, same_per_bin)
    bins = [Bin(*row) for row in zip(*columns, strict=True)]
    estimates = [estimate_threshold(bins, each.low) for each in bins]
    choice = choose_threshold(estimates, precision, len(answered))
    assert choice is not None  # there is a label, so there is an estimate
    unlabelled = survey.pair_count - len(labels)
    share = same_share([each for each in bins if each.low >= choice.threshold], finite=False)
    elsewhere = share[0].low if share else 0.0
    return TuningResult(bins, estimates, choice, len(labels) - len(answered), unlabelled, precision, elsewhere)


def as_dict(result: TuningResult, shingle: int) -> dict[str, Any]:
    """Return `result` as plain values; `shingle` is the number of words per shingle."""
    return {
        "shingle": shingle,
        "window": [result.bins[0].low, result.bins[-1].high],
        "labels": sum(each.labels for each in result.bins),
        "skipped": result.skipped,
        "bins": [each._asdict() for each in result.bins],
        "thresholds": [
            {
                "threshold": estimate.threshold,
                "pairs": estimate.pairs,
                "labels": estimate.labels,
                "precision": None if estimate.precision is None else estimate.precision._asdict(),
                "recall": None if estimate.recall is None else estimate.recall._asdict(),
            }
            for estimate in result.estimates
        ],
        "precision": result.precision,
        "choice": result.choice._asdict(),
        "elsewhere": result.elsewhere,
    }


def show(result: TuningResult, what: str, console: Console) -> None:
    """Print the table, how to read it, and the choice; `what` is articles or paragraphs."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("threshold", "pairs", "labels", "same", "precision", "95 %", "recall", "95 %"):
        table.add_column(name, justify="right")
    for each, estimate in zip(result.bins, result.estimates, strict=True):
        has_figures = each.labels or (result.choice.reached and estimate.threshold == result.choice.threshold)
        table.add_row(
            f"{estimate.threshold:g}",
            f"{each.pairs:,.0f}",
            f"{each.labels}",
            f"{each.same}",
            *_interval_cells(estimate.precision if has_figures else None),
            *_interval_cells(estimate.recall if has_figures else None),
            style="bold" if estimate.threshold == result.choice.threshold else "",
        )
    console.print(table)
    console.print()
    console.print(
        "Pairs, labels and same are counts of one row: similarities from its threshold to the next, in the last row "
        f"to {result.bins[-1].high:g}. Precision and recall are of all pairs of {what} from the threshold up. They are "
        "stratified estimates: each row counts by its pairs. A row without labels shows none. Recall is the share of "
        "the same pairs in the window. Pairs outside the window are in no figure, and equal texts count as one text.",
        style="dim",
    )
    console.print()
    console.print(choice_sentence(result))


def choice_sentence(result: TuningResult) -> str:
    """Return the choice in words, and how certain it is."""
    choice, precision = result.choice, result.precision
    if choice.reached:
        take = f"Take {choice.threshold:g}: the lowest threshold whose precision is {precision:g} or more"
        if result.elsewhere >= precision:
            return f"{take} with 95 % confidence."
        labels = sum(each.labels for each in result.bins if each.low >= choice.threshold)
        return (
            f"{take} with 95 % confidence, among these articles. Of others like them, {labels:,} answers from there up "
            f"say only that it is {result.elsewhere:.2f} or more; give more articles to be surer."
        )
    best = f"The best is {choice.threshold:g}, but no threshold is certain to have a precision of {precision:g}"
    if choice.more is None:
        return f"{best}: by these labels none has it. Ask for a lower --precision, or for pairs --from a higher value."
    if not result.unlabelled:
        return f"{best}: too few labels, and no pair is left to ask about."
    if choice.more <= result.unlabelled:
        more = f"About {choice.more:,} more"
    else:
        more = f"All {result.unlabelled:,} pairs that are left"
    return f"{best}: too few labels. {more} would settle it; run dedup tune again."


def _interval_cells(interval: Interval | None) -> tuple[str, str]:
    """Return the cells of the table for an estimate and its limits."""
    return ("–", "–") if interval is None else (f"{interval.value:.3f}", f"{interval.low:.3f}–{interval.high:.3f}")
