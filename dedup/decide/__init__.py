"""Turn matches into outcomes: one per record, with the findings of all levels.

`verdicts` gathers the results of the corpus-level rules for each article and paragraph. `outcomes` combines them with
the findings of the levels below.
"""
