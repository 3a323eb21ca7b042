"""Whatever bytes come, each line gets one answer that says what is wrong, or the connection closes; nothing breaks."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import structlog
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from server_harness import Harness, running

from agentd.protocol import METHODS

if TYPE_CHECKING:
    from pathlib import Path

    from structlog.typing import EventDict

ENDLESS = {"index.events"}  # answers when it is cancelled, not before
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["query", "limit", "mode", "path", "roots", "paths", "for", "id", "deadline_ms", "start_line", "end_line", "x"]
PARAMS = st.dictionaries(st.sampled_from(NAMES), JSON | st.just("/home/ada/engine/x"), max_size=4)
METHOD = st.sampled_from([name for name in METHODS if name not in ENDLESS])
CALLS = st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "method": METHOD, "id": st.integers(0, 9), "params": PARAMS})
REQUESTS = CALLS | st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "method": METHOD | JSON,
        "id": st.integers(-(2**64), 2**64) | st.text(max_size=200) | JSON,
        "params": PARAMS | JSON,
        "extra": JSON,
    },
)
LINES = (
    st.binary(max_size=300)
    | REQUESTS.map(lambda request: json.dumps(request).encode())
    | REQUESTS.map(lambda request: json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    | st.tuples(REQUESTS, st.binary(min_size=1, max_size=4), st.integers(0, 200)).map(
        lambda parts: (raw := json.dumps(parts[0]).encode())[: parts[2]] + parts[1] + raw[parts[2] :]
    )
).map(lambda line: line.replace(b"\n", b" "))


def is_notification(line: bytes) -> bool:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and message.get("jsonrpc") == "2.0" and "id" not in message


async def answers_to(harness: Harness, line: bytes) -> list[dict[str, Any]]:
    """What came before the answer to a second request, which is always answered later than the first."""
    async with await harness.connect() as wire:
        wire.send(line + b"\n")
        wire.call("the end", "health")
        answers = []
        while (answer := await wire.receive())["id"] != "the end":
            answers.append(answer)
        return answers


def test_any_line_gets_one_answer_and_breaks_nothing(tmp_path: Path) -> None:
    failures: list[EventDict] = []

    def note(_logger: object, method: str, event: EventDict) -> EventDict:
        if method in {"warning", "error", "exception"}:
            failures.append(event)
        raise structlog.DropEvent

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        serving = running(tmp_path)
        harness = runner.run(serving.__aenter__())

        @settings(max_examples=250, deadline=None)
        @given(LINES)
        def check(line: bytes) -> None:
            answers = runner.run(answers_to(harness, line))
            assert len(answers) == 1 or (not answers and is_notification(line))
            for answer in answers:
                assert "result" in answer or isinstance(answer["error"]["data"]["kind"], str)

        structlog.configure(processors=[note])
        try:
            check()
        finally:
            structlog.reset_defaults()
            runner.run(serving.__aexit__(None, None, None))
    assert harness.server.stats().errors["internal"] == 0
    assert harness.server.stats().errors.keys() >= {"parse_error", "invalid_request", "invalid_params"}
    assert not failures
