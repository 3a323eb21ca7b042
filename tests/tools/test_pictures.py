"""Pictures for people who read the README, and the terminal that they are drawn from."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from terminal_screen import TerminalScreen

PICTURES = sorted((Path(__file__).parents[2] / "docs" / "pictures").glob("*.svg"))


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_loads_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # a file of ours
    assert len(text) <= 60_000
    assert not re.search(r"url\((?!#)|@import|font-face|href|<script", text)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("one\r\ntwo", "one\ntwo"),
        ("12345678901", "1234567890\n1"),  # at the margin the line goes on with the next letter
        ("1234567890\r\n1", "1234567890\n1"),
        ("123456789漢", "123456789\n漢"),
        ("a\r\nb\x1b[1A\rc", "c\nb"),
        ("old\r\x1b[2Knew", "new"),
        ("\x1b]8;;file:///a\x1b\\link\x1b]8;;\x1b\\", "link"),
    ],
)
def test_the_screen_shows_what_a_terminal_would(written: str, seen: str) -> None:
    screen = TerminalScreen(10, 4)
    screen.write(written)
    assert screen.text() == seen


def test_styles_and_links_are_kept() -> None:
    screen = TerminalScreen(10, 4)
    screen.write("\x1b[1m\x1b[31mred\x1b[0m no")
    assert screen.ansi() == "\x1b[0;1;31mred\x1b[0m no"


@pytest.mark.parametrize("written", ["\x07", "\x1b]0;title\x07", "\x1b[2J", "\x9b1m", "\x00"])
def test_what_agentctl_never_sends_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        TerminalScreen().write(written)
