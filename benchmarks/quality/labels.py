"""The names on the page for the labels in ``results.json``, where these are too short to be understood alone."""

from __future__ import annotations

import re

from benchmarks.quality.doubling import JOINTS

DOUBLING = {
    "twice": "whole body twice",
    "second misses a paragraph": "second copy without one paragraph",
    "first misses a paragraph": "first copy without one paragraph",
    "prefix before the whole": "first paragraphs, then the whole body",
    "truncated, then whole": "truncated copy, then the whole body",
    "whole, then truncated": "whole body, then a truncated copy",
    "A A B B": "each paragraph twice in a row",
    "A A A B B B": "each paragraph three times in a row",
    "three copies": "three copies of the body",
    "thirty copies": "thirty copies of the body",
    "one word edited": "one word edited in each paragraph",
    "half of them edited": "one word edited in half of the paragraphs",
    "heading or ad between": "heading or advertisement between the copies",
    "ads inside the copy": "advertisements inside the second copy",
    "a part again at the end": "five paragraphs repeated at the end",
    "summary of whole paragraphs": "four paragraphs first, as a summary",
    "one long paragraph": "one long paragraph twice",
    "one, and a heading": "one long paragraph twice, with a heading between",
    "two paragraphs": "two paragraphs twice",
    "again in lines": "second copy with one line per paragraph",
    "lines first": "first copy with one line per paragraph",
    "again in one paragraph": "second copy in one paragraph",
    "one paragraph first": "first copy in one paragraph",
    "again hard-wrapped": "second copy hard-wrapped",
    "hard-wrapped first": "first copy hard-wrapped",
    "again wrapped in paragraphs": "second copy hard-wrapped within its paragraphs",
    "twice in one paragraph": "both copies in one paragraph",
    "some twice inside": "three paragraphs twice within one",
    "truncated in one paragraph first": "truncated copy in one paragraph first",
    "six paragraphs elsewhere": "six paragraphs repeated in another place",
    "sentences as bullets first": "sentences as bullets at the start",
    "sentences as paragraphs first": "sentences as paragraphs at the start",
    "sentences as a list first": "sentences as a list at the start",
    "sentences as bullets last": "sentences as bullets at the end",
    "sentences as a list last": "sentences as a list at the end",
    "any word edited": "any word edited in each paragraph",
    "half of them, any word edited": "any word edited in half of the paragraphs",
    "updated version": "updated version: paragraphs removed, edited and added",
    "updated inside": "updated version: paragraphs removed and edited, a sentence added within one",
    "teaser": "teaser: the cut-off opening, then the whole body",
    "separated": "heading and headlines between the copies",
    "one line each": "both copies in one paragraph each",
    "one line each, any word edited": "both copies in one paragraph each, any word edited",
    "one line, any word edited": "both copies in one paragraph, any word edited",
}
SYNDICATION = {
    "the same again": "unchanged",
    "another headline": "different headline",
    "another byline and dateline": "different byline and dateline",
    "an agency's tag line": "tag line of an agency added",
    "all of these": "different headline, byline, dateline and tag line",
    "one paragraph cut": "one paragraph removed",
    "a paragraph added": "one paragraph added",
    "other quotes and spaces": "curly quotes and no-break spaces",
    "capitals": "all capitals",
    "full width": "full-width letters",
}
_WITHOUT_WAY = re.compile(r"not (\d+) words (.*) in (\d+) and ([\d.]+%)")


def doubling_name(label: str) -> str:
    """Return the name of a variant of doubled bodies.

    >>> doubling_name("twice, lines"), doubling_name("one, and a heading")
    ('whole body twice; no blank lines', 'one long paragraph twice, with a heading between')
    """
    suffix = next(suffix for suffix in sorted(JOINTS, reverse=True) if label.endswith(suffix))
    name = label.removesuffix(suffix)
    return DOUBLING.get(name, name) + ("; no blank lines" if suffix else "")


def syndication_name(label: str) -> str:
    """Return the name of a variant of syndicated copies."""
    return SYNDICATION.get(label, label)


def way_name(label: str) -> str:
    """Return the name of a set of ways in which a line counts as boilerplate.

    >>> way_name("not 7 words anywhere in 5 and 50.0%")
    'without: up to 7 words, anywhere, in 5 articles and 50 % of the host'
    """
    match = _WITHOUT_WAY.fullmatch(label)
    if match is None:
        return label
    words, where, articles, share = match.groups()
    return f"without: up to {words} words, {where}, in {articles} articles and {float(share[:-1]):g} % of the host"
