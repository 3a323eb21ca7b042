"""`make soak`: two hundred kills, then twenty minutes of everything at once, and what that has cost."""
