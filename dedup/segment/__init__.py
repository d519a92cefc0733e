"""Paragraphs, words and comparison keys of texts: one text at a time, and a batch at once."""
