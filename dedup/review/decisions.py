"""The decisions of a review: about a finding, a group, a rule of one host, a line of site text, or which copy survives.

A decision names texts by their digests, not by numbers of records, so that it can be found again in a run over other
files. Of an article it has the id and the SHA-256 of its raw text, of a finding that of the text in its span.

Rejecting a finding keeps the text that it would change. Accepting it removes nothing that the settings would not
remove: it says that the finding is right, and withdraws an earlier rejection. The later of two decisions about one
thing counts. ``undo`` takes one decision back, which may be an ``undo`` itself.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from dedup.arrays import encode_utf8
from dedup.errors import InputError
from dedup.rules import NAMES
from dedup.suggestions import hint

ACCEPT: Literal["accept"] = "accept"
REJECT: Literal["reject"] = "reject"
PREFER: Literal["prefer"] = "prefer"
UNDO: Literal["undo"] = "undo"

ABOUT_FINDING: Literal["finding"] = "finding"
ABOUT_GROUP: Literal["group"] = "group"
ABOUT_RULE: Literal["rule"] = "rule"
ABOUT_LINE: Literal["line"] = "line"
ABOUT_ARTICLE: Literal["article"] = "article"
ABOUT_DECISION: Literal["decision"] = "decision"


class ArticleText(msgspec.Struct, frozen=True):
    """An article by its id and the SHA-256 of its raw text in UTF-8, in hexadecimal."""

    id: str
    sha256: str


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a review file.

    Attributes:
        id: a random name of the row, which an undo refers to.
        time: when, in ISO 8601.
        by: who.
        why: the reason, in free words.
        decision: "accept" or "reject"; "prefer" lets an article survive its group; "undo".
        about: what it is about; the attributes below are set as that needs them.
        rule: of a finding, or of all findings of a host.
        article: the article of a finding, the survivor of a group, or the article that is preferred.
        removed: SHA-256 of the text in the finding's span.
        start: where the span starts in the raw text, in code points.
        twin: the article that the finding repeats, or that a preferred article takes the place of.
        similarity: of the article and its twin.
        members: the articles of a group that repeat its survivor.
        host: of a rule, or of a line of site text; None where its host is unknown.
        line: a line of site text.
        undoes: the id of the decision that is taken back.
    """

    id: str
    time: str
    by: str = ""
    why: str = ""
    decision: Literal["accept", "reject", "prefer", "undo"]
    about: Literal["finding", "group", "rule", "line", "article", "decision"]
    rule: str | None = None
    article: ArticleText | None = None
    removed: str | None = None
    start: int | None = None
    twin: ArticleText | None = None
    similarity: float | None = None
    members: tuple[ArticleText, ...] = ()
    host: str | None = None
    line: str | None = None
    undoes: str | None = None

    @property
    def target(self) -> tuple[object, ...]:
        """Return what the decision is about; of two decisions about one target the later counts."""
        match self.about:
            case "finding":
                return self.about, self.rule, self.article, self.removed, self.start
            case "line":
                return self.about, self.host, self.line
            case "rule":
                return self.about, self.host, self.rule
            case "decision":
                return self.about, self.id
        return self.about, self.article


_NEEDED: dict[tuple[str, str], tuple[str, ...]] = {  # attributes that must be set, by what a decision is and about what
    **{(decision, ABOUT_FINDING): ("rule", "article", "removed", "start") for decision in (ACCEPT, REJECT)},
    **{(decision, ABOUT_GROUP): ("article", "members") for decision in (ACCEPT, REJECT)},
    **{(decision, ABOUT_RULE): ("rule", "host") for decision in (ACCEPT, REJECT)},
    **{(decision, ABOUT_LINE): ("line",) for decision in (ACCEPT, REJECT)},
    (PREFER, ABOUT_ARTICLE): ("article",),
    (UNDO, ABOUT_DECISION): ("undoes",),
}


def text_digest(text: str) -> str:
    """Return the SHA-256 of `text` in UTF-8, in hexadecimal, as the provenance of an article has that of its raw text.

    >>> text_digest("one")[:8]
    '7692c3ad'
    """
    return hashlib.sha256(encode_utf8(text)).hexdigest()


def decision_of(values: Any, where: str) -> Decision:
    """Return the decision in parsed JSON. Raises `InputError`, which names the place `where`, if it is none."""
    try:
        decision = msgspec.convert(values, Decision)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: not a decision ({error}); remove the line, or give another file") from None
    needed = _NEEDED.get((decision.decision, decision.about))
    if needed is None:
        raise InputError(f"{where}: {decision.decision} of a {decision.about}: there is no such decision")
    missing = [name for name in needed if not getattr(decision, name) and getattr(decision, name) != 0]
    if missing:
        raise InputError(f"{where}: a decision about a {decision.about} needs {missing[0]}; remove the line")
    if decision.rule is not None and decision.rule not in NAMES:
        raise InputError(f"{where}: there is no rule {decision.rule!r}; {hint(decision.rule, NAMES)}")
    return decision


def in_force(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the decisions that count, in their order: not undone, and the last ones about their targets.

    >>> rows = [
    ...     Decision(id=name, time="", decision=what, about=about, host="a.example", rule="boilerplate", undoes=of)
    ...     for name, what, about, of in [
    ...         ("1", "accept", "rule", None), ("2", "reject", "rule", None), ("3", "undo", "decision", "2")
    ...     ]
    ... ]
    >>> [row.id for row in in_force(rows)], [row.id for row in in_force(rows[:2])]
    (['1'], ['2'])
    """
    undone: set[str] = set()
    targets: set[tuple[object, ...]] = set()
    counted: list[Decision] = []
    for decision in reversed(list(decisions)):
        if decision.id in undone:
            continue
        if decision.decision == UNDO:
            undone.add(str(decision.undoes))
        elif decision.target not in targets:
            targets.add(decision.target)
            counted.append(decision)
    return counted[::-1]


def decisions_digest(decisions: Sequence[Decision]) -> str:
    """Return the SHA-256 of what `decisions` decide, in hexadecimal: without names, times and reasons."""
    rows = [msgspec.structs.replace(decision, id="", time="", by="", why="") for decision in decisions]
    plain = msgspec.to_builtins(rows)
    return hashlib.sha256(encode_utf8(repr(plain))).hexdigest()


def make_decision(decision: str, *, by: str = "", why: str = "", **values: Any) -> Decision:
    """Return a new decision of now, with a random id; `values` are its other attributes.

    Raises `InputError` if it lacks what such a decision needs.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    row = {"id": secrets.token_hex(8), "time": now, "by": by, "why": why, "decision": decision, **values}
    return decision_of(msgspec.to_builtins(row), "review")
