"""Compare a page by its prose, since a part of its site's text is on too few pages to be known.

Teasers of today, readers' comments and boxes that rotate stay on a page, and differ on two pages with one article. With
them, 32 of 144 copies of articles on other news pages are dropped and 41 flagged. By prose alone, 100 of 145 are
dropped and 31 flagged. Of 743 such pages, one was dropped for another article before, and one is now.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, Bools, Floats
from dedup.site_text.counts import are_prose

SITE_LINES = 4  # different lines of its site that an article loses from which on it is a page, not a clean article
# Weighted words of prose that a page must have, and the part of its words that must be prose: the articles of pages of
# tables and lists are not told apart by the sentences above them.
LEAST_PROSE, PROSE_PART = 40, 4


def are_beside_prose(forms: I64, sizes: Floats) -> Bools:
    """Return which lines of a page are not compared: bool [lines]. None are if the page has too little prose.

    `forms` and `sizes` are those of the lines that are left without site text and repeats: int64 [lines] and float
    [lines].
    """
    prose = are_prose(forms, sizes)
    words = float(sizes[prose].sum())
    is_enough = words >= LEAST_PROSE and words * PROSE_PART >= float(sizes.sum())
    return ~prose if is_enough else np.zeros(len(forms), bool)
