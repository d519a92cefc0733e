"""Look at the first records before the long work starts: tell which fields were guessed, stop if none has text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice
from statistics import median

import pyarrow as pa

from dedup.errors import InputError
from dedup.prepare.record_columns import parse_record
from dedup.read.article_fields import NoTextError, date_of, host_of, id_of
from dedup.read.field_paths import string_paths
from dedup.read.fields import PROVENANCE_FIELD, parse_fields
from dedup.read.formats import EXTRACTED, HTML_FILE, TEXT_FILE, WARC
from dedup.read.json_errors import BadRecordError
from dedup.read.pages import keep_page
from dedup.settings import Settings

Notice = Callable[[str], None]

GUESSED = "fields: "  # begins the notice about the fields
RECORDS = 1000  # looked at before the work starts
_BYTES = 16 << 20  # of records looked at at most; they are in memory until the work starts
_HALF = 0.5  # of the records; if more have no text, the field has another name
_GUESSES_SHOWN = 3
_SAMPLE = 100  # records without text whose fields are searched
_MIN_LETTERS = 20  # of a field that looks like text


def preview_records(
    batches: Iterator[pa.RecordBatch], settings: Settings, notice: Notice | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield `batches` of records; before the first one, look at their first records.

    `notice` is called with a line about the fields that were guessed. Raises `InputError` if more than half of the
    records have no text; settings that tolerate bad records switch that off.
    """
    head: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        head.append(batch)
        count, size = count + batch.num_rows, size + batch.nbytes
        if count >= RECORDS or size >= _BYTES:
            break
    rows = list(islice(chain.from_iterable(batch.to_pylist() for batch in _first_rows(head)), RECORDS))
    guess = _Guess(settings)
    for row in rows:
        guess.add(row["source"], row["kind"], row["record"], row["data"], row["error"])
    if settings.on_error != "fail" and len(guess.without_text) > max(_HALF, settings.max_bad) * len(rows):
        raise InputError(guess.problem(len(rows)))
    if notice and guess.names["text"]:
        notice(guess.summary())
    yield from head
    yield from batches


def _first_rows(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the first `RECORDS` rows of `batches`, so that not all of a large batch become Python objects."""
    left = RECORDS
    for batch in batches:
        yield batch.slice(0, left)
        left -= min(left, batch.num_rows)


class _Guess:
    """The fields of the first records by meaning; `without_text` holds places and data of records that have no text."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.names: dict[str, Counter[str]] = {name: Counter() for name in ("text", "id", "date", "source")}
        self.without_text: list[tuple[str, bytes]] = []

    def add(self, source: str, kind: str, record: int, data: bytes, error: str | None) -> None:
        """Add one record; files, pages and bad records other than those without text say nothing."""
        if error or kind in {TEXT_FILE, HTML_FILE, WARC, EXTRACTED}:
            return
        try:
            article, _ = parse_record(kind, data, source, self.settings, read_page=keep_page)
        except NoTextError:
            self.without_text.append((f"{source}#{record}", data))
            return
        except BadRecordError:
            return
        fields, settings = article.fields, self.settings
        names = {
            "text": article.text_field,
            "id": id_of(fields, settings, source, record)[0],
            "date": date_of(fields, settings)[0],
            "source": host_of(fields, settings)[0],
        }
        for meaning, name in names.items():
            if name is not None:
                self.names[meaning][name] += 1

    def summary(self) -> str:
        """Return one line that names the fields, such as ``fields: text from maintext, id from url``."""
        parts = [
            f"{meaning} from {' or '.join(name for name, _ in names.most_common(_GUESSES_SHOWN))}"
            for meaning, names in self.names.items()
            if names
        ]
        return f"{GUESSED}{', '.join(parts)}"

    def problem(self, count: int) -> str:
        """Return one line that says which fields look like text; `count` records were looked at."""
        place, _ = self.without_text[0]
        chosen = self.settings.text_field
        where = f"in the field {chosen!r}" if chosen else "in a field of a usual name"
        lines = f"{place}: {len(self.without_text):,} of the first {count:,} records have no text {where}"
        likely = _fields_like_text([data for _, data in self.without_text[:_SAMPLE]])
        if not likely:
            return f"{lines}, and no other field looks like text; each record needs one, named with `text_field`"
        shown = " or ".join(f"{name!r} ({length:,.0f} characters)" for name, length in likely[:_GUESSES_SHOWN])
        return f"{lines}; {shown} looks like it: add `text_field={likely[0][0]}`"


def _fields_like_text(records: list[bytes]) -> list[tuple[str, float]]:
    """Return names or paths of fields with words in `records`, and their median lengths, the longest first."""
    lengths: dict[str, list[int]] = {}
    for data in records:
        try:
            fields = parse_fields(data)
        except BadRecordError:
            continue
        fields.pop(PROVENANCE_FIELD, None)
        for path, text in string_paths(fields):
            if len(text) >= _MIN_LETTERS and (" " in text.strip() or not text.isascii()):
                lengths.setdefault(path, []).append(len(text))
    medians = [(path, float(median(values))) for path, values in lengths.items()]
    return sorted(medians, key=lambda item: (-item[1], item[0]))
