"""The commands that look after an index: ``dedup index stats``, ``verify``, ``remove``, ``compact`` and ``merge``."""

from __future__ import annotations

from pathlib import Path

import click

from dedup.cli.examples import examples
from dedup.cli.options import PATH, QUIET, VERBOSE
from dedup.cli.terminal import EXIT_DONE, EXIT_FINDINGS, print_json, write_stdout
from dedup.inspect.counted import counted

_FOLDER = click.argument("folder", type=PATH, metavar="DIR")


@click.group(name="index", short_help="Look after an index of earlier runs.", epilog=examples("index"))
@VERBOSE
def index_() -> None:
    """Look after an index, the folder that clean writes with --index."""


@index_.command()
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
@VERBOSE
def stats(folder: Path, as_json: bool) -> None:
    """Print how much is in an index."""
    from dedup.index.upkeep import index_stats  # noqa: PLC0415

    numbers = index_stats(folder)
    if as_json:
        print_json(numbers)
        return
    articles, runs, segments = (counted(numbers[f"{noun}s"], noun) for noun in ("article", "run", "segment"))
    write_stdout(
        f"{articles} of {runs} in {segments}, {counted(numbers['site_text'], 'line')} of site text\n"
        f"{counted(numbers['bytes'], 'byte')} for {counted(numbers['text_bytes'], 'byte')} of text "
        f"({numbers['share']:.0%})\n"
    )


@index_.command(name="verify", epilog="Exit status: 0 the index is whole; 1 something does not match; 2 an error.")
@_FOLDER
@QUIET
@VERBOSE
def verify_index_folder(folder: Path, quiet: bool) -> int:
    """Prove that the files of an index are as they were written, and fit together."""
    from dedup.index.manifest import read_manifest  # noqa: PLC0415
    from dedup.index.upkeep import verify_index  # noqa: PLC0415

    problems = verify_index(folder)
    for problem in problems:
        write_stdout(f"{problem}\n")
    if not quiet:
        articles = sum(segment.articles for segment in read_manifest(folder).segments)
        click.echo(f"verified {counted(articles, 'article')}, problems: {len(problems):,}", err=True)
    return EXIT_FINDINGS if problems else EXIT_DONE


@index_.command(epilog="Exit status: 0 something was removed; 1 no such article; 2 an error.")
@_FOLDER
@click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
@QUIET
@VERBOSE
def remove(folder: Path, articles: tuple[str, ...], quiet: bool) -> int:
    """Take articles out of an index, so that what repeats them can stay in later runs.

    ARTICLE is an id, source#record, or a run: index/2 stands for all that the second run has added, and so does
    index/2/, where an article has the id index/2.
    """
    from dedup.index.upkeep import remove_articles  # noqa: PLC0415

    count = remove_articles(folder, articles)
    if not quiet:
        click.echo(f"removed {counted(count, 'article')}", err=True)
    return EXIT_DONE if count else EXIT_FINDINGS


@index_.command()
@_FOLDER
@QUIET
@VERBOSE
def compact(folder: Path, quiet: bool) -> None:
    """Make one segment of all, which saves space and time."""
    from dedup.index.upkeep import compact_index  # noqa: PLC0415

    merged, before, after = compact_index(folder)
    if quiet:
        return
    if merged > 1:
        click.echo(f"made one segment of {merged:,}: {before:,} bytes before, {after:,} now", err=True)
    else:
        click.echo(f"nothing to do: the index has {counted(merged, 'segment')}", err=True)


@index_.command()
@_FOLDER
@click.argument("other", type=PATH, metavar="OTHER")
@QUIET
@VERBOSE
def merge(folder: Path, other: Path, quiet: bool) -> None:
    """Add to the index DIR the articles of the index OTHER that repeat none of it."""
    from dedup.index.upkeep import merge_index  # noqa: PLC0415

    count = merge_index(folder, other)
    if not quiet:
        click.echo(f"added {counted(count, 'article')}", err=True)
