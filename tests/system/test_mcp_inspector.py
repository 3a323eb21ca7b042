"""The MCP server under the inspector that the makers of the protocol publish, driven from its command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from aimock import kept, missing, run
from mcp_harness import Home, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

INSPECTOR = "@modelcontextprotocol/inspector@0.15.0"
SECONDS = 60


@pytest.fixture(scope="module")
def inspector() -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("the inspector needs node and npm; found none in PATH")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    folder = kept(
        "mcp-" + INSPECTOR.rpartition("/")[2],
        lambda folder: run("npm", "install", "--prefix", folder, *options, INSPECTOR),
    )
    return folder / "node_modules" / ".bin" / "mcp-inspector"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("inspected") / "home")
    written(home.place / "engine", {".git/HEAD": "ref: x", "retry.py": "def retry(times=3):\n    pass\n"})
    yield home
    home.close()


def inspected(inspector: Path, home: Home, *request: str) -> dict[str, Any]:
    """What the inspector prints for one request to a server of its own, which finds or starts the daemon."""
    server = home.server("--add", cwd=home.place / "engine")
    done = subprocess.run(
        [str(inspector), "--cli", server.command, *server.args, *request],
        cwd=home.place / "engine",
        env=home.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_inspector_lists_tools_and_resources(inspector: Path, home: Home) -> None:
    tools = inspected(inspector, home, "--method", "tools/list")["tools"]
    assert len(tools) == 15
    assert all(tool["inputSchema"]["type"] == tool["outputSchema"]["type"] == "object" for tool in tools)
    templates = inspected(inspector, home, "--method", "resources/templates/list")["resourceTemplates"]
    assert [template["name"] for template in templates] == ["file"]
    resources = inspected(inspector, home, "--method", "resources/list")["resources"]
    assert resources[0]["uri"] == "agentd://roots"


def test_the_inspector_calls_tools(inspector: Path, home: Home) -> None:
    call = ("--method", "tools/call", "--tool-name")
    found = inspected(inspector, home, *call, "search", "--tool-arg", "query=retry", "--tool-arg", "limit=3")
    assert found["structuredContent"]["hits"][0]["path"].endswith("/engine/retry.py")
    assert "retry.py:1-2" in found["content"][0]["text"]
    wrong = inspected(inspector, home, *call, "find_symbol", "--tool-arg", "name=x", "--tool-arg", "limit=0")
    assert wrong["isError"] is True
    assert "limit" in wrong["content"][0]["text"]
