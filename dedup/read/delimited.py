"""Read CSV and TSV files: each row becomes a JSON object of texts, named by the first row.

The csv module reads the rows, in its strict mode: a row whose quotes make no sense is recorded as it stands, with an
error, instead of being read as something else. Reading then continues at the next line.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from dedup.read.article_tables import fields_from_csv
from dedup.read.charset import guess_charset
from dedup.read.fields import PROVENANCE_FIELD, join_fields
from dedup.read.formats import TSV
from dedup.read.json_lines import FileRow, beginning, too_long
from dedup.read.sniffing import SNIFFED_BYTES
from dedup.read.streams import BLOCK_BYTES, ByteStream, damage_error
from dedup.settings import MAX_RECORD

_CSV_SEPARATORS = {"csv": ",;\t|", "tsv": "\t,;|"}  # in order of preference
_EXCEL_LINE = re.compile(r'"?sep=([^\r\n])"?\r?\n?', re.IGNORECASE)
_SNIFFED_ROWS = 50

_encode = msgspec.json.Encoder().encode


def read_rows(
    stream: ByteStream, kind: str, charset: str | None = None, *, checked: bool = False, most: int = MAX_RECORD
) -> Iterator[FileRow]:
    r"""Yield each data row of a CSV or TSV file as a JSON object, with its number among them; skip blank lines.

    `charset` is that of the original file if `stream` was transcoded. Otherwise the charset of a row that is not UTF-8
    is guessed, unless it is `checked` that the file should be UTF-8. A line of more than `most` characters is cut and
    has an error; a longer row of several lines means that a quote is not closed.

    >>> [row[1] for row in read_rows(ByteStream(io.BytesIO(b'id;text\n1;"a;\nb"\n').read), "csv")]
    [b'{"id":"1","text":"a;\\nb"}']
    """
    csv.field_size_limit((1 << 31) - 1)  # of the whole process; articles are longer than the default allows
    lines = _Lines(
        io.TextIOWrapper(io.BufferedReader(stream, BLOCK_BYTES), "utf-8", "surrogateescape", newline=""), most
    )
    separator = lines.separator(stream, kind)
    header: _Header | None = None
    record = 0
    for values, raw, problem in _csv_rows(lines, separator, lambda: stream.damage is not None):
        if stream.damage and lines.ended and not raw.endswith(("\r", "\n")):  # the row that the damage cut
            yield record, raw.encode("utf-8", "surrogateescape"), damage_error(stream.damage), charset
            return
        if header is None and not problem:
            header = _header(values, raw, separator, guess=not checked)
            continue
        error = problem or (header.problem(values) if header else None)
        data, row_charset = None, charset
        if header and not error:
            try:
                data = header.article_row(values, raw) or _encode(dict(zip(header.names, values, strict=False)))
            except UnicodeEncodeError:
                data, row_charset, error = _decode_row(raw, header, separator, charset, guess=not checked)
        yield record, _stripped(raw) if data is None else data, error, row_charset
        record += 1
    if stream.damage:
        yield record, b"", damage_error(stream.damage), charset


def _header(values: Sequence[str], raw: str, separator: str, *, guess: bool) -> _Header:
    """Return the header in the first row; if that is not UTF-8, its charset is guessed as that of any other row is."""
    data = _stripped(raw)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            values, text, _ = _decoded(data, separator, guess=guess)
        except UnicodeDecodeError as error:
            problem = f"the names of the columns are not UTF-8: byte 0x{data[error.start]:02x} at {error.start}"
            return _Header([], "", f"{problem}; name their charset with `encoding`")
        return _Header(values, text)
    return _Header(values, raw.rstrip("\r\n"))


class _Header:
    """The names of the columns: those of the first row, without empty ones at its end.

    `problem` is the error of every row if the names cannot be read.
    """

    def __init__(self, names: Sequence[str], raw: str, problem: str | None = None) -> None:
        self.names = list(names)
        self.raw = raw
        while self.names and not self.names[-1]:
            self.names.pop()
        repeated = [name for name, count in Counter(self.names).items() if count > 1]
        self._problem = problem
        if repeated:
            self._problem = (
                f"{self.names.count(repeated[0])} columns are called {repeated[0]!r}; give each its own name"
            )

    def problem(self, values: Sequence[str]) -> str | None:
        """Return the error of a row that does not fit; None if it does. Empty values at its end are no problem."""
        count = len(self.names)
        if self._problem is None and (len(values) == count or (len(values) > count and not any(values[count:]))):
            return None
        if self._problem:
            return self._problem
        return f"{len(values)} values for {count} columns; check its quotes and separators"

    def article_row(self, values: Sequence[str], raw: str) -> bytes | None:
        """Return a row that this package wrote as it would write it to JSON Lines; None if it is none."""
        if PROVENANCE_FIELD not in self.names or '"fields"' not in values[self.names.index(PROVENANCE_FIELD)]:
            return None
        try:
            [fields] = fields_from_csv(io.BytesIO(f"{self.raw}\n{raw}".encode()))
            return join_fields(fields)
        except (ValueError, KeyError, csv.Error):
            return None


class _Lines:
    """The lines of a file, with their ends, as the csv module takes them; lines can be given back."""

    def __init__(self, text: io.TextIOWrapper, most: int) -> None:
        self.text = text
        self.most = most
        self.is_cut = False  # the last line that was read
        self.returned: deque[str] = deque()
        self.row: list[str] = []  # lines of the current row
        self.size = 0  # of them, in characters
        self.ended = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.returned.popleft() if self.returned else self._read_line()
        if not line:
            self.ended = True
            raise StopIteration
        self.row.append(line)
        self.size += len(line)
        if self.is_cut or self.size > self.most:
            raise csv.Error("a quote is not closed")
        return line

    def _read_line(self) -> str:
        """Return the next line; if it is too long, its beginning with a line end, and set `is_cut`."""
        line = self.text.readline(self.most + 1)
        if len(line) <= self.most:
            return line
        self.is_cut = True
        rest = line
        while rest and not rest.endswith(("\n", "\r")):
            rest = self.text.readline(BLOCK_BYTES)
        return beginning(line.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape") + "\n"

    def take_row(self) -> str:
        """Return the text of the lines since the last call."""
        raw = self.row[0] if len(self.row) == 1 else "".join(self.row)
        self.row, self.size = [], 0
        return raw

    def take_first_line(self) -> str:
        """Return the first line since the last row, and give the others back."""
        first, *others = self.row
        self.returned.extendleft(reversed(others))
        self.row, self.size = [], 0
        return first

    def separator(self, stream: ByteStream, kind: str) -> str:
        """Return the separator that the first line or most rows of the sample name; go behind such a line."""
        sample = stream.peek(SNIFFED_BYTES).decode("utf-8", "replace").removeprefix("\ufeff")
        first = self._read_line().removeprefix("\ufeff")
        excel = _EXCEL_LINE.fullmatch(first)
        if excel:
            return excel[1]
        if first:
            self.returned.append(first)
        return sniff_separator(sample, kind)


def sniff_separator(sample: str, kind: str) -> str:
    r"""Return the character that separates values in `sample`, the beginning of a file.

    It is the one that gives the same number of columns, more than one, in most rows.

    >>> sniff_separator("id;text\n1;Yes, and no\n2;No, yes\n", "csv")
    ';'
    """
    separators = _CSV_SEPARATORS[TSV if kind == TSV else "csv"]
    scores = {separator: _score(sample, separator) for separator in separators}
    return max(separators, key=lambda separator: scores[separator])  # of equal ones, the first


def _score(sample: str, separator: str) -> tuple[bool, float, int]:
    """Return how well `separator` separates `sample`; more is better."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    try:
        widths = [len(row) for row in islice(reader, _SNIFFED_ROWS) if row]
    except csv.Error:
        return False, 0.0, 0
    if len(widths) > 2:
        del widths[-1]  # the sample may end inside it
    if not widths:
        return False, 0.0, 0
    return widths[0] > 1, widths.count(widths[0]) / len(widths), widths[0]


def _csv_rows(
    lines: _Lines, separator: str, damaged: Callable[[], bool]
) -> Iterator[tuple[list[str], str, str | None]]:
    """Yield the values, the text, and None or the error of each row."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        try:
            for values in reader:
                raw = lines.take_row()
                if values:
                    yield values, raw, None
        except csv.Error as error:
            if damaged() and lines.ended:
                yield [], lines.take_row().rstrip("\r\n"), str(error)
                return
            if lines.is_cut:
                lines.is_cut = False
                yield [], lines.take_row(), too_long(lines.most)
            else:
                yield [], lines.take_first_line(), f"not CSV: {error}; correct its quotes"
            reader = csv.reader(lines, delimiter=separator, strict=True)
            continue
        return


def _stripped(raw: str) -> bytes:
    """Return the bytes of a row without its line end."""
    return raw.rstrip("\r\n").encode("utf-8", "surrogateescape")


def _decode_row(
    raw: str, header: _Header, separator: str, charset: str | None, *, guess: bool
) -> tuple[bytes | None, str | None, str | None]:
    """Return a row that is not UTF-8 as JSON, its charset and None; or None, the charset and the error."""
    if charset:
        return None, charset, f"not {charset}: it has bytes that do not decode; correct it"
    data = _stripped(raw)
    try:
        values, _, guessed = _decoded(data, separator, guess=guess)
    except UnicodeDecodeError as error:
        return (
            None,
            None,
            f"not UTF-8: byte 0x{data[error.start]:02x} at {error.start}; name its charset with `encoding`",
        )
    problem = header.problem(values)
    return (None if problem else _encode(dict(zip(header.names, values, strict=False)))), guessed, problem


def _decoded(data: bytes, separator: str, *, guess: bool) -> tuple[list[str], str, str | None]:
    """Return the values of a row that is not UTF-8, its text, and its charset, which is guessed.

    Raises `UnicodeDecodeError` if it has none.
    """
    charset = guess_charset(data) if guess else None
    text = data.decode(charset or "utf-8")
    [values] = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return values, text, charset
