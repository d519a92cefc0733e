"""Which threshold suits a corpus: pairs are shown to a person, and the answers say what each threshold would do.

`corpus` prepares the articles, `pairs` finds what is similar, `sampling` picks what to ask, `questions` asks,
`labels` keeps the answers, `estimates` reckons with them, `answer` tells the outcome.
"""
