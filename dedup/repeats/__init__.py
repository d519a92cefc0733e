"""The rules within one article: repeated blocks and repeated paragraphs.

The words of an article are aligned with themselves, as read mappers align sequences. The modules in reading order:

- `detect`: find all repeats of an article; the entry point.
- `article`: the paragraphs and words of one article.
- `units`: its sentences and lines, the smallest parts that can be dropped.
- `chains`: chains of equal runs of words, from the seeds of `dedup.fingerprint.self_alignment`.
- `versions`: a chain aligned word by word, and the units that belong to each of its two versions.
- `candidate`: what speaks for two versions: the prose that they share and agree on.
- `judgement`: whether two versions are one text printed twice, and which of them is dropped.
- `vetoes`: what repeats on purpose: refrains, answers under their questions, letters to several people.
- `headings`, `names`: whether two headings are built alike; whether two passages have the same names and numbers.
- `summaries`: lists of sentences at an end of the article that repeat sentences from elsewhere in it.
- `drop_plan`: which units are dropped, which words they repeat, and whether their similarity justifies it.
- `single_paragraphs`: paragraphs that repeat alone, outside of blocks.
- `split_paragraphs`: split paragraphs so that every repeat is a run of whole pieces.
"""
