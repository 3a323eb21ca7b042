"""An answer on a terminal, as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.cli.answers import Writer, styled, whole_words
from agentd.cli.output import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = Screen(is_terminal=True, colour=False, links=False, columns=80, rows=24)
COLOUR = Screen(is_terminal=True, colour=True, links=False, columns=80, rows=24)
PIECES = st.lists(st.sampled_from(["# ", "word ", "`a b` ", "`", "**b**", "**", "[1]", "[", "]", "\n", " "]))


def shown(pieces: Sequence[str], screen: Screen, capsys: pytest.CaptureFixture[str]) -> str:
    writer = Writer(screen)
    for piece in pieces:
        writer.write(piece)
    writer.end()
    return capsys.readouterr().out


def test_words_are_shown_before_their_line_ends(capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(PLAIN)
    writer.write("It waits lon")
    assert capsys.readouterr().out == "It waits "
    writer.write("ger [1]. And")
    assert capsys.readouterr().out == "longer [1]. "
    writer.end()
    assert capsys.readouterr().out == "And\n"


@pytest.mark.parametrize(
    ("line", "ready"),
    [
        ("a `b c", "a "),
        ("a `b c` d", "a `b c` "),
        ("a **b c", "a "),
        ("a [1, 2", "a "),
        ("# a head", ""),
        ("word", ""),
    ],
)
def test_styles_and_marks_are_not_torn(line: str, ready: str) -> None:
    assert line[: whole_words(line, begun=False)] == ready


def test_a_number_sign_within_a_line_is_no_heading(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(["a b ", "# c d"], COLOUR, capsys) == "a b # c d\n"


def test_pieces_look_as_the_whole_line_does(capsys: pytest.CaptureFixture[str]) -> None:
    line = "# Of `a b`\n**It is** so [1, 2], says `x`. And\n"
    whole = "".join(f"{styled(each, COLOUR)}\n" for each in line.splitlines())
    assert shown(list(line), COLOUR, capsys) == whole


def test_what_is_void_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(PLAIN)
    writer.write("Half an ans")
    writer.discard()
    writer.write("All of it.")
    writer.end()
    assert capsys.readouterr().out == "Half an \n(begun anew, for a reason that is told below)\n\nAll of it.\n"


@given(PIECES)
def test_no_text_is_lost(pieces: list[str]) -> None:
    written: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda text, end="\n": written.append(text + end))
        writer = Writer(PLAIN)
        for piece in pieces:
            writer.write(piece)
        writer.end()
    assert "".join(written).rstrip("\n") == "".join(pieces).rstrip("\n")
