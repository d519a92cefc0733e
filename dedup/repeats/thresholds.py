"""Thresholds that whole-paragraph blocks and reflowed copies share.

Both were chosen with the variants of ``benchmarks/quality``, one constant changed at a time; "recall" is of injected
characters. The evidence for blocks is from ``doubling.py`` on 80 press releases and all 24,000 untouched ones; the
evidence for reflowed copies is from ``layouts.py`` on 390 clean articles, and from the same press releases.
"""

from __future__ import annotations

BLOCK_WORDS = 40  # words of prose in a copy that follows its twin at once; 20: 17 releases cut, 80: recall of two
# paragraphs printed twice falls from 1 to 0.981, of a prefix copy to 0.994
APART = 30  # words between the copies that still count as "at once": a heading, an advertisement; 0: recall of one
# long paragraph with a heading between falls from 1 to 0
APART_SHARE = 0.5  # for two paragraphs of prose or more, this share of the copy may stand between, such as an end that
# the second copy lacks; 1.0: one release more is cut
FAR_PARAGRAPHS = 4  # paragraphs of prose in a copy with more than that between; 5: recall of five paragraphs printed
# again at the end falls from 0.966 to 0.880 on releases held out, and no character less is cut; 3: 26 articles are cut
# instead of 20; never: recall falls to 0.759
FAR_WORDS = 100  # words of prose in a copy with more than that between; of reflowed copies also in one that makes up
# half of the article but does not end lines
# The next two show little on the press releases; negative cases of the tests (refrains, days of a schedule, clauses)
# fail without the two shares together.
DENSE, SPARSE = 0.8, 0.5  # shares of the words matched in the denser and in the sparser of two copies
WHOLE = 0.9  # share of the article from which two copies are the whole of it; one reflowed copy of 79 % that was read
# is two releases in one
WHOLE_NEEDS = 0.5  # of `BLOCK_WORDS`: enough for equal copies that are the whole article, or its beginning
