"""Which lines of a long hit a terminal shows first."""

from __future__ import annotations

import pytest

from agentd.cli import hits, output

BEFORE = [
    "def patch(self):",
    '    """Sends a session PATCH."""',
    "    return self.send(self)",
    "    # objects to send",
    "",
]
AFTER = ["    body", "    body", "    body"]


def window(query: str, lines: list[str], symbol: str) -> str:
    """The first line that is shown of three."""
    view = hits.View(output.Screen(is_terminal=True), hits.pattern([query]), lines=3)
    return lines[hits.best_window(lines, view, symbol)]


@pytest.mark.parametrize(
    "line",
    [
        "    def send(self, request):",
        "pub async fn send<T>(&self) -> T {",
        "func (s *Session) send(r Request) error {",
        "static int send(struct session *s)",
        "  send(request) {",
        "class send extends Base {",
        "class send",
    ],
)
def test_a_definition_that_the_query_names_comes_first_though_neighbours_were_merged_before_it(line: str) -> None:
    assert window("Session.send", [*BEFORE, line, *AFTER], "Session.send") == line


def test_a_query_that_does_not_name_it_shows_the_line_of_most_terms_below_the_one_before() -> None:
    assert window("where is a PATCH sent", ["x", *BEFORE, "def send(self):", *AFTER], "Session.send") == "x"


def test_a_symbol_that_no_line_defines_shows_the_line_of_most_terms() -> None:
    lines = ["first", "second", "third", "the session that sends", "last"]
    assert window("Session.send", lines, "Session.send") == "third"
