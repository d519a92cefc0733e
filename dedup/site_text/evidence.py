"""Say in a few words why a line is taken for the site's."""

from __future__ import annotations

from dedup.site_text.counts import LAST_POSITION, HostCounts

_PARTS_OF_ARTICLE = 4  # positions: the first quarter of an article and the last one have names


def evidence_of_line(counts: HostCounts, line: int, host: str | None) -> str:
    """Return the counts of a line, its place and its company in words.

    `counts` are those of all lines, `line` the number of one, and `host` the name of its host, if it has one.

    >>> import numpy as np
    >>> counts = HostCounts(*(np.array([number]) for number in (12, 0, 0, 240, 4800, 0, 12, 30)))
    >>> evidence_of_line(counts, 0, "x.example")
    'in 12 of 30 articles of x.example, near the start'
    """
    articles, between, titles, positions, _, _, frames, total = (int(column[line]) for column in counts)
    name = f" of {host}" if host else ""
    if articles <= 1:
        if frames > 1:
            return f"a line like it in {frames} of {total} articles{name}"
        return f"among lines that recur in the {total} articles{name}"
    if titles:
        return f"in {articles} of {total} articles{name}, the title of {titles}"
    mean = positions / articles / LAST_POSITION
    place = ""
    if mean <= 1 / _PARTS_OF_ARTICLE:
        place = ", near the start"
    elif mean >= 1 - 1 / _PARTS_OF_ARTICLE:
        place = ", near the end"
    inside = f", between paragraphs of {between}" if between else ""
    return f"in {articles} of {total} articles{name}{place}{inside}"
