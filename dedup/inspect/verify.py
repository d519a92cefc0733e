"""Prove that an output is correct: its changes can be undone, its twins are there, its numbers and files are right.

The digests of all files come first (`dedup.inspect.verify_files`). One pass over the tables follows; only the table of
site text is in memory. It checks each article by itself (`dedup.inspect.verify_articles`), and copies the texts of
duplicates and of their twins to temporary files. Then each duplicate is compared with its twin
(`dedup.inspect.verify_twins`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from dedup.errors import OutputError
from dedup.inspect.article_rows import Mismatch
from dedup.inspect.output import Output, open_output
from dedup.inspect.stored_twins import TwinFolder
from dedup.inspect.verify_articles import TaskMapper, check_articles
from dedup.inspect.verify_files import changed_tables, check_numbers
from dedup.inspect.verify_inputs import check_inputs
from dedup.inspect.verify_site_text import check_site_text
from dedup.inspect.verify_twins import check_twins

# Below this many bytes of compared texts, the plain functions finish before the compiled ones are loaded, which takes
# half a second. Plain functions repair 3 MB a second, compiled ones 19 MB.
_COMPILED_BYTES = 2 << 20


class Verified(NamedTuple):
    """The numbers of articles and findings checked, and the mismatches: an output without any is correct."""

    articles: int
    findings: int
    mismatches: list[Mismatch]


class TextEngine(Protocol):
    """The part of an engine that `verify` needs, such as `dedup.engines.local.LocalEngine`."""

    def workers(self, input_bytes: int | None, *, compiled: bool = True) -> TaskMapper:
        """Return workers for a job over `input_bytes`."""


def verify(
    path: str | Path, engine: TextEngine | None = None, *, inputs: Sequence[str | Path] | None = None
) -> Verified:
    """Check every article, finding, twin, number and byte of the output in the folder `path`.

    `engine` says how many processes compare texts; without it, this process does. `inputs` are what was cleaned, to be
    read and compared again. Raises `OutputError` if `path` is not an output, and `InputError` if an input cannot be
    read.
    """
    output = open_output(path)
    mismatches: list[Mismatch] = []
    counts: Counter[str] = Counter()
    changed = changed_tables(output, mismatches)
    if inputs is not None:
        mismatches += check_inputs(output, inputs, with_records=not changed)
    try:
        if any(name.endswith(".parquet") for name in changed):
            raise OutputError("a changed Parquet file can make its reader fail, so the tables are not read")  # noqa: TRY301
        _check_tables(output, engine, counts, mismatches)
    except OutputError as error:  # a table cannot be read to its end
        mismatches.append(Mismatch(str(output.path), str(error)))
    except Exception as error:
        if not changed:
            raise
        problem = f"the changed tables cannot be read to their end ({type(error).__name__}: {error})"
        mismatches.append(Mismatch(str(output.path), problem.replace("\n", " ")))
    return Verified(counts["articles"], counts["findings"], mismatches)


def _check_tables(output: Output, engine: TextEngine | None, counts: Counter[str], mismatches: list[Mismatch]) -> None:
    """Check what the tables hold; add to `counts` and `mismatches`. Raises `OutputError` if one cannot be read."""
    site_text = list(output.site_text())
    size = sum(entry.stat().st_size for entry in output.path.iterdir())
    with TwinFolder.temporary(site_text) as folder:
        workers = engine.workers(size, compiled=False) if engine else None
        checked = check_articles(output, site_text, folder, workers, mismatches)
        counts.update(checked.counts)
        errors = Counter(row.error for row in output.quarantined_in_order(mismatches.append))
        counts["quarantined"] = errors.total()
        counts["records"] = counts["articles"] + counts["quarantined"]
        mismatches += check_numbers(output, counts, errors)
        mismatches += check_site_text(site_text, checked.dropped_lines)
        if engine and checked.size >= _COMPILED_BYTES:
            workers = engine.workers(size, compiled=True)
        mismatches += check_twins(output, checked, site_text, folder, workers)
