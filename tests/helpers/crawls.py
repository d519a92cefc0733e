"""Write crawls of news sites and their outputs, for tests of reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dedup
from dedup.findings import Finding
from helpers.news import sentences
from helpers.outputs import InputArticle, write_output

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</style></svg><svg onload=alert(3)>",
    "{{ 7 * 7 }} {% raw %} &lt;b&gt;",
    "javascript:alert(4)",
    "\u202egnirts desrever\u202c \u2066isolated",
    "\x1b[31mred\x1b[0m \x07 \x00",
    "| [link](javascript:alert(5)) `code` **bold** ![x](https://elsewhere.example/x.png)",
    "\ud800 a lone surrogate",
]


def crawl_rows() -> list[dict[str, Any]]:
    """Return articles of a wire service, a paper that prints them, one that prints bodies twice, and a consent page."""
    rows: list[dict[str, Any]] = []

    def add(host: str, day: int, paragraphs: list[str]) -> None:
        number = len(rows)
        date = f"2026-03-{day:02d}"
        text = "\n\n".join(paragraphs)
        rows.append({"id": f"{host}-{number}", "url": f"https://{host}/{number}", "date": date, "text": text})

    for number in range(24):
        body = sentences(number, 8 + number % 4)
        day = 1 + number % 24
        add("wire.example", day, [f"TARN (Wire): {body[0]}", *body[1:]])
        if number % 2:
            add("courier.example", day + 1, [*body, "Sign up for the morning letter of the Courier."])
        else:
            own = sentences(1000 + number, 8)
            own[0] += " The cafÃ© is open.  "
            add("courier.example", day, [*own, "Sign up for the morning letter of the Courier."])
        if number % 2 == 0:
            own = sentences(2000 + number, 8)
            add("post.example", day, [*own, *own[1:]])
        if number % 2 == 0:
            add("lens.example", day, [*sentences(77, 4)])
    return rows


def hostile_rows() -> list[dict[str, Any]]:
    """Return articles whose ids, hosts and texts are markup, scripts and control characters."""
    rows: list[dict[str, Any]] = []
    for number, text in enumerate(HOSTILE):
        body = [text, *sentences(3000 + number, 8)]
        for copy in range(3):
            name = f"{text} {copy}" if copy else text
            changed = [*body[:4], f"{text} {body[4]}" if copy == 2 else body[4], *body[5:]]
            rows.append({"id": name, "source": f"{text} {number}", "date": "2026-02-01", "text": "\n\n".join(changed)})
    return rows


def write_long_articles(folder: Path) -> Path:
    """Write the output of two articles of 10 MB, one of which repeats the other, and return its folder."""
    block = " ".join(sentences(4000, 1_000))
    text = " ".join(f"{number} {block}" for number in range(10_000_000 // len(block) + 1))
    edited = text.replace(block[:40], "Another beginning", 1)
    drop = Finding(
        rule="near-duplicate-article",
        action="drop",
        stop=len(edited),
        original=edited,
        replacement="",
        twin="long",
        twin_start=0,
        twin_stop=len(text),
        similarity=0.99,
        twin_source="a.jsonl",
        twin_record=0,
    )
    kept = InputArticle("a.jsonl", 0, {"id": "long", "text": text})
    dropped = InputArticle("a.jsonl", 1, {"id": "x" * 100_000, "text": edited}, (drop,), dropped=True)
    return write_output(folder, [kept, dropped])


def write_crawl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON lines, and between them a line that is broken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row) for row in rows]
    lines.insert(1, '{"id": "broken <b>", "text": "the download ended in the mid')
    path.write_text("\n".join(lines) + "\n")
    return path


def clean_crawl(folder: Path, rows: list[dict[str, Any]], **settings: Any) -> Path:
    """Clean rows into a folder ``out`` and return it."""
    source = write_crawl(folder / "crawl.jsonl", rows)
    dedup.clean(source, folder / "out", dedup.Settings(**settings), force=True)
    return folder / "out"


def write_all_outputs(folder: Path) -> dict[str, Path]:
    """Write outputs of a run, of one without findings, of hostile and of long texts, and return their folders."""
    return {
        "run": clean_crawl(folder / "run", crawl_rows()),
        "empty": clean_crawl(folder / "empty", [{"text": "One article with no finding at all."}]),
        "hostile": clean_crawl(folder / "hostile", hostile_rows()),
        "long": write_long_articles(folder / "long"),
    }
