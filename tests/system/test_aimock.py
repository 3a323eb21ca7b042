"""Our providers against a mock of OpenAI and Ollama that others wrote, which the official clients are asked too: what
they make of an answer is what we make of it, and what they raise an error for is none for us either.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from aimock import Json, Mock, aimock
from daemon_harness import QUICK, Daemon
from provider_harness import CHAT, EMBED, providers

from agentd.config.settings import ProviderSettings
from agentd.errors import AgentdError, ProviderAnswerError
from agentd.providers.contracts import ChatRequest, Discarded, Finished, Message, Role, Text, Thinking, Tool, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agentd.providers.contracts import ChatEvent, ChatModel

pytestmark = pytest.mark.system

PATIENT = 20.0

WEATHER = Tool("weather", "Of a city.", {"type": "object", "properties": {"city": {"type": "string"}}})
SCHEMA: Json = {
    "type": "object",
    "properties": {"queries": {"type": "array", "items": {"type": "string"}}},
    "required": ["queries"],
    "additionalProperties": False,
}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
LONG = "This answer is cut long before its end."
GOOD = "The wait is `2**attempt` seconds [1]."


def when(text: str, response: Json, **more: Any) -> Json:
    return {"match": {"userMessage": text}, "response": response} | more


CALLS = [{"name": "weather", "arguments": {"city": "Bern"}}, {"name": "clock", "arguments": {}}]
FIXTURES: list[Json] = [
    {"match": {"toolCallId": "call_0"}, "response": {"content": "It rains."}},
    {"match": {"model": "cuts"}, "response": {"content": LONG}, "chunkSize": 4, "latency": 20, "disconnectAfterMs": 70},
    when("a sentence", {"content": "It is a daemon [1].", "usage": USAGE}, chunkSize=3),
    when("a thought", {"content": "Yes.", "reasoning": "Let me see."}),
    when("a limit", {"content": "It is", "finishReason": "length"}),
    when("the tools", {"toolCalls": CALLS}),
    {"match": {"userMessage": "twice", "sequenceIndex": 0}, "response": {"error": {"message": "busy"}, "status": 503}},
    when("twice", {"content": "Now it goes."}),
    when("an object", {"content": {"queries": ["a", "b"]}}),
    when("cut", {"content": LONG}, chunkSize=4, latency=20, truncateAfterChunks=3),
    when("gone", {"content": LONG}, chunkSize=4, latency=20, disconnectAfterMs=70),
    when("limited", {"error": {"message": "Rate limited", "type": "rate_limit_error"}, "status": 429, "retryAfter": 7}),
    when("refused", {"error": {"message": "Bad key", "type": "authentication_error"}, "status": 401}),
    when("malformed", {"content": "x"}, chaos={"malformedRate": 1}),
    when("dropped", {"content": "x"}, chaos={"dropRate": 1}),
    when("unreachable", {"content": "x"}, chaos={"disconnectRate": 1}),
    when("late", {"content": "x"}, chaos={"latencyMs": 10_000}),
    when("how long does the wait", {"content": GOOD, "usage": USAGE}, chunkSize=5),
]  # fmt: skip


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    with aimock(tmp_path_factory.mktemp("aimock"), FIXTURES) as mock:
        yield mock


def settings(mock: Mock, kind: Any, name: str = "mock", **more: Any) -> ProviderSettings:
    base = mock.url + ("/v1" if kind == "openai" else "")
    fields: Json = {"chat_model": "m", "retries": 0, "timeout_seconds": PATIENT} | more
    return ProviderSettings(name=name, kind=kind, base_url=base, **fields)


def question(text: str, *, tools: bool = False, schema: bool = False, seconds: float = PATIENT) -> Json:
    """As ``official_clients`` takes it."""
    functions = [{"type": "function", "function": {"name": WEATHER.name, "description": WEATHER.description,
                  "parameters": WEATHER.parameters}}]  # fmt: skip
    return {"text": text, "tools": functions if tools else [], "schema": SCHEMA if schema else None, "seconds": seconds}


def request(asked: Json) -> ChatRequest:
    """The same for us."""
    tools = (WEATHER,) if asked["tools"] else ()
    return ChatRequest((Message(Role.USER, asked["text"]),), CHAT, 64, tools=tools, schema=asked["schema"])


async def streamed(model: ChatModel, asked: ChatRequest) -> list[ChatEvent]:
    async with aclosing(model.stream(asked)) as events:
        return [event async for event in events]


def outcome(events: Sequence[ChatEvent]) -> Json:
    """In the form of ``official_clients``."""
    *_, last = events
    assert isinstance(last, Finished)
    return {
        "text": "".join(event.text for event in events if isinstance(event, Text)),
        "tools": [[call.name, json.loads(call.arguments)] for call in last.tool_calls],
        "stop": last.stop,
        "tokens": [last.usage.input_tokens, last.usage.output_tokens] if last.usage.counted else None,
    }


STOPS = {"stop": "end", "tool_calls": "tools", "length": "length"}
ALIKE = [
    question("a sentence"),
    question("a thought"),
    question("a limit"),
    question("the tools", tools=True),
    question("an object", schema=True),
]


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_what_the_official_client_reads_is_what_we_read(mock: Mock, kind: str, tmp_path: Path) -> None:
    expected = mock.official(kind, ALIKE)
    async with providers(tmp_path, settings(mock, kind), chain=("mock",)) as built:
        assert built.chat is not None
        found = [outcome(await streamed(built.chat, request(asked))) for asked in ALIKE]
    for theirs, ours in zip(expected, found, strict=True):
        stop = "tools" if theirs["tools"] else STOPS[theirs.pop("stop")]
        tokens = theirs["tokens"] if any(theirs["tokens"] or ()) else None  # the mock of Ollama counts nothing
        assert ours == {"text": theirs["text"], "tools": theirs["tools"], "stop": stop, "tokens": tokens}
    assert found[0]["text"] == "It is a daemon [1]."
    assert found[3]["tools"] == [["weather", {"city": "Bern"}], ["clock", {}]]
    assert json.loads(found[4]["text"]) == {"queries": ["a", "b"]}


async def test_thoughts_are_told_from_text(mock: Mock, tmp_path: Path) -> None:
    async with providers(tmp_path, settings(mock, "openai"), chain=("mock",)) as built:
        assert built.chat is not None
        events = await streamed(built.chat, request(question("a thought")))
    assert [event.text for event in events if isinstance(event, Thinking)] == ["Let me see."]


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_the_result_of_a_tool_goes_back(mock: Mock, kind: str, tmp_path: Path) -> None:
    call = ToolCall("call_0", "weather", '{"city": "Bern"}')
    messages = (
        Message(Role.USER, "the tools"),
        Message(Role.ASSISTANT, "", (call,)),
        Message(Role.TOOL, "rain", tool_call_id="call_0"),
    )
    async with providers(tmp_path, settings(mock, kind), chain=("mock",)) as built:
        assert built.chat is not None
        said = outcome(await streamed(built.chat, ChatRequest(messages, CHAT, 64, tools=(WEATHER,))))
    if kind == "openai":
        assert said["text"] == "It rains."
    sent = mock.asked("/v1/chat/completions" if kind == "openai" else "/api/chat")[-1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert sent[2]["content"] == "rain"


FAILURES = {
    "cut": ("APIConnectionError", "RemoteProtocolError", "provider_unavailable", "before its answer was whole"),
    "gone": ("APIConnectionError", "RemoteProtocolError", "provider_unavailable", "before its answer was whole"),
    "limited": ("RateLimitError", "ResponseError", "provider_unavailable", "429"),
    "refused": ("AuthenticationError", "ResponseError", "provider_refused", "Bad key"),
    "dropped": ("InternalServerError", "ResponseError", "provider_unavailable", "500"),
    "unreachable": ("APIConnectionError", "RemoteProtocolError", "provider_unavailable", "closed the connection"),
    "late": ("APITimeoutError", "ReadTimeout", "provider_unavailable", "sent nothing for 1 s"),
    # The client of OpenAI takes this for an answer without text. For us that is no answer.
    "malformed": ("", "JSONDecodeError", "provider_invalid", "cannot be used"),
}
"""What the official clients raise, of what kind our error is, and what of it a person reads."""
IMPATIENT = dict.fromkeys(FAILURES, PATIENT) | {"late": 1.0}
"""Seconds without a sign of life."""


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_where_the_official_client_fails_so_do_we(mock: Mock, kind: str, tmp_path: Path) -> None:
    theirs = mock.official(kind, [question(each, seconds=IMPATIENT[each]) for each in FAILURES])
    for (text, (of_openai, of_ollama, ours, words)), their in zip(FAILURES.items(), theirs, strict=True):
        assert their.get("raised", "") == (of_openai if kind == "openai" else of_ollama), text
        server = settings(mock, kind, timeout_seconds=IMPATIENT[text])
        async with providers(tmp_path, server, chain=("mock",)) as built:
            with pytest.raises(AgentdError, match=words) as raised:
                await streamed(built.chats["mock"], request(question(text)))
        assert raised.value.kind == ours, text


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_what_was_begun_is_void_before_the_next_model_begins_anew(mock: Mock, kind: str, tmp_path: Path) -> None:
    first, second = settings(mock, kind, "first", chat_model="cuts"), settings(mock, "openai", "second")
    async with providers(tmp_path, first, second, chain=("first", "second")) as built:
        assert built.chat is not None
        events = await streamed(built.chat, request(question("a sentence")))
    void = next(at for at, event in enumerate(events) if isinstance(event, Discarded))
    before = "".join(event.text for event in events[:void] if isinstance(event, Text))
    assert 0 < len(before) < len(LONG)
    assert outcome(events[void:])["text"] == "It is a daemon [1]."


async def test_a_server_that_was_overloaded_once_is_asked_again(mock: Mock, tmp_path: Path) -> None:
    patient = settings(mock, "openai", retries=1)
    async with providers(tmp_path, patient, chain=("mock",)) as built:
        assert built.chat is not None
        assert outcome(await streamed(built.chat, request(question("twice"))))["text"] == "Now it goes."
    assert [asked["messages"][-1]["content"] for asked in mock.asked("/v1/chat/completions")].count("twice") == 2


TEXTS = ["a river", "a stone", "a river"]


async def test_vectors_are_those_that_the_official_client_reads(mock: Mock, tmp_path: Path) -> None:
    (theirs,) = mock.official("openai", [{"texts": TEXTS}])
    server = settings(mock, "openai", chat_model="", embedding_model="m")
    async with providers(tmp_path, server) as built:
        model = built.embeddings["mock"]
        await model.probe()
        embedded = await model.embed(TEXTS, EMBED)
    dimension = model.space.dimension
    codes = np.frombuffer(embedded.codes, np.int8).reshape(len(TEXTS), dimension)
    ours = codes * np.frombuffer(embedded.scales, np.float32)[:, None]
    expected = np.array(theirs["vectors"])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(ours - expected).max() < 2 * np.abs(expected).max() / 127  # what int8 leaves
    assert (ours[0] == ours[2]).all()


async def test_vectors_in_another_shape_are_refused(mock: Mock, tmp_path: Path) -> None:
    """What this mock answers for Ollama's embeddings is no answer of Ollama."""
    (theirs,) = mock.official("ollama", [{"texts": TEXTS}])
    assert theirs == {"raised": "ValidationError"}
    async with providers(tmp_path, settings(mock, "ollama", chat_model="", embedding_model="m")) as built:
        with pytest.raises(ProviderAnswerError, match="provider mock"):
            await built.embeddings["mock"].probe()


ENGINE = '''"""How requests are tried again."""


def backoff(attempt):
    """Seconds to wait before the next attempt, doubled each time."""
    return 2**attempt
'''
QUESTION = "how long does the wait in backoff() take?"


def provider(mock: Mock, name: str, kind: str, model: str, more: str = "") -> str:
    base = mock.url + ("/v1" if kind == "openai" else "")
    head = f'[[provider]]\nname = "{name}"\nkind = "{kind}"\nbase_url = "{base}"\n'
    return f'{head}chat_model = "{model}"\nretries = 0\n{more}'


def ask(daemon: Daemon) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agentd.cli.main", "--socket", str(daemon.socket), "ask", QUESTION, "--all"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_daemon_embeds_and_answers_with_it(mock: Mock, tmp_path: Path) -> None:
    root = tmp_path / "engine"
    root.mkdir()
    (root / "retry.py").write_text(ENGINE)
    config = QUICK + provider(mock, "first", "ollama", "cuts") + (
        provider(mock, "second", "openai", "m", 'embedding_model = "m"\n')
        + '[embedding]\nchain = ["second"]\n[chat]\nchain = ["first", "second"]\n'
    )  # fmt: skip
    with Daemon(tmp_path / "place", root, config=config) as daemon:
        daemon.client.wait("vectors", timeout=30)
        assert daemon.client.search("backoff", mode="vector")["hits"]
        shown = ask(daemon)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.startswith(GOOD)
        assert "retry.py" in shown.stdout
        assert "written by second/m" in shown.stderr
        assert "first/cuts failed in the middle of its answer" in shown.stderr
        with mock.chaos(dropRate=1):
            broken = ask(daemon)
        assert "passages as they stand" in broken.stderr
        assert "first" in broken.stderr
        assert "second" in broken.stderr
        assert "2**attempt" in broken.stdout
