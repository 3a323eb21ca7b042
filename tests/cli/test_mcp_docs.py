"""What docs/mcp.md says of entries, tools and options is what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentd.cli import mcp, mcp_install
from agentd.cli.mcp_clients.clients import CLIENTS
from agentd.mcp.arguments import DEFAULT_TOKENS, MOST_TOKENS
from agentd.mcp.tools import TOOLS

if TYPE_CHECKING:
    from agentd.cli.mcp_clients.clients import McpClient

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
COMMAND = ["/opt/agentd/bin/agentctl", "mcp", "--add"]


@pytest.mark.parametrize("client", CLIENTS.values(), ids=list(CLIENTS))
def test_the_entry_shown_for_a_client_is_the_one_that_is_written(client: McpClient) -> None:
    section = PAGE.split(f"\n### {client.title}\n")[1].split("\n#")[0]
    shown = re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)
    assert shown == [client.format.snippet(client.keys, client.entry(COMMAND))]


def test_every_tool_is_listed_in_the_order_in_which_clients_see_them() -> None:
    section = PAGE.split("\n## The tools\n")[1].split("\n###")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [tool.name for tool in TOOLS]


def test_the_budgets_are_those_of_the_server() -> None:
    assert f"{DEFAULT_TOKENS:,} unless given, {MOST_TOKENS:,} at most" in PAGE


def test_every_option_is_listed() -> None:
    for command in (*mcp_install.COMMANDS, *mcp.COMMANDS):
        options = re.findall(r"(--[a-z-]+)", command.parser().format_help())
        assert not [option for option in options if option not in {"--help", "--json"} and f"`{option}" not in PAGE]
