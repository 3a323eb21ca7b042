"""The MCP clients that agentd knows: the format of their configuration and the shape of an entry in it.

Sources: Claude Code, "Connect Claude Code to tools via MCP" (``mcpServers``; ``type`` stdio); Codex, "Model Context
Protocol" (``[mcp_servers.NAME]``); Cursor, "Model Context Protocol" (``mcpServers``); VS Code, "MCP configuration
reference" (``servers``, where ``type`` must be given); OpenCode, "MCP servers" (``mcp``, one list for command and
arguments).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentd.cli.mcp_clients import json_text, toml_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.cli.mcp_clients.formats import Entry, Format, Keys

NAME = "agentd"
"""What our entry is called everywhere."""


class McpClient(NamedTuple):
    """A program that starts MCP servers from its configuration."""

    name: str
    title: str
    format: Format
    keys: Keys
    entry: Callable[[list[str]], Entry]
    """The entry for a command with its arguments."""
    then: str
    """What the person does next."""


def _plain(command: list[str]) -> Entry:
    return {"command": command[0], "args": command[1:]}


def _typed(command: list[str]) -> Entry:
    return {"type": "stdio", **_plain(command)}


def _local(command: list[str]) -> Entry:
    return {"type": "local", "command": command, "enabled": True}


CLIENTS = {
    client.name: client
    for client in (
        McpClient(
            "claude-code", "Claude Code", json_text, ("mcpServers", NAME), _typed, "start it anew; /mcp lists it"
        ),
        McpClient("codex", "Codex", toml_text, ("mcp_servers", NAME), _plain, "start it anew; /mcp lists it"),
        McpClient("cursor", "Cursor", json_text, ("mcpServers", NAME), _typed, "Settings, MCP lists it"),
        McpClient("vscode", "VS Code", json_text, ("servers", NAME), _typed, "the command MCP: List Servers starts it"),
        McpClient(
            "opencode", "OpenCode", json_text, ("mcp", NAME), _local, "start it anew; opencode mcp list shows it"
        ),
    )
}
"""By the name that the command line takes."""
