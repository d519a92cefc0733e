"""The page of figures, made from ``results.json`` and from nothing else: a figure in it is a figure of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quality.doubling import EDITED
from quality.page_sweeps import sweeps
from quality.text import interval, paragraph, percent, table

FOUND, FOUND_EDITED = 0.99, 0.97
LOST, CUT, RECALL = 0.0005, 0.001, 0.999


def render(results: dict[str, Any]) -> str:
    """``docs/quality.md`` for these results."""
    parts = [
        _head(results),
        _targets(results),
        _doubling(results["doubling"], list(results["corpora"])),
        _syndication(results["syndication"]),
        _boilerplate(results["boilerplate"]),
        _untouched(results["untouched"]),
        sweeps(results),
    ]
    return "\n\n".join(parts) + "\n"


def _head(results: dict[str, Any]) -> str:
    made = results["made"]
    machine = made["machine"]
    told = ", ".join(f"{name} {machine[name]}" for name in machine if name not in {"system", "processor", "cores"})
    corpora = ", ".join(f"`{name}` ({row['clean articles']})" for name, row in results["corpora"].items())
    text = [
        "# How well it decides",
        paragraph(
            "Every table here is made by one command, `make bench-quality DATA=folder`, out of any corpora of real "
            "articles. Articles that repeat nothing are taken from them, something is put in whose place is known, "
            "and what the whole pipeline (`dedup.clean_articles`, every rule at its default) drops is compared with "
            "what was put in, character by character. *Found* is the share of the characters put in that is "
            "dropped; *lost* the share of the real characters that goes with no copy left; *harmed* counts articles "
            "that lose anything. Intervals hold 95 %: resampled over articles with a fixed seed, or, for counts and "
            "where no article errs, Wilson's."
        ),
        paragraph(
            f"This page: seed {made['seed']}, clean articles of {corpora}; {told}; {machine['cores']} cores, "
            f"{machine['system']}; {made['seconds']} seconds; sources with digest "
            f"`{made['code']}`. Figures of each corpus are in "
            "[results.json](../benchmarks/quality/results.json)."
        ),
    ]
    return "\n\n".join(text)


def _targets(results: dict[str, Any]) -> str:
    doubling, copies, planted = results["doubling"], results["syndication"]["all"], results["boilerplate"]
    made = {label: row["all"] for label, row in doubling.items() if row["all"]["n"]}
    exact = [row for label, row in made.items() if not label.startswith(EDITED)]
    edited = [row for label, row in made.items() if label.startswith(EDITED)]
    lost = sum(row["lost characters"] for row in made.values())
    real = sum(row["real"] for row in made.values())
    rows = [
        _target("doubled text found, worst variant", min(row["found"] for row in exact), FOUND, least=True),
        _target("where words are edited, worst variant", min(row["found"] for row in edited), FOUND_EDITED, least=True),
        _target("real text lost beside doubled text", lost / real, LOST),
        _target("real text lost, worst variant", max(row["lost"] for row in made.values()), LOST),
        _target("near-duplicate articles found at the threshold", copies["recall"], RECALL, least=True),
        _target("articles dropped without a reason", copies["dropped without a reason"], 0),
        _target("real text lost beside planted lines", planted["hosts known"]["real lost share"], LOST),
    ]
    rows += [
        _target(
            f"planted lines found, of those the rule asks for, scripts {row['group'][0]}",
            row["dropped"],
            FOUND,
            least=True,
        )
        for row in planted["hosts known"]["own by script"]
    ]
    for name, row in results["untouched"].items():
        rows.append(_target(f"cut of articles as they are, {name}", row["cut by all"], CUT))
        rows.append(_target(f"of it not told twice, {name}", row["cut besides"], CUT))
        rows.append(
            _target(f"of it lines like sentences, {name}", row["cut as boilerplate that reads like a sentence"], CUT)
        )
    text = paragraph(
        "What is cut of articles as they are is read in the tables of articles as they are: telephone lines, "
        "signatures and headings that an office prints again and again are what `boilerplate` is for; sentences are "
        "not, and have a line of their own here. *Told twice* is what stands word for word, in a row, in what is left "
        "of the same article, and lines that at least half of the articles of a host print: of these nothing is lost "
        "that a reader would miss. Whole corpora of real pages hold such text, so that the first figure cannot be 0; a "
        "corpus of licences repeats by nature."
    )
    return f"## Targets\n\n{table(('what', 'target', 'measured', ''), rows)}\n\n{text}"


def _target(what: str, value: float, target: float, *, least: bool = False) -> list[str]:
    met = value >= target if least else value <= target
    told = [str(number) if isinstance(number, int) else percent(number, 3) for number in (target, value)]
    return [what, f"{'≥' if least else '≤'} {told[0]}", told[1], "met" if met else "**missed**"]


def _doubling(rows: dict[str, Any], corpora: Sequence[str]) -> str:
    told = [
        [
            label,
            row["all"]["n"],
            *(percent(row[corpus]["found"]) if corpus in row else "" for corpus in corpora),
            percent(row["all"]["found"]),
            interval(row["all"]["found interval"]),
            percent(row["all"]["flagged"]),
            percent(row["all"]["lost"], 4),
            row["all"]["harmed"],
        ]
        for label, row in rows.items()
    ]
    text = paragraph(
        "A body printed twice, in the ways that crawled pages show. Either copy may go. Each variant is made once with "
        "blank lines between the paragraphs and once with line ends only. *Flagged* is reported as "
        "`repeated-paragraph` or `shared-paragraph`, and stays."
    )
    header = ("variant", "n", *(f"{corpus}" for corpus in corpora), "found", "interval", "flagged", "lost", "harmed")
    return f"## Doubled bodies\n\n{text}\n\n{table(header, told)}"


def _syndication(results: dict[str, Any]) -> str:
    text = paragraph(
        "Each article has one copy, changed in one way; all other articles are different reports. Pairs are counted by "
        "their exact similarity: of those at the threshold or above one article must go, of those below none. "
        "*Without a reason*: dropped for an article that does not stay, or is less similar than the threshold."
    )
    rows = [
        [
            label,
            row["all"]["pairs"],
            f"{row['all']['similarity']:.3f}",
            *_copies(row["all"]),
        ]
        for label, row in results["variants"].items()
    ]
    rows.append(["**all**", results["all"]["pairs"], f"{results['all']['similarity']:.3f}", *_copies(results["all"])])
    header = (
        "copy",
        "pairs",
        "mean similarity",
        "at or above",
        "found",
        "recall",
        "interval",
        "below",
        "dropped below",
        "without a reason",
    )
    borders = results["by similarity"]
    bins = [
        [f"{low:.2f}" + (f" to {borders[at + 1][0]:.2f}" if at + 1 < len(borders) else ""), pairs, dropped]
        for at, (low, pairs, dropped) in enumerate(borders)
    ]
    spelling = paragraph(
        "Similarity is that of the words as they are compared, but for mojibake, where it is that of what the copy "
        "says. Capitals are below 1 where a letter has the capital of another letter, as Turkish “ı” has that of “i”."
    )
    return (
        f"## Syndicated copies\n\n{text}\n\n{table(header, rows)}\n\n{spelling}\n\n"
        f"{table(('similarity', 'pairs', 'one dropped'), bins)}"
    )


def _copies(row: dict[str, Any]) -> list[Any]:
    return [
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
    text = paragraph(
        "Lines are printed in a share of the articles of one host, with its name in them, in nine languages; others on "
        "all hosts. The first copy in the corpus stays by design: scored are all copies but one. The rule asks for "
        "more articles the less a line's place and length say, so some of these lines are not for it to find; they "
        "are in the table to show the border. Without known hosts the whole corpus counts as one."
    )
    own = [
        [
            one["group"][0],
            percent(one["group"][1], 0),
            one["lines"],
            percent(one["dropped"]),
            interval(one["dropped interval"]),
            percent(two["dropped"]),
        ]
        for one, two in zip(known["own"], unknown["own"], strict=True)
    ]
    named = paragraph("The same by language, those lines that the rule asks for:")
    scripts = [
        [*one["group"], one["lines"], percent(one["dropped"]), percent(two["dropped"])]
        for table_ in ("own by script", "own by language")
        for one, two in zip(known[table_], unknown[table_], strict=True)
    ]
    common = [
        [percent(one["group"][0], 0), one["lines"], percent(one["dropped"]), percent(two["dropped"])]
        for one, two in zip(known["common"], unknown["common"], strict=True)
    ]
    content = paragraph(
        "Content that several articles share: background of 30 to 80 words in 3 to 30 articles of a host, and "
        "quotations of 8 to 40 words in 2 to 6 articles. It may be flagged (`shared-paragraph`), and should stay:"
    )
    shared = [
        [
            *one["group"],
            one["lines"],
            percent(one["dropped"]),
            percent(one["flagged"]),
            percent(two["dropped"]),
            percent(two["flagged"]),
        ]
        for one, two in zip(known["shared"], unknown["shared"], strict=True)
    ]
    real = paragraph(
        f"Of {known['real']:,} real characters around them, {known['real lost']:,} are dropped with hosts known, "
        f"{unknown['real lost']:,} without."
    )
    return "\n\n".join(
        (
            "## Planted lines",
            text,
            table(("articles of the host", "that print it", "lines", "found", "interval", "hosts unknown"), own),
            named,
            table(("language", "lines", "found", "hosts unknown"), scripts),
            "Lines that all hosts print:",
            table(("articles that print it", "lines", "found", "hosts unknown"), common),
            content,
            table(("content", "copies", "texts", "dropped", "flagged", "hosts unknown: dropped", "flagged"), shared),
            real,
        )
    )


def _untouched(results: dict[str, Any]) -> str:
    text = paragraph(
        "Whole corpora, nothing put in. Shares are of the characters of the articles that stay. *Like sentences*: cut "
        "as boilerplate, 8 words or more, with the end of a sentence, no telephone number or address, and not about "
        "newsletters or cookies. *Told twice*: the same words stand in a row in what is left of the article, or half "
        "of the host's articles print the line."
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
        "without a reason",
        "cut: repeated-block",
        "boilerplate",
        "told twice",
        "besides",
        "like sentences",
    )
    parts = ["## Articles as they are", text, table(header, rows)]
    for name, row in results.items():
        for what, kind in (("most cut", "Lines"), ("sentences cut", "Sentences")):
            if row[what]:
                parts += [
                    f"{kind} cut most often as boilerplate, {name} (digits are masked):",
                    table(("times", "line"), [[count, f"`{line.replace('`', '')}`"] for line, count in row[what]]),
                ]
    return "\n\n".join(parts)
