"""The registry of rules: the one table that settings, command line and documentation read.

A rule has a name, a level (which text it sees), the actions it can be given and a default. Levels run in the
order of `LEVELS`; inside a level, rules run in the order of `RULES`. What a rule does is nowhere in here.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT = "text"
WITHIN = "within an article"
CORPUS = "corpus"
LEVELS = (TEXT, WITHIN, CORPUS)

OFF = "off"
_REPAIRS = ("fix", "flag", OFF)
_REMOVES = ("drop", "flag", OFF)


class Rule(NamedTuple):
    """One rule as people see it; `page` is what ``dedup rules NAME`` shows below the headline."""

    name: str
    level: str
    actions: tuple[str, ...]
    default: str
    finds: str
    example: str
    decides: str
    thresholds: str
    errs: str


RULES: tuple[Rule, ...] = (
    Rule(
        name="encoding",
        level=TEXT,
        actions=_REPAIRS,
        default="fix",
        finds="what ftfy repairs: mojibake, entities, control characters, surrogates, terminal escapes, line ends, NFC",
        example="“nâ€™importe” becomes “n’importe”; “Fish &amp; chips” becomes “Fish & chips”",
        decides="ftfy's own judgement, line by line, with quotes, ligatures and character width left alone. "
        "Entities are decoded unless the article contains a literal “<”.",
        thresholds="Entities are unwound at most 16 deep; lines longer than 50,000 characters are repaired in pieces.",
        errs="Text that is *about* mojibake is repaired too. In 1,798 Wikipedia articles of 12 languages it "
        "changed 68: NFC in Hindi and Arabic, entities, and mojibake that really stands there; no change "
        "read was wrong.",
    ),
    Rule(
        name="whitespace",
        level=TEXT,
        actions=_REPAIRS,
        default="fix",
        finds="trailing space, no-break and zero-width space, soft hyphen, byte order mark, runs of blank lines",
        example="“10\u00a0000 co\u00adpies  ” becomes “10 000 copies”; three blank lines become one",
        decides="Joiners and direction marks stay, as does the zero-width space between letters of a script "
        "written without spaces, where it marks a word boundary.",
        thresholds="One blank line between paragraphs, none at the start, one line end at the end.",
        errs="A trailing double space that means a line break (Markdown) is lost.",
    ),
    Rule(
        name="typography",
        level=TEXT,
        actions=_REPAIRS,
        default=OFF,
        finds="curly quotes, Latin ligatures, full-width Latin and half-width kana",
        example="“it’s ﬁne” becomes “it's fine”",
        decides="ftfy's uncurl_quotes, fix_latin_ligatures and fix_character_width.",
        thresholds="None.",
        errs="Turns the Ukrainian and Breton letter U+02BC into an apostrophe and Chinese punctuation into ASCII, "
        "which is why it is off. Comparison folds these differences anyway.",
    ),
    Rule(
        name="page-furniture",
        level=TEXT,
        actions=_REMOVES,
        default="flag",
        finds="lines of the page around the article: share bars, counters, “Read more:”, cookie notices",
        example="a line that says only “Share on Facebook” or “12 Comments”",
        decides="Patterns that must match a whole line, in several languages, kept as data in "
        "`dedup/repairs/page_furniture.toml`.",
        thresholds="Lines of at most 200 characters.",
        errs="A line of dialogue can look like a button; hence a flag. 5 lines of 24,000 press releases and none "
        "of 1,798 Wikipedia articles are flagged; all 5 are furniture.",
    ),
    Rule(
        name="repeated-block",
        level=WITHIN,
        actions=_REMOVES,
        default="drop",
        finds="a run of paragraphs or sentences that stands again in the same article: a body printed twice, also with "
        "other line breaks or in one line, a prefix copy, A A B B, a copy lightly edited, sentences as bullets",
        example="paragraphs 5 to 22 stand again as 23 to 40",
        decides="Equal and verified-similar paragraphs are chained in order; a chain counts by its length, its "
        "density and how its copies lie. Similar paragraphs count only where numbers and names agree. "
        "The more complete copy stays, and what only the other copy has is kept. Where lines or paragraphs end "
        "elsewhere, only whole sentences that stand again word for word count. The same text under heads of one form "
        "(“Monday” and “Tuesday”, “Dear Ms Moss:” and “Dear Mr Bell:”) says it of something else, and stays.",
        thresholds="`--paragraph-threshold` (0.8) holds for each run as a whole. 40 words of prose where the copy "
        "follows at once, half of that where it is the article or its beginning; 100 in 4 paragraphs where it does "
        "not, 40 in 3 where it ends the article or the first copy opens it; 80 % of the denser copy matched. A summary "
        "has 3 lines in a row or more, at an end of the article.",
        errs="A form text under heads that are not built alike, or two licences in one file that share clauses, is a "
        "repeated block too. Of 24,000 press releases 30 have one, 0.109 % of the characters; nearly half of that is "
        "one hearing printed twice. None in 1,798 Wikipedia articles.",
    ),
    Rule(
        name="repeated-paragraph",
        level=WITHIN,
        actions=_REMOVES,
        default="flag",
        finds="one paragraph again in the same article, alone",
        example="an interview question asked twice; a refrain",
        decides="Equal comparison keys, or Jaccard similarity at the paragraph threshold, outside any repeated block.",
        thresholds="`--paragraph-threshold` (0.8); at least 6 words.",
        errs="Refrains, interview questions and table headers look the same; hence a flag. 97 of 24,000 press "
        "releases have one.",
    ),
    Rule(
        name="duplicate-article",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="an article with the same comparison key as an article that stays",
        example="the same wire story, once with curly quotes and once without",
        decides="Equal keys: the same words in the same order, whatever case, punctuation, width or spacing.",
        thresholds="At least one word.",
        errs="Articles that differ in punctuation or emoji only are the same to it.",
    ),
    Rule(
        name="near-duplicate-article",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="an article whose Jaccard similarity on word 5-grams to an article that stays reaches the threshold",
        example="a syndicated copy with another dateline and byline",
        decides="MinHash and LSH propose, exact sets decide: no drop rests on an estimate. A pair exactly at the "
        "threshold is proposed with probability 0.999 or more.",
        thresholds="`--threshold` (0.8) over runs of 5 words; at least 5 words.",
        errs="Templates filled with other names and numbers can pass 0.8 (weather, box scores, result lists). On "
        "24,000 press releases it leaves none of 3,747 known pairs at 0.8 or more, and drops none without "
        "such a pair.",
    ),
    Rule(
        name="contained-article",
        level=CORPUS,
        actions=_REMOVES,
        default="flag",
        finds="an article that stands whole inside a longer article that stays",
        example="a report that a live blog or a weekly digest takes in as it is",
        decides="The share of its word 5-grams that the longer article has, exactly; candidates share minimizers. "
        "Articles are decided from the longest to the shortest.",
        thresholds="90 % of the shorter article; at least 20 words.",
        errs="A form letter stands inside every longer letter of its kind; hence a flag.",
    ),
    Rule(
        name="boilerplate",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="a short paragraph that stands in many surviving articles of one host",
        example="“Sign up for our newsletter” in 40 of 60 articles, at the end of 39",
        decides="Articles with the line are counted in its host, where hosts are known, and over the corpus; those "
        "with the same prose before it count once. Fewer are asked for where it stands at the end (at the start) of "
        "90 % of them, with at most one paragraph of their own beyond. Quotations, by their marks, are never "
        "boilerplate, nor is a field such as “Contact: …” whose value differs between articles. The first copy stays, "
        "as the twin of all others.",
        thresholds="2 words or more, and in so many articles and so much of the host: up to 25 words at the end in 5 "
        "and 10 %; up to 25 at the end in 30 and 2 %; up to 25 at the start or end in 3 and 50 %; up to 20 anywhere "
        "in 10 and 20 %; up to 7 anywhere in 5 and 50 %; up to 60 at the start or end in 10 and 50 %.",
        errs="A sentence without quotation marks that all articles of a very small host have is boilerplate to it. In "
        "24,000 press releases it drops 0.081 % of the characters where the 114 offices are known, nearly all of them "
        "contact lines and the page around, and nothing where they are not; nothing in Wikipedia or in licences.",
    ),
    Rule(
        name="shared-paragraph",
        level=CORPUS,
        actions=_REMOVES,
        default="flag",
        finds="a paragraph that another surviving article has too: wire copy, quotation, background",
        example="the same statement quoted in two reports",
        decides="Equal comparison keys, or exact Jaccard similarity on word 3-grams at the paragraph threshold.",
        thresholds="`--paragraph-threshold` (0.8) over runs of 3 words; at least 5 words.",
        errs="Quoting is not copying; hence a flag. 5,327 paragraphs of 24,000 press releases are flagged.",
    ),
)

NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)
BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}

PROFILES: dict[str, dict[str, str]] = {
    "default": {},
    "lossless": dict.fromkeys((rule.name for rule in RULES), "flag"),
    "corpus": {"shared-paragraph": "drop", "repeated-paragraph": "drop"},
}


def resolve_actions(profile: str, overrides: dict[str, str]) -> dict[str, str]:
    """The action of every rule, in registry order: defaults, then `profile`, then `overrides`.

    >>> resolve("corpus", {"boilerplate": "off"})["shared-paragraph"]
    'drop'
    """
    chosen = {**PROFILES[profile], **overrides}
    return {rule.name: chosen.get(rule.name, rule.default) for rule in RULES}
