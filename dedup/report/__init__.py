"""Report on an output: what a run removed and why, read from a bounded part of its tables.

`blocks` and `sampled_output` read the tables and `gather` counts. `page` is the model that all forms of a report come
from, `build` and `compare` fill it, `html` and `markdown` write it.
"""
