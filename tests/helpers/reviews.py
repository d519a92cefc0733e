"""Decide on what an output holds, for tests of reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dedup.findings import Finding
from dedup.inspect.article_rows import Article
from dedup.inspect.decision_targets import about_finding
from dedup.inspect.names import twin_key
from dedup.inspect.output import open_output
from dedup.review.decision_file import append_decisions
from dedup.review.decisions import Decision, make_decision


def decide(path: Path, decision: str, **values: Any) -> Decision:
    """Add a decision to the review file at `path`, and return it."""
    made = make_decision(decision, by="ana", why="seen", **values)
    append_decisions(path, lambda _: [made])
    return made


def decide_on_finding(out: Path, article: Article, finding: Finding, decision: str = "reject") -> Decision:
    """Add a decision about a finding of an output to its review."""
    output = open_output(out)
    key = twin_key(finding)
    twin = output.articles_by_key({key}).get(key) if key else None
    line = list(output.site_text())[finding.twin_record] if finding.rule == "boilerplate" else None
    return decide(out / "review.jsonl", decision, **about_finding(article, finding, twin, line))


def articles_of(out: Path) -> dict[tuple[str, int], Article]:
    """Return the articles of an output by source and record."""
    return {article.key: article for article in open_output(out).articles()}


def files_of(out: Path) -> dict[str, bytes]:
    """Return the bytes of the files of an output that are the same for equal runs."""
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name not in {"run.log.json", "review.jsonl"}}
