"""Requests made from the method table with something wrong in them, sent in pieces: each is answered, nothing breaks.

``tools/fuzz_protocol.py`` sends a hundred thousand of the same to a real daemon.
"""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING, Any

import structlog
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from protocol_grammar import DEEP, Grammar, Places
from server_harness import PATIENCE_SECONDS, Harness, running

if TYPE_CHECKING:
    from pathlib import Path

    from structlog.typing import EventDict

PLACES = Places("/home/ada/engine", ["/home/ada/engine/retry.py"])
THE_END = "the end"
EXAMPLES = 80


async def conversation(harness: Harness, lines: list[bytes], cuts: list[int]) -> list[dict[str, Any]]:
    """Send ``lines`` in pieces cut at ``cuts``, then a hello; what came before its answer, or before the end."""
    async with await harness.connect() as wire:
        hello = json.dumps({"jsonrpc": "2.0", "id": THE_END, "method": "hello"}).encode()
        data = b"\n".join([*lines, hello]) + b"\n"
        places = sorted({cut % len(data) for cut in cuts})
        for begin, end in zip([0, *places], [*places, len(data)], strict=True):
            wire.send(data[begin:end])
            await asyncio.sleep(0)  # the server reads what there is
        answers: list[dict[str, Any]] = []
        try:
            while (answer := await wire.receive())["id" if "id" in answer else "method"] != THE_END:
                answers.append(answer)
        except (EOFError, OSError):  # closed, after a line that was too long
            answers.append({"error": {"data": {"kind": "closed"}}})
        return answers


def test_whatever_is_sent_however_it_is_cut_the_server_goes_on(tmp_path: Path) -> None:
    failures: list[EventDict] = []

    def note(_logger: object, method: str, event: EventDict) -> EventDict:
        if method in {"error", "exception"}:
            failures.append(event)
        raise structlog.DropEvent

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        serving = running(tmp_path)
        harness = runner.run(serving.__aenter__())

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.integers(0, 2**32), st.integers(1, 12), st.lists(st.integers(0, 2**24), max_size=6))
        def check(seed: int, count: int, cuts: list[int]) -> None:
            grammar = Grammar(Random(seed), PLACES)  # noqa: S311 seeded on purpose
            answers = runner.run(conversation(harness, [grammar.line() for _ in range(count)], cuts))
            for answer in answers:
                assert "result" in answer or answer.get("method") == "event" or answer["error"]["data"]["kind"]
            assert sum("id" in answer for answer in answers) <= count
            runner.run(harness.until(lambda: harness.server.stats().in_flight == 0))

        structlog.configure(processors=[note])
        try:
            check()
        finally:
            structlog.reset_defaults()
            runner.run(serving.__aexit__(None, None, None))
    stats = harness.server.stats()
    assert stats.errors["internal"] == 0
    assert stats.errors.keys() >= {"parse_error", "invalid_request", "invalid_params"}
    assert (stats.running, stats.waiting, stats.held_bytes, stats.connections) == (0, 0, 0, 0)
    assert not failures


async def test_a_storm_of_requests_and_cancels_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=3) as harness, await harness.connect() as wire:
        random, expected = Random(5), 0  # noqa: S311 seeded on purpose
        for number in range(600):
            wire.call(number, "search", query=random.choice(["hang", "x"]))
            wire.call(f"c{number}", "cancel", id=random.randrange(max(0, number - 3), number + 1))
            expected += 2
        harness.services.release.set()
        seen: list[object] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(seen) < expected:
                seen.append((await wire.receive())["id"])
        assert len(set(seen)) == expected
        await harness.until(lambda: harness.server.stats().in_flight == 0)
        assert (harness.server.stats().running, harness.server.stats().waiting) == (0, 0)


async def test_nesting_of_any_depth_is_an_error_and_no_crash(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            nested = opening * DEEP + b"1" + closing * DEEP
            for line in (nested, b'{"jsonrpc":"2.0","id":1,"method":"search","params":{"query":' + nested + b"}}"):
                wire.send(line + b"\n")
                assert "error" in await wire.receive()
        assert "result" in await wire.ask(2, "health")
