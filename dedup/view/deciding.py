"""Carry out what a page asks for: a decision about something that it shows, or to take one back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dedup.errors import InputError
from dedup.inspect.decision_targets import about_finding, about_group, about_line, about_rule, about_survivor
from dedup.match.policy import BOILERPLATE
from dedup.review.decisions import ABOUT_ARTICLE, ABOUT_FINDING, ABOUT_GROUP, ABOUT_LINE, ABOUT_RULE, ArticleText
from dedup.view import queries
from dedup.view.reviews import Reviews
from dedup.view.runs import CurrentRun, NotThereError, ViewedRun

_LARGEST_GROUP = 10_000  # articles of a group that one decision can name
_REASON = 2_000  # characters

WORDS = {"accept": "accepted", "reject": "rejected", "prefer": "preferred"}


class Deciding:
    """The requests that change the review of an output, and the one that asks how it stands."""

    def __init__(self, current: CurrentRun, reviews: Reviews) -> None:
        self.current = current
        self.reviews = reviews

    def state(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Say how much has been read, and how many decisions there are."""
        index = self.current.get().index
        share, problem = index.progress
        version = self.reviews.standing().version
        return {"version": version, "ready": index.is_ready, "share": share, "problem": problem}

    def decide(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Add a decision about something that a page shows."""
        values = _values_of(self.current.get(), body)
        why = str(body.get("why") or "")[:_REASON]
        made = self.reviews.decide(_version_of(body), str(body.get("decision")), values, why)
        return {
            "id": made.id,
            "version": self.reviews.standing().version,
            "decision": made.decision,
            "words": WORDS[made.decision],
        }

    def undo(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take a decision back."""
        made = self.reviews.undo(_version_of(body), str(body.get("id")))
        return {"id": made.id, "version": self.reviews.standing().version, "decision": "undo", "words": "undone"}


def _values_of(run: ViewedRun, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a decision is about, from what the page has sent."""
    about = body.get("about")
    if about == ABOUT_RULE:
        return about_rule(str(body.get("rule")), str(body.get("host")))
    number = body.get("number")
    if not isinstance(number, int):
        raise InputError("number: not a whole number; reload the page")
    if about == ABOUT_LINE:
        row = run.reader.line_of(BOILERPLATE, number)
        if row is None:
            raise NotThereError("there is no such line of site text; reload the page")
        return about_line(row)
    article = run.article(number)
    if about == ABOUT_GROUP:
        return about_group(article, _members_of(run, number))
    if about == ABOUT_ARTICLE:
        survivor = run.reader.twin_of(article.dropped_by) if article.dropped_by else None
        if survivor is None:
            raise InputError("this article repeats no other one; reload the page")
        return about_survivor(article, survivor)
    place = body.get("place")
    if about != ABOUT_FINDING or not isinstance(place, int) or not 0 <= place < len(article.findings):
        raise NotThereError("there is no such finding; reload the page")
    finding = article.findings[place]
    line = run.reader.line_of(finding.rule, finding.twin_record)
    return about_finding(article, finding, run.reader.twin_of(finding), line)


def _members_of(run: ViewedRun, number: int) -> list[ArticleText]:
    """Return the articles that were dropped as copies of article `number`. Raises `InputError` if they are too many."""
    with run.index.cursor() as cursor:
        members = queries.all_members(cursor, number, _LARGEST_GROUP + 1)
    if len(members) > _LARGEST_GROUP:
        raise InputError("this group is too large for one decision; decide about its rule, or about single articles")
    return [run.text_of(member) for member in members]


def _version_of(body: Mapping[str, Any]) -> int:
    version = body.get("version")
    if not isinstance(version, int) or version < 0:
        raise InputError("version: not a whole number; reload the page")
    return version
