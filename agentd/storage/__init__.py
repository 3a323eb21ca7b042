"""The state on disk: the one truth in SQLite, the views derived from it, and the cache of embeddings."""
