"""Markdown cut into blocks while it streams."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agentd.cli.blocks import Blocks
from agentd.cli.markdown import Markdown

LINES = st.lists(st.sampled_from(["", "word", "# head", "- item", "  more", "```", "~~~~", "1. one", "    code"]))


def cut(text: str, size: int = 1000) -> list[str]:
    blocks = Blocks()
    found = [each for start in range(0, len(text), size) for each in blocks.write(text[start : start + size])]
    return [*found, *blocks.end()]


@pytest.mark.parametrize(
    "blocks",
    [
        ["One\ntwo.\n\n", "Three."],
        ["- one\n\n- two\n\n  more\n\n", "After."],
        ["1. one\n\n2. two\n"],
        ["```\na\n\nb\n```\n\n", "After."],
        ["~~~~\n~~~\n\nb\n~~~~\n\n", "After."],
        ["```python\n\nnever closed\n\nand so on"],
        ["`a``b`\n\n", "no fence\n\n", "``` `x`\n\n", "nor that"],
        ["Text:\n\n    indented\n\n", "After."],
    ],
)
def test_blocks_end_where_nothing_can_change_them_any_more(blocks: list[str]) -> None:
    assert cut("".join(blocks)) == blocks


@given(LINES, st.integers(1, 9))
def test_all_blocks_are_the_text_however_it_comes(lines: list[str], size: int) -> None:
    text = "\n".join(lines)
    assert "".join(cut(text, size)) == text
    assert cut(text, size) == cut(text)


def drawn(text: str) -> str:
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)
    console.print(Markdown(text))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "<script>x</script>",
        "Vec<T> of it",
        "[1]: http://hidden",
        "&#x202e;&amp;",
        "a <b>c</b>",
        "[bold]x[/bold]",
        ":smile:",
    ],
)
def test_nothing_that_was_written_is_hidden_or_becomes_other_letters(text: str) -> None:
    assert text in drawn(text)


@pytest.mark.parametrize("text", ["[here](http://a/b)", "![here](http://a/b)", "<http://a/b>"])
def test_an_address_is_shown_and_is_no_link(text: str) -> None:
    assert "http://a/b" in drawn(text)
    assert "\x1b]8" not in drawn(text)
