"""The hosts of a corpus: their names, their shares of the articles, and the lines that they print below each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

HOSTS = 24
_NAMES = ("herald", "times", "post", "tribune", "courier", "gazette", "observer", "chronicle")
_LINES = (
    "Sign up for our newsletter and get the {} stories of the day.",
    "Follow us on social media for more {} and {} news.",
    "This article was first published by the {} {}.",
    "Do you have a story about {}? Write to our {} desk.",
    "Copyright {} {}. All rights reserved.",
    "Story continues below the {} advertisement",
    "Reporting by {} in {}; editing by the {} desk",
)


class Line(NamedTuple):
    """A line of a host, and the share of its articles that print it."""

    text: str
    share: float


class Host(NamedTuple):
    """A newspaper with a site of its own."""

    name: str
    lines: list[Line]
    straight: bool  # whether it sets straight quotes


def make_hosts(words: Sequence[str], draw: random.Random, straight: float) -> list[Host]:
    """Return the hosts of a corpus, the largest first; `straight` is the share that sets straight quotes."""
    hosts = []
    for number in range(HOSTS):
        forms = draw.sample(_LINES, draw.randrange(1, 4))
        lines = [
            Line(form.format(*(draw.choice(words) for _ in range(form.count("{}")))), draw.uniform(0.3, 0.9))
            for form in forms
        ]
        hosts.append(Host(f"{_NAMES[number % 8]}-{number}.example", lines, straight=draw.random() < straight))
    return hosts


def host_weights() -> list[float]:
    """Return how often an article is from each host, by Zipf's law."""
    return [1 / (rank + 2) for rank in range(HOSTS)]
