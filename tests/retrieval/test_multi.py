from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest
from found_passages import found, passage
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from agentd.config.settings import SearchSettings
from agentd.errors import AgentdError, DeadlineError
from agentd.retrieval.multi import FIRST_WEIGHT, MultiSearcher, fused_passages
from agentd.retrieval.packer import Packer
from agentd.retrieval.results import Explanation, FoundBy, SearchQuery, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.retrieval.outline import Definition
    from agentd.retrieval.passages import Found, Passage

PASSAGES = {chunk: passage((20 * chunk, 20 * chunk + 5), chunk=chunk) for chunk in range(1, 9)}


class NoSymbols:
    async def overlapping(self, spans: Sequence[tuple[int, int, int]]) -> list[list[Definition]]:
        return [[] for _ in spans]


class Scripted:
    """Finds what the test says, once every query has been asked: they must run at the same time."""

    settings = SearchSettings()

    def __init__(self, **finds: Found | AgentdError) -> None:
        self.finds = finds
        self.all_asked = asyncio.Barrier(len(finds))

    async def find(self, query: SearchQuery) -> Found:
        async with asyncio.timeout(5):
            await self.all_asked.wait()
        outcome = self.finds[query.text]
        if isinstance(outcome, AgentdError):
            raise outcome
        return outcome


async def ask(finder: Scripted, **options: int) -> SearchResult:
    queries = [SearchQuery(text, 10, **options) for text in finder.finds]  # type: ignore[arg-type]  # flags are bools
    return await MultiSearcher(finder, Packer(NoSymbols())).search(queries)


def ranking(*chunks: int) -> Found:
    return found(*(PASSAGES[chunk] for chunk in chunks))


async def test_queries_run_at_once_and_each_passage_says_who_found_it() -> None:
    result = await ask(Scripted(first=ranking(1, 2, 3), second=ranking(4, 2)))
    assert [hit.start_line // 20 for hit in result.hits] == [2, 1, 3, 4]
    assert result.hits[0].queries == [FoundBy(0, 2), FoundBy(1, 2)]
    assert result.hits[3].queries == [FoundBy(1, 1)]
    assert (result.total, result.complete, result.degraded) == (4, True, [])


async def test_one_query_alone_is_answered_as_it_was_ranked() -> None:
    result = await ask(Scripted(only=ranking(3, 1)))
    assert [(hit.start_line, hit.score, hit.queries) for hit in result.hits] == [(60, 1.0, UNSET), (20, 1.0, UNSET)]
    with pytest.raises(DeadlineError):
        await ask(Scripted(only=DeadlineError("late")))


async def test_each_query_is_explained_where_it_was_asked_for() -> None:
    made = Explanation("question", [], [], {}, {})
    explained = replace(ranking(1), explanation=made)
    result = await ask(Scripted(first=explained, second=DeadlineError("late"), third=explained))
    assert (result.explanation, result.explanations) == (UNSET, [made, None, made])
    assert (await ask(Scripted(first=ranking(1), second=ranking(2)))).explanations is UNSET


async def test_neighbours_found_by_different_queries_are_one_hit() -> None:
    upper, lower = passage((1, 5)), passage((6, 9))
    result = await ask(Scripted(first=found(upper), second=found(lower)), merge=True)
    (hit,) = result.hits
    assert (hit.start_line, hit.end_line, hit.queries) == (1, 9, [FoundBy(0, 1), FoundBy(1, 1)])


async def test_one_that_fails_is_named_and_the_others_stand() -> None:
    failing: dict[str, Found | AgentdError] = {
        "first": ranking(1),
        "x" * 60: DeadlineError("nothing was found within 5 ms"),
    }
    result = await ask(Scripted(**failing))
    assert [hit.start_line for hit in result.hits] == [20]
    assert result.degraded == [f"query 2 ({'x' * 40}…): nothing was found within 5 ms"]
    assert not result.complete


async def test_when_all_fail_the_first_failure_is_the_answer() -> None:
    with pytest.raises(DeadlineError, match="one"):
        await ask(Scripted(first=DeadlineError("one"), second=DeadlineError("two")))


async def test_what_every_query_says_is_said_once_and_what_one_says_names_it() -> None:
    late = found(PASSAGES[1], degraded=("vector: 3 chunks are not embedded yet",))
    result = await ask(Scripted(first=late, second=replace(late, cut=["nothing relevant"]), third=late))
    assert result.degraded == ["vector: 3 chunks are not embedded yet"]
    assert result.cut == ["query 2 (second): nothing relevant"]
    assert not result.complete


def test_a_passage_is_doubtful_only_where_all_that_found_it_doubt() -> None:
    def judged(chunk: int, confidence: Literal["high", "low"]) -> Passage:
        return replace(PASSAGES[chunk], hit=replace(PASSAGES[chunk].hit, confidence=confidence))

    lists = [[judged(1, "low"), judged(2, "low")], [judged(3, "high"), judged(2, "high")]]
    assert {each.chunk_ids[0]: each.hit.confidence for each in fused_passages(lists, 10)} == {
        1: "low", 2: "high", 3: "high"
    }  # fmt: skip


async def test_the_answer_is_as_relevant_as_the_surest_query_says() -> None:
    founds = {name: replace(ranking(1), relevance=relevance) for name, relevance in (("a", 0.2), ("b", 0.7))}
    assert (await ask(Scripted(**founds, c=ranking(2)))).relevance == 0.7
    assert (await ask(Scripted(a=ranking(1), b=ranking(2)))).relevance is None


async def test_queries_that_find_nothing_find_nothing_together() -> None:
    result = await ask(Scripted(first=found(), second=found()))
    assert (result.hits, result.total, result.complete) == ([], 0, True)


def test_the_first_query_counts_double() -> None:
    one, two = [PASSAGES[1]], [PASSAGES[2]]
    assert [each.hit.score for each in fused_passages([one, two, two], 10)] == [round(FIRST_WEIGHT / 11, 6)] * 2
    assert fused_passages([one, two], 10)[0].chunk_ids == (1,)


def test_a_passage_is_as_the_query_that_ranks_it_best_has_it() -> None:
    worse = replace(PASSAGES[1], hit=replace(PASSAGES[1].hit, context="of the second"))
    assert fused_passages([[PASSAGES[1]], [PASSAGES[2], worse]], 10)[0].hit.context == ""


@given(st.lists(st.lists(st.integers(1, 8), unique=True), min_size=1, max_size=8), st.integers(1, 60))
def test_every_passage_comes_once_and_knows_all_its_ranks(lists: list[list[int]], rrf_k: int) -> None:
    fused = fused_passages([[PASSAGES[chunk] for chunk in chunks] for chunks in lists], rrf_k)
    by_chunk = {each.chunk_ids[0]: each.hit for each in fused}
    assert sorted(by_chunk) == sorted({chunk for chunks in lists for chunk in chunks})
    for chunk, hit in by_chunk.items():
        expected = [FoundBy(n, chunks.index(chunk) + 1) for n, chunks in enumerate(lists) if chunk in chunks]
        assert hit.queries == expected
    scores = [each.hit.score for each in fused]
    assert scores == sorted(scores, reverse=True)
