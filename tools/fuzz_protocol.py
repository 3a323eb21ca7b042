"""Send a real daemon lines that no good client would, and see that it does not mind.

::

    python tools/fuzz_protocol.py --inputs 100000 --seed 7

Exit code 1 where the daemon crashed, left a connection without an answer to ``hello`` for a second, wrote an error to
its log, or was late by more than LAG_BAR_MS at p99, unless the machine made an idle loop about as late.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from protocol_grammar import Grammar, Places

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

CONNECTIONS = 6
"""Open at a time."""
HANG_SECONDS = 1.0
LAG_BAR_MS = 20.0
START_SECONDS = 60.0
THE_END = "the end"
PROJECT = Path(__file__).resolve().parents[1]
LINE_LIMIT = 64 * 1024 * 1024


@dataclass
class Tally:
    """What has been seen so far."""

    inputs: int = 0
    connections: int = 0
    closed: int = 0  # by the daemon, as it says it does after a line that is too long
    hung: list[str] = field(default_factory=list)
    slowest: float = 0.0  # seconds for an answer to hello


def main() -> int:
    """Run, and print what came of it."""
    arguments = parse()
    with (
        tempfile.TemporaryDirectory(prefix="agentd-fuzz-") as folder,
        daemon(Path(folder)) as (process, socket, places),
    ):
        with Client(socket) as client:
            client.wait("vectors", timeout=START_SECONDS)
            before = memory(process.pid)
        began = time.monotonic()
        with idle_loop() as idle:
            tally = asyncio.run(fuzz(socket, places, arguments.inputs, arguments.seed))
        seconds = time.monotonic() - began
        if process.poll() is not None:
            print(f"CRASHED with exit code {process.returncode} (seed {arguments.seed})")
            return 1
        with Client(socket) as client:
            stats = client.stats()
        after = memory(process.pid)
        errors = complaints(Path(folder) / "log")
    lag = stats["loop_lag"]
    print(
        f"{tally.inputs:,} inputs on {tally.connections:,} connections in {seconds:.0f} s (seed {arguments.seed}); "
        f"closed by the daemon {tally.closed:,}; slowest hello {1000 * tally.slowest:.0f} ms\n"
        f"loop lag p99 {lag['p99_ms']:.1f}, p99.9 {lag['p999_ms']:.1f}, worst {lag['max_ms']:.1f} ms; "
        f"of a loop with nothing to do beside it p99 {idle['p99_ms']:.1f}, worst {idle['max_ms']:.1f} ms\n"
        f"memory of the daemon {before >> 20} MiB before, {after >> 20} MiB after; "
        f"answers by kind {json.dumps(stats['server']['errors'])}"
    )
    print(*(f"HUNG {each}" for each in tally.hung), *(f"ERROR {each}" for each in errors[:20]), sep="\n")
    return int(bool(tally.hung or errors) or lag["p99_ms"] > max(LAG_BAR_MS, 1.5 * idle["p99_ms"]))


def parse() -> Namespace:
    """The command line."""
    parser = ArgumentParser(description="Fuzz the protocol of a daemon that is started for it.")
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N", help="lines to send (default: 100000)")
    parser.add_argument("--seed", type=int, default=1, help="of the lines and how they are sent (default: 1)")
    return parser.parse_args()


async def fuzz(socket: str, places: Places, inputs: int, seed: int) -> Tally:
    """Send ``inputs`` lines over a few connections at a time."""
    tally = Tally()

    async def keep_sending(number: int) -> None:
        random = Random(f"{seed}/{number}")  # noqa: S311 seeded on purpose
        grammar = Grammar(random, places)
        while tally.inputs < inputs and not tally.hung:
            lines = [grammar.line() for _ in range(random.choice((1, 5, 20, 60)))]
            tally.inputs += len(lines)
            await converse(socket, random, lines, tally)

    async with asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(keep_sending(number))
    return tally


async def converse(socket: str, random: Random, lines: list[bytes], tally: Tally) -> None:
    """One connection: the lines, in pieces of any size, and then a hello, unless the client goes away before."""
    reader, writer = await asyncio.open_unix_connection(socket, limit=LINE_LIMIT)
    tally.connections += 1
    manner = random.choice(("polite", "polite", "polite", "polite", "leaves", "half closes", "reads late"))
    hello = json.dumps({"jsonrpc": "2.0", "id": THE_END, "method": "hello"}).encode()
    ending = [] if manner in {"leaves", "half closes"} else [hello]
    data = b"\n".join([*lines, *ending]) + b"\n"
    if manner == "leaves":
        data = data[: random.randrange(len(data) + 1)]
    listening = None if manner in {"leaves", "reads late"} else asyncio.create_task(listen(reader, tally))
    with suppress(OSError):
        await send(writer, random, data)
        if manner == "half closes":
            writer.write_eof()
    if manner != "leaves":
        try:
            async with asyncio.timeout(10 * HANG_SECONDS):  # the lines before it have to be read, and answered, too
                await (listening or listen(reader, tally))
        except TimeoutError:
            tally.hung.append(f"{manner} after {lines[-1][:200]!r}")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    await greet(socket, tally)


async def send(writer: asyncio.StreamWriter, random: Random, data: bytes) -> None:
    """Write ``data`` in a few pieces, cut anywhere."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 1, 3, 10))))
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        writer.write(data[begin:end])
        await writer.drain()


async def listen(reader: asyncio.StreamReader, tally: Tally) -> None:
    """Read until the answer to hello, or the end. Every line is a message."""
    with suppress(OSError):  # it closed the connection with bytes of ours unread
        while line := await reader.readline():
            message: dict[str, Any] = json.loads(line)
            if message.get("id") == THE_END:
                return
    tally.closed += 1


async def greet(socket: str, tally: Tally) -> None:
    """A new client is answered at once, whatever the others do."""
    began = time.monotonic()
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
    try:
        async with asyncio.timeout(HANG_SECONDS):
            await reader.readline()
    except TimeoutError:
        tally.hung.append("a new connection")
    tally.slowest = max(tally.slowest, time.monotonic() - began)
    writer.close()


IDLE_LOOP = """
import asyncio, json, sys, uvloop
from agentd.observability.lag import LagProbe

async def main():
    probe = LagProbe(0.02)
    running = asyncio.ensure_future(probe.run())
    await asyncio.to_thread(sys.stdin.read)
    running.cancel()
    print(json.dumps(probe.snapshot()))

uvloop.run(main())
"""


@contextmanager
def idle_loop() -> Iterator[dict[str, float]]:
    """What a loop with nothing to do suffers meanwhile; filled in at the end."""
    found: dict[str, float] = {}
    probe = subprocess.Popen(
        [sys.executable, "-c", IDLE_LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    yield found
    found.update(json.loads(probe.communicate()[0]))


@contextmanager
def daemon(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Places]]:
    """A daemon of its own on a small root, its log in ``folder``."""
    root, socket = folder / "root", folder / "run" / "agentd.sock"
    root.mkdir()
    for number in range(40):
        (root / f"module_{number}.py").write_text(
            f'def task_{number}():\n    """A common task of the retry policy."""\n    return task_{number - 1}()\n'
        )
    command = [sys.executable, "-m", "agentd", "--root", str(root), "--socket", str(socket)]
    environment = os.environ | {"HOME": str(folder), "AGENTD_LOG_FORMAT": "json"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--state-dir", str(folder / "state")], stderr=log, env=environment, cwd=PROJECT
        )
    try:
        wait_for(str(socket))
        yield process, str(socket), Places(str(root), [str(root / f"module_{number}.py") for number in range(3)])
    finally:
        process.terminate()
        process.wait()


def wait_for(socket: str) -> None:
    """Return when the daemon answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with Client(socket) as client:
                client.hello()
        except AgentdClientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def memory(pid: int) -> int:
    """Proportional set size of a process in bytes (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def complaints(log: Path) -> list[str]:
    """Lines of the log that are errors: nothing that a client sends should be one."""
    return [
        line
        for line in log.read_text(encoding="utf-8").splitlines()
        if '"level": "error"' in line or '"level":"error"' in line
    ]


if __name__ == "__main__":
    sys.exit(main())
