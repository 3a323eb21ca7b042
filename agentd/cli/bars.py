"""Bars of progress, drawn with rich."""

from __future__ import annotations

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.console import RenderableType

    from agentd.protocol import IndexStatus

BAR_COLUMNS = 28


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
