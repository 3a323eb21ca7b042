"""Secrets planted in places where people leave them, and ordinary strings that look like secrets: made by code."""
