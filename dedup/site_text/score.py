"""Score lines: how sure it is that a line is the site's and not its article's."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, Bools
from dedup.site_text.counts import HostCounts, SiteLines, are_of_reports, article_of_lines, is_prose
from dedup.site_text.line_forms import form_member
from dedup.site_text.scorecard import Scorecards, add_points, scorecards
from dedup.site_text.variables import company_variables, line_variables

# Scores from which on a line is dropped, and flagged, in thousandths of log odds. On news pages of hosts that the cards
# were not learnt from (three folds), 74.2 % of the site text has at least 5000, and 0.27 % of the articles' text, most
# of it rules for comments that count as the article's. From 4000 on it is 79 % and 0.48 %, from 5500 on 72 % and
# 0.24 %. The thresholds and the variables were chosen on the same folds, so new hosts may do a little worse.
DROP_SCORE, FLAG_SCORE = 5000, 2500
# Added on a host of `FEWEST_JUDGED` articles, where counts say least and the sentences of reports are never dropped: on
# such hosts, 68.8 % instead of 65.6 % of the site text goes, and 0.60 % instead of 0.53 % of the articles' text.
FEWEST_BONUS = 500
SMALL_HOST = 10  # articles; on a larger host what ends most of the articles is the site's
FEWEST_JUDGED = 3  # of a host; in fewer, what recurs may be one article at two addresses
_SHORT_PARAGRAPH = 25  # weighted words; a longer paragraph without words of a site is background of several reports
NEVER = -(1 << 20)  # the score of a line that is not judged


def score_lines(lines: SiteLines, counts: HostCounts, cards: Scorecards | None = None) -> I64:
    """Return the score of each line, in thousandths of log odds: int64 [lines].

    It depends only on the article of the line, and the counts of the lines there. `counts` are those of `lines`. A line
    without words, and each line of an article whose host has fewer than `FEWEST_JUDGED` articles, has `NEVER`.
    """
    cards = cards or scorecards()
    variables = line_variables(lines, counts)
    places: dict[str, I64] = {}
    scores = add_points(cards.line, variables, places)
    scores = add_points(cards.company, variables | company_variables(lines, counts, scores), places)
    scores = scores + np.where(counts.host_articles == FEWEST_JUDGED, FEWEST_BONUS, 0)
    scores = np.where(_is_never_dropped(lines, counts), np.minimum(scores, DROP_SCORE - 1), scores)
    scores = np.where(_is_background(lines, counts), np.minimum(scores, FLAG_SCORE - 1), scores)
    is_judged = (lines.words > 0) & (counts.host_articles >= FEWEST_JUDGED)
    return np.where(is_judged & _something_recurs(lines, counts), scores, NEVER)


def _is_background(lines: SiteLines, counts: HostCounts) -> Bools:
    """Return which lines are paragraphs that reports share: long, and in fewer than half of the host's articles."""
    is_shared = _recurs_behind_prose(lines, counts) & (2 * counts.articles < counts.host_articles)
    return is_shared & (lines.sizes > _SHORT_PARAGRAPH)


def _recurs_behind_prose(lines: SiteLines, counts: HostCounts) -> Bools:
    """Return which lines are sentences without words of a site, right behind prose in half of their articles."""
    return are_of_reports(lines.forms) & (2 * counts.behind >= counts.articles) & (counts.articles > 1)


def _is_never_dropped(lines: SiteLines, counts: HostCounts) -> Bools:
    """Return which lines are flagged at most.

    They are quotations, prose that is in one article alone, and sentences of reports that recur: those without words of
    a site that are right behind prose in half of their articles, if the host is small or fewer than half of its
    articles have them. Dropping prose of one article alone would remove 0.15 % more of the site text of pages, and
    dropping such sentences 0.3 %.
    """
    is_unique = (counts.articles <= 1) & (counts.frames <= 1)
    of_reports = _recurs_behind_prose(lines, counts)
    of_reports &= (counts.host_articles < SMALL_HOST) | (2 * counts.articles < counts.host_articles)
    return (is_prose(lines) & is_unique) | (form_member(lines.forms, "is_quoted") > 0) | of_reports


def _something_recurs(lines: SiteLines, counts: HostCounts) -> Bools:
    """Return whether a line of the article of each line, or its frame, is in another article of the host."""
    article = article_of_lines(lines)
    recurs = (counts.articles > 1) | (counts.frames > 1)
    by_article = np.bincount(article[recurs], minlength=len(lines.hosts)) > 0
    result: Bools = by_article[article]
    return result
