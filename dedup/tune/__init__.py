"""Find the threshold that suits a corpus: show pairs of texts to a person, and estimate from the answers.

`survey` prepares the articles, collects the texts to pair (`distinct_texts`), finds similar pairs (`candidate_pairs`)
and chooses the pairs to ask about (`sampling`). `prompt` asks, and `labels` keeps the answers. `estimates` computes
precision and recall, and `report` shows the result.
"""
