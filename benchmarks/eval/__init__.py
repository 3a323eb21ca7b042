"""Retrieval quality on judged sets, measured through the daemon's own socket."""
