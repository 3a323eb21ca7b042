"""Servers that embed, chat and search the web, and the gate that everything which leaves the machine goes through."""
