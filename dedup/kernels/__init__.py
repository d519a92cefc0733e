"""The functions that have a plain definition and a compiled twin, and the choice between the two.

This module imports nothing, so that small jobs never load numba.
"""
