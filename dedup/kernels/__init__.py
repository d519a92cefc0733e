"""The functions that exist twice, as a plain definition and as a compiled kernel, and the choice between the two.

This module imports nothing, so that small jobs never load numba.
"""
