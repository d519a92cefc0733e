"""The rules within one article: repeated blocks and repeated paragraphs.

The modules in reading order:

- `detect`: find all repeats of an article; the entry point, which chooses among the candidates of the others.
- `article`: the paragraphs of one article, and how two of them are alike: equal, edited or cut short.
- `chaining`: chains of alike paragraphs, followed forwards and backwards over small gaps.
- `justify`: which paragraph is dropped for which, and whether the similarity of a run justifies it.
- `thresholds`: the thresholds that blocks and reflowed copies share.
- `blocks`: judge chains of whole paragraphs as repeated blocks.
- `intentional`: leave out intentional repeats: refrains, answers under their questions, letters to several people.
- `headings`: whether two headings are built alike, so that the texts under them repeat on purpose.
- `single_paragraphs`: paragraphs that repeat alone, outside of blocks.
- `units`: sentences and lines of an article as one sequence of words.
- `reflowed`: judge runs of sentences that are printed again with other line breaks.
- `summaries`: lists of sentences at an end of the article that repeat sentences from elsewhere in it.
- `drop_plan`: which units are dropped, and which word each dropped word repeats.
- `split_paragraphs`: split paragraphs so that every repeat is a run of whole pieces.
"""
