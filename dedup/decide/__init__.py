"""Turn matches into outcomes: one per record, with the findings of all levels.

`verdicts` gathers what the corpus-level rules say of each article and paragraph; `outcomes` puts it together with the
findings of the levels below.
"""
