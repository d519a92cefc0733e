"""Tell which articles are hardly any: the rule ``thin-article``.

It looks at an article that stays, after all other rules. It only flags: a drop needs a twin that stays, and a thin
article has none. The flag depends on the article and on the paragraphs of it that are known as the site's, so both
engines decide alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from dedup.repairs.notices import count_notice_words
from dedup.settings import Settings

RULE_THIN = "thin-article"
# An article with more words is never only a notice. The longest requests for consent in a hundred pages have 120.
_NOTICE_WORDS = 150
_NOTICE_SHARE = 0.5  # the share of an article's words above which a notice is most of it


def thin_evidence(
    read_text: Callable[[], str], words: Sequence[int], site_paragraphs: Collection[int], settings: Settings
) -> str | None:
    """Return why an article is thin; None if it is not.

    `read_text` returns the article as it is written, `words` the number of words of each of its paragraphs, of which
    `site_paragraphs` are text of the site, dropped or flagged; where it is dropped, it has no words left.

    >>> thin_evidence(lambda: "", [], (), Settings())
    'empty'
    >>> thin_evidence(lambda: "Page not found", [3], (), Settings())
    'error page: 3 of 3 words'
    """
    total = sum(words)
    own = total - sum(words[number] for number in site_paragraphs)
    if not own and site_paragraphs:
        count = len(site_paragraphs)
        return f"only site text: {count} {'paragraph' if count == 1 else 'paragraphs'}"
    if not total:
        return "no words" if read_text().strip() else "empty"
    if own <= _NOTICE_WORDS:
        notices = count_notice_words(read_text())
        if notices.kind is not None and notices.in_notices > _NOTICE_SHARE * notices.words:
            return f"{notices.kind}: {notices.in_notices} of {notices.words} words"
    if own < settings.min_words:
        return f"{own} {'word' if own == 1 else 'words'}"
    return None
