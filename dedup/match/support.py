"""Tell which lines are site text by the articles around them: those that have a text of their own besides.

What recurs in copies of one article, or in versions of one report, recurs as a site's lines do. But a page has a report
of its own, or at least half as much prose of its own as the site adds to it, and a copy has neither. So a line is the
site's only if enough articles with different texts of their own have it. All others are left to the rules that compare
articles.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, U64, Bools
from dedup.fingerprint.shingles import MIX_1, MIX_2, SHINGLE_BASE
from dedup.match.boilerplate import distinct_pairs
from dedup.match.paragraph_columns import ParagraphColumns

OWN_WORDS = 8  # weighted words of a paragraph of prose; menus and names of sections have fewer
# An article has a text of its own if its own prose has half as many words as the prose of the site on its page, or 120
# words, as many as a report has. A version of another article has fewer. Some sites print more teasers than a report is
# long: when it was chosen, 63.0 % of the site text of real pages was removed without the second number, 72.9 % with it,
# and 73.1 % with 60 words, but then also more of the articles' text.
LEAST_OWN, ENOUGH_OWN = 2, 120
FEWEST_OWN_TEXTS = 2  # a host of three pages may have one that is an index


def own_texts(paragraphs: ParagraphColumns, numbers: I64) -> U64:
    """Return a number for the prose that is each article's own, 0 if it is too little: uint64 [articles].

    `numbers` are the paragraphs that are taken for site text: int64, ascending. Articles with the same prose of their
    own have the same number.
    """
    is_site = np.zeros(len(paragraphs.keys), bool)
    is_site[numbers] = True
    prose = np.flatnonzero((paragraphs.sizes >= OWN_WORDS) & (paragraphs.words > 0))
    articles, sizes, taken = paragraphs.articles[prose], paragraphs.sizes[prose], is_site[prose]
    count = len(paragraphs.hosts)
    of_site = np.bincount(articles[taken], sizes[taken], count)
    own = np.bincount(articles[~taken], sizes[~taken], count)
    texts = np.zeros(count, np.uint64)
    hashes = (paragraphs.keys[prose[~taken]].astype(np.uint64) + np.uint64(1)) * np.uint64(SHINGLE_BASE)
    for factor in (MIX_1, MIX_2):  # sums of products alone would be equal for other sets of paragraphs
        hashes = (hashes ^ (hashes >> np.uint64(32))) * np.uint64(factor)
    np.add.at(texts, articles[~taken], hashes)
    texts[own < np.minimum(of_site / LEAST_OWN, ENOUGH_OWN)] = 0
    return texts


def have_support(paragraphs: ParagraphColumns, numbers: I64, scopes: I64) -> Bools:
    """Return which of the paragraphs `numbers` are in enough articles with a text of their own: bool [lines].

    A line of one article, such as a counter, is there once; then its article must have one.

    `scopes` number the host, or the whole corpus, that each of them is the site text of: int64 [lines]. Equal
    paragraphs of one scope have one answer.
    """
    texts = own_texts(paragraphs, numbers)[paragraphs.articles[numbers]]
    _, group = np.unique(scopes * max(len(paragraphs.keys), 1) + paragraphs.keys[numbers], return_inverse=True)
    order = np.lexsort((texts, group))
    new = np.ones(len(order), bool)
    new[1:] = (group[order[1:]] != group[order[:-1]]) | (texts[order[1:]] != texts[order[:-1]])
    counted = order[new & (texts[order] != 0)]
    size = int(group.max(initial=-1)) + 1
    counts = np.bincount(group[counted], minlength=size)
    in_articles = np.bincount(distinct_pairs(group, paragraphs.articles[numbers])[0], minlength=size)
    return (counts >= np.minimum(in_articles, FEWEST_OWN_TEXTS))[group]
