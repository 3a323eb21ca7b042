"""The tools that every agent has."""
