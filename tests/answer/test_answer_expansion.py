"""A question in other words: by rule, by a model that is quick enough, and never against the answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from answer_harness import ScriptedChat, done, question, writes
from hypothesis import given
from hypothesis import strategies as st

from agentd.answer.expansion import Expander, by_rule
from agentd.answer.sources import Documents, Web
from agentd.errors import EgressError
from agentd.providers.contracts import Outgoing
from agentd.providers.web.contracts import WebPassage, WebResult
from agentd.retrieval.results import Hit, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.retrieval.results import SearchQuery

ASKED = question("why does Session.get merge cookies twice?")


def test_rules_give_the_question_its_content_and_its_names() -> None:
    assert by_rule(ASKED) == [ASKED.text, "Session.get merge cookies twice", "Session.get"]


async def test_a_model_gives_other_words_for_the_question_alone() -> None:
    chat = writes(
        '{"queries": ["cookie jar', ' merging", "WHY does Session.get merge cookies twice?", "merge_cookies"]}'
    )
    found = await Expander(chat).expand(ASKED)
    assert found.queries == ["cookie jar merging", "merge_cookies"]
    assert found.usage.input_tokens == 100
    assert chat.requests[0].schema is not None
    assert chat.requests[0].outgoing.roots == ASKED.roots


@pytest.mark.parametrize("text", ["Session.get", "src/engine/retry.py", "two words"])
async def test_a_name_has_no_other_words(text: str) -> None:
    chat = writes('{"queries": ["a b", "c d"]}')
    assert not (await Expander(chat).expand(question(text))).queries
    assert not chat.requests


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([30.0], "not ready within 0.1 s"),
        (["nonsense"], "something else"),
        ([EgressError("not allowed")], "not allowed"),
    ],
)
async def test_a_model_that_is_late_or_wrong_is_named(pieces: list[object], said: str) -> None:
    began = time.monotonic()
    found = await Expander(ScriptedChat(lambda _request: [*pieces, done()]), seconds=0.1).expand(ASKED)
    assert said in found.problem
    assert time.monotonic() - began < 1


@given(text=st.text(max_size=200))
async def test_whatever_a_model_gives_is_taken_or_named(text: str) -> None:
    found = await Expander(writes(text)).expand(ASKED)
    assert found.queries or found.problem or text


class Searches:
    """Finds a line for each query, and notes how it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def search(self, queries: Sequence[SearchQuery]) -> SearchResult:
        self.asked.append([query.text for query in queries])
        line = len(self.asked)
        hit = Hit("/r/a.py", "/r", line, line, "python", "code", "", "", 1.0, "x\n", stale=False)
        return SearchResult([hit], 1, 1, True, [], [], [], 1.0)  # noqa: FBT003  # in the order of its fields


async def test_other_words_are_searched_for_too() -> None:
    searches = Searches()
    documents = Documents(searches, Expander(writes('{"queries": ["cookie jar", "merge_cookies"]}')))
    found = await documents.retrieve(ASKED)
    assert searches.asked == [[ASKED.text], ["cookie jar", "merge_cookies"]]
    assert [each.start_line for each in found.passages] == [1, 2]
    assert found.usage.counted


async def test_rules_stand_in_for_a_model_that_is_late() -> None:
    searches = Searches()
    documents = Documents(searches, Expander(ScriptedChat(lambda _request: [30.0]), seconds=0.1))
    found = await documents.retrieve(ASKED)
    assert searches.asked == [[ASKED.text], by_rule(ASKED)]  # as one search, ranked as without a model
    assert any("query expansion" in each for each in found.problems)


class Pages:
    """Finds one passage of the web, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Outgoing]] = []

    async def retrieve(self, query: str, outgoing: Outgoing, _deadline: float) -> WebResult:
        self.asked.append((query, outgoing))
        passage = WebPassage("https://a.example/p", "A page", "text", 3, 4, "Heading", 1.5, "hash")
        return WebResult([passage], [], [], ["one page could not be read"])


async def test_the_web_is_asked_with_the_question_on_behalf_of_every_root() -> None:
    pages = Pages()
    found = await Web(pages).retrieve(ASKED)
    assert pages.asked == [(ASKED.text, Outgoing("web", ASKED.roots))]
    assert found.problems == ["one page could not be read"]
    assert (found.passages[0].url, found.passages[0].path, found.passages[0].start_line) == (
        "https://a.example/p",
        "",
        3,
    )
