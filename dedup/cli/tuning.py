"""The command ``tune``, which helps to choose a threshold.

Questions go to stderr, answers come from stdin, and the result goes to stdout.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.examples import examples
from dedup.cli.options import (
    CONFIG,
    INPUTS,
    PATH,
    QUIET,
    REVIEW,
    SETTINGS,
    VERBOSE,
    WORK,
    combine_options,
    local_engine_of,
    resolve_options,
)
from dedup.cli.terminal import console, print_json, show_progress

if TYPE_CHECKING:
    from dedup.tune.labels import Label

_TUNING = (
    click.option("--paragraphs", is_flag=True, help="Ask about paragraphs, not articles."),
    click.option("--from", "low", type=float, metavar="J", help="Lowest similarity.  [default: threshold - 0.2]"),
    click.option("--to", "high", type=float, metavar="J", help="Highest similarity.  [default: threshold + 0.15]"),
    click.option(
        "--pairs", type=click.IntRange(min=0), default=40, metavar="N", help="Number of questions.  [default: 40]"
    ),
    click.option(
        "--labels",
        "labels",
        type=PATH,
        default="dedup-labels.jsonl",
        metavar="FILE",
        help="File of the answers.  [default: dedup-labels.jsonl]",
    ),
    click.option(
        "--precision",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.95,
        metavar="P",
        help="Share of matches that must be correct.  [default: 0.95]",
    ),
    click.option("--report", is_flag=True, help="Ask nothing; use the answers so far."),
)


@click.command(short_help="Ask about similar pairs, and recommend a threshold.", epilog=examples("tune"))
@INPUTS
@REVIEW
@combine_options(*_TUNING, CONFIG, *SETTINGS, *WORK)
@QUIET
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
@VERBOSE
def tune(
    inputs: tuple[str, ...],
    review: Path | None,
    labels: Path,
    precision: float,
    report: bool,
    quiet: bool,
    as_json: bool,
    paragraphs: bool,
    **options: Any,
) -> None:
    """Show pairs of similar articles, ask which are duplicates, and recommend a threshold.

    Answer each pair with y (one repeats the other), n (it does not), s (skip) or q (stop), and Enter. Answers are
    kept in a file, and no pair is shown twice; run it again for more. --seed also chooses the pairs.
    """
    resolved = resolve_options(options)
    settings = resolved.settings
    from dedup.review.ruling import read_ruling  # noqa: PLC0415
    from dedup.tune.labels import append, load_labels  # noqa: PLC0415
    from dedup.tune.prompt import ask  # noqa: PLC0415
    from dedup.tune.report import as_dict, reckon, show  # noqa: PLC0415
    from dedup.tune.survey import Asked, refuse_standard_input, survey, window  # noqa: PLC0415

    threshold = settings.paragraph_threshold if paragraphs else settings.threshold
    asked = Asked(
        window(threshold, options["low"], options["high"]),
        paragraphs,
        0 if report else options["pairs"],
        settings.seed,
    )
    if not report:
        refuse_standard_input(inputs)
    known = load_labels(labels)
    with show_progress(quiet=quiet) as progress:
        engine, ruling = local_engine_of(resolved), read_ruling(review)
        surveyed = survey(inputs, settings, asked, known, engine, progress, ruling)
    given = {**surveyed.reviewed, **known}
    answers = [given[key] for key in sorted(surveyed.known)]

    def keep(label: Label) -> None:
        append(labels, label)
        answers.append(label)

    ask(surveyed.questions, asked.shingle, console(stderr=True), _stdin_lines(), keep)
    result = reckon(surveyed, answers, precision)
    if as_json:
        print_json(as_dict(result, asked.shingle))
    else:
        show(result, "paragraphs" if paragraphs else "articles", console())


def _stdin_lines() -> Iterator[str]:
    """Yield the lines of standard input, each as soon as it is complete."""
    yield from map(partial(str, encoding="utf-8", errors="replace"), iter(sys.stdin.buffer.readline, b""))
