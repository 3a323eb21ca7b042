"""Markdown of others, drawn with rich: nothing of it is hidden, and nothing of it is a link but to what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from markdown_it import MarkdownIt
from rich import markdown
from rich.syntax import Syntax

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult

UNWANTED = ["html_block", "html_inline", "reference", "image", "entity"]
"""Rules that would hide text, or make letters of it that were cleaned away."""

CITATION = r"\[\d+(?:, ?\d+)*\]"


class Paragraph(markdown.Paragraph):
    """A paragraph whose citation marks stay in the background."""

    def on_leave(self, context: markdown.MarkdownContext) -> None:
        """All of its text is there."""
        self.text.highlight_regex(CITATION, "dim")
        super().on_leave(context)


class Heading(markdown.Heading):
    """A heading at the margin."""

    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {}


class CodeBlock(markdown.CodeBlock):
    """Code on the terminal's own background, with no more room around it than a paragraph has."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        yield Syntax(code, self.lexer_name, theme=self.theme, word_wrap=True, padding=(0, 2))


class Markdown(markdown.Markdown):
    """Text of a model. Tags stay text, since rich leaves out what it does not know; so do definitions of links, which
    would vanish. An address is written out beside its words.
    """

    elements: ClassVar[dict[str, type[markdown.MarkdownElement]]] = {
        **markdown.Markdown.elements,
        "paragraph_open": Paragraph,
        "heading_open": Heading,
        "fence": CodeBlock,
        "code_block": CodeBlock,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", code_theme="ansi_dark", justify="default", hyperlinks=False)
        self.parsed = MarkdownIt("commonmark").enable("table").disable(UNWANTED).parse(text)
