"""The section of the page about whole pages."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown_tables import markdown_table, wrap_paragraph
from benchmarks.quality.numbers_text import percent

KINDS = {
    "plain": "articles as they are",
    "interviews": "six questions recur in all articles",
    "reports": "one sentence recurs in a tenth of the articles",
    "updates": "a third are an update of another one",
    "copies": "two thirds are one article",
    "background": "one paragraph recurs in a quarter of the articles",
    "clean": "no frame but up to three lines",
}


def whole_pages(results: dict[str, Any]) -> str:
    """Return the section of whole pages."""
    introduction = wrap_paragraph(
        "Pages stripped of tags, one block a line, go through `dedup clean` with its defaults. Each line is the "
        "site's, the article's, or neither, such as a byline. *Removed* are the characters of the site's lines that "
        "are dropped. *Flagged* are those that `boilerplate` or `page-furniture` flags. *Lost* are the characters of "
        "the article's lines that are dropped, unless the page keeps the words of the whole line elsewhere. "
        "*Precision* is the share of the site's characters in what is dropped. Pages that are dropped as a whole count "
        "neither way. An article is *merged* if its page is dropped for one with another article. Of n pages with one "
        "article, n - 1 are *copies*: *found* if dropped for a page with the same article, and *reported* if flagged "
        "for one."
    )
    real = wrap_paragraph(
        "News pages of 2011 and 2012 in five languages, with the text of each article known. Articles are the same "
        "from a similarity of 0.8 on, and different below 0.5. The scorecards of site text are learnt from these "
        "pages, so the figures of new hosts are lower; `python -m benchmarks.quality.site_text_training FOLDER "
        "--folds 3` measures the model alone on hosts that it did not see. The text that counts as the article's "
        "includes some lines of the site, such as rules for comments."
    )
    copies = wrap_paragraph(
        "The same pages, and 120 more: the article of one page in the frame of another, half of them of the same host."
    )
    made = wrap_paragraph(
        "Clean articles in made frames, in ten languages, with words that the points were not learnt from, though some "
        "are on the list of words of sites: menus, teasers, dates, counters, boxes between paragraphs and behind them, "
        "forms, lists printed twice. A part of the articles is on the pages of two hosts."
    )
    kinds = wrap_paragraph(
        "The same by what recurs among the articles of a host, which is theirs and should stay. An update counts as a "
        "copy of what it updates:"
    )
    by_kind = [{**row, "group": KINDS[row["group"]]} for row in results["made"]["by kind"]]
    return "\n\n".join(
        (
            "## Whole pages",
            introduction,
            "### Real pages",
            real,
            _table("pages of the host", results["real"]["by size"]),
            copies,
            _table("pages of the host", results["real with copies"]["by size"]),
            "### Made pages",
            made,
            _table("pages of the host", results["made"]["by size"]),
            kinds,
            _table("articles", by_kind),
        )
    )


def _table(name: str, rows: list[dict[str, Any]]) -> str:
    header = (
        name,
        "pages",
        "site text removed",
        "flagged",
        "article text lost",
        "precision",
        "articles merged",
        "copies",
        "found",
        "reported",
    )
    return markdown_table(
        header,
        [
            [
                row["group"],
                row["pages"],
                percent(row["removed"], 1),
                percent(row["flagged"], 1),
                percent(row["lost"], 3),
                percent(row["precision"]),
                row["merged"],
                row["copies"],
                row["found"],
                row["reported"],
            ]
            for row in rows
        ],
    )
