"""Sources in parallel, each with its own end; text that is whole or void; citations that stand on disk."""

from __future__ import annotations

import asyncio
import time

import pytest
from answer_harness import FILES, ROOT, Pipeline, ScriptedChat, ScriptedSource, done, page, passage, question, writes

from agentd.answer.contracts import Off, SourceName
from agentd.answer.records import text_hash
from agentd.errors import DeadlineError, NoProviderError, ProviderUnavailableError, WebError
from agentd.providers.contracts import Discarded, Thinking

TRIES = passage()
CLOCK = passage("clock.py", 1, 2, source=SourceName.GRAPH)


async def test_sources_run_in_parallel_and_take_as_long_as_the_slowest() -> None:
    delays = {SourceName.DOCUMENTS: 0.5, SourceName.GRAPH: 1.5, SourceName.WEB: 1.0}
    pipeline = Pipeline()
    began = time.monotonic()
    answer = await pipeline.ask({name: ScriptedSource([TRIES], delay=delay) for name, delay in delays.items()})
    assert time.monotonic() - began <= 1.2 * max(delays.values())
    assert answer.timings["retrieval"] <= 1200 * max(delays.values())
    for name, delay in delays.items():
        assert answer.sources[name].milliseconds == pytest.approx(1000 * delay, abs=250)
    # The trace: each source is reported as it ends, not when all have.
    assert [event["name"] for event in pipeline.events if event["event"] == "source"] == ["documents", "web", "graph"]


async def test_a_source_that_fails_is_late_or_off_is_named_and_the_others_stand() -> None:
    pipeline = Pipeline()
    pipeline.asker.settings = type(pipeline.asker.settings)(source_limit_milliseconds=100)
    answer = await pipeline.ask(
        {
            SourceName.DOCUMENTS: ScriptedSource([TRIES]),
            SourceName.GRAPH: ScriptedSource(delay=30.0),
            SourceName.WEB: ScriptedSource(error=WebError("the server is down")),
        }
    )
    assert {name: each.state for name, each in answer.sources.items()} == {
        "documents": "ok",
        "graph": "timed_out",
        "web": "failed",
    }
    assert any("web: the server is down" in each for each in answer.degraded)
    assert any(each.startswith("graph: not ready") for each in answer.degraded)
    assert [each.text for each in answer.citations] == ["TRIES = 3\n"]


async def test_a_fault_of_ours_in_a_source_costs_that_source_alone() -> None:
    sources = {
        SourceName.DOCUMENTS: ScriptedSource([TRIES]),
        SourceName.GRAPH: ScriptedSource(error=ZeroDivisionError("secret")),
    }
    answer = await Pipeline().ask(sources)
    assert answer.sources["graph"].state == "failed"
    assert "secret" not in answer.sources["graph"].reason
    assert answer.citations


async def test_nothing_found_is_said_and_no_model_is_asked() -> None:
    chat = writes("I made this up [1].")
    answer = await Pipeline(chat).ask({SourceName.DOCUMENTS: ScriptedSource(), SourceName.WEB: Off("not asked for")})
    assert (answer.mode, answer.citations, chat.requests) == ("extractive", [], [])
    assert answer.sources["web"].reason == "not asked for"


async def test_nothing_in_time_is_an_error_and_not_nothing_found() -> None:
    with pytest.raises(DeadlineError):
        await Pipeline().ask({SourceName.DOCUMENTS: ScriptedSource([TRIES], delay=30.0)}, question(seconds=0.5))


async def test_an_answer_is_streamed_cited_judged_and_kept() -> None:
    pipeline = Pipeline(
        writes(Thinking("hm"), "There are 3 ", "`TRIES` [1]. There are 7 `TRIES` [1].", " Nice weather.")
    )
    answer = await pipeline.answer(TRIES, CLOCK)
    assert pipeline.streamed == answer.answer == "There are 3 `TRIES` [1]. There are 7 `TRIES` [1]. Nice weather."
    assert [each.supported for each in answer.claims] == [True, False, False]
    (citation,) = answer.citations
    assert (citation.path, citation.start_line, citation.end_line) == (f"{ROOT}/retry.py", 3, 3)
    assert citation.hash == text_hash("TRIES = 3\n")
    assert citation.supported is False
    assert (answer.mode, answer.model, answer.usage.output_tokens) == ("generated", "scripted/model", 10)
    assert pipeline.memory.answers == [answer]
    assert answer.roots == [ROOT]


async def test_half_an_answer_is_void_and_the_next_one_whole() -> None:
    chat = writes("Half of it [1] and ", Discarded("first", "reset"), "There are 3 tries [1].")
    pipeline = Pipeline(chat)
    answer = await pipeline.answer(TRIES)
    assert pipeline.streamed == answer.answer == "There are 3 tries [1]."
    assert any("first failed in the middle" in each for each in answer.degraded)


@pytest.mark.parametrize(
    "script",
    [
        [NoProviderError("a: refused; b: down")],
        ["Half an answer [1] and more ", ProviderUnavailableError("reset")],
        ["No end of the stream [1]. "],
        [done()],
        ["x " * 20_000],
    ],
    ids=["all failed", "died in the middle", "no end", "empty", "too long"],
)
async def test_a_model_that_fails_leaves_passages_as_they_stand(script: list[object]) -> None:
    pipeline = Pipeline(ScriptedChat(lambda _request: script))
    answer = await pipeline.answer(TRIES)
    assert answer.mode == "extractive"
    assert any(each.startswith("no model wrote this answer: ") for each in answer.degraded)
    assert pipeline.streamed == answer.answer
    assert "TRIES = 3" in answer.answer
    assert "Half" not in answer.answer


async def test_a_model_that_is_slower_than_the_deadline_leaves_an_extract() -> None:
    pipeline = Pipeline(ScriptedChat(lambda _request: ["Begun, ", "and ", 30, done()]))
    began = time.monotonic()
    answer = await pipeline.ask({SourceName.DOCUMENTS: ScriptedSource([TRIES])}, question(seconds=1.0))
    assert time.monotonic() - began < 1.0
    assert answer.mode == "extractive"
    assert pipeline.streamed == answer.answer


async def test_passages_that_changed_before_or_while_the_model_wrote_are_not_cited() -> None:
    def script(_request: object) -> list[object]:
        pipeline.disk.files[f"{ROOT}/clock.py"] = "def later():\n    pass\n"
        return ["There are 3 tries [1]. It is 42 [2].", done()]

    pipeline = Pipeline(ScriptedChat(script))
    lost = passage("retry.py", 9, 9, text="TRIES = 99\n")
    answer = await pipeline.answer(TRIES, CLOCK, lost)
    assert answer.answer == "There are 3 tries [1]. It is 42 ."
    assert [each.n for each in answer.citations] == [1]
    assert any("1 passages changed" in each for each in answer.degraded)
    assert any("citation 2 was taken out" in each for each in answer.degraded)


async def test_text_that_moved_is_cited_where_it_stands_now() -> None:
    pipeline = Pipeline()
    pipeline.disk.files[f"{ROOT}/retry.py"] = "# new\n# lines\n" + FILES[f"{ROOT}/retry.py"]
    answer = await pipeline.answer(TRIES)
    assert [(each.start_line, each.end_line) for each in answer.citations] == [(5, 5)]


async def test_text_of_a_root_that_was_not_asked_goes_nowhere() -> None:
    chat = writes("All of it [1][2].")
    pipeline = Pipeline(chat, dict(FILES) | {"/other/x.py": "private\n"})
    answer = await pipeline.answer(TRIES, passage("x.py", 1, 1, text="private\n", path="/other/x.py", root="/other"))
    assert "private" not in chat.requests[0].messages[1].content
    assert answer.roots == [ROOT]


async def test_the_web_is_marked_and_cited_by_address() -> None:
    chat = writes("It says so [1] at https://a.example/p and https://b.example/p.")
    web = ScriptedSource([page("https://a.example/p", "It says so.")])
    answer = await Pipeline(chat).ask({SourceName.WEB: web})
    assert "kind: web" in chat.requests[0].messages[1].content
    assert "https://a.example/p" in answer.answer
    assert "https://b.example" not in answer.answer
    assert answer.citations[0].url == "https://a.example/p"


async def test_a_cancelled_question_cancels_the_model() -> None:
    started, closed = asyncio.Event(), asyncio.Event()

    class Endless(ScriptedChat):
        async def stream(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG002  # never gets to it
            try:
                started.set()
                await asyncio.Event().wait()
                yield done()
            finally:
                closed.set()

    pipeline = Pipeline(Endless(lambda _request: []))
    task = asyncio.create_task(pipeline.answer(TRIES))
    async with asyncio.timeout(5):
        await started.wait()
        task.cancel()
        await asyncio.wait([task])
        await closed.wait()
    assert not pipeline.memory.answers
