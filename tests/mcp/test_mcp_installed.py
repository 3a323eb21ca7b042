"""From nothing to a search: the entry that ``install`` writes is started as a client starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from mcp.client.stdio import StdioServerParameters
from mcp_harness import Home, connected, texts, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSTALL = (
    "import sys; from agentd.cli.main import main; from agentd.config import service\n"
    "service.why_temporary = lambda directory: None\n"  # this checkout may lie anywhere
    "sys.exit(main(['mcp', 'install', 'claude-code', '--yes']))"
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.close()


def installed(home: Home) -> dict[str, Any]:
    """The entry for Claude Code."""
    subprocess.run([sys.executable, "-c", INSTALL], env=home.environment, check=True, capture_output=True)
    entry: dict[str, Any] = json.loads((home.place / ".claude.json").read_text())["mcpServers"]["agentd"]
    return entry


async def test_the_entry_starts_a_server_that_indexes_the_project_and_finds_what_is_in_it(
    home: Home, tmp_path: Path
) -> None:
    project = written(tmp_path / "shop", {"retry.py": "def backoff(attempt):\n    return 2**attempt\n"})
    (project / ".git").mkdir()
    entry = installed(home)
    server = StdioServerParameters(command=entry["command"], args=entry["args"], env=home.environment, cwd=project)
    async with connected(server) as session:
        found = await session.call_tool("search", {"query": "backoff"})
    assert not found.is_error
    said = texts(found.content)
    assert f"{project}/retry.py:1-2" in said
    assert f"{project} was not indexed: it was added just now" in said
