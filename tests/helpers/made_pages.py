"""Made pages: articles with the lines of their site around them, as a page stripped of its tags has them."""

from __future__ import annotations

import random

from helpers.news import sentences

PAGE_MENU = ["Home", "World", "Business", "Sport", "Weather", "Sign in", "Search", "Skip to content"]
FOOTER = ["Share", "Print", "Email this story", "Most read", "About us | Contact | Terms", "© 2024 Example Media"]


def headline(host, number):
    """Return the headline of a page."""
    place, noun = random.Random(f"{host} {number}").sample(NOUNS, 2)
    return f"{place.capitalize()} {noun} number {number} opens"


NOUNS = ["bridge", "school", "harbour", "market", "library", "station", "museum", "theatre", "garden", "stadium"]


def page(host, number, count):
    """Return page `number` of the `count` pages of a host as a record; its lines change with the number."""
    rng = random.Random(f"page {host} {number}")
    teasers = [headline(host, other) for other in rng.sample(range(count), min(count, 5)) if other != number]
    lines = [
        *PAGE_MENU,
        headline(host, number),
        f"Published {rng.randint(1, 28)} May 20{rng.randint(10, 24)} 1{rng.randint(0, 9)}:{rng.randint(10, 59)}",
        f"{rng.randint(2, 400)} comments",
        *sentences(1000 * sum(map(ord, host)) + number, 6),
        *FOOTER[:3],
        *teasers,
        *FOOTER[3:],
    ]
    return {"url": f"https://{host}/{number}", "title": headline(host, number), "text": "\n".join(lines)}


def made_pages(sizes=(3, 8, 30)):
    """Return the pages of some hosts, which have so many each."""
    return [page(f"h{size}.example", number, size) for size in sizes for number in range(size)]
