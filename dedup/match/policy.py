"""The rules that compare articles and paragraphs across a corpus, their codes, and what each may remove.

The local engine and Spark read the same policy here. A match of articles is a code in a table of numbers; code 0 is no
match, and every other code is the index of a rule's name.
"""

from __future__ import annotations

from typing import Final

from dedup.errors import SettingsError
from dedup.findings import DROP, FLAG
from dedup.prepare.one_text import TWIN_ALONE, TWIN_IN_BLOCK
from dedup.rules import OFF
from dedup.settings import Settings

NO_MATCH: Final = 0  # the code of a text that repeats no other text
ARTICLE_MATCH_RULES: Final = (
    "",
    "duplicate-article",
    "near-duplicate-article",
    "contained-article",
    "near-duplicate-article",
    "known-passage",
)
# Codes: indices of `ARTICLE_MATCH_RULES`. An article of the same form with other facts is only flagged.
DUPLICATE, NEAR_DUPLICATE, CONTAINED, SAME_FORM, KNOWN_PASSAGE = 1, 2, 3, 4, 5
BOILERPLATE, SHARED_PARAGRAPH = "boilerplate", "shared-paragraph"  # the rules that compare paragraphs
NO_DATE: Final = (1 << 63) - 1  # stands for a missing date, in microseconds, and sorts after every real one


def removing_codes(settings: Settings) -> tuple[int, ...]:
    """Return the codes of the article rules that remove an article from the output.

    >>> removing_codes(Settings(rules={"near-duplicate-article": "flag"}))
    (1,)
    """
    return _codes_with_action(settings, DROP)


def inactive_codes(settings: Settings) -> tuple[int, ...]:
    """Return the codes of the article rules that are off: their matches are not reported."""
    return _codes_with_action(settings, OFF)


def _codes_with_action(settings: Settings, action: str) -> tuple[int, ...]:
    return tuple(code for code in range(1, len(ARTICLE_MATCH_RULES)) if article_action(code, settings) == action)


def article_action(code: int, settings: Settings) -> str:
    """Return the action on an article with a match of this code.

    >>> article_action(NEAR_DUPLICATE, Settings()), article_action(SAME_FORM, Settings())
    ('drop', 'flag')
    """
    action = settings.rules[ARTICLE_MATCH_RULES[code]]
    return FLAG if code == SAME_FORM and action == DROP else action


def is_guarded(settings: Settings) -> bool:
    """Return True if articles of the same form with other facts are to be told from near-duplicates."""
    return settings.rules[ARTICLE_MATCH_RULES[NEAR_DUPLICATE]] == DROP


def copies_repeat_first(settings: Settings) -> bool:
    """Return True if each copy of an equal article is reported as a duplicate of the first copy.

    The loop over survivors leaves near-duplicates out of the survivors, whatever their action. Where they are not
    dropped, the first of equal articles stays in the output, so the later ones repeat it and not its near-duplicate.
    """
    return settings.rules[ARTICLE_MATCH_RULES[NEAR_DUPLICATE]] != DROP


def protected_roles(settings: Settings) -> tuple[int, ...]:
    """Return the roles within its own article that keep a paragraph from being dropped for one of another article.

    A role is a value of the column `needed`: the paragraph stays because a paragraph that was dropped repeats it. A
    shared paragraph that is only flagged needs no protection, nor does a line of site text, which is kept apart.

    >>> protected_roles(Settings(rules={"shared-paragraph": "flag"}))
    ()
    """
    return (TWIN_IN_BLOCK, TWIN_ALONE) if settings.rules[SHARED_PARAGRAPH] == DROP else ()


def keeps_similar_paragraphs(settings: Settings) -> bool:
    """Return True if a paragraph of an article of one form with other facts is not dropped for a similar one.

    The paragraphs of such articles are as similar as the articles, and say other things. Equal ones are still dropped.
    """
    return settings.rules[SHARED_PARAGRAPH] == DROP and is_guarded(settings)


def missing_dates_error(settings: Settings) -> SettingsError:
    """Return the error for articles that are to be kept by date when none of them has a date."""
    return SettingsError(f"`keep={settings.keep!r}`: no article has a date; name their field with `date_field`")
