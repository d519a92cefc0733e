"""Browse an output in a browser, and review its findings: a server for this machine alone.

`index` reads the tables into DuckDB, `queries` asks it, `articles` shows one article, `reviews` keeps decisions, `app`
answers requests, and `guard` decides which. Nothing is loaded from elsewhere, and nothing outside the output is served.
"""
