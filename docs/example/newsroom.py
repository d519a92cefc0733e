"""Write a made-up crawl of ten news sites, for the pictures of the report: ``python docs/example/newsroom.py FILE``.

A wire service whose reports the papers print with other first and last words, a mirror, a site that saved its consent
page instead of articles, bodies printed twice, lines of site text, mojibake, and a few records that cannot be read. The
same file each time.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import date, timedelta
from pathlib import Path

START = date(2026, 1, 5)
DAYS = 56
PAPERS = {
    "harlow-courier.example": "Sign up for the Courier's morning letter, six days a week.",
    "brindlepost.example": "Follow the Post for all news from Brindle and the valley.",
    "ashby-echo.example": "Have you got a story? Call the Echo's newsroom on 01632 960 118.",
    "taleandtide.example": "Tale & Tide is printed on paper from the forests of the coast.",
    "norwick-times.example": "Subscribe to the Norwick Times from 2 euros a week.",
    "portreeve.example": "© Portreeve Media 2026. All rights reserved.",
}
WIRE = "wire.example"
TOWNS = ["Harlow", "Brindle", "Ashby", "Norwick", "Portreeve", "Tarn", "Saltby", "Marrick", "Elmsworth", "Dunmere"]
NAMES = [
    "Ada Bell",
    "Jonas Moss",
    "Mira Falk",
    "Tom Arden",
    "Lena Hurst",
    "Paul Rieger",
    "Nora Quist",
    "Ivo Marsh",
    "Clara Venn",
    "Otto Lind",
]
BODIES = [
    "council",
    "harbour board",
    "school board",
    "river authority",
    "hospital trust",
    "rail company",
    "fire service",
    "theatre",
]
TOPICS = [
    "the new bridge over the river",
    "the closure of the old mill",
    "the night buses to the coast",
    "a third lifeboat",
    "the repair of the sea wall",
    "the winter market",
    "a solar roof for the library",
    "the price of school meals",
    "the flood barrier",
    "the second runway",
    "the tram to the hospital",
    "the sale of the town hall",
]
VERBS = [
    "approved",
    "put off",
    "rejected",
    "defended",
    "reopened the debate on",
    "asked for more money for",
    "published its plan for",
]
REASONS = [
    "after a meeting that lasted until midnight",
    "by one vote",
    "although the costs have doubled since the spring",
    "against the advice of its engineers",
    "as residents protested outside",
    "in spite of a petition with {n} names",
    "before the elections in May",
    "on the day that the grant of {n} euros ran out",
]
QUOTES = [
    "“We have waited {n} years for this, and we can wait no longer,” said {name}.",
    "“Nobody asked the people who live beside it,” {name} told reporters in {town}.",
    "“The figures are sound,” said {name}, who has led the {body} since 20{y}.",
    "“It is not a question of money but of trust,” {name} said.",
]
FACTS = [
    "Work is to begin in the week of {m} {d} and to take {n} months.",
    "A study by engineers from {town} puts the cost at {n} million euros.",
    "About {n} people use it on a working day, a third more than in 20{y}.",
    "The {body} has until {m} {d} to answer the objections of {n} households.",
    "Shops in {town} counted {n} customers fewer than in the same week of last year.",
    "Two earlier plans, from 20{y} and 2019, had failed in the courts.",
    "The plans can be seen in the library of {town} on weekdays until {m} {d}.",
]
ROADS = (
    "Drivers should allow more time and check the state of the roads before they leave. "
    "The next forecast follows at six."
)
CONSENT = (
    "We and our 214 partners store and read information on your device. Choose “Accept all” to go on to the article, "
    "or “Settings” to choose what we may use. You can change your mind at any time."
)
MONTHS = ["February", "March", "April", "May", "June", "September"]


def filled(template: str, chance: random.Random) -> str:
    """Return `template` with names, places and numbers drawn by chance."""
    return template.format(
        name=chance.choice(NAMES),
        town=chance.choice(TOWNS),
        body=chance.choice(BODIES),
        n=chance.randrange(12, 980),
        y=chance.randrange(10, 25),
        m=chance.choice(MONTHS),
        d=chance.randrange(1, 29),
    )


def story(chance: random.Random) -> tuple[str, list[str]]:
    """Return the title and the paragraphs of one report."""
    town, body, topic = chance.choice(TOWNS), chance.choice(BODIES), chance.choice(TOPICS)
    verb = chance.choice(VERBS)
    lead = f"The {body} of {town} {verb} {topic} {filled(chance.choice(REASONS), chance)}."
    parts = [filled(part, chance) for part in chance.sample(QUOTES, 3) + chance.sample(FACTS, 5)]
    chance.shuffle(parts)
    paragraphs = [lead, *(" ".join(parts[place : place + 2]) for place in range(0, len(parts), 2))]
    return f"{town}: {body} {verb} {topic}", paragraphs


class Crawl:
    """The records of a crawl, in the order in which they were published."""

    def __init__(self) -> None:
        self.chance = random.Random(8)
        self.records: list[dict[str, str]] = []

    def add(self, host: str, day: int, title: str, paragraphs: list[str]) -> None:
        """Add an article of a host."""
        number = len(self.records)
        self.records.append(
            {
                "id": f"{host.partition('.')[0]}-{number:04d}",
                "url": f"https://{host}/2026/{number}",
                "date": (START + timedelta(days=min(day, DAYS - 1))).isoformat(),
                "title": title,
                "text": "\n\n".join(paragraphs),
            }
        )

    def add_wire(self, day: int) -> None:
        """Add a report of the wire service, and the papers that print it."""
        chance = self.chance
        title, paragraphs = story(chance)
        town = title.partition(":")[0].upper()
        self.add(WIRE, day, title, [f"{town} (Wire): {paragraphs[0]}", *paragraphs[1:]])
        for paper in chance.sample([*PAPERS], chance.choice([0, 1, 1, 2, 3])):
            printed = [*paragraphs]
            if chance.random() < 0.4:
                printed[-1] += f" {filled(chance.choice(FACTS), chance)}"
            if chance.random() < 0.2:
                printed[1] = printed[1].replace("told reporters", "told journalists").replace("said", "says", 1)
            self.add(paper, day + chance.choice([0, 0, 1, 1, 2]), title, [*printed, PAPERS[paper]])

    def add_own(self, paper: str, day: int) -> None:
        """Add a report of a paper's own, with what its site does to texts."""
        chance = self.chance
        title, paragraphs = story(chance)
        if paper == "taleandtide.example" and chance.random() < 0.5:  # a body printed twice
            paragraphs = [*paragraphs, *paragraphs[1:]]
        if paper == "ashby-echo.example" and chance.random() < 0.4:
            paragraphs = [part.replace("“", "â€œ").replace("”", "â€\x9d") for part in paragraphs]
        if paper == "brindlepost.example" and chance.random() < 0.5:
            paragraphs[0] = paragraphs[0].replace(" the ", "&nbsp;the ").replace(".", ". \u00a0")
        self.add(paper, day, title, [*paragraphs, PAPERS[paper]])

    def add_others(self, day: int) -> None:
        """Add a weather report, a copy of a mirror and a consent page, each on some days."""
        chance = self.chance
        if day % 3 == 0:
            town = TOWNS[day // 3 % len(TOWNS)]
            low, high, wind = chance.randrange(-6, 4), chance.randrange(5, 15), chance.randrange(10, 60)
            weather = f"Weather for {town}: {low} to {high} degrees, wind from the west at {wind} km/h."
            self.add("weatherdesk.example", day, f"Weather {town}", [weather, ROADS])
        if day % 2 == 0:
            copied = chance.choice(self.records)
            self.add("mirror-news.example", day + 1, copied["title"], copied["text"].split("\n\n")[:6])
        if day % 4 == 1:
            self.add("daily-lens.example", day, "Before you go on", [CONSENT])


def lines() -> list[str]:
    """Return the lines of the crawl, most of them records of articles."""
    crawl = Crawl()
    for day in range(DAYS):
        crawl.add_wire(day)
        crawl.add_wire(day)
        for paper in PAPERS:
            if crawl.chance.random() < 0.55:
                crawl.add_own(paper, day)
        crawl.add_others(day)
    crawl.chance.shuffle(crawl.records)
    rows = [json.dumps(record, ensure_ascii=False) for record in crawl.records]
    rows.insert(40, '{"id": "portreeve-broken", "text": "The download broke off in the mid')
    rows.insert(90, '{"id": "portreeve-empty", "url": "https://portreeve.example/2026/9"}')
    rows.insert(91, '{"id": "portreeve-empty-2", "url": "https://portreeve.example/2026/10"}')
    return rows


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join(lines()) + "\n", encoding="utf-8")
