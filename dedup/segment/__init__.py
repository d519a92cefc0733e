"""Text to paragraphs and words, for one text and for a batch."""
