"""The socket: JSON-RPC 2.0 lines in and out, wire <-> domain. Knows nothing of how an answer comes about."""
