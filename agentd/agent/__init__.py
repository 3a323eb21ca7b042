"""The agent: a model that works on a task in turns, with tools that read what is indexed."""
