"""Names of the agent's own tools, and what people and models call them."""

from __future__ import annotations

NAMES = (
    "semantic_search",
    "multi_search",
    "read_span",
    "list_files",
    "find_symbol",
    "call_chain",
    "dependency_analysis",
    "code_complexity",
    "web_search",
    "fetch_url",
)
"""The most useful first; a tool of the user's own has another name."""

OTHERWISE = {
    "callees": "call_chain",
    "callers": "call_chain",
    "cat": "read_span",
    "complexity": "code_complexity",
    "dependencies": "dependency_analysis",
    "dependents": "dependency_analysis",
    "fetch": "fetch_url",
    "find": "semantic_search",
    "glob": "list_files",
    "grep": "semantic_search",
    "imports": "dependency_analysis",
    "ls": "list_files",
    "open": "read_span",
    "read": "read_span",
    "read_file": "read_span",
    "search": "semantic_search",
    "symbol": "find_symbol",
}
"""Other word -> name: what the MCP server and the methods of the daemon call the same, and what models are used to. By
its letters alone ``search`` is as near to ``web_search``, and ``callers`` to nothing.
"""
