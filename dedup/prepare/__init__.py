"""All work on single articles, batch by batch: one prepared row per record, and the store that matching reads."""
