"""The decisions in force as a job needs them: ready to be found again among the texts of any run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dedup.errors import InputError
from dedup.findings import Finding
from dedup.review.decision_file import read_decisions
from dedup.review.decisions import (
    ABOUT_ARTICLE,
    ABOUT_FINDING,
    ABOUT_GROUP,
    ABOUT_LINE,
    ABOUT_RULE,
    ACCEPT,
    REJECT,
    ArticleText,
    Decision,
    decisions_digest,
    in_force,
    text_digest,
)
from dedup.rules import WHOLE_ARTICLE_RULES

LINE_RULE = "boilerplate"  # its lines are found, and taken out, before articles are compared


@dataclass(frozen=True)
class Ruling:
    """Decisions that are in force, in the order in which they were made."""

    decisions: tuple[Decision, ...] = ()

    @cached_property
    def summary(self) -> dict[str, str | int]:
        """What ``run.json`` says of the review: how many decisions are in force, and a digest of what they decide."""
        return {"decisions": len(self.decisions), "sha256": decisions_digest(self.decisions)}

    @cached_property
    def rejected_drops(self) -> dict[ArticleText, bool]:
        """Whether the drop of an article is rejected: of each article with a decision about that; the last one counts.

        A decision about an article's own finding goes before one about the group that it is in.
        """
        answers: dict[ArticleText, bool] = {}
        for decision in self._about(ABOUT_GROUP):
            answers |= dict.fromkeys(decision.members, decision.decision == REJECT)
        for decision in self._about(ABOUT_FINDING):
            if decision.rule in WHOLE_ARTICLE_RULES and decision.article is not None:
                answers[decision.article] = decision.decision == REJECT
        return answers

    @cached_property
    def preferred(self) -> list[ArticleText]:
        """The articles that survive their groups, those decided on last first."""
        return [article for decision in self._about(ABOUT_ARTICLE)[::-1] if (article := decision.article)]

    @cached_property
    def findings_by_article(self) -> dict[ArticleText, list[Decision]]:
        """The decisions about findings within articles, by article."""
        decisions: dict[ArticleText, list[Decision]] = {}
        for decision in self._about(ABOUT_FINDING):
            if decision.rule not in (*WHOLE_ARTICLE_RULES, LINE_RULE) and decision.article is not None:
                decisions.setdefault(decision.article, []).append(decision)
        return decisions

    @cached_property
    def lines_by_article(self) -> dict[ArticleText, list[Decision]]:
        """The decisions about a line of site text in one article, by article."""
        decisions: dict[ArticleText, list[Decision]] = {}
        for decision in self._about(ABOUT_FINDING):
            if decision.rule == LINE_RULE and decision.article is not None and decision.line is not None:
                decisions.setdefault(decision.article, []).append(decision)
        return decisions

    @cached_property
    def lines(self) -> list[Decision]:
        """The decisions about a line of site text in all articles of its host."""
        return self._about(ABOUT_LINE)

    @cached_property
    def rules_of_hosts(self) -> Mapping[str, Mapping[str, Decision]]:
        """The rejections of a rule, by host and rule."""
        rules: dict[str, dict[str, Decision]] = {}
        for decision in self._about(ABOUT_RULE):
            if decision.decision == REJECT:
                rules.setdefault(str(decision.host), {})[str(decision.rule)] = decision
        return rules

    @cached_property
    def articles(self) -> list[ArticleText]:
        """All articles that decisions name and that have to be found, without repetitions."""
        named = (self.rejected_drops, self.preferred, self.findings_by_article, self.lines_by_article)
        return list(dict.fromkeys(article for articles in named for article in articles))

    def _about(self, about: str) -> list[Decision]:
        return [decision for decision in self.decisions if decision.about == about]


def read_ruling(path: str | Path | None) -> Ruling | None:
    """Return the decisions in force of the file at `path`; None for None. Raises `InputError` if it cannot be read."""
    if path is None:
        return None
    if not isinstance(path, (str, Path)):
        raise InputError(f"review: {path!r} is no path; name a file for `review`")
    return Ruling(tuple(in_force(read_decisions(Path(path)).rows)))


def is_rejected(finding: Finding, raw: str, decisions: Sequence[Decision]) -> bool:
    """Return True if the last of the decisions that are about `finding` rejects it.

    `raw` is the text of its article, and `decisions` are about this text, about another one with the same id, or about
    a rule of its host. A decision about one finding goes before one about a rule.
    """
    answer = any(decision.about == ABOUT_RULE and decision.rule == finding.rule for decision in decisions)
    digest = None
    for decision in decisions:
        if decision.about != ABOUT_FINDING or decision.rule != finding.rule:
            continue
        digest = digest or text_digest(raw[finding.start : finding.stop])
        if decision.removed == digest and decision.start in {None, finding.start}:
            answer = decision.decision != ACCEPT
    return answer
