"""Whole runs of the agent against a mock of OpenAI and Ollama that others wrote: what it makes of our requests, with
tools and their results in them, decides what it says next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from aimock import Json, Mock, aimock
from daemon_harness import KEYWORD_ONLY, QUICK, Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

RETRY = '''"""How requests are tried again."""


def backoff(attempt):
    """Seconds to wait before the next attempt, doubled each time."""
    return 2**attempt


def send(request):
    """Send a request, and try again with backoff."""
    backoff(1)
'''
USAGE = {"prompt_tokens": 210, "completion_tokens": 17, "total_tokens": 227}
OPENAI = "/v1/chat/completions"
ANSWER = "The wait is `2**attempt` seconds [1]."
SPAN = {"path": "retry.py", "start_line": 4, "end_line": 6}


def turn(task: str, n: int, response: Json, **more: object) -> Json:
    """What is answered to a request about ``task`` that holds ``n`` turns of the model."""
    match = {"userMessage": task, "turnIndex": n, **({"hasToolResult": True} if n else {})}
    return {"match": match, "response": response, **more}


def wants(*calls: tuple[str, Json], **more: object) -> Json:
    return {"toolCalls": [{"name": name, "arguments": arguments} for name, arguments in calls], **more}


FIXTURES: list[Json] = [
    # Look around with two tools at once, read, answer: in small pieces, with thoughts.
    turn("how long", 0, wants(("find_symbol", {"name": "backoff"}), ("list_files", {}), usage=USAGE)),
    turn("how long", 1, wants(("read_span", SPAN), usage=USAGE), chunkSize=3),
    turn("how long", 2, {"content": ANSWER, "reasoning": "Now I know.", "usage": USAGE}, chunkSize=5),
    # What the tool says of a mistake is read, and the mistake mended.
    {
        "match": {"userMessage": "mended", "hasToolResult": False},
        "response": wants(("read_span", {"file": "retry.py"})),
    },
    {"match": {"userMessage": "mended", "toolResultContains": "no parameter"}, "response": wants(("read_span", SPAN))},
    {"match": {"userMessage": "mended", "toolResultContains": "2**attempt"}, "response": {"content": ANSWER}},
    # The same call for ever, whatever is said about it.
    {"match": {"userMessage": "for ever", "hasToolResult": False}, "response": wants(("read_span", SPAN))},
    {"match": {"userMessage": "for ever"}, "response": wants(("read_span", SPAN))},
    # The server fails in the middle of the run.
    turn("breaks", 0, wants(("read_span", SPAN))),
    turn("breaks", 1, {"error": {"message": "out of memory", "type": "server_error"}, "status": 500}),
]  # fmt: skip


class Seen(NamedTuple):
    """A run: its events, its result, its trace, and the requests that the mock saw meanwhile."""

    events: list[Json]
    run: Json
    trace: Json
    asked: list[Json]

    def said(self, kind: str) -> str:
        """The text of all events of a kind."""
        return "".join(each["text"] for each in self.events if each["event"] == kind)

    @property
    def outcomes(self) -> list[str]:
        """Of the calls of each turn."""
        return [" ".join(each["outcome"] for each in turn["calls"]) for turn in self.trace["turns"]]


class Home(NamedTuple):
    """A daemon whose model is the mock, as a server of one kind; ``path`` is where it is asked."""

    daemon: Daemon
    mock: Mock
    path: str

    def agent(self, task: str) -> Seen:
        """Carry out a run. The mock was asked once for each turn, and shown every result as the trace has it."""
        self.mock.control("POST", "/reset/journal")
        stream = self.daemon.client.stream("agent.run", task=task)
        events = [dict(event) for event in stream]
        trace: Json = dict(self.daemon.client.trace(stream.result["id"]))
        asked = self.mock.asked(self.path)
        assert len(asked) == len(trace["turns"])
        for turn, following in zip(trace["turns"], asked[1:], strict=False):
            results = [message["content"] for message in following["messages"] if message["role"] == "tool"]
            for call in turn["calls"]:
                assert any(result.startswith(call["text"]) for result in results), call
        return Seen(events, stream.result, trace, asked)


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    with aimock(tmp_path_factory.mktemp("aimock"), FIXTURES) as mock:
        yield mock


@pytest.fixture(scope="module", params=["openai", "ollama"])
def home(request: pytest.FixtureRequest, mock: Mock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    place = tmp_path_factory.mktemp(request.param)
    (place / "root").mkdir()
    (place / "root" / "retry.py").write_text(RETRY)
    base, path = {
        "openai": (f"{mock.url}/v1", OPENAI),
        "ollama": (mock.url, "/api/chat"),
    }[request.param]
    server = f'[[provider]]\nname = "mock"\nkind = "{request.param}"\nbase_url = "{base}"\n'
    model = 'chat_model = "m"\ncontext_tokens = 32768\nretries = 0\n[chat]\nchain = ["mock"]\n'
    config = QUICK + server + model
    with Daemon(place / "place", place / "root", config=config, **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=30)
        yield Home(daemon, mock, path)


def test_turns_with_tools_until_an_answer(home: Home) -> None:
    seen = home.agent("how long does backoff() wait?")
    run = seen.run
    assert (run["state"], run["limit"], run["answer"]) == ("answered", "", ANSWER)
    assert seen.outcomes == ["ok ok", "ok", ""]
    assert run["tools"] == {"find_symbol": 1, "list_files": 1, "read_span": 1}
    assert [each["path"].rpartition("/")[2] for each in run["citations"]] == ["retry.py"]
    assert seen.said("chunk") == ANSWER
    assert seen.said("thinking") == seen.trace["turns"][2]["thinking"]


def test_what_the_server_counts_is_added_up(home: Home) -> None:
    """As Ollama, this mock counts nothing; what we estimate is then said to be that."""
    usage = home.agent("how long does backoff() wait?").run["usage"]
    if home.path == OPENAI:
        assert usage == {"input_tokens": 3 * 210, "output_tokens": 3 * 17, "counted": True}
    else:
        assert (usage["counted"], usage["input_tokens"] > 1000, usage["output_tokens"] > 10) == (False, True, True)


def test_a_mistake_is_mended_by_what_is_said_about_it(home: Home) -> None:
    seen = home.agent("mended")
    assert seen.run["answer"] == ANSWER
    assert seen.outcomes == ["retry", "ok", ""]


def test_a_model_that_never_answers_is_stopped(home: Home) -> None:
    seen = home.agent("for ever")
    assert (seen.run["state"], seen.run["limit"]) == ("answered", "repetition")
    assert seen.outcomes == ["ok", "ok", "ok", "", ""]
    assert seen.run["counts"] == {"turns": 5, "tool_calls": 3, "tool_errors": 0, "cached": 2}
    assert "2**attempt" in seen.run["answer"]
    assert [bool(each.get("tools")) for each in seen.asked] == [True] * 3 + [False] * 2


def test_what_was_found_outlives_the_server(home: Home) -> None:
    seen = home.agent("breaks")
    assert seen.outcomes == ["ok", ""]
    assert "2**attempt" in seen.run["answer"]
    assert any("out of memory" in sentence for sentence in seen.run["degraded"])
