"""Findings of all levels put together into one outcome per record."""
