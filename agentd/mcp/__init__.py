"""MCP over standard input and output: what coding agents call, answered by the daemon."""
