"""The tools, one family a module. ``TOOLS`` has them in the order in which clients see them."""

from __future__ import annotations

from agentd.mcp.tools import answers, files, graph, search, status, symbols

TOOLS = (*search.TOOLS, *files.READING, *symbols.TOOLS, *graph.TOOLS, *files.MEASURING, *answers.TOOLS, *status.TOOLS)
