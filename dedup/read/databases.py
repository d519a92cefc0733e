"""Read tables and views of SQLite and DuckDB databases: each row becomes a JSON object."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dedup.errors import InputError
from dedup.read.arrow_rows import bytes_as_text, float_value, json_rows
from dedup.read.charset import guess_charset
from dedup.read.fields import to_json_bytes
from dedup.read.formats import DUCKDB, INPUT_FORMATS, SQLITE
from dedup.read.json_errors import BadRecordError
from dedup.read.json_lines import FileRow
from dedup.read.streams import damage_error

_FETCHED_ROWS = 256
_TABLES_SHOWN = 8
_SQLITE_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_DUCKDB_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
_INSTALL_DUCKDB = "install the extra `duckdb`: run pip install '.[duckdb]' in a checkout of this project"


def choose_table(path: Path, kind: str, table: str | None, where: str) -> str:
    """Return the name of the table to read: `table`, or the only one there is.

    Raises `InputError`, about the input called `where`, that names the tables if there is no such choice, and
    `BadRecordError` if the database cannot be read.
    """
    if kind == DUCKDB and find_spec("duckdb") is None:
        raise InputError(f"{where}: duckdb is not installed; {_INSTALL_DUCKDB}")
    try:
        names = sorted(_table_names(path, kind))
    except _database_errors(kind) as error:
        raise BadRecordError(_unreadable_database(kind, error)) from None
    if table is None and len(names) == 1:
        return names[0]
    if table in names and table is not None:
        return table
    if not names:
        raise InputError(f"{where}: has no tables; give another database")
    shown = ", ".join(names[:_TABLES_SHOWN]) + (", …" if len(names) > _TABLES_SHOWN else "")
    problem = f"has {len(names)} tables" if table is None else f"has no table {table!r}"
    example = f"{where.removesuffix(f'#{table}')}#{names[0]}"
    raise InputError(f"{where}: {problem} ({shown}); name the one to read, as {example}")


def read_database(path: Path, kind: str, table: str) -> Iterator[FileRow]:
    """Yield each row of a table, with its number; what is damaged ends in an error.

    Rows come in the order in which the database stores them.
    """
    record = 0
    try:
        for data, error, charset in _sqlite_rows(path, table) if kind == SQLITE else _duckdb_rows(path, table):
            yield record, data, error, charset
            record += 1
    except _database_errors(kind) as error:
        yield record, b"", damage_error(error) if record else _unreadable_database(kind, error), None


def _unreadable_database(kind: str, error: Exception) -> str:
    message = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return f"not {INPUT_FORMATS[kind].title} that can be read ({message}); write it again"


def _table_names(path: Path, kind: str) -> list[str]:
    if kind == SQLITE:
        with _sqlite(path) as connection:
            return [str(name) for (name,) in connection.execute(_SQLITE_TABLES)]
    with _duckdb(path) as connection:
        return [name for (name,) in connection.execute(_DUCKDB_TABLES).fetchall()]


@contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that only reads. A log beside the file is read, too, where the folder allows it."""
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True)
    try:
        try:
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
        except sqlite3.OperationalError:  # a write-ahead log in a folder that is read-only
            connection.close()
            connection = sqlite3.connect(f"{address}&immutable=1", uri=True)
        connection.text_factory = _decode_text
        yield connection
    finally:
        connection.close()


def _decode_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _sqlite_rows(path: Path, table: str) -> Iterator[tuple[bytes, str | None, str | None]]:
    """Yield each row as JSON, with an error or the charset of its texts that are not UTF-8."""
    with _sqlite(path) as connection:
        rows = connection.execute(f"SELECT * FROM {_quoted_name(table)}")  # noqa: S608 - a name of the database, quoted
        names = [column[0] for column in rows.description]
        for row in rows:
            values = dict(zip(names, map(_sqlite_value, row), strict=True))
            undecoded = [value for value in row if isinstance(value, str) and not _is_encodable(value)]
            if undecoded:
                yield _decode_values(values, undecoded)
            else:
                yield to_json_bytes(values), None, None


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return bytes_as_text(value)
    return float_value(value) if isinstance(value, float) else value


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _decode_values(values: dict[str, Any], undecoded: list[str]) -> tuple[bytes, str | None, str | None]:
    """Return a row with texts that are not UTF-8 as JSON, an error or None, and the charset of those texts."""
    data = b"\n".join(text.encode("utf-8", "surrogateescape") for text in undecoded)
    charset = guess_charset(data)
    try:
        chosen = charset or "utf-8"
        decoded = {
            name: value.encode("utf-8", "surrogateescape").decode(chosen) if value in undecoded else value
            for name, value in values.items()
        }
        return to_json_bytes(decoded), None, charset
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte 0x{error.object[error.start]:02x} in a text; correct it"
        shown = {name: _with_backslashes(value) if isinstance(value, str) else value for name, value in values.items()}
        return to_json_bytes(shown), message, None


def _with_backslashes(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@contextmanager
def _duckdb(path: Path) -> Iterator[Any]:
    import duckdb  # noqa: PLC0415 - an extra

    connection = duckdb.connect(str(path), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def _duckdb_rows(path: Path, table: str) -> Iterator[tuple[bytes, None, None]]:
    with _duckdb(path) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        relation = connection.sql(f"SELECT * FROM {_quoted_name(table)}")  # noqa: S608 - a name of the database, quoted
        for batch in relation.to_arrow_reader(_FETCHED_ROWS):
            for data in json_rows(batch):
                yield data, None, None


def _database_errors(kind: str) -> tuple[type[Exception], ...]:
    if kind == DUCKDB:
        import duckdb  # noqa: PLC0415 - an extra

        return (duckdb.Error, OSError, RuntimeError)
    return (sqlite3.Error, OSError)


def _quoted_name(name: str) -> str:
    """Return a name as SQL writes it."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
