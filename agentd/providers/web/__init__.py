"""The web: a search through SearXNG, pages fetched behind a guard, and passages of them. All of it is untrusted."""
