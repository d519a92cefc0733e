"""The papers of a corpus: their names, how much of it is theirs, and the lines they put under everything."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

HOSTS = 24
_NAMES = ("herald", "times", "post", "tribune", "courier", "gazette", "observer", "chronicle")
_CALLS = (
    "Sign up for our newsletter and get the {} stories of the day.",
    "Follow us on social media for more {} and {} news.",
    "This article was first published by the {} {}.",
    "Do you have a story about {}? Write to our {} desk.",
    "Copyright {} {}. All rights reserved.",
    "Story continues below the {} advertisement",
    "Reporting by {} in {}; editing by the {} desk",
)


class Line(NamedTuple):
    """A line of a host, and the share of its articles that have it."""

    text: str
    share: float


class Host(NamedTuple):
    """A paper."""

    name: str
    lines: list[Line]
    straight: bool  # whether it sets straight quotes


def hosts(words: Sequence[str], draw: random.Random, straight: float) -> list[Host]:
    """The papers of a corpus, the largest first; a share of them sets `straight` quotes."""
    made = []
    for number in range(HOSTS):
        calls = draw.sample(_CALLS, draw.randrange(1, 4))
        lines = [
            Line(call.format(*(draw.choice(words) for _ in range(call.count("{}")))), draw.uniform(0.3, 0.9))
            for call in calls
        ]
        made.append(Host(f"{_NAMES[number % 8]}-{number}.example", lines, straight=draw.random() < straight))
    return made


def shares() -> list[float]:
    """How often an article is a host's: Zipf again."""
    return [1 / (rank + 2) for rank in range(HOSTS)]
