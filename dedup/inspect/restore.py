"""Write the original files again from an output.

Text files come back byte for byte. Files of JSON lines come back line by line: each article with its fields in order
and its raw text, each record that could not be read as it was, and blank lines as empty lines. Spaces between the
values of a line are not kept. A source of another kind, such as ``news.csv``, comes back as JSON lines in
``news.csv.jsonl``. Where a text was extracted from an HTML page, that text comes back and not the page; such articles
are counted. A text that is not that of the input, by its hash, is an error. `restore` never writes outside the
given folder, whatever an output says.
"""

from __future__ import annotations

import base64
import binascii
import glob
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePosixPath

from dedup.arrays import encode_utf8
from dedup.errors import FindingError, OutputError
from dedup.inspect.article_rows import Article, InputOrder, MismatchHandler
from dedup.inspect.names import record_name
from dedup.inspect.output import Output, Quarantined, open_output
from dedup.inspect.sources import OTHER, Source, open_for_writing, target_names
from dedup.read.fields import join_fields, to_json
from dedup.read.formats import TEXT_FILE
from dedup.read.pages import EXTRACTED_FROM

_EXTRACTED = "extracted from HTML"  # what an article is counted as whose text is not that of its file
_PARTIAL = "without all fields"  # what an article is counted as if `output_fields` left some of them out

OriginalRow = Article | Quarantined


def restore(path: str | Path, directory: str | Path, *, force: bool = False) -> Mapping[str, int]:
    """Write the original files below `directory`, and return the numbers of files, articles and quarantined records.

    `directory` must be new or empty, and then appears complete or not at all. With `force` it may hold other files;
    those with the same names are replaced. `force` also restores an output that lacks fields because it was written
    with `output_fields`; the articles that may have lost some are counted. Raises `OutputError` if `path` is not an
    output or `directory` cannot be used, and `FindingError` if the output was changed since it was written.
    """
    output = open_output(path)
    target = Path(directory).resolve()
    if target.is_relative_to(output.path.resolve()):
        raise OutputError(f"{directory}: is inside the output; choose a folder outside of {path}")
    occupied = target.is_dir() and any(target.iterdir())
    if (occupied and not force) or (target.exists() and not target.is_dir()):
        raise OutputError(f"{directory}: exists and is not an empty folder; choose another, or add `force=True`")
    is_text = all(map(output.is_text, output.sources))
    if output.settings.output_fields is not None and not is_text and not force:
        raise OutputError(
            f"{path}: was written with `output_fields`, which left fields out for good; "
            "add `force=True` to restore the others"
        )
    names = target_names(output.sources, output.path)
    work = target.parent / f".{target.name}.{os.getpid()}.partial"
    _delete_leftovers(target)
    try:
        work.mkdir(parents=True)
        counts = _write_files(output, names, work)
        if occupied:
            _move_into(work, target, names.values())
        else:
            work.replace(target)
    except OSError as error:
        raise OutputError(f"{directory}: {error.strerror or error}; nothing more was written") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return counts


def _delete_leftovers(target: Path) -> None:
    """Delete what killed processes have left of a folder that was to become `target`."""
    for path in target.parent.glob(f".{glob.escape(target.name)}.*.partial"):
        number = path.name.removesuffix(".partial").rpartition(".")[2]
        if number.isdigit() and not _is_alive(int(number)):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(process: int) -> bool:
    """Return False if no process has this number, True if one has it or this cannot be known."""
    if os.name != "posix":  # on other systems, `os.kill` would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # a process of another user, or a number that is too large
        return True
    return True


def _write_files(output: Output, names: Mapping[str, PurePosixPath], folder: Path) -> Counter[str]:
    """Write all sources below `folder`, and return the numbers of files, articles and quarantined records."""
    counts = Counter(files=0, articles=0, quarantined=0)
    is_partial = output.settings.output_fields is not None
    for name in names.values():  # an empty input has no row, but gets its file here
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        open_for_writing(folder / name).close()
        counts["files"] += 1
    for source, group in groupby(source_rows(output), key=lambda row: row.source):
        with open_for_writing(folder / names[source]) as file:
            line = 0  # number of the next line of the file
            for row in group:
                counts["articles" if isinstance(row, Article) else "quarantined"] += 1
                if isinstance(row, Article) and EXTRACTED_FROM in row.provenance:
                    counts[_EXTRACTED] += 1
                data = bytes_of_row(row, output.sources[source])
                if output.is_text(source):
                    file.write(data)
                else:
                    if is_partial and isinstance(row, Article) and row.kept:
                        counts[_PARTIAL] += 1
                    file.write(b"\n" * (row.record - line) + data + b"\n")
                    line = row.record + 1
    return counts


def source_rows(output: Output, report: MismatchHandler | None = None) -> Iterator[OriginalRow]:
    """Yield all articles and quarantined records in input order.

    If the tables do not fit together, `report` is called and reading continues; without it, the first problem raises
    `OutputError`.
    """
    articles = _in_input_order(output, output.articles(report))
    quarantined = _in_input_order(output, output.quarantined_in_order(report))
    return (row for _, row in merge(articles, quarantined, key=itemgetter(0)))


def _in_input_order(
    output: Output, rows: Iterator[Article] | Iterator[Quarantined]
) -> Iterator[tuple[InputOrder, OriginalRow]]:
    """Yield each row with its position in input order; raise `OutputError` if its source is unknown."""
    for row in rows:
        order = output.input_order(row)
        if order is None:
            raise OutputError(
                f"{record_name(row.source, row.record)}: its source is not among the inputs; see dedup verify"
            )
        yield order, row


def bytes_of_row(row: OriginalRow, source: Source) -> bytes:
    """Return the bytes of an input record, without the line end of a JSON line."""
    where = record_name(row.source, row.record)
    if isinstance(row, Quarantined):
        try:
            data = base64.b64decode(row.raw, validate=True) if row.encoding == "base64" else encode_utf8(row.raw)
        except binascii.Error as error:
            raise OutputError(f"{where}: its quarantined bytes are not base64 ({error})") from None
        return bytes(to_json(row.raw)) if source.kind == OTHER and b"\n" in data else data
    raw = checked_raw(row)
    if source.kind == TEXT_FILE:
        charset = row.provenance.get("charset", source.charset)
        return raw.encode(charset) if charset else encode_utf8(raw)
    return join_fields(row.original())


def checked_raw(article: Article) -> str:
    """Return the raw text of an article. Raises `FindingError` if it is not that of the input."""
    try:
        raw = article.raw
    except FindingError as error:
        raise FindingError(f"{article.where}: {error}; see dedup verify") from None
    if hashlib.sha256(encode_utf8(raw)).hexdigest() != article.provenance.get("sha256"):
        raise FindingError(f"{article.where}: its text is not that of the input: another sha256; see dedup verify")
    return raw


def _move_into(work: Path, target: Path, names: Iterable[PurePosixPath]) -> None:
    """Move each file from `work` to its place in `target`, a folder that already holds other files."""
    for name in names:
        place = target / name
        if not place.parent.resolve().is_relative_to(target):
            raise OutputError(f"{place}: a link leads out of the folder; remove it")
        place.parent.mkdir(parents=True, exist_ok=True)
        (work / name).replace(place)
