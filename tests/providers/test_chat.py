from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_harness import ASK, ROOT, USAGE, WHOLE, Asked, Reply, delta, events, failure, providers
from provider_harness import scripted_server as scripted

from agentd.config.settings import ProviderSettings, RootSettings
from agentd.errors import EgressError, NoProviderError, ProviderAnswerError, ProviderError, ProviderUnavailableError
from agentd.providers.contracts import (
    Discarded,
    Finished,
    Message,
    Outgoing,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    Usage,
)
from agentd.providers.ollama import OllamaReader
from agentd.providers.openai import OpenAIReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from provider_harness import ScriptedServer

    from agentd.providers.build import Providers
    from agentd.providers.contracts import ChatEvent, ChatModel, ChatRequest

BOX = ProviderSettings(name="box", kind="openai", chat_model="talk", retries=0, timeout_seconds=0.5)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def spare() -> AsyncIterator[ScriptedServer]:
    async with scripted() as spare:
        yield spare


@pytest.fixture
async def built(server: ScriptedServer, spare: ScriptedServer, tmp_path: Path) -> AsyncIterator[Providers]:
    """A chain of an OpenAI and an Ollama."""
    box = msgspec.structs.replace(BOX, base_url=server.url)
    other = msgspec.structs.replace(BOX, base_url=spare.url, name="spare", kind="ollama", context_tokens=4096)
    spare.replies(ollama(*SPARE))
    async with providers(tmp_path, box, other, chain=("box", "spare")) as built:
        yield built


def ollama(*lines: object) -> Reply:
    return Reply(*[json.dumps(line).encode() + b"\n" for line in lines], kind="application/x-ndjson")


SPARE = (
    {"message": {"role": "assistant", "content": "A "}, "done": False},
    {"message": {"content": "spare."}, "done": False},
    {"message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 4, "eval_count": 2},
)
SPARED: list[ChatEvent] = [
    Text("A "),
    Text("spare."),
    Finished("spare", "talk", "end", Usage(4, 2, counted=True)),
]


async def collect(model: ChatModel, request: ChatRequest = ASK) -> list[ChatEvent]:
    return [event async for event in model.stream(request)]


async def test_an_answer_comes_in_pieces_and_ends_with_its_usage(server: ScriptedServer, built: Providers) -> None:
    server.replies(events(delta(role="assistant", reasoning_content="hm "), delta(reasoning="so"), *WHOLE, USAGE))
    assert await collect(built.chats["box"]) == [
        Thinking("hm "),
        Thinking("so"),
        Text("It is "),
        Text("a daemon."),
        Finished("box", "talk", "end", Usage(11, 7, counted=True)),
    ]
    assert server.asked[0].path == "/chat/completions"
    assert server.asked[0].body["messages"] == [{"role": "user", "content": "what is agentd?"}]
    assert built.statuses()[0].state == "ok"


async def test_fragments_of_tool_calls_are_put_together_by_index(server: ScriptedServer, built: Providers) -> None:
    def call(index: int, text: str, **members: object) -> dict[str, object]:
        return delta(tool_calls=[{"index": index, "function": {"arguments": text, **members}, "id": f"c{index}"}])

    server.replies(
        events(
            call(0, '{"a"', name="find"), call(1, "{", name="list"), call(0, ": 1}"), call(1, "}"), delta("tool_calls")
        )
    )
    finished = (await collect(built.chats["box"]))[-1]
    assert isinstance(finished, Finished)
    assert finished.stop == "tools"
    assert finished.tool_calls == (ToolCall("c0", "find", '{"a": 1}'), ToolCall("c1", "list", "{}"))
    assert not finished.usage.counted


async def test_a_conversation_with_tools_and_a_schema_has_the_shape_of_each_kind(
    server: ScriptedServer, spare: ScriptedServer, built: Providers
) -> None:
    said = (
        Message(Role.SYSTEM, "be brief"),
        Message(Role.ASSISTANT, "", tool_calls=(ToolCall("c1", "find", '{"name": "x"}'),)),
        Message(Role.TOOL, "found", tool_call_id="c1"),
    )
    tool = Tool("find", "finds", {"type": "object"})
    request = msgspec.structs.replace(ASK, messages=said, tools=(tool,), schema={"type": "object"})
    server.replies(events(*WHOLE))
    await collect(built.chats["box"], request)
    await collect(built.chats["spare"], request)
    ours, theirs = server.asked[0].body, spare.asked[0].body
    assert ours["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"name": "x"}'
    assert ours["messages"][2] == {"role": "tool", "content": "found", "tool_call_id": "c1"}
    assert ours["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert ours["tools"] == theirs["tools"]
    assert theirs["messages"][1]["tool_calls"] == [{"function": {"name": "find", "arguments": {"name": "x"}}}]
    assert theirs["messages"][2] == {"role": "tool", "content": "found", "tool_name": "find"}
    assert theirs["format"] == {"type": "object"}
    assert theirs["options"] == {"num_ctx": 4096, "num_predict": 64, "temperature": 0.0}


async def test_ollama_gives_arguments_as_objects(spare: ScriptedServer, built: Providers) -> None:
    function = {"name": "find", "arguments": {"a": 1}}
    spare.replies(
        ollama(
            {"message": {"thinking": "hm", "tool_calls": [{"function": function}]}, "done": False},
            {"done": True, "done_reason": "length"},
        )
    )
    assert await collect(built.chats["spare"]) == [
        Thinking("hm"),
        Finished("spare", "talk", "tools", Usage(6, 1), (ToolCall("call_0", "find", '{"a": 1}'),)),
    ]


async def test_members_that_a_server_does_not_know_are_left_out_or_renamed(
    server: ScriptedServer, built: Providers
) -> None:
    def picky(asked: Asked) -> Reply:
        for name in ("stream_options", "temperature", "max_tokens"):
            if name in asked.body:
                return failure("400 Bad Request", f"Unsupported parameter: '{name}'")
        return events(*WHOLE)

    server.script = picky
    for _ in range(2):
        assert (await collect(built.chats["box"]))[0] == Text("It is ")
    assert len(server.asked) == 5
    assert server.asked[-1].body["max_completion_tokens"] == 64


async def test_why_a_server_breaks_off_is_told(server: ScriptedServer, built: Providers) -> None:
    server.replies(HALVES["says that it failed"])
    with pytest.raises(ProviderUnavailableError, match=r"broke off its answer \(out of memory\)"):
        await collect(built.chats["box"])


HALVES: dict[str, Reply] = {
    "ends early": events(*WHOLE[:1], done=False),
    "says done too early": events(*WHOLE[:1]),
    "says that it failed": events(*WHOLE[:1], {"error": {"message": "out of memory"}}),
    "is no JSON": Reply(
        b'data: {"choices": [{"delta": {"content": "It"}}]}\n\ndata: {"cho\n\n', kind="text/event-stream"
    ),
    "falls silent": Reply(
        b'data: {"choices": [{"delta": {"content": "It"}}]}\n\n', kind="text/event-stream", hang=True
    ),
    "is cut": Reply(b'data: {"choices": [{"delta": {"content": "It"}}]}\n\n', kind="text/event-stream", length=10_000),
    "is filtered": events(*WHOLE[:1], delta("content_filter")),
}


@pytest.mark.parametrize("how", HALVES)
async def test_half_an_answer_is_declared_void_and_the_next_begins_anew(
    how: str, server: ScriptedServer, built: Providers
) -> None:
    server.replies(HALVES[how])
    assert built.chat is not None
    found = await collect(built.chat)
    assert isinstance(found[0], Text)
    assert isinstance(found[1], Discarded)
    assert found[1].provider == "box/talk"
    assert found[2:] == SPARED


@pytest.mark.parametrize("how", HALVES)
async def test_alone_it_is_an_error(how: str, server: ScriptedServer, built: Providers) -> None:
    server.replies(HALVES[how])
    seen: list[ChatEvent] = []
    with pytest.raises(ProviderError):  # noqa: PT012  the events before it are looked at
        async for event in built.chats["box"].stream(ASK):
            seen.append(event)  # noqa: PERF401  those before the error count
    assert [type(event) for event in seen] == [Text]


async def test_what_fails_before_it_began_passes_unseen(server: ScriptedServer, built: Providers) -> None:
    server.replies(failure("500 Broken"))
    assert built.chat is not None
    for _ in range(5):
        assert await collect(built.chat) == SPARED
    assert len(server.asked) == 3  # then it is left alone
    assert built.chat.context_tokens == 4096
    assert built.chat.name == "box/talk -> spare/talk"


async def test_one_error_names_all_that_failed(server: ScriptedServer, spare: ScriptedServer, built: Providers) -> None:
    server.replies(failure("500 Broken"))
    spare.replies(ollama(*SPARE[:1], {"error": "no memory left"}))
    assert built.chat is not None
    with pytest.raises(NoProviderError) as failed:
        await collect(built.chat)
    assert "box/talk: provider box answered 500" in failed.value.message
    assert "spare/talk: provider spare broke off its answer (no memory left)" in failed.value.message
    assert failed.value.details["providers"] == {
        "box/talk": "provider_unavailable",
        "spare/talk": "provider_unavailable",
    }


async def test_a_provider_that_a_root_does_not_allow_is_passed_over(spare: ScriptedServer, tmp_path: Path) -> None:
    away = msgspec.structs.replace(BOX, base_url="https://models.example/v1")
    here = msgspec.structs.replace(BOX, base_url=spare.url, name="spare", kind="ollama")
    spare.replies(ollama(*SPARE))
    async with providers(tmp_path, away, here, chain=("box", "spare")) as built:
        assert built.chat is not None
        assert await collect(built.chat) == SPARED
        assert built.statuses()[0].state == "untried"
    async with providers(tmp_path, away, chain=("box",)) as built:
        assert built.chat is not None
        with pytest.raises(EgressError, match=ROOT):
            await collect(built.chat)
    async with providers(tmp_path, away) as built:
        assert built.chat is None


async def test_secrets_are_cut_out_of_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = msgspec.structs.replace(BOX, base_url="https://models.example/v1")
    key = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    said = (Message(Role.USER, f"my {key}"), Message(Role.ASSISTANT, "x", tool_calls=(ToolCall("c", "f", f'"{key}"'),)))
    request = msgspec.structs.replace(ASK, messages=said)
    async with providers(tmp_path, away, rules=[RootSettings(path=ROOT, egress=("chat",))]) as built:
        sent = await built.chats["box"]._admitted(request)
        assert key not in str(sent)
        assert sent.messages[0].content.startswith("my [")
        assert sent.messages[1].tool_calls[0].name == "f"
        nobody = msgspec.structs.replace(request, outgoing=Outgoing("chat", frozenset()))
        with pytest.raises(EgressError):
            await built.chats["box"]._admitted(nobody)


async def test_who_stops_listening_stops_the_model(server: ScriptedServer, built: Providers) -> None:
    server.replies(HALVES["falls silent"])
    stream = built.chats["box"].stream(ASK)
    assert await anext(stream) == Text("It")
    await stream.aclose()
    assert built.chats["box"]._server.limiter._open == 0
    assert built.statuses()[0].state == "untried"


def told(message: str) -> str:
    return message


def events_of(reader: Any, data: bytes, cuts: list[int]) -> list[ChatEvent]:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    return [*(event for piece in pieces for event in reader.feed(piece)), *reader.end(), reader.finished()]


@given(st.lists(st.integers(0, 600), max_size=30))
def test_no_cut_of_the_bytes_changes_the_events(cuts: list[int]) -> None:
    ours = b"".join(events(delta(content="Größe \u2028 "), *WHOLE, USAGE).pieces)
    reader = OpenAIReader(BOX, Usage(), told)
    assert events_of(reader, ours, cuts) == [
        Text("Größe \u2028 "),
        Text("It is "),
        Text("a daemon."),
        Finished("box", "talk", "end", Usage(11, 7, counted=True)),
    ]
    other = OllamaReader(msgspec.structs.replace(BOX, name="spare"), Usage(), told)
    assert events_of(other, b"".join(ollama(*SPARE).pieces), cuts) == SPARED


@given(st.binary(max_size=300), st.sampled_from([OpenAIReader, OllamaReader]))
def test_rubbish_is_an_error_of_ours_or_nothing(data: bytes, kind: type[OpenAIReader | OllamaReader]) -> None:
    reader = kind(BOX, Usage(), told)
    with pytest.raises((ProviderAnswerError, ProviderUnavailableError)):
        events_of(reader, b"data: " + data if kind is OpenAIReader else data, [10, 20])
