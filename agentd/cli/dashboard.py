"""How ``status --watch`` looks: sections of rows, cut to whatever terminal there is."""

from __future__ import annotations

import os
import time

from rich.console import Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from agentd.cli import output
from agentd.cli.bars import bars, line
from agentd.cli.history import memory_bytes, sparkline
from agentd.cli.models import progress
from agentd.cli.models import requests as requests_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from agentd.cli.history import History
    from agentd.protocol import IndexStatus, RootInfo

    Row = tuple[RenderableType, ...]

WIDE_COLUMNS = 110
"""From here on two columns stand side by side."""
CURVE_COLUMNS = 60
LEAST_CURVE = 8
MOST_PROBLEMS = 4
NAMED_FILES = 3
STATES = {"current": "green", "missing": "red", "ok": "green", "refused": "red", "untried": "dim"}


class Section:
    """A heading and rows of cells. ``least`` rows are shown, room or not."""

    def __init__(self, title: str, rows: list[Row], least: int = 1, stretch: int = -1) -> None:
        self.title = title
        self.rows = rows
        self.least = min(least, len(rows))
        self._stretch = stretch  # the column that takes what room is left

    @property
    def height(self) -> int:
        """Terminal rows of all of it, the heading among them; 0 for one without rows."""
        return len(self.rows) + 1 if self.rows else 0

    def draw(self, rows: int) -> RenderableType:
        """At most ``rows`` terminal rows: the heading says how many more there are."""
        shown = self.rows[: max(rows - 1, 0)]
        grid = Table.grid(padding=(0, 1), expand=True)
        for number in range(max(map(len, shown), default=0)):
            stretched = number == self._stretch
            grid.add_column(
                no_wrap=True,
                overflow="ellipsis",
                ratio=1 if stretched else None,
                min_width=LEAST_CURVE if stretched else None,
            )
        for row in shown:
            grid.add_row(*row)
        hidden = len(self.rows) - len(shown)
        return Group(line(self.title + (f"  ({hidden} more)" if hidden else ""), "bold"), grid)


class Curve:
    """What has become of a figure, on as many columns as there are."""

    def __init__(self, values: Sequence[float], top: float = 0.0) -> None:
        self._values = values
        self._top = top

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """The protocol of rich for what can be drawn."""
        width = min(options.max_width, CURVE_COLUMNS)
        yield Text(sparkline(self._values, width, self._top), "cyan", justify="right", no_wrap=True)

    def __rich_measure__(self, _console: Console, options: ConsoleOptions) -> Measurement:
        """The protocol of rich for what takes the room that it gets."""
        return Measurement(min(LEAST_CURVE, options.max_width), min(CURVE_COLUMNS, options.max_width))


def screen(history: History, events: Sequence[str], columns: int, rows: int, *, away: bool = False) -> RenderableType:
    """The whole screen, at most ``rows`` rows. With ``away`` the daemon does not answer: all is as it was last."""
    status, stats = history.status, history.stats
    if status is None:
        return line("waiting for agentd …", "yellow")
    top: list[RenderableType] = [line(heading(status, stats), "bold")]
    if away:
        top = [line("waiting for agentd: it does not answer, and this is how it was last", "bold yellow")]
    problems = status["degraded"]
    most = MOST_PROBLEMS if rows >= 24 else 1
    top += [line(output.clean(f"! {problem}"), "yellow") for problem in problems[:most]]
    if hidden := len(problems) - most:
        top += [line(f"! {hidden} more", "yellow")] if hidden > 0 else []
    top.append(bars(status))
    room = rows - len(top) - 1 - bool(eta(status))
    left = [roots(status), models(status), recent(events)]
    right = [requests(history), machine(history)]
    if columns < WIDE_COLUMNS:
        return Group(*top, stacked([*left[:2], *right, left[2]], room))
    sides = Table.grid(padding=(0, 3), expand=True)
    sides.add_column(ratio=1)
    sides.add_column(ratio=1)
    sides.add_row(stacked(left, room), stacked(right, room))
    return Group(*top, sides)


def eta(status: IndexStatus) -> bool:
    """Whether the bars have a third row."""
    return status["eta_seconds"] is not None and bool(status["pending"] or status["vectors_pending"])


def stacked(sections: list[Section], room: int) -> RenderableType:
    """Sections one above the other on ``room`` rows."""
    there = [section for section in sections if section.rows]
    heights = shared([section.height for section in there], [section.least + 1 for section in there], room)
    return Group(*(section.draw(height) for section, height in zip(there, heights, strict=True) if height > 1))


def shared(wanted: list[int], least: list[int], room: int) -> list[int]:
    """Rows for each: what it needs at least, as long as there is room for the first ones; then a row each in turn.

    >>> shared([10, 3, 10], [2, 2, 2], 12), shared([5, 5], [3, 3], 4)
    ([5, 3, 4], [3, 0])
    """
    given = [0] * len(wanted)
    for number, need in enumerate(least):
        if need <= room:
            given[number] = need
            room -= need
    while room and (short := [at for at, rows in enumerate(given) if rows and rows < wanted[at]]):
        for at in short[:room]:
            given[at] += 1
        room -= len(short[:room])
    return given


def heading(status: IndexStatus, stats: dict[str, Any]) -> str:
    """``agentd: current, up 2 h 03 min``."""
    parts = [f"agentd: {output.clean(status['state'])}"]
    if (uptime := stats.get("process", {}).get("uptime_seconds")) is not None:
        parts.append(f"up {output.duration(uptime)}")
    views = stats.get("views", {}).items()
    parts += [output.clean(f"{name} view {view['behind']:,} behind") for name, view in views if view["behind"]]
    return ", ".join(parts)


def roots(status: IndexStatus) -> Section:
    """A row a root."""
    rows: list[Row] = [root_row(root) for root in sorted(status["roots"], key=lambda root: root["state"] == "current")]
    empty: list[Row] = [(line("  none yet: agentctl add .", "dim"),)]
    return Section("roots", rows or empty, least=1, stretch=0)


def root_row(root: RootInfo) -> Row:
    """One root: what it holds, and what is left to do or left out."""
    left = root["pending"] + root["vectors_pending"]
    notes = [f"{left:,} to do"] if left else []
    if root["skipped"]:
        notes.append(f"{sum(root['skipped'].values()):,} skipped")
    if root["state"] == "current" and (coverage := root.get("coverage", 100.0)) < 100:
        notes.append(f"{coverage:g} % watched")
    return (
        line("  " + output.clean(home(root["path"]))),
        Text(output.clean(root["state"]), STATES.get(root["state"], "yellow"), no_wrap=True),
        Text(f"{root['documents']:,} files", justify="right", no_wrap=True),
        line(", ".join(notes), "dim"),
    )


def models(status: IndexStatus) -> Section:
    """A row a model of the embedding chains and a row a server, where there is more than the model of the package."""
    spaces, servers = status.get("spaces", []), status.get("providers", [])
    if len(spaces) < 2 and not servers:
        return Section("models", [])
    rows: list[Row] = [
        model_row(f"embeds: {each['provider']}", each["state"], progress(each, spaces), each["reason"])
        for each in spaces
    ]
    rows += [model_row(f"server {each['name']}", each["state"], requests_of(each), each["reason"]) for each in servers]
    return Section("models", rows, least=1, stretch=3)


def model_row(name: str, state: str, figures: str, reason: str) -> Row:
    """One model or server."""
    return (
        line(f"  {output.clean(name)}"),
        Text(output.clean(state), STATES.get(state, "yellow"), no_wrap=True),
        Text(figures, no_wrap=True),
        line(output.clean(reason), "dim"),
    )


def home(path: str) -> str:
    """``path`` with ``~`` for the home directory."""
    own = os.path.expanduser("~")
    return "~" + path[len(own) :] if own != "/" and (path == own or path.startswith(own + "/")) else path


def within(path: str, roots: Sequence[str]) -> str:
    """``path`` from the root that holds it, or in full."""
    return next((path[len(root) + 1 :] for root in roots if path.startswith(root + "/")), path)


def requests(history: History) -> Section:
    """A row a method that was called: its rate, its times of the last minute, its curve."""
    recent_times = history.stats.get("server", {}).get("recent", {})
    rows: list[Row] = []
    for method in history.methods():
        times = recent_times.get(method, {})
        figures = f"{times['p50']:.1f} / {times['p99']:.1f} ms" if times.get("count") else "idle"
        rate = history.last(method)
        rows.append(
            (
                line("  " + output.clean(method)),
                Text(f"{rate:.1f}/s" if rate else "", justify="right", no_wrap=True),
                Text(figures, justify="right", no_wrap=True),
                Curve(history.curve(method)),
            )
        )
    empty: list[Row] = [(line("  none yet: agentctl search QUERY", "dim"),)]
    return Section("requests, p50 / p99 of the last minute", rows or empty, least=1, stretch=3)


def machine(history: History) -> Section:
    """Processor, memory, lanes, loop and disk."""
    status, stats = history.status, history.stats
    rows = [
        figure("processor", f"{100 * history.last('cpu'):.0f} %", Curve(history.curve("cpu"), top=1.0)),
        figure("memory", memory(stats), Curve(history.curve("memory"))),
    ]
    for name, lane in stats.get("compute", {}).get("lanes", {}).items():
        share = 100 * history.last(f"lane {name}") / max(lane["workers"], 1)
        queued = f", {lane['queued']:,} waiting" if lane["queued"] else ""
        text = f"{min(share, 100):.0f} % of {lane['workers']}{queued}"
        rows.append(figure(output.clean(name), text, Curve(history.curve(f"lane {name}"), lane["workers"])))
    if lag := stats.get("loop_lag"):
        rows.append(figure("loop lag", f"p99 {lag['p99_ms']:.1f} ms, worst {lag['max_ms']:.0f} ms", Text("")))
    if status is not None and status["disk_bytes"]:
        sizes = status["disk_bytes"]
        rows.append(figure("disk", output.size(sizes.get("total", sum(sizes.values()))), Text("")))
    return Section("daemon", rows, least=2, stretch=2)


def figure(name: str, text: str, drawn: RenderableType) -> Row:
    """A row of the section about the daemon."""
    return line(f"  {name}"), line(text), drawn


def memory(stats: dict[str, Any]) -> str:
    """Of all, and how many processes that is."""
    workers = len(stats.get("compute", {}).get("workers", []))
    own = stats.get("process", {}).get("rss_bytes", 0)
    return f"{output.size(memory_bytes(stats))} (daemon {output.size(own)}, {workers} workers)"


def recent(events: Sequence[str]) -> Section:
    """What happened last, the newest first."""
    return Section("recently", [(line(f"  {event}"),) for event in reversed(events)], least=1, stretch=0)


def told(event: dict[str, Any], roots: Sequence[str]) -> str:
    """An event of the index in a line, or nothing for what is not worth one. Files are named from their root on."""
    at = time.strftime("%H:%M:%S", time.localtime(event.get("at")))
    match event.get("event"):
        case "indexed":
            named = [within(path, roots) for path in event["paths"][:NAMED_FILES]]
            rest = event["files"] - len(named)
            text = f"read {', '.join(named)}" + (f" and {rest:,} more" if rest else "")
        case "root_added":
            text = f"root {home(event['path'])} added"
        case "root_removed":
            text = f"root {home(event['path'])} removed"
        case "scanned":
            if not event["removed"]:
                return ""  # what is new or changed is told once it was read
            text = f"{event['removed']:,} files are gone from {home(event['path'])}"
        case _:
            return ""
    return output.clean(f"{at}  {text}")
