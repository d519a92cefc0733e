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
        errs="Text that is *about* mojibake is repaired too. Entities nested more than 16 deep stay as they are.",
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
        "`dedup/page_furniture.toml`.",
        errs="A line of dialogue can look like a button; hence a flag.",
    ),
    Rule(
        name="repeated-block",
        level=WITHIN,
        actions=_REMOVES,
        default="drop",
        finds="a run of paragraphs that stands again in the same article: a body printed twice, a prefix copy, "
        "A A B B, a copy lightly edited",
        example="paragraphs 5 to 22 stand again as 23 to 40",
        decides="Equal and verified-similar paragraphs are chained in order; a chain counts by its length, its "
        "density and how its copies lie. Similar paragraphs count only where numbers and names agree. "
        "The more complete copy stays, and what only the other copy has is kept.",
        errs="A long refrain or a form printed twice on purpose is a repeated block too.",
    ),
    Rule(
        name="repeated-paragraph",
        level=WITHIN,
        actions=_REMOVES,
        default="flag",
        finds="one paragraph again in the same article, alone",
        example="an interview question asked twice; a refrain",
        decides="Equal comparison keys, or Jaccard similarity at the paragraph threshold, outside any repeated block.",
        errs="Refrains, interview questions and table headers look the same; hence a flag.",
    ),
    Rule(
        name="duplicate-article",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="an article with the same comparison key as an article that stays",
        example="the same wire story, once with curly quotes and once without",
        decides="Equal keys: the same words in the same order, whatever case, punctuation, width or spacing.",
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
        errs="Templates filled with other names and numbers can pass 0.8 (weather, box scores, result lists).",
    ),
    Rule(
        name="boilerplate",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="a short paragraph that stands in many surviving articles of one host",
        example="“Sign up for our newsletter” in 40 of 60 articles",
        decides="Counted per host where hosts are known, else over the corpus. The first copy stays, as the twin of "
        "all others.",
        errs="A motto or standing headline that a newsroom prints in most articles is boilerplate to it.",
    ),
    Rule(
        name="shared-paragraph",
        level=CORPUS,
        actions=_REMOVES,
        default="flag",
        finds="a paragraph that another surviving article has too: wire copy, quotation, background",
        example="the same statement quoted in two reports",
        decides="Equal comparison keys, or exact Jaccard similarity on word 3-grams at the paragraph threshold.",
        errs="Quoting is not copying; hence a flag.",
    ),
)

NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)
BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}

PROFILES: dict[str, dict[str, str]] = {
    "default": {},
    "lossless": {rule.name: "flag" for rule in RULES if rule.default != OFF},
    "corpus": {"shared-paragraph": "drop", "repeated-paragraph": "drop"},
}


def resolve(profile: str, overrides: dict[str, str]) -> dict[str, str]:
    """The action of every rule, in registry order: defaults, then `profile`, then `overrides`.

    >>> resolve("corpus", {"boilerplate": "off"})["shared-paragraph"]
    'drop'
    """
    chosen = {**PROFILES[profile], **overrides}
    return {rule.name: chosen.get(rule.name, rule.default) for rule in RULES}
