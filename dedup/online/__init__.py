"""The online index: check or add one article at a time, for services and crawlers.

The modules in reading order:

- `verdict`: the result for one article.
- `stored_rows`: the form in which a store keeps an article, and the hashes by which it is found.
- `stores`: the protocol of a store: look up hashes, read articles, add one in a transaction.
- `recent_postings`: the postings of the articles that were added last, in memory.
- `sqlite_store` with `sqlite_lines` and `sqlite_log`, `redis_store`: a store in a folder, and one that many machines
  share.
- `learning`: find the site text of a host among its stored articles, from time to time.
- `judging`: compare an article with the candidates of a store, with the functions of a run.
- `online_index`, `async_index`: `Index` and `AsyncIndex`.
"""
