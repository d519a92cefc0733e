"""The rules within one article: repeated blocks and repeated paragraphs."""
