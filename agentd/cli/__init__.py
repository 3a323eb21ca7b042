"""``agentctl``: one small module a family of commands, of which a run imports its own alone."""
