from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from found_passages import found, passage

from agentd.retrieval.outline import outlined
from agentd.retrieval.packer import Packer
from agentd.retrieval.results import SearchQuery

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Known:
    qualified: str
    signature: str
    start_line: int
    end_line: int


SESSION = [
    Known("Session", "class Session:", 1, 60),
    Known("Session.get", "def get(self, url)", 12, 30),
    Known("Session.close", "", 31, 40),
    Known("open_session", "def open_session() -> Session", 62, 64),
]


class Symbols:
    """The catalogue's, for the documents of a test."""

    def __init__(self, known: dict[int, list[Known]]) -> None:
        self.known = known
        self.asked: list[tuple[int, int, int]] = []

    async def overlapping(self, spans: Sequence[tuple[int, int, int]]) -> list[list[Known]]:
        self.asked.extend(spans)
        return [
            [each for each in self.known.get(document, []) if each.start_line <= last and each.end_line >= first]
            for document, first, last in spans
        ]


def test_the_definitions_that_begin_in_a_hit_stand_for_its_text() -> None:
    assert outlined(passage((1, 70)), SESSION).hit.text == (
        "1: class Session:\n12:   def get(self, url)\n31:   Session.close\n62: def open_session() -> Session"
    )


def test_inside_of_a_definition_it_is_the_innermost_around() -> None:
    assert outlined(passage((20, 25)), SESSION).hit.text == "12:   def get(self, url)"
    assert outlined(passage((45, 50)), SESSION).hit.text == "1: class Session:"


def test_a_document_shows_its_headings_and_what_has_none_its_first_line() -> None:
    assert outlined(passage((8, 9), context="Guide > Retries"), []).hit.text == "8: Guide > Retries"
    assert outlined(passage((8, 9), text="\n  TIMEOUT = 3\r\nX = 1"), []).hit.text == "8: TIMEOUT = 3"


async def test_signatures_are_read_only_where_they_are_asked_for() -> None:
    symbols = Symbols({1: SESSION})
    many = found(passage((1, 10)), passage((62, 64)), passage((1, 3), document=2, context="Guide"))
    texts = [hit.text for hit in (await Packer(symbols).answer(many, SearchQuery("session", 10), 0.0)).hits]
    assert (texts[0].split("\n")[0], symbols.asked) == ("line 0001", [])
    query = SearchQuery("session", 10, signatures=True)
    texts = [hit.text for hit in (await Packer(symbols).answer(many, query, 0.0)).hits]
    assert texts == ["1: class Session:", "62: def open_session() -> Session", "1: Guide"]
    assert symbols.asked == [(1, 1, 10), (1, 62, 64), (2, 1, 3)]


async def test_a_budget_is_spent_on_signatures_where_they_are_asked_for() -> None:
    many = found(*(passage((100 * n + 1, 100 * n + 90), document=n, context="Guide") for n in range(1, 6)))
    whole = await Packer(Symbols({})).answer(many, SearchQuery("guide", 10, max_tokens=250), 0.0)
    heads = await Packer(Symbols({})).answer(many, SearchQuery("guide", 10, max_tokens=250, signatures=True), 0.0)
    assert (len(whole.hits), len(heads.hits)) == (1, 5)
    assert (heads.hits[0].start_line, heads.hits[0].end_line) == (101, 190)
    assert (whole.total, whole.generation, whole.complete) == (5, 7, True)
    assert len(whole.cut) == 2
    assert heads.cut == []
