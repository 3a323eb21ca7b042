"""agentd: a local retrieval and agent daemon."""

__version__ = "0.1.0"
