"""Shingles, MinHash signatures, minimizers and similarities: the definitions, in plain Python and numpy."""
