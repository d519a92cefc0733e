"""The corpus-level rules: match articles and paragraphs that repeat surviving ones.

The modules in reading order:

- `policy`: the rules, their codes, and what each may remove under given settings.
- `buckets`: which texts are equal or share a value, however many there are.
- `survivors`: the loop that decides which texts stay.
- `articles`: duplicates and near-duplicates among articles.
- `known_passages`: articles that have passages of another corpus.
- `container_candidates`, `contained`: articles that a longer article contains.
- `boilerplate_text`, `boilerplate`: lines that a host prints in many of its articles.
- `paragraphs`: boilerplate, then paragraphs that several articles share.
"""
