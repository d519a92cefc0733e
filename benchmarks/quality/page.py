"""The page of figures, rendered from ``results.json`` alone: every figure on it is a figure of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.markdown_tables import markdown_table, wrap_paragraph
from benchmarks.quality.doubling import EDITED, TEASER
from benchmarks.quality.labels import doubling_name, syndication_name
from benchmarks.quality.numbers_text import interval, percent
from benchmarks.quality.page_stories import stories
from benchmarks.quality.page_sweeps import sweeps
from benchmarks.quality.page_whole_pages import whole_pages

FOUND_EXACT, FOUND_EDITED, FOUND_TEASER = 0.995, 0.97, 0.9
SHREDDED = 0.01
FOUND, LOST, CUT, RECALL = 0.99, 0.0002, 0.001, 0.999
PAGES_REMOVED, PAGES_LOST, PAGES_PRECISION, PAGES_COPIES = 0.7, 0.003, 0.995, 0.8

TERMS = """\
* *Found* is the share of the inserted characters that is dropped.
* *Lost* is the share of the real characters that is dropped with no copy left.
* *Harmed* is the number of articles that lose real characters.
* *Shredded* is the share of articles in which a copy went in part and stayed in part: characters of it are dropped, and
  more than 5 % of it stay. Text that only one version has counts as real, and its paragraph may stay.
* An *interval* is a 95 % confidence interval: resampled over articles with a fixed seed, or Wilson's for counts and
  where no article has an error."""


def render(results: dict[str, Any]) -> str:
    """Return ``docs/quality.md`` for these results."""
    parts = [
        _introduction(results),
        _targets(results),
        _doubling(results["doubling"], list(results["corpora"])),
        _syndication(results["syndication"]),
        _boilerplate(results["boilerplate"]),
        _untouched(results["untouched"]),
        *([whole_pages(results["whole pages"])] if "whole pages" in results else []),
        *([stories(results["stories"])] if "stories" in results else []),
        sweeps(results),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(results: dict[str, Any]) -> str:
    run = results["made"]
    machine = run["machine"]
    versions = ", ".join(f"{name} {machine[name]}" for name in machine if name not in {"system", "processor", "cores"})
    corpora = ", ".join(f"`{name}` ({row['clean articles']})" for name, row in results["corpora"].items())
    text = [
        "# Quality",
        wrap_paragraph(
            "How much of what repeats does dedup find, and how much real text does it lose? One command makes every "
            "table here, from any corpora of real articles: `make bench-quality DATA=folder`. It selects articles "
            "without repeats and inserts repeats at known places. Then it compares what the whole pipeline "
            "(`dedup.clean_articles`, every rule at its default) drops with what was inserted, character by character."
        ),
        TERMS,
        wrap_paragraph(
            f"The figures on this page: seed {run['seed']}; clean articles of {corpora}; {versions}; "
            f"{machine['cores']} cores, {machine['system']}; {run['seconds']} seconds; sources of dedup with digest "
            f"`{run['code']}`. The figures of each corpus are in "
            "[results.json](../benchmarks/quality/results.json)."
        ),
    ]
    return "\n\n".join(text)


def _targets(results: dict[str, Any]) -> str:
    doubling, copies, planted = results["doubling"], results["syndication"]["all"], results["boilerplate"]
    variants = {label: row["all"] for label, row in doubling.items() if row["all"]["n"]}
    lost = sum(row["lost characters"] for row in variants.values())
    real = sum(row["real"] for row in variants.values())
    found: dict[tuple[str, float], list[float]] = {}
    for label, row in variants.items():
        found.setdefault(found_target(label), []).append(row["found"])
    shredded = [row["shredded"] for row in variants.values() if "shredded" in row]
    rows = [
        _target(f"doubled text found, {name}", min(shares), target, at_least=True)
        for (name, target), shares in sorted(found.items(), key=lambda group: -group[0][1])
    ]
    rows += [
        *([_target("articles shredded, worst variant", max(shredded), SHREDDED)] if shredded else []),
        _target("real text lost beside doubled text", lost / real, LOST),
        _target("real text lost, worst variant", max(row["lost"] for row in variants.values()), LOST),
        _target("near-duplicate articles found at the threshold", copies["recall"], RECALL, at_least=True),
        _target("unjustified drops of articles", copies["dropped without a reason"], 0),
        _target("real text lost beside planted lines", planted["hosts known"]["real lost share"], LOST),
    ]
    rows += [
        _target(
            f"planted lines found that `boilerplate` should find, scripts {row['group'][0]}",
            row["dropped"],
            FOUND,
            at_least=True,
        )
        for row in planted["hosts known"]["own by script"]
    ]
    for name, row in results["untouched"].items():
        like_sentences = row["cut as boilerplate that reads like a sentence"]
        rows.append(_target(f"untouched articles, {name}: text removed", row["cut by all"], CUT))
        rows.append(_target(f"untouched articles, {name}: not redundant", row["cut besides"], CUT))
        rows.append(_target(f"untouched articles, {name}: lines like sentences", like_sentences, CUT))
    for name, tables in results.get("whole pages", {}).items():
        row = tables["by size"][-1]
        rows.append(_target(f"whole pages, {name}: site text removed", row["removed"], PAGES_REMOVED, at_least=True))
        rows.append(_target(f"whole pages, {name}: article text lost", row["lost"], PAGES_LOST))
        rows.append(_target(f"whole pages, {name}: precision", row["precision"], PAGES_PRECISION, at_least=True))
        rows.append(_target(f"whole pages, {name}: different articles merged", row["merged"], 0))
        copies_found = (row["found"] + row["reported"]) / row["copies"]
        rows.append(
            _target(f"whole pages, {name}: copies found or reported", copies_found, PAGES_COPIES, at_least=True)
        )
    text = wrap_paragraph(
        "The rows of whole pages are about hosts of three pages or more. The rows before them are about untouched "
        "articles, and the section of that name lists what is removed from them. "
        "`boilerplate` is meant for telephone lines, signatures and headings that an office prints in article after "
        "article, but not for sentences, which therefore have a row of their own. Removed text is *redundant* if the "
        "same words follow one another in the rest of the article, or if at least half of the articles of the host "
        "print the line, so a reader misses nothing. Whole corpora of real pages contain such text, so the first "
        "figure cannot be 0; a corpus of licences repeats by nature."
    )
    return f"## Targets\n\n{markdown_table(('what', 'target', 'measured', ''), rows)}\n\n{text}"


def found_target(label: str) -> tuple[str, float]:
    """Return the group of a variant of doubled bodies, and the share that should be found in each of the group.

    >>> found_target("one word edited, lines")
    ('worst variant with edited words', 0.97)
    """
    if label.startswith(EDITED):
        return "worst variant with edited words", FOUND_EDITED
    return ("teasers", FOUND_TEASER) if label.startswith(TEASER) else ("worst variant", FOUND_EXACT)


def _target(name: str, value: float, target: float, *, at_least: bool = False) -> list[str]:
    """Return a row of the table of targets; the target is a minimum or a maximum."""
    met = value >= target if at_least else value <= target
    numbers = [str(number) if isinstance(number, int) else percent(number, 3) for number in (target, value)]
    return [name, f"{'≥' if at_least else '≤'} {numbers[0]}", numbers[1], "met" if met else "**missed**"]


def _doubling(rows: dict[str, Any], corpora: Sequence[str]) -> str:
    cells = [
        [
            doubling_name(label),
            row["all"]["n"],
            *(percent(row[corpus]["found"]) if corpus in row else "" for corpus in corpora),
            percent(row["all"]["found"]),
            interval(row["all"]["found interval"]),
            percent(row["all"]["flagged"]),
            percent(row["all"]["lost"], 4),
            row["all"]["harmed"],
            percent(row["all"].get("shredded")),
        ]
        for label, row in rows.items()
    ]
    text = wrap_paragraph(
        "A body printed twice, in the ways that crawled pages show. Either copy may be dropped. Each variant is made "
        "once with blank lines between the paragraphs and once without. The columns of the corpora show what is found "
        "in each. *Flagged* text is reported as `repeated-paragraph` or `shared-paragraph`, and stays. An edit changes "
        "one word: *one word* is in lower case, *any word* may be a name or a number. While the detector is developed, "
        "`quality.doubled` scores it alone in a minute."
    )
    header = ("variant", "articles", *corpora, "found", "interval", "flagged", "lost", "harmed", "shredded")
    return f"## Doubled bodies\n\n{text}\n\n{markdown_table(header, cells)}"


def _syndication(results: dict[str, Any]) -> str:
    text = wrap_paragraph(
        "Each article has one copy, changed in one way, and all other articles are different reports. Pairs are "
        "counted by their exact similarity: of a pair at the threshold or above, one article must be dropped; of a "
        "pair below, none. A drop is *unjustified* if its twin does not stay, or is less similar than the threshold."
    )
    rows = [_copies_row(syndication_name(label), row["all"]) for label, row in results["variants"].items()]
    rows.append(_copies_row("**all**", results["all"]))
    header = (
        "copy",
        "pairs",
        "mean similarity",
        "pairs at or above the threshold",
        "found",
        "recall",
        "interval",
        "pairs below the threshold",
        "of these dropped",
        "unjustified drops",
    )
    bounds = results["by similarity"]
    bins = [
        [f"{low:.2f}" + (f" to {bounds[at + 1][0]:.2f}" if at + 1 < len(bounds) else ""), pairs, dropped]
        for at, (low, pairs, dropped) in enumerate(bounds)
    ]
    spelling = wrap_paragraph(
        "Similarity is that of the words as dedup compares them, but for mojibake it is that of the text before "
        "mojibake. Copies in capitals are below 1 where two letters have the same capital, as the Turkish “ı” and “i”."
    )
    return (
        f"## Syndicated copies\n\n{text}\n\n{markdown_table(header, rows)}\n\n{spelling}\n\n"
        f"{markdown_table(('similarity', 'pairs', 'pairs with one article dropped'), bins)}"
    )


def _copies_row(name: str, row: dict[str, Any]) -> list[Any]:
    return [
        name,
        row["pairs"],
        f"{row['similarity']:.3f}",
        row["at or above"],
        row["found"],
        percent(row["recall"], 3),
        interval(row["recall interval"]),
        row["below"],
        row["dropped below"],
        row["dropped without a reason"],
    ]


def _boilerplate(results: dict[str, Any]) -> str:
    known, unknown = results["hosts known"], results["hosts unknown"]
    text = wrap_paragraph(
        "Lines of one host, with its name in them, are planted in a share of its articles, in nine languages; other "
        "lines are the same on all hosts. The rule requires more articles where position and length are weaker "
        "evidence, so it is not meant to find some of these lines; the table has them to show the limit. Without known "
        "hosts the whole corpus counts as one host."
    )
    own = [
        [
            with_hosts["group"][0],
            percent(with_hosts["group"][1], 0),
            with_hosts["lines"],
            percent(with_hosts["dropped"]),
            interval(with_hosts["dropped interval"]),
            percent(without_hosts["dropped"]),
        ]
        for with_hosts, without_hosts in zip(known["own"], unknown["own"], strict=True)
    ]
    scripts = [
        [*with_hosts["group"], with_hosts["lines"], percent(with_hosts["dropped"]), percent(without_hosts["dropped"])]
        for name in ("own by script", "own by language")
        for with_hosts, without_hosts in zip(known[name], unknown[name], strict=True)
    ]
    common = [
        [
            percent(with_hosts["group"][0], 0),
            with_hosts["lines"],
            percent(with_hosts["dropped"]),
            percent(without_hosts["dropped"]),
        ]
        for with_hosts, without_hosts in zip(known["common"], unknown["common"], strict=True)
    ]
    content = wrap_paragraph(
        "Content that several articles share: background of 30 to 80 words in 3 to 30 articles of a host, quotations "
        "of 8 to 40 words in 2 to 6 articles, headings, and short sentences. It may be flagged (`shared-paragraph`), "
        "and should stay:"
    )
    shared = [
        [
            *with_hosts["group"],
            with_hosts["lines"],
            percent(with_hosts["dropped"]),
            percent(with_hosts["flagged"]),
            percent(without_hosts["dropped"]),
            percent(without_hosts["flagged"]),
        ]
        for with_hosts, without_hosts in zip(known["shared"], unknown["shared"], strict=True)
    ]
    real = wrap_paragraph(
        f"Of the {known['real']:,} real characters around these texts, {known['real lost']:,} are dropped with known "
        f"hosts, and {unknown['real lost']:,} with unknown hosts."
    )
    return "\n\n".join(
        (
            "## Planted lines",
            text,
            markdown_table(
                (
                    "articles of the host",
                    "articles with the line",
                    "lines",
                    "found",
                    "interval",
                    "found, hosts unknown",
                ),
                own,
            ),
            "The lines that the rule is meant to find, by script and by language:",
            markdown_table(("language", "lines", "found", "found, hosts unknown"), scripts),
            "Lines that all hosts print:",
            markdown_table(("articles with the line", "lines", "found", "found, hosts unknown"), common),
            content,
            markdown_table(
                (
                    "content",
                    "copies",
                    "texts",
                    "dropped",
                    "flagged",
                    "dropped, hosts unknown",
                    "flagged, hosts unknown",
                ),
                shared,
            ),
            real,
        )
    )


def _untouched(results: dict[str, Any]) -> str:
    text = wrap_paragraph(
        "Whole corpora, with nothing inserted. Shares are of the characters of the articles that stay. *Redundant*: "
        "the same words follow one another in the rest of the article, or half of the articles of the host print the "
        "line. *Like sentences*: removed as boilerplate, with 8 words or more and the end of a sentence, without a "
        "telephone number or an address, and not about newsletters or cookies."
    )
    rows = [
        [
            name,
            row["articles"],
            row["dropped articles"],
            row["dropped without a reason"],
            *(percent(row["cut"].get(rule, {}).get("share", 0.0), 4) for rule in ("repeated-block", "boilerplate")),
            percent(row["cut that is told twice"], 4),
            percent(row["cut besides"], 4),
            percent(row["cut as boilerplate that reads like a sentence"], 4),
        ]
        for name, row in results.items()
    ]
    header = (
        "corpus",
        "articles",
        "dropped as duplicates",
        "unjustified drops",
        "removed by `repeated-block`",
        "removed by `boilerplate`",
        "redundant",
        "not redundant",
        "like sentences",
    )
    parts = ["## Untouched articles", text, markdown_table(header, rows)]
    for name, row in results.items():
        for key, kind in (("most cut", "Lines"), ("sentences cut", "Sentences")):
            if row[key]:
                lines = [[count, f"`{line.replace('`', '')}`"] for line, count in row[key]]
                parts += [
                    f"{kind} that `boilerplate` removes most often, {name} (digits are masked):",
                    markdown_table(("times", "line"), lines),
                ]
    return "\n\n".join(parts)
