"""The text-level rules: encoding, whitespace, typography and page furniture."""
