"""Ask the database of an output: lists with filters, facets, groups. All values go into statements as parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

PAGE_ROWS = 50
FACET_VALUES = 12  # of each facet; the others are counted together
_DAY_ZERO = date(1970, 1, 1)
_TERMS = 12  # of a search
_TERM = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to.

    `values` holds the parameters of an address that are filters, as they are there. `hits` names the tables of what a
    search has found, as `dedup.view.index.ReadingIndex.hits` makes them; a list with a search needs it.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    hits: str = ""

    @property
    def terms(self) -> list[str]:
        """The words, and phrases in quotation marks, of the search, in small letters."""
        found = _TERM.findall(self.values.get("q", ""))
        return [(quoted or plain).lower() for quoted, plain in found][:_TERMS]

    def conditions(self, *, of_findings: bool, without: str | None = None) -> tuple[str, list[Any]]:
        """Return the condition of a WHERE clause and its parameters, without that of the facet `without`."""
        parts, parameters = ["true"], []
        for name, text in self.values.items():
            if name == without or (name == "q" and not self.hits):
                continue
            text = self.hits if name == "q" else text  # noqa: PLW2901
            condition, values = _condition(name, text, of_findings=of_findings)
            if condition:
                parts.append(condition)
                parameters += values
        return " AND ".join(parts), parameters


FILTERS = ("q", "rule", "action", "host", "state", "from", "to", "low", "high", "decided")
_NO_HOST = "-"


def _condition(name: str, text: str, *, of_findings: bool) -> tuple[str, list[Any]]:
    """Return the condition of one filter and its parameters; an empty one if it does not apply."""
    match name:
        case "q":
            return _found(text, of_findings=of_findings)
        case "host":
            return ("host IS NULL", []) if text == _NO_HOST else ("host = ?", [text])
        case "state":
            return "kept = ?", [text == "kept"]
        case "from" | "to":
            return _compared("day", _day_of(text), is_lower=name == "from")
        case "rule" | "action" if of_findings:
            return f"{name} = ?", [text]
        case "low" | "high" if of_findings:
            return _compared("similarity", _number_of(text), is_lower=name == "low")
        case "decided" if of_findings:
            return _decided(text)
    return "", []


def _compared(column: str, value: float | None, *, is_lower: bool) -> tuple[str, list[Any]]:
    """Return the condition that a column has at least, or at most, a value; an empty one for None."""
    return ("", []) if value is None else (f"{column} {'>=' if is_lower else '<='} ?", [value])


def _decided(text: str) -> tuple[str, list[Any]]:
    """Return the condition that findings were decided about, were not, or were decided about in one way."""
    same = "d.sha256 = f.sha256 AND d.rule = f.rule AND d.start = f.start"
    if text in {"accept", "reject"}:
        return f"EXISTS (SELECT 1 FROM decided d WHERE {same} AND d.decision = ?)", [text]  # noqa: S608 - ours
    exists = "NOT EXISTS" if text == "no" else "EXISTS"
    return f"{exists} (SELECT 1 FROM decided d WHERE {same})", []  # noqa: S608 - ours


def _found(hits: str, *, of_findings: bool) -> tuple[str, list[Any]]:
    """Return the condition that a search has found an article, or a finding."""
    if of_findings:
        return f"f.finding IN (SELECT finding FROM {hits}_findings)", []  # noqa: S608 - a name of ours
    return f"number IN (SELECT number FROM {hits}_articles)", []  # noqa: S608 - a name of ours


def _day_of(text: str) -> int | None:
    try:
        return (date.fromisoformat(text) - _DAY_ZERO).days
    except ValueError:
        return None


def _number_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def rows_of(cursor: duckdb.DuckDBPyConnection, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Return the rows of a statement, each with the names of its columns."""
    result = cursor.execute(statement, list(parameters))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def list_findings(cursor: duckdb.DuckDBPyConnection, filters: Filters, page: int) -> tuple[list[dict[str, Any]], int]:
    """Return the findings of one page, and how many there are."""
    where, parameters = filters.conditions(of_findings=True)
    total = rows_of(cursor, f"SELECT count(*) AS n FROM findings f WHERE {where}", parameters)[0]["n"]  # noqa: S608
    statement = f"SELECT f.* FROM findings f WHERE {where} ORDER BY finding LIMIT ? OFFSET ?"  # noqa: S608
    return rows_of(cursor, statement, [*parameters, PAGE_ROWS, PAGE_ROWS * page]), total


def list_articles(cursor: duckdb.DuckDBPyConnection, filters: Filters, page: int) -> tuple[list[dict[str, Any]], int]:
    """Return the articles of one page, and how many there are."""
    where, parameters = filters.conditions(of_findings=False)
    statement = f"""
        SELECT number, id, kept, host, day, characters, findings, beginning, count(*) OVER () AS n
        FROM articles WHERE {where} ORDER BY number LIMIT ? OFFSET ?
    """  # noqa: S608
    rows = rows_of(cursor, statement, [*parameters, PAGE_ROWS, PAGE_ROWS * page])
    if rows or not page:
        return rows, rows[0]["n"] if rows else 0
    total = rows_of(cursor, f"SELECT count(*) AS n FROM articles WHERE {where}", parameters)[0]["n"]  # noqa: S608
    return rows, total


_FACETS = {  # of findings: title, expression and order
    "rule": ("Rule", "rule", "n DESC"),
    "action": ("Action", "action", "n DESC"),
    "host": ("Source", f"coalesce(host, '{_NO_HOST}')", "n DESC"),
    "state": ("Article", "CASE WHEN kept THEN 'kept' ELSE 'dropped' END", "value"),
}
_ARTICLE_FACETS = ("host", "state")


def facets(cursor: duckdb.DuckDBPyConnection, filters: Filters, *, of_findings: bool) -> list[dict[str, Any]]:
    """Return the facets of a list: name, title, and values with their counts under the other filters."""
    shown = []
    for name in _FACETS if of_findings else _ARTICLE_FACETS:
        title, expression, order = _FACETS[name]
        where, parameters = filters.conditions(of_findings=of_findings, without=name)
        table = "findings f" if of_findings else "articles"
        statement = f"""
            SELECT {expression} AS value, count(*) AS n FROM {table} WHERE {where}
            GROUP BY value ORDER BY {order}, value LIMIT ?
        """  # noqa: S608
        values = rows_of(cursor, statement, [*parameters, FACET_VALUES])
        shown.append({"name": name, "title": title, "values": values, "chosen": filters.values.get(name)})
    return shown


def similarity_steps(cursor: duckdb.DuckDBPyConnection, filters: Filters) -> list[dict[str, Any]]:
    """Return the number of findings in each twentieth of similarity that has some."""
    values = {name: value for name, value in filters.values.items() if name not in {"low", "high"}}
    narrowed = Filters(values, filters.hits)
    where, parameters = narrowed.conditions(of_findings=True)
    statement = f"""
        SELECT least(19, floor(similarity * 20))::INT AS step, count(*) AS n FROM findings f
        WHERE {where} AND similarity IS NOT NULL GROUP BY step ORDER BY step
    """  # noqa: S608
    return [
        {"low": row["step"] / 20, "high": (row["step"] + 1) / 20, "n": row["n"]}
        for row in rows_of(cursor, statement, parameters)
    ]


def list_groups(cursor: duckdb.DuckDBPyConnection, page: int) -> tuple[list[dict[str, Any]], int]:
    """Return the groups of one page, the largest first, and how many there are."""
    total = rows_of(cursor, "SELECT count(*) AS n FROM groups")[0]["n"]
    statement = """
        SELECT g.*, a.id, a.host, a.day, a.beginning FROM groups g JOIN articles a USING (number)
        ORDER BY copies DESC, number LIMIT ? OFFSET ?
    """
    return rows_of(cursor, statement, [PAGE_ROWS, PAGE_ROWS * page]), total


def members_of(cursor: duckdb.DuckDBPyConnection, number: int, page: int) -> tuple[list[dict[str, Any]], int]:
    """Return the articles of one page that were dropped as copies of article `number`, and how many there are."""
    condition = "FROM findings WHERE twin_number = ? AND action = 'drop' AND NOT kept"
    total = rows_of(cursor, f"SELECT count(*) AS n {condition}", [number])[0]["n"]
    statement = f"SELECT * {condition} ORDER BY similarity DESC, finding LIMIT ? OFFSET ?"
    return rows_of(cursor, statement, [number, PAGE_ROWS, PAGE_ROWS * page]), total


def all_members(cursor: duckdb.DuckDBPyConnection, number: int, most: int) -> list[int]:
    """Return the numbers of the articles that were dropped as copies of article `number`, at most so many."""
    statement = "SELECT number FROM findings WHERE twin_number = ? AND action = 'drop' AND NOT kept LIMIT ?"
    return [row["number"] for row in rows_of(cursor, statement, [number, most])]


def key_of(cursor: duckdb.DuckDBPyConnection, number: int) -> tuple[int, int] | None:
    """Return source number and record of article `number`; None if there is none."""
    rows = rows_of(cursor, "SELECT source_number, record FROM articles WHERE number = ?", [number])
    return (rows[0]["source_number"], rows[0]["record"]) if rows else None


def article_facts(cursor: duckdb.DuckDBPyConnection, number: int) -> dict[str, Any]:
    """Return what lists show of article `number`."""
    statement = "SELECT number, id, kept, host, day, characters, findings, sha256 FROM articles WHERE number = ?"
    return rows_of(cursor, statement, [number])[0]


def number_of(cursor: duckdb.DuckDBPyConnection, source_number: int, record: int) -> int | None:
    """Return the number of the article of a record; None if there is none."""
    rows = rows_of(
        cursor, "SELECT number FROM articles WHERE source_number = ? AND record = ?", [source_number, record]
    )
    return rows[0]["number"] if rows else None
