"""The text-level rules: encoding, markup, whitespace, typography and page furniture."""
