"""The online form of an index: ask about one article, or add one, for services and crawlers.

The modules in reading order:

- `verdict`: what the index says about an article.
- `stored_rows`: an article as a store keeps it, and the hashes by which it is found.
- `stores`: the protocol of a store: look up hashes, read articles, add one in a transaction.
- `sqlite_store`, `redis_store`: a store in a folder, and one that many machines share.
- `judging`: compare an article with the candidates of a store, by the functions of a run.
- `online_index`, `async_index`: `Index` and `AsyncIndex`.
"""
