"""Keep the decisions of a review for pages: what holds for each thing shown, and what other windows have decided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from dedup.errors import DedupError
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import SiteTextRow
from dedup.review.decision_file import StoredDecisions, append_decisions, read_decisions
from dedup.review.decisions import (
    ABOUT_ARTICLE,
    ABOUT_DECISION,
    ABOUT_FINDING,
    ABOUT_GROUP,
    ABOUT_LINE,
    ABOUT_RULE,
    UNDO,
    Decision,
    in_force,
    make_decision,
)
from dedup.rules import WHOLE_ARTICLE_RULES


class DecidedElsewhereError(DedupError):
    """Another window has decided about the same thing since the page was shown."""


class DecidedState(NamedTuple):
    """The decision that holds for something shown; `about` says whether it is about that, or about more."""

    id: str
    decision: str
    about: str
    by: str
    why: str

    @property
    def words(self) -> str:
        """The decision in words, for a person."""
        about = {ABOUT_RULE: ", by the rule for its source", ABOUT_GROUP: ", with its group"}.get(self.about, "")
        verb = {"accept": "accepted", "reject": "rejected", "prefer": "preferred"}[self.decision]
        return verb + about


class Standing:
    """The decisions in force, by what they are about."""

    def __init__(self, stored: StoredDecisions) -> None:
        self.version = stored.version
        self.rows = stored.rows
        self.in_force = in_force(stored.rows)
        self._findings: dict[tuple[str, str, int], Decision] = {}
        self._members: dict[str, Decision] = {}
        self._rules: dict[tuple[str, str], Decision] = {}
        self._lines: dict[tuple[str | None, str], Decision] = {}
        self._groups: dict[str, Decision] = {}
        self._preferred: dict[str, Decision] = {}
        for decision in self.in_force:
            self._add(decision)

    def _add(self, decision: Decision) -> None:
        digest = decision.article.sha256 if decision.article else ""
        match decision.about:
            case "finding":
                self._findings[str(decision.rule), digest, decision.start or 0] = decision
            case "group":
                self._groups[digest] = decision
                self._members |= {member.sha256: decision for member in decision.members}
            case "rule":
                self._rules[str(decision.rule), str(decision.host)] = decision
            case "line":
                self._lines[decision.host, str(decision.line)] = decision
            case "article":
                self._preferred[digest] = decision

    def of_finding(self, row: Mapping[str, Any], line: SiteTextRow | None = None) -> DecidedState | None:
        """Return the decision that holds for a finding, given as a row of the database."""
        found = self._findings.get((row["rule"], row["sha256"], row["start"]))
        if found is None and row["rule"] in WHOLE_ARTICLE_RULES:
            found = self._members.get(row["sha256"])
        if found is None and row["rule"] == BOILERPLATE and line is not None:
            found = self._lines.get((line.host, line.text))
        found = found or self._rules.get((row["rule"], row["host"] or ""))
        return _state(found)

    def of_group(self, digest: str) -> DecidedState | None:
        """Return the decision about the group whose survivor has this digest."""
        return _state(self._groups.get(digest))

    def of_preferred(self, digest: str) -> DecidedState | None:
        """Return the decision that the article with this digest survives."""
        return _state(self._preferred.get(digest))

    def of_line(self, row: SiteTextRow) -> DecidedState | None:
        """Return the decision about a line of site text."""
        return _state(self._lines.get((row.host, row.text)))

    def of_rule(self, rule: str, host: str) -> DecidedState | None:
        """Return the decision about a rule in the articles of a host."""
        return _state(self._rules.get((rule, host)))

    def decided_findings(self) -> list[tuple[str, str, int, str]]:
        """Return digest, rule, start and decision of each finding that was decided about by itself."""
        return [(digest, rule, start, decision.decision) for (rule, digest, start), decision in self._findings.items()]


def _state(decision: Decision | None) -> DecidedState | None:
    if decision is None:
        return None
    return DecidedState(decision.id, decision.decision, decision.about, decision.by, decision.why)


class Reviews:
    """The review file at `path`, to which pages add decisions in the name of `by`."""

    def __init__(self, path: Path, by: str) -> None:
        self.path = path
        self.by = by
        self._lock = Lock()
        self._known: tuple[object, Standing] | None = None

    def standing(self) -> Standing:
        """Return the decisions as the file has them now. Raises `InputError` if it cannot be read."""
        with self._lock:
            try:
                status = self.path.stat()
                key: object = (status.st_ino, status.st_size, status.st_mtime_ns)
            except OSError:
                key = None
            if self._known is None or self._known[0] != key:
                self._known = key, Standing(read_decisions(self.path, missing_is_empty=True))
            return self._known[1]

    def decide(self, version: int, decision: str, values: Mapping[str, Any], why: str) -> Decision:
        """Add a decision, and return it; `version` is that of the page on which it was made.

        Raises `DecidedElsewhereError` if someone has decided about the same thing since.
        """
        made = make_decision(decision, by=self.by, why=why, **values)
        self._append(version, made)
        return made

    def undo(self, version: int, identity: str) -> Decision:
        """Take a decision back; return the row that does. Raises as `decide` does."""
        made = make_decision(UNDO, by=self.by, about=ABOUT_DECISION, undoes=identity)
        self._append(version, made)
        return made

    def _append(self, version: int, made: Decision) -> None:
        def rows_to_add(stored: StoredDecisions) -> list[Decision]:
            by_id = {row.id: row for row in stored.rows}
            if made.undoes is not None and made.undoes not in by_id:
                raise DecidedElsewhereError("there is no such decision any more; look at the history")
            target = _undone_target(made, by_id)
            for row in stored.rows[version:]:
                if _undone_target(row, by_id) == target:
                    what = "undone" if row.decision == UNDO else f"set to {row.decision}"
                    who = f" by {row.by}" if row.by else ""
                    raise DecidedElsewhereError(f"this was {what}{who} in another window; look again, then decide")
            return [made]

        append_decisions(self.path, rows_to_add)


def _undone_target(decision: Decision, by_id: Mapping[str, Decision]) -> tuple[object, ...]:
    """Return what a decision is about; of an undo, what the decision that it undoes is about."""
    while decision.decision == UNDO and decision.undoes in by_id:
        decision = by_id[str(decision.undoes)]
    return decision.target


ABOUT_SHOWN = {ABOUT_FINDING, ABOUT_GROUP, ABOUT_RULE, ABOUT_LINE, ABOUT_ARTICLE}
