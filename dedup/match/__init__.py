"""The corpus-level rules: which articles and paragraphs repeat others that survive."""
