"""Functions with two implementations, a plain definition and a compiled kernel, and the choice between the two.

This module imports nothing, so that small jobs never load machine code.
"""
