"""Corpora of any size with known repeats: vocabulary, prose, faults of scraped text, and how articles repeat."""
