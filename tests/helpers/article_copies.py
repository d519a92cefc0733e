"""Articles that repeat each other in part, for tests of matching."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = [f"w{number}" for number in range(40)]
TITLES = [None, "", "Alder wins", "Birch wins", "A rewritten title", "ALDER wins"]
NUMBERS = ["5", "-5", "$5", "5%"]  # one word with different marks


@st.composite
def article_copies(draw):
    """Draw rows of articles that are copies of a few texts, with words or marks replaced, cut off or put in front."""
    texts = []
    for _ in range(draw(st.integers(1, 4))):
        base = draw(st.lists(st.sampled_from(WORDS + NUMBERS), min_size=1, max_size=60))
        for _ in range(draw(st.integers(1, 6))):
            number = draw(st.sampled_from(NUMBERS))
            copy = [number if word in NUMBERS else word for word in base]
            for _ in range(draw(st.integers(0, 3))):
                place = draw(st.integers(0, len(copy) - 1))
                copy[place] = draw(st.sampled_from(WORDS + NUMBERS))
            texts.append(" ".join(copy[draw(st.integers(0, 2)) :] or copy))
    dates = draw(st.lists(st.integers(0, 5), min_size=len(texts), max_size=len(texts)))
    titles = draw(st.lists(st.sampled_from(TITLES), min_size=len(texts), max_size=len(texts)))
    columns = zip(texts, dates, titles, strict=True)
    rows = [{"id": str(n), "text": text, "date": d, "title": title} for n, (text, d, title) in enumerate(columns)]
    return draw(st.permutations(rows))
