"""The MCP server as a child of the official client, with a home, a state and a socket of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon_harness import until
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

CODE = Path(__file__).parents[1]


class Home:
    """Where one user's agentd keeps its things; daemons that were started for clients end with it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.socket = place / "run" / "agentd.sock"
        self.log = place / "state" / "agentd" / "agentd.log"
        place.mkdir(parents=True, exist_ok=True)
        self._daemon: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """No model: most of what is tested does not depend on it."""
        return {
            "HOME": str(self.place),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CODE),
            "XDG_STATE_HOME": str(self.place / "state"),
            "XDG_CONFIG_HOME": str(self.place / "config"),
            "AGENTD_SOCKET": str(self.socket),
            "AGENTD_EMBEDDING_ENABLED": "false",
        }

    def server(self, *flags: str, cwd: Path | None = None) -> StdioServerParameters:
        """The command that clients run."""
        args = ["-P", "-m", "agentd.cli.main", "mcp", *flags]
        return StdioServerParameters(command=sys.executable, args=args, env=self.environment, cwd=cwd or self.place)

    def client(self) -> Client:
        """A client of the daemon behind the server."""
        return Client(str(self.socket), timeout=30)

    def daemons(self) -> list[int]:
        """Process ids of the daemons that were started here, running or not reaped."""
        return sorted(
            pid for pid in processes() if b"--idle-exit" in command(pid) and str(self.socket).encode() in command(pid)
        )

    def close(self) -> None:
        """End every daemon that was started here."""
        for pid in self.daemons():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until(lambda: not self.daemons(), "the daemons end")
        if self._daemon is not None:
            self._daemon.wait(10)

    def start_daemon(self) -> None:
        """Start a daemon here, as somebody else would have."""
        flags = ["--socket", str(self.socket), "--idle-exit", "600"]
        with (self.place / "daemon.log").open("wb") as log:
            self._daemon = subprocess.Popen(
                [sys.executable, "-P", "-m", "agentd", *flags], env=self.environment, stdout=log, stderr=log
            )
        until(self.answers, "the daemon answers")

    def index(self, folder: Path) -> None:
        """Have a folder indexed, to the end."""
        with self.client() as client:
            client.add_root(str(folder))
            client.wait("keyword", timeout=30)

    def answers(self) -> bool:
        """Whether a daemon does."""
        with suppress(AgentdClientError), self.client() as client:
            client.hello()
            return True
        return False


def processes() -> Iterator[int]:
    """All that there are."""
    yield from (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def command(pid: int) -> bytes:
    """The command line of a process; empty for one that has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@asynccontextmanager
async def connected(server: StdioServerParameters, **callbacks: Any) -> AsyncIterator[ClientSession]:
    """The official client, initialised."""
    async with (
        stdio_client(server) as (incoming, outgoing),
        ClientSession(incoming, outgoing, **callbacks) as session,
    ):
        await session.initialize()
        yield session


def written(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def texts(content: Sequence[Any]) -> str:
    """The text of a result."""
    return "\n".join(block.text for block in content if block.type == "text")
