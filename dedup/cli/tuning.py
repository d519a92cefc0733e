"""The command that helps to choose a threshold: questions on stderr, answers from stdin, the outcome on stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.options import INPUTS, PATH, SETTINGS, VERBOSE, WORK, engine_of, options_of, settings_from_options
from dedup.cli.terminal import console, print_json, progress

if TYPE_CHECKING:
    from dedup.tune.labels import Label

_ASKED = (
    click.option("--paragraphs", is_flag=True, help="Ask about paragraphs instead of articles."),
    click.option("--from", "low", type=float, metavar="J", help="Similarity at least.  [default: threshold - 0.2]"),
    click.option("--to", "high", type=float, metavar="J", help="Similarity at most.  [default: threshold + 0.15]"),
    click.option("--pairs", type=click.IntRange(min=0), default=40, metavar="N", help="Questions.  [default: 40]"),
    click.option("--seed", type=int, default=1, metavar="N", help="Another seed asks about other pairs.  [default: 1]"),
    click.option(
        "--labels",
        "file",
        type=PATH,
        default="dedup-labels.jsonl",
        metavar="FILE",
        help="Where answers are kept.  [default: dedup-labels.jsonl]",
    ),
    click.option(
        "--precision",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.95,
        metavar="P",
        help="The share of matches that must be right.  [default: 0.95]",
    ),
    click.option("--report", is_flag=True, help="Ask nothing; use the answers there are."),
)


@click.command(short_help="Show pairs, take answers, and say which threshold suits.")
@INPUTS
@options_of(*_ASKED, *SETTINGS, *WORK)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
@VERBOSE
def tune(
    inputs: tuple[str, ...],
    file: Path,
    precision: float,
    report: bool,
    quiet: bool,
    as_json: bool,
    paragraphs: bool,
    **options: Any,
) -> None:
    """Show pairs of like articles, ask which are the same, and say which threshold suits.

    Answer each pair with y (one repeats the other), n (it does not), s (skip) or q (stop), and Enter. Answers are
    kept, and no pair is asked about twice; run it again for more.
    """
    settings, _ = settings_from_options(options)
    from dedup.tune.labels import append, load_labels  # noqa: PLC0415
    from dedup.tune.prompt import ask  # noqa: PLC0415
    from dedup.tune.report import as_dict, reckon, show  # noqa: PLC0415
    from dedup.tune.survey import Asked, refuse_standard_input, survey, window  # noqa: PLC0415

    threshold = settings.paragraph_threshold if paragraphs else settings.threshold
    asked = Asked(
        window(threshold, options["low"], options["high"]),
        paragraphs,
        0 if report else options["pairs"],
        options["seed"],
    )
    if not report:
        refuse_standard_input(inputs)
    had = load_labels(file)
    with progress(quiet=quiet) as shown:
        surveyed = survey(inputs, settings, asked, had, engine_of(options), shown)
    given = [had[key] for key in sorted(surveyed.known)]

    def keep(label: Label) -> None:
        append(file, label)
        given.append(label)

    ask(surveyed.questions, asked.shingle, console(stderr=True), _lines(), keep)
    found = reckon(surveyed, given, precision)
    if as_json:
        print_json(as_dict(found, asked.shingle))
    else:
        show(found, "paragraphs" if paragraphs else "articles", console())


def _lines() -> Iterator[str]:
    """Lines of standard input, each as soon as it is there."""
    yield from map(partial(str, encoding="utf-8", errors="replace"), iter(sys.stdin.buffer.readline, b""))
