"""The registry of rules: the table that settings, command line and documentation read.

A rule has a name, a level, which says what text it sees, the actions it can have, and a default. Levels run in the
order of `LEVELS`; within a level, rules run in the order of `RULES`. The rules themselves are implemented elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT = "text"
WITHIN = "within an article"
CORPUS = "corpus"
LEVELS = (TEXT, WITHIN, CORPUS)

OFF = "off"
WHOLE_ARTICLE_RULES = ("duplicate-article", "near-duplicate-article", "contained-article", "known-passage")
_REPAIRS = ("fix", "flag", OFF)
_REPORTS = ("flag", OFF)
_REMOVES = ("drop", "flag", OFF)


class Rule(NamedTuple):
    """One rule: its level, its actions, and the texts of its page, which ``dedup rules NAME`` shows."""

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
        decides="ftfy decides, line by line; quotes, ligatures and character width stay as they are. "
        "Entities are decoded unless the article contains a literal “<”; two that are a pair of surrogates are one "
        "character. A vertical tab or form feed between words becomes a line end. "
        "An article that was not in UTF-8 has a flag that names its charset, such as “read as cp1252”, unless the rule "
        "is off; it is read and restored in any case.",
        thresholds="Entities are decoded at most 16 times; lines longer than 50,000 characters are repaired in pieces.",
        errs="It repairs text *about* mojibake, too. Of 1,798 Wikipedia articles in 12 languages it "
        "changed 68: NFC in Hindi and Arabic, entities, and real mojibake; of the changes checked, none "
        "was wrong.",
    ),
    Rule(
        name="markup",
        level=TEXT,
        actions=_REPAIRS,
        default="flag",
        finds="leftover HTML tags; scripts, styles and comments with their content",
        example="“<p>One.</p><p>Two<br>lines.</p>” becomes three lines in two paragraphs",
        decides="Names and syntax of HTML. A tag needs attributes, or its counterpart in the same text; `<br>`, `<hr>` "
        "and `<wbr>` need neither, nor does a block tag at the start or end of a line or sentence. Tags of blocks and "
        "`<br>` become line ends, cells begin with a space, and all others are dropped; entities are decoded by "
        "`encoding` once no “<” is left. Whatever the action, markup does not count for `--keep longest`.",
        thresholds="Attributes of at most 4,000 characters. A text that closes more elements of other names than of "
        "HTML is XML, and stays.",
        errs="Code that a page shows to be copied is taken for markup, and so are marks of other systems that look the "
        "same (`<s>Name</s>`). Of 58 texts with markup among 24,000 press releases, 1,798 Wikipedia articles, 5,283 "
        "licences and 858 web pages, 17 are of these kinds; no press release has any.",
    ),
    Rule(
        name="whitespace",
        level=TEXT,
        actions=_REPAIRS,
        default="fix",
        finds="trailing space, no-break and zero-width space, soft hyphen, byte order mark, runs of blank lines",
        example="“10\u00a0000 co\u00adpies  ” becomes “10 000 copies”; three blank lines become one",
        decides="Joiners and direction marks stay. So does the zero-width space between letters of a script "
        "written without spaces, where it marks a word boundary. A word that a soft hyphen divides at the end of a "
        "line is joined.",
        thresholds="One blank line between paragraphs, none at the start, one newline at the end.",
        errs="It removes a trailing double space that means a line break (Markdown).",
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
        errs="It turns the Ukrainian and Breton letter U+02BC into an apostrophe and Chinese punctuation into ASCII; "
        "hence it is off. Comparison ignores these differences in any case.",
    ),
    Rule(
        name="page-furniture",
        level=TEXT,
        actions=_REMOVES,
        default="flag",
        finds="lines of the web page around the article: share bars, counters, “Read more:”, cookie notices",
        example="a line that is only “Share on Facebook” or “12 Comments”",
        decides="Patterns that must match a whole line, in several languages, kept as data in "
        "`dedup/repairs/page_furniture.toml`.",
        thresholds="Lines of at most 200 characters.",
        errs="A line of dialogue can look like a button; hence the default is a flag. It flags 5 lines of 24,000 press "
        "releases, all of them page furniture, and none of 1,798 Wikipedia articles.",
    ),
    Rule(
        name="repeated-block",
        level=WITHIN,
        actions=_REMOVES,
        default="drop",
        finds="a passage that is repeated in the same article: a body printed twice, also with other line breaks or in "
        "one line, a teaser before the whole text, A A B B, an edited or updated version, sentences as bullets",
        example="paragraphs 23 to 40 repeat paragraphs 5 to 22",
        decides="The words of the article are aligned with themselves. Equal runs of words in the same order form a "
        "chain, over edited words, missing paragraphs and other line ends. A chain counts by the prose that its two "
        "versions share and by how they stand. Names and numbers must agree in short versions; in long ones a change "
        "is an edit. A version is removed as a whole or stays as a whole: the one with less text of its own, and of "
        "two edited versions the earlier one. Whole sentences of prose that only it has are not removed. The same text "
        "under headings of the same form (“Monday” and “Tuesday”, “Dear Ms Moss:” and “Dear Mr Bell:”) is about "
        "different things, and stays, as do refrains, answers to different questions and statements of two speakers.",
        thresholds="`--paragraph-threshold` (0.8) applies to the Jaccard similarity of each removed run. In an edited "
        "version of 100 words that is most of the article, it applies to the share of words that both have in the same "
        "order; a part of fewer than 100 words must have the same names and numbers. 40 words of prose if the "
        "copy follows at once, half of that if equal versions are the article or its beginning, 12 if the opening is "
        "cut short. Otherwise 100 in 4 lines, or 40 in 3 if a version begins or ends the article. 80 % of the denser "
        "version must match. A summary has 3 consecutive lines or more, at the start or end of the article.",
        errs="A form text under headings of different forms is a repeated block, too, and so are clauses that two "
        "licences in one file share. Of 24,000 press releases, 32 have one, 0.17 % of the characters; most of that is "
        "statements and hearings that are printed twice. None of 1,798 Wikipedia articles has one.",
    ),
    Rule(
        name="repeated-paragraph",
        level=WITHIN,
        actions=_REMOVES,
        default="flag",
        finds="a single paragraph that is repeated in the same article",
        example="an interview question asked twice; a refrain",
        decides="Equal comparison keys and facts, or Jaccard similarity at the paragraph threshold and equal facts, "
        "outside any repeated block.",
        thresholds="`--paragraph-threshold` (0.8); at least 6 words.",
        errs="Refrains, interview questions and table headers look the same; hence the default is a flag. 97 of 24,000 "
        "press releases have one.",
    ),
    Rule(
        name="boilerplate",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="site text: menus, teasers and other lines that are the site's and not the article's",
        example="“Sign up for our newsletter” in 40 of 60 articles, at the end of 39",
        decides="Two sources. (1) In known hosts, a scorecard adds up points for each line: how many articles "
        "of the host have it or a line of its frame (“12 comments”), its form, its place, the lines around it, the "
        "title, and words with which sites speak to readers (“subscribe”), in many languages. Nearly certain lines "
        "of pages go (5 in log odds, 4.5 on hosts of three articles; a page has 4 such lines that 10 % of the "
        "articles have), probable ones are flagged (2.5, or 2). (2) Articles with the line, its words and facts, "
        "are counted per host and over the corpus; equal articles and those with the same prose before the line "
        "count once. Fewer articles suffice if the line is at the end (at the start) of 90 % of them, with at most "
        "one paragraph of their own after (before) it. Elsewhere headlines stay, and so do sentences and questions "
        "without words of sites. Such a sentence needs one of the last two thresholds at the start or end, and is "
        "never more than flagged by (1) where it is right behind prose, if the host has fewer than 10 articles or "
        "fewer than half of them have it. "
        "Whatever the source, a "
        "quotation in quotation marks is never boilerplate, nor is a field such as “Contact: …” whose value differs "
        "between articles. Two articles with different prose of their own must have the line, so that what recurs in "
        "copies of one article is left to the rules that compare articles. Every copy goes before articles are "
        "compared; the table of site text keeps the line once. An article that loses 4 different lines is a page. It "
        "is compared by its prose, lines of 10 words or more that end like a sentence, if these have 40 words and a "
        "quarter of the words that are left.",
        thresholds="2 words or more, in this many articles and this share of the host: "
        "up to 25 words at the end in 5 "
        "and 10 %; up to 25 at the end in 30 and 2 %; up to 25 at the start or end in 3 and 50 %; up to 20 anywhere "
        "in 10 and 20 %; up to 7 anywhere in 5 and 50 %; up to 60 at the start or end in 10 and 50 %; "
        "up to 25 at the end in 10 and 25 %.",
        errs="On 623 news pages of hosts of three pages or more 74.2 % of the site's text goes, and 0.17 % of the "
        "articles' text; the points were learnt there. On hosts not learnt from, the score alone removes 74.2 % and "
        "loses 0.27 %. A sentence of up to 25 words that ends 10 reports or more, and a quarter of those of its host, "
        "counts as boilerplate. In "
        "24,000 press releases it drops 0.079 % of the characters if the 114 offices are known as hosts, nearly all of "
        "it contact lines and page furniture, and nothing if they are not. It drops nothing in Wikipedia or in "
        "licences.",
    ),
    Rule(
        name="known-passage",
        level=CORPUS,
        actions=_REMOVES,
        default="off",
        finds="an article that has passages of an article of another corpus, such as an item of a test set",
        example="a page that prints the question and the answers of a benchmark among other text",
        decides="Only with --against. The share of the words of the other article that stand here in runs of at least "
        "as many words as passage_words says, in the same order; an article of fewer words counts as one run. Runs are "
        "compared word by word, on what is left after repair and without site text. known_items.jsonl says for each "
        "article of the other corpus how much of it was found, and where. An article that goes is nobody's twin.",
        thresholds="Half of its words (passage_share), in runs of 13 (passage_words); at least 5 words.",
        errs="Whatever has the words has them: a licence or a verse in both is found, too. Of 600 sentences of news "
        "pages, none was found in 24,000 press releases by mistake. Of 100 that were put there, all were found; with "
        "one word replaced 73 of 100, with three 19 (docs/growing.md).",
    ),
    Rule(
        name="duplicate-article",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="an article with the same comparison key and facts as an article that stays",
        example="the same wire story, once with curly quotes and once without",
        decides="Equal comparison keys: the same words in the same order. And equal facts: the signs, currencies, "
        "percents, decimal points, ranges and other marks of numbers. Case, the punctuation of sentences, width and "
        "spacing do not count.",
        thresholds="At least one word.",
        errs="Articles that differ only in punctuation or emoji are duplicates. A number in another form (202/228-1122 "
        "and 202-228-1122) is another fact. In 24,000 press releases, 10,083 paragraphs have the words of an earlier "
        "one, and 15 of them have other facts, most of them telephone numbers.",
    ),
    Rule(
        name="near-duplicate-article",
        level=CORPUS,
        actions=_REMOVES,
        default="drop",
        finds="an article whose Jaccard similarity on word 5-grams to an article that stays reaches the threshold",
        example="a syndicated copy with another dateline and byline",
        decides="MinHash and LSH propose candidates, and the exact similarity decides: no drop rests on an estimate. A "
        "pair exactly at the threshold is a candidate with probability 0.999 or more. Two articles of one form that "
        "say other things, such as the weather of two towns, are no copies: the later one stays and is flagged, with "
        "evidence such as “same form, other facts: Brindle/Ashby, 12/17”. In a form, a few words stand in place of "
        "others, inside the text, and the rest is equal. A copy has another dateline, byline or source, corrected "
        "typing, or more and fewer sentences; an update with a few new numbers and some more sentences is a copy. Of "
        "texts with the same words, other facts tell a form, and other formats of one number (6.3 and 6,3) a copy. Of "
        "texts under 100 words, so do titles of one form: “Alder sets dividend” and “Birch sets dividend”, with the "
        "evidence “same form, other titles: Alder/Birch”. A title that was rewritten, or is missing, tells nothing.",
        thresholds="`--threshold` (0.8) over runs of 5 words; at least 5 words. Of texts under 100 words, one other "
        "word is another fact. `--same-story-threshold` (off): a pair between it and `--threshold` is one story if the "
        "names and numbers of both are equal, nothing is negated, and 60 words of prose are equal.",
        errs="One name or one number that was corrected in a short article looks like a form, and a form whose texts "
        "also differ in several sentences looks like an update. Of 34 flags and 34 drops read among those on 24,000 "
        "press releases, 3 flags are copies or updates, and no drop is a form. It misses none of 3,747 known pairs at "
        "0.8 or more, and drops no article without such a pair. Of 3,765 known pairs at 0.6 to 0.8, a same-story "
        "threshold drops 5, and 4 of these have other facts: two stages of one bill, or the report of another year. "
        "Hence the default is off.",
    ),
    Rule(
        name="contained-article",
        level=CORPUS,
        actions=_REMOVES,
        default="flag",
        finds="an article that a longer article, which stays, contains as a whole",
        example="a report that a live blog or a weekly digest includes unchanged",
        decides="The exact share of its word 5-grams that the longer article has; candidates share minimizers. "
        "Longer articles are decided before shorter ones. Articles with the same words and other facts never match. "
        "Where the rule drops articles, one that a near-duplicate repeats stays, and copies go with their original.",
        thresholds="90 % of the shorter article; at least 20 words.",
        errs="Every longer letter of its kind contains a form letter; hence the default is a flag.",
    ),
    Rule(
        name="shared-paragraph",
        level=CORPUS,
        actions=_REMOVES,
        default="flag",
        finds="a paragraph that another surviving article has, too: wire copy, quotation, background",
        example="the same statement quoted in two reports",
        decides="Equal comparison keys and facts, or exact Jaccard similarity on word 3-grams at the paragraph "
        "threshold. Paragraphs with the same words and other facts never match. Where the rule drops paragraphs, "
        "those of articles of one form with other facts (`near-duplicate-article`) are dropped only for equal ones.",
        thresholds="`--paragraph-threshold` (0.8) over runs of 3 words; at least 5 words.",
        errs="A quotation is no copy; hence the default is a flag. It flags 5,327 paragraphs of 24,000 press releases.",
    ),
    Rule(
        name="thin-article",
        level=CORPUS,
        actions=_REPORTS,
        default="flag",
        finds="an article that stays and is hardly one: empty, very short, only text of the site, or only a notice",
        example="“404. The page you are looking for has moved.” or “Subscribe to continue reading.”",
        decides="Words are counted in the paragraphs that are left. Text of the site is `boilerplate`, dropped or "
        "flagged. A notice is an error page, a paywall, a request for consent, or a complaint about scripts and "
        "cookies, by words kept as data for ten languages in `dedup/repairs/notices.toml`; its sentences must be more "
        "than half of the article. The evidence says which. It never drops: every drop has a twin that stays, and a "
        "thin article has none.",
        thresholds="`--min-words` (5). Notices in articles of at most 150 words.",
        errs="A short item of news in few words is thin, too. Among 24,000 press releases, 1,798 Wikipedia articles "
        "and 858 news articles, none is taken for a notice.",
    ),
)

NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)
BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}

PROFILES: dict[str, dict[str, str]] = {
    "default": {},
    "lossless": dict.fromkeys((rule.name for rule in RULES), "flag"),
    "corpus": {"shared-paragraph": "drop", "repeated-paragraph": "drop"},
    "streaming": dict.fromkeys((rule.name for rule in RULES if rule.level == CORPUS), OFF),  # each article by itself
}


def resolve_actions(profile: str, overrides: dict[str, str]) -> dict[str, str]:
    """Return the action of every rule, in registry order: its default, overridden by `profile`, then by `overrides`.

    >>> resolve_actions("corpus", {"boilerplate": "off"})["shared-paragraph"]
    'drop'
    """
    actions = {**PROFILES[profile], **overrides}
    return {rule.name: actions.get(rule.name, rule.default) for rule in RULES}
