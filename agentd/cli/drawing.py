"""Text of a model as a terminal shows it, drawn with rich: in blocks, no wider than is easy to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.segment import Segment
from rich.theme import Theme

from agentd.cli import output
from agentd.cli.blocks import Blocks

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType, RenderResult

WIDEST = 100
"""Columns of a text that is easy to read."""

THEME = Theme({"markdown.code": "cyan", **{f"markdown.h{level}": "bold" for level in range(1, 7)}})


def console_on(screen: output.Screen) -> Console:
    """Standard output, on which nothing means anything but Markdown that was parsed."""
    return Console(no_color=not screen.colour, highlight=False, markup=False, emoji=False, theme=THEME)


def drawn(text: str) -> RenderableType:
    """Text of a model."""
    from agentd.cli.markdown import Markdown  # noqa: PLC0415  # as much to load as rich; the first event is shown before

    return Markdown(output.clean(text))


def lines_of(what: RenderableType, console: Console) -> list[Line]:
    """``what`` as lines that can be counted, without empty ones before and behind it."""
    options = console.options.update(width=min(console.width, WIDEST), height=None)
    lines = [Line(segments) for segments in console.render_lines(what, options, pad=False)]
    inked = [number for number, line in enumerate(lines) if line.segments]
    return lines[inked[0] : inked[-1] + 1] if inked else []


def text_lines(text: str, screen: output.Screen) -> list[str]:
    """Text of a model as lines for a terminal, which are those that ``agentctl agent`` shows as they are written."""
    console = console_on(screen)
    lines: list[RenderableType] = []
    for block in blocks_of(text):
        lines += ["", *lines_of(drawn(block), console)]
    with console.capture() as captured:
        console.print(Group(*lines[1:]), width=min(console.width, WIDEST))
    return captured.get().removesuffix("\n").split("\n")


def blocks_of(text: str) -> list[str]:
    """The blocks of ``text`` that have anything in them."""
    blocks = Blocks()
    return [block for block in (*blocks.write(text), *blocks.end()) if block.strip()]


class Line:
    """A line that is rendered already, without the spaces at its end, which nobody wants to copy."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        while self.segments and not self.segments[-1].text.strip():
            self.segments.pop()
        if self.segments:
            text, style, _ = self.segments[-1]
            self.segments[-1] = Segment(text.rstrip(), style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.segments
        yield Segment.line()
