from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scripted_peer import Result, ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]

SLOW = {
    "asyncio", "contextlib", "dataclasses", "difflib", "inspect", "msgspec", "pathlib", "rich", "shutil", "subprocess",
    "tempfile", "typing", "urllib",
}  # fmt: skip


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    root = {"path": str(tmp_path), "state": "current", "pending": 0, "vectors_pending": 0}
    found = {"hits": [], "total": 0, "complete": True, "degraded": [], "skipped": [], "cut": [], "took_ms": 1.0}
    with ScriptedPeer(tmp_path / "s", {"roots.list": Result({"roots": [root]}), "search": Result(found)}) as peer:
        yield peer


def test_a_search_imports_nothing_slow(peer: ScriptedPeer, tmp_path: Path) -> None:
    """Start-up is most of what a search costs a person; each of these would add a tenth to a half of it."""
    code = (
        "import sys; from agentd.cli.main import main\n"
        f"code = main(['--socket', {peer.path!r}, 'search', 'config'])\n"
        "print(code, *sorted(sys.modules))"
    )
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    exit_code, *modules = done.stdout.split()
    assert exit_code == "1"
    assert not SLOW & set(modules)
    assert [name for name in modules if name.startswith("agentd.cli.")] == [
        f"agentd.cli.{name}" for name in ("command", "hits", "main", "output", "search", "skew")
    ]
