"""The configuration files of MCP clients: what stands there about agentd, and how to change just that."""
