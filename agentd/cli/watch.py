"""The index drawn live with rich: ``agentctl status --watch``, and ``wait`` on a terminal."""

from __future__ import annotations

import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agentd.cli import command as c
from agentd.cli import index, output
from agentd.wire import wait_params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rich.console import RenderableType

    from agentd.client import Client
    from agentd.protocol import IndexStatus, RootInfo

REFRESH_SECONDS = 0.5

BAR_COLUMNS = 28

OTHER_ROWS = 9
"""Rows of a screen that the list of roots leaves to the rest."""


def run(client: Client, *, as_json: bool) -> int:
    """Show the status until Ctrl-C."""
    screen = output.screen()
    if as_json or not screen.is_terminal:
        return follow(client, as_json=as_json)
    try:
        with Live(console=console(screen), auto_refresh=False) as live:
            while True:
                live.update(drawing(client.status(), client.stats(), live.console.height), refresh=True)
                time.sleep(REFRESH_SECONDS)
    except KeyboardInterrupt:
        return c.FOUND


def follow(client: Client, *, as_json: bool) -> int:
    """Print a line for each change, for pipes and logs, until Ctrl-C."""
    before = None
    while True:
        status = client.status()
        if (line := one_line(status)) != before:
            before = line
            if as_json:
                output.say_json(status)
            else:
                output.say(line)
            output.flush()
        time.sleep(REFRESH_SECONDS)


def progress(client: Client, target: str, timeout: float | None) -> IndexStatus:
    """Wait for the index, and draw the events on the way."""
    client.timeout = None
    stream = client.stream("index.wait", events=True, **wait_params(target, timeout))
    with Live(console=console(output.screen()), auto_refresh=False, transient=True) as live:
        for event in stream:
            if "status" in event:
                live.update(bars(event["status"]), refresh=True)
    return stream.result  # type: ignore[no-any-return]


def one_line(status: IndexStatus) -> str:
    """The status without what changes while nothing happens: rates and times."""
    reasons = "".join(f"; degraded: {output.clean(reason)}" for reason in status["degraded"])
    return (
        f"{status['state']}: {status['documents']:,} documents, {status['pending']:,} to read, "
        f"{status['vectors']:,} vectors, {status['vectors_pending']:,} to compute{reasons}"
    )


def console(screen: output.Screen) -> Console:
    """Rich's console, told what ours knows."""
    return Console(no_color=not screen.colour, highlight=False, markup=False, width=screen.columns)


def drawing(status: IndexStatus, stats: dict[str, Any], rows: int) -> RenderableType:
    """What fits on ``rows`` rows: the bars, a line for each root, speed, memory, disk, and what is not as it should
    be.
    """
    roots = Table.grid(padding=(0, 2))
    shown = status["roots"][: max(rows - OTHER_ROWS - len(status["degraded"]), 1)]
    for root in shown:
        roots.add_row(*root_row(root))
    parts: list[RenderableType] = [bars(status), roots]
    if hidden := len(status["roots"]) - len(shown):
        parts.append(line(f"… {hidden} more roots", "dim"))
    parts += [line(text) for text in facts(status, stats)]
    parts += [line(f"degraded: {output.clean(reason)}", "yellow") for reason in status["degraded"]]
    return Group(*parts)


def line(text: str, style: str = "") -> Text:
    """Text that stays on its row."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def bars(status: IndexStatus) -> Table:
    """A bar for the keyword index and one for the vectors, with counts, rate and time left."""
    grid = Table.grid(padding=(0, 1))
    grid.add_row(*bar("keyword", status["documents"], status["pending"], status["files_per_second"], "files"))
    grid.add_row(*bar("vectors", status["vectors"], status["vectors_pending"], status["vectors_per_second"], "vectors"))
    if status["eta_seconds"] is not None and (status["pending"] or status["vectors_pending"]):
        grid.add_row("", line(f"about {output.duration(status['eta_seconds'])} left", "dim"))
    return grid


def bar(name: str, done: int, left: int, rate: float, unit: str) -> tuple[RenderableType, ...]:
    """One row: name, bar, ``done / all``, and the rate while there is work."""
    total = done + left
    speed = f"{rate:,.0f} {unit}/s" if left and rate else ""
    return (
        Text(name),
        ProgressBar(total=max(total, 1), completed=done if total else 1, width=BAR_COLUMNS),
        line(f"{done:,} / {total:,} {unit}"),
        line(speed, "dim"),
    )


def root_row(root: RootInfo) -> tuple[RenderableType, ...]:
    """One root."""
    colour = "green" if root["state"] == "current" else "yellow"
    left = f"{root['pending'] + root['vectors_pending']:,} to do" if root["state"] != "current" else ""
    skipped = f"{sum(root['skipped'].values()):,} skipped" if root["skipped"] else ""
    return (
        line(output.clean(root["path"])),
        Text(root["state"], colour),
        line(f"{root['documents']:,} documents"),
        line(left),
        line(skipped, "dim"),
    )


def facts(status: IndexStatus, stats: dict[str, Any]) -> list[str]:
    """Lines about memory, disk and skipped files, where they are known."""
    lines = []
    if memory := memory_bytes(stats):
        lines.append(f"memory {output.size(memory)}")
    if status["disk_bytes"]:
        lines.append(f"disk {index.disk(status['disk_bytes'])}")
    if status["skipped"]:
        lines.append(f"skipped {output.counts(status['skipped'])}")
    return lines


def memory_bytes(stats: dict[str, Any]) -> int:
    """Resident memory of the daemon and its workers, shared pages counted each time; 0 where it does not say."""
    processes = [stats.get("process", {}), *stats.get("compute", {}).get("workers", [])]
    return sum(process.get("rss_bytes", 0) for process in processes)
