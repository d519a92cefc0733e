"""A linter and fixer for article corpora."""

__version__ = "0.1.0"
