"""Corpora of any size with known repeats: words, prose, what goes wrong on the way, and how articles repeat."""
