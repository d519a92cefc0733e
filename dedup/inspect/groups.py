"""List the groups of an output: each survivor with the articles that were dropped because they repeat it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from dedup.inspect.article_rows import Article
from dedup.inspect.counted import counted
from dedup.inspect.names import RecordKey, named_with_place, record_name, twin_key
from dedup.inspect.output import Output
from dedup.inspect.visible import visible
from dedup.read.article_fields import host_of

GROUPS_LISTED = 1_000  # for a person; all of them in JSON

_SOURCES_SHOWN = 3
_NAME_SHOWN = 80  # characters


@dataclass
class Group:
    """The articles that repeat one survivor: how many, by source, and the lowest similarity."""

    dropped: int = 0
    similarity: float = 1.0
    sources: Counter[str] = field(default_factory=Counter)
    survivor: str | None = None


def groups_by_survivor(output: Output) -> dict[RecordKey, Group]:
    """Return the groups of an output by the key of their survivor, the largest first, equal ones in input order.

    The tables are read once, and no article is kept in memory.
    """
    groups: dict[RecordKey, Group] = {}
    for article in output.articles():
        drop = article.dropped_by
        survivor = None if drop is None else twin_key(drop)
        if drop is not None and survivor is not None:
            group = groups.setdefault(survivor, Group(survivor=drop.twin))
            group.dropped += 1
            group.similarity = min(group.similarity, 1.0 if drop.similarity is None else drop.similarity)
            group.sources[_source_of(article, output)] += 1
    return dict(sorted(groups.items(), key=lambda item: -item[1].dropped))


def group_rows(groups: Mapping[RecordKey, Group]) -> Iterator[dict[str, Any]]:
    """Yield each group as JSON values; `articles` counts the survivor, too."""
    for (source, record), group in groups.items():
        yield {
            "articles": group.dropped + 1,
            "survivor": group.survivor,
            "source": source,
            "record": record,
            "lowest_similarity": group.similarity,
            "dropped_by_source": dict(_by_count(group.sources)),
        }


def group_lines(groups: Mapping[RecordKey, Group], output: Output) -> Iterator[Text]:
    """Yield the lines that list the groups for a person: a title, one line for each, and what to do next."""
    dropped = sum(group.dropped for group in groups.values())
    articles = counted(dropped, "dropped article")
    yield Text(f"{counted(len(groups), 'group')}, {articles} that repeat{'s' * (dropped == 1)} a survivor", "dim")
    width = len(f"{max((group.dropped for group in groups.values()), default=0) + 1:,}")
    for (key, group), _ in zip(groups.items(), range(GROUPS_LISTED), strict=False):
        name = visible(named_with_place(group.survivor or record_name(*key), *key))
        line = Text.assemble((f"{group.dropped + 1:>{width},}", "bold red"), "  ", (name, "bold"))
        if group.similarity < 1:
            line.append(f"  similarity {group.similarity:.3f} or more", "dim")
        sources = [f"{visible(source[:_NAME_SHOWN])} {count:,}" for source, count in _by_count(group.sources)]
        more = f", {len(sources) - _SOURCES_SHOWN:,} more sources" if len(sources) > _SOURCES_SHOWN else ""
        yield line.append(f"  from {', '.join(sources[:_SOURCES_SHOWN])}{more}")
    out = shlex.quote(str(output.path))
    if len(groups) > GROUPS_LISTED:
        yield Text(f"… and {len(groups) - GROUPS_LISTED:,} more: dedup groups {out} --json lists all")
    if groups:
        yield Text(f"see dedup explain {out} ARTICLE, dedup report {out}", "dim")


def _by_count(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _source_of(article: Article, output: Output) -> str:
    return host_of(article.fields, output.settings)[1] or article.source
