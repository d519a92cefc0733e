"""Gather what each page shows: the values of its template, whose name is one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from dedup.inspect.names import record_name
from dedup.view import queries
from dedup.view.articles import article_fields, show_pair
from dedup.view.reviews import Reviews
from dedup.view.runs import CurrentRun, NotThereError, ViewedRun

_QUARANTINE_SHOWN = 4_000  # characters of a raw record

Parameters = Mapping[str, str]
PageValues = dict[str, Any]


class Contents:
    """The contents of the pages about an output and its review."""

    def __init__(self, current: CurrentRun, reviews: Reviews) -> None:
        self.current = current
        self.reviews = reviews

    @property
    def run(self) -> ViewedRun:
        """The output as it is now."""
        return self.current.get()

    def overview(self, _: Parameters) -> PageValues:
        """Show what came in, what stays, and where to go from here."""
        run = self.run.output.run
        return {
            "template": "overview.html",
            "counts": run.get("counts", {}),
            "rules": run.get("rules", {}),
            "review": run.get("review"),
            "path": str(self.current.path),
        }

    def findings(self, parameters: Parameters) -> PageValues:
        """List findings under filters, with facets."""
        filters, page = self._searched(parameters), _page_of(parameters)
        with self.run.index.cursor() as cursor:
            standing = self.reviews.standing()
            self.run.index.set_decided(standing.version, standing.decided_findings)
            rows, total = queries.list_findings(cursor, filters, page)
            facets = queries.facets(cursor, filters, of_findings=True)
            steps = queries.similarity_steps(cursor, filters)
        return {
            **_listing(filters, page, total),
            "template": "findings.html",
            "rows": self._with_states(rows),
            "facets": facets,
            "steps": steps,
            "decide_rule": self._rule_shown(filters),
        }

    def articles(self, parameters: Parameters) -> PageValues:
        """List articles under filters, with facets."""
        filters, page = self._searched(parameters), _page_of(parameters)
        with self.run.index.cursor() as cursor:
            rows, total = queries.list_articles(cursor, filters, page)
            facets = queries.facets(cursor, filters, of_findings=False)
        return {**_listing(filters, page, total), "template": "articles.html", "rows": rows, "facets": facets}

    def article(self, parameters: Parameters) -> PageValues:
        """Show one article with its findings in place, and the twin of one of them beside it."""
        number = int(parameters["number"])
        run = self.run
        article = run.article(number)
        with run.index.cursor() as cursor:
            facts = queries.article_facts(cursor, number)
            chosen, start, twin_start = (_whole(parameters.get(name)) for name in ("finding", "from", "twin_from"))
            pair = show_pair(run.reader, article, chosen, start, twin_start)
            twin_number = None
            if pair.twin is not None:
                source = run.output.sources[pair.twin.source]
                twin_number = queries.number_of(cursor, source.number, pair.twin.record)
        standing = self.reviews.standing()
        findings = []
        for place, finding in enumerate(article.findings):
            row = {**finding._asdict(), "sha256": facts["sha256"], "host": facts["host"], "place": place}
            row["state"] = standing.of_finding(row, run.reader.line_of(finding.rule, finding.twin_record))
            findings.append(row)
        return {
            "template": "article.html",
            "facts": facts,
            "article": article,
            "pair": pair,
            "findings": findings,
            "number": number,
            "twin_number": twin_number,
            "fields": article_fields(article),
            "preferred": standing.of_preferred(facts["sha256"]),
        }

    def groups(self, parameters: Parameters) -> PageValues:
        """List the groups of articles, the largest first."""
        page = _page_of(parameters)
        with self.run.index.cursor() as cursor:
            rows, total = queries.list_groups(cursor, page)
        return {**_listing(queries.Filters(), page, total), "template": "groups.html", "rows": rows}

    def group(self, parameters: Parameters) -> PageValues:
        """Show one group: its survivor and its copies."""
        number, page = int(parameters["number"]), _page_of(parameters)
        with self.run.index.cursor() as cursor:
            if queries.key_of(cursor, number) is None:
                raise NotThereError("there is no such article in this output")
            survivor = queries.article_facts(cursor, number)
            rows, total = queries.members_of(cursor, number, page)
        standing = self.reviews.standing()
        for row in rows:
            row["preferred"] = standing.of_preferred(row["sha256"])
        return {
            **_listing(queries.Filters(), page, total),
            "template": "group.html",
            "survivor": survivor,
            "rows": self._with_states(rows),
            "state": standing.of_group(survivor["sha256"]),
        }

    def site_text(self, parameters: Parameters) -> PageValues:
        """List the lines of site text."""
        page, standing = _page_of(parameters), self.reviews.standing()
        words = parameters.get("q", "").lower().split()
        lines = [
            {**row._asdict(), "line": line, "state": standing.of_line(row)}
            for line, row in enumerate(self.run.reader.site_text)
            if all(word in f"{row.host or ''} {row.text}".lower() for word in words)
        ]
        shown = lines[page * queries.PAGE_ROWS : (page + 1) * queries.PAGE_ROWS]
        return {
            **_listing(_filters_of({"q": parameters.get("q", "")}), page, len(lines)),
            "template": "site_text.html",
            "rows": shown,
        }

    def quarantine(self, parameters: Parameters) -> PageValues:
        """List the records that could not be read, as they came in."""
        page = _page_of(parameters)
        total = self.run.output.run.get("counts", {}).get("quarantined", 0)
        first, rows = page * queries.PAGE_ROWS, []
        for place, record in enumerate(self.run.output.quarantined()):
            if place >= first + queries.PAGE_ROWS:
                break
            if place >= first:
                rows.append(
                    {
                        "where": record_name(record.source, record.record),
                        "error": record.error,
                        "raw": record.raw[:_QUARANTINE_SHOWN],
                        "size": len(record.raw),
                        "encoding": record.encoding,
                    }
                )
        return {**_listing(queries.Filters(), page, total), "template": "quarantine.html", "rows": rows}

    def history(self, parameters: Parameters) -> PageValues:
        """List all decisions, the latest first."""
        page, standing = _page_of(parameters), self.reviews.standing()
        in_force = {decision.id for decision in standing.in_force}
        undone = {row.undoes for row in standing.rows if row.undoes}
        first = page * queries.PAGE_ROWS
        rows = [
            {"decision": row, "in_force": row.id in in_force, "undone": row.id in undone}
            for row in standing.rows[::-1][first : first + queries.PAGE_ROWS]
        ]
        return {
            **_listing(queries.Filters(), page, len(standing.rows)),
            "template": "history.html",
            "rows": rows,
            "file": str(self.reviews.path),
        }

    def _searched(self, parameters: Parameters) -> queries.Filters:
        """Return the filters of a list, after its search."""
        filters = _filters_of(parameters)
        return queries.Filters(filters.values, self.run.index.hits(filters.terms)) if filters.terms else filters

    def _with_states(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        standing, reader = self.reviews.standing(), self.run.reader
        for row in rows:
            row["state"] = standing.of_finding(row, reader.line_of(row["rule"], row["twin_record"]))
        return rows

    def _rule_shown(self, filters: queries.Filters) -> dict[str, Any] | None:
        """Return the rule and host of a list that shows only those, with the decision about them."""
        rule, host = filters.values.get("rule"), filters.values.get("host")
        if not rule or not host or host == "-":
            return None
        return {"rule": rule, "host": host, "state": self.reviews.standing().of_rule(rule, host)}


def _filters_of(parameters: Mapping[str, str]) -> queries.Filters:
    """Return the filters among the parameters of an address, in the order of `dedup.view.queries.FILTERS`."""
    return queries.Filters({name: parameters[name] for name in queries.FILTERS if parameters.get(name)})


def _page_of(parameters: Mapping[str, str]) -> int:
    return max(0, (_whole(parameters.get("page")) or 1) - 1)


def _whole(text: str | None) -> int | None:
    """Return the whole number that `text` is; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def _listing(filters: queries.Filters, page: int, total: int) -> dict[str, Any]:
    """Return what every list needs: filters, total, and the addresses of its pages."""

    def address(number: int) -> str:
        return "?" + urlencode({**filters.values, "page": number + 1})

    last = max(0, (total - 1) // queries.PAGE_ROWS)
    return {
        "filters": {name: filters.values.get(name, "") for name in queries.FILTERS},
        "is_filtered": bool(filters.values),
        "total": total,
        "first": page * queries.PAGE_ROWS + 1,
        "last_row": min(total, (page + 1) * queries.PAGE_ROWS),
        "previous_page": address(page - 1) if page else None,
        "next_page": address(page + 1) if page < last else None,
    }
