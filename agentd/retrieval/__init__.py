"""From a query to verified hits: retrievers in parallel -> fusion -> rows -> verification against disk."""
