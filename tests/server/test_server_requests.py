"""What one line gets for an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from agent_stub import RUN
from answer_stub import ANSWER
from server_harness import ROOT, STATUS, acquired, running

from agentd.protocol import METHODS, PROTOCOL_VERSION

if TYPE_CHECKING:
    from pathlib import Path


async def answer_to(directory: Path, raw: bytes) -> dict[str, Any]:
    """Send one line; afterwards the connection must still work."""
    async with running(directory) as harness, await harness.connect() as wire:
        wire.send(raw + b"\n")
        answer = await wire.receive()
        assert (await wire.ask("after", "health"))["result"] == {"status": "ok", "problems": []}
        return answer


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"\r",
        b"hello",
        b"\x00\x01\x02",
        b"{",
        b'{"jsonrpc":"2.0","id":1,"method":"hello"',
        b'{"jsonrpc":"2.0","id":1,"method":"hello"} trailing',
        b'{"jsonrpc":5, nonsense',
        b'{"jsonrpc":"2.0","id":1,"method":"search","params":{"query":"\xff"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"caf\xe9"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\\ud800abcdef"}',
        b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"a":NaN}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[1,",
    ],
)
async def test_a_line_that_is_not_json_gets_a_parse_error_without_id(tmp_path: Path, raw: bytes) -> None:
    answer = await answer_to(tmp_path, raw)
    assert answer["id"] is None
    assert answer["error"]["code"] == -32700
    assert answer["error"]["data"]["kind"] == "parse_error"


@pytest.mark.parametrize(
    ("raw", "request_id", "word"),
    [
        (b"5", None, "no object"),
        (b'"text"', None, "no object"),
        (b"null", None, "no object"),
        (b"[]", None, "batch"),
        (b'[{"jsonrpc":"2.0","id":1,"method":"hello"}]', None, "batch"),
        (b"{}", None, "jsonrpc"),
        (b'{"jsonrpc":"1.0","id":3,"method":"hello"}', 3, "jsonrpc"),
        (b'{"jsonrpc":"2.0","id":3}', 3, "method"),
        (b'{"jsonrpc":"2.0","id":"a","method":7}', "a", "method"),
        (b'{"jsonrpc":"2.0","id":null,"method":"hello"}', None, "id"),
        (b'{"jsonrpc":"2.0","id":true,"method":"hello"}', None, "id"),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"hello"}', None, "id"),
        (b'{"jsonrpc":"2.0","id":{},"method":"hello"}', None, "id"),
        (b'{"jsonrpc":"2.0","id":99999999999999999999,"method":"hello"}', None, "id"),
        (b'{"jsonrpc":"2.0","id":4,"method":"hello","parms":{}}', 4, "parms"),
        (b'{"jsonrpc":"2.0","id":4,"method":"' + b"m" * 200 + b'"}', 4, "method"),
    ],
)
async def test_json_that_is_no_request_is_an_invalid_request(
    tmp_path: Path, raw: bytes, request_id: object, word: str
) -> None:
    answer = await answer_to(tmp_path, raw)
    assert answer["id"] == request_id
    assert answer["error"]["code"] == -32600
    assert answer["error"]["data"]["kind"] == "invalid_request"
    assert word in answer["error"]["message"]


async def test_an_unknown_method_names_the_nearest(tmp_path: Path) -> None:
    answer = await answer_to(tmp_path, b'{"jsonrpc":"2.0","id":1,"method":"serch"}')
    assert answer["error"]["code"] == -32601
    assert answer["error"]["data"]["kind"] == "method_not_found"
    assert "`search`" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("method", "params", "field", "words"),
    [
        ("search", {}, "query", "needs `query`"),
        ("search", {"query": 5}, "query", "Expected `str`, got `int`"),
        ("search", {"query": ""}, "query", "length >= 1"),
        ("search", {"query": "x" * 10_001}, "query", "length <= 10000"),
        ("search", {"query": "x", "limit": 0}, "limit", ">= 1"),
        ("search", {"query": "x", "limit": "10"}, "limit", "got `str`"),
        ("search", {"query": "x", "limt": 5}, "limt", "did you mean `limit`?"),
        ("search", {"query": "x", "y" * 9000: 5}, "y" * 500 + "…", "It takes: deadline_ms, limit"),
        ("search", {"query": "x", "mode": "best"}, "mode", "'best'"),
        ("search", {"query": "x", "kind": "prose"}, "kind", "'prose'"),
        ("search", {"query": "x", "roots": ["src"]}, "roots[0]", "an absolute path"),
        ("search", {"query": "x", "roots": ["/a\0b"]}, "roots[0]", "without NUL"),
        ("search", {"query": "x", "languages": ["a"] * 101}, "languages", "length <= 100"),
        ("search", {"query": "x", "deadline_ms": 0}, "deadline_ms", ">= 1"),
        ("read_span", {"path": "/a", "start_line": 5, "end_line": 4}, None, "`end_line` >= `start_line`"),
        ("read_span", {"path": "/a", "start_line": 0}, "start_line", ">= 1"),
        ("list_files", {"limit": 1001}, "limit", "<= 1000"),
        ("roots.add", {"path": "here"}, "path", "an absolute path"),
        ("index.wait", {"for": "godot"}, "for", "'godot'"),
        ("index.wait", {"for_": "keyword"}, "for_", "did you mean `for`?"),
        ("cancel", {}, "id", "needs `id`"),
        ("cancel", {"id": None}, "id", "got `null`"),
        ("stats", {"all": True}, "all", "takes no `all`"),
        ("search", ["x"], None, "Expected `object`, got `array`"),
        ("find_symbol", {"name": "x" * 5001}, "name", "length <= 5000"),
        ("find_symbol", {"name": "x", "kinds": ["verb"]}, "kinds[0]", "Invalid enum value 'verb'"),
        ("graph.callers", {"symbol": ""}, "symbol", "length >= 1"),
        ("graph.callees", {"symbol": "x", "depth": 6}, "depth", "<= 5"),
        ("graph.dependencies", {}, None, "Expected either `path` or `symbol`"),
        ("graph.dependents", {"path": "/a", "symbol": "b"}, None, "Expected either `path` or `symbol`"),
        ("graph.complexity", {"path": "src"}, "path", "an absolute path"),
        ("search", None, None, "Expected `object`, got `null`"),
    ],
)
async def test_wrong_params_name_the_field(
    tmp_path: Path, method: str, params: object, field: str | None, words: str
) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = await answer_to(tmp_path, json.dumps(request).encode())
    assert answer["error"]["code"] == -32602
    assert answer["error"]["data"] == {"kind": "invalid_params", "field": field}
    assert answer["error"]["message"].startswith(method)
    assert words in answer["error"]["message"]


async def test_hello_takes_any_field_and_says_what_there_is(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        result = (await wire.ask(1, "hello", client="x", shoe_size=44, protocol=9))["result"]
        assert result["protocol"] == PROTOCOL_VERSION
        assert result["methods"] == list(METHODS)
        wire.send(b'{"jsonrpc":"2.0","id":2,"method":"hello"}\r\n')
        assert (await wire.receive())["result"] == result


async def test_every_method_answers(tmp_path: Path) -> None:
    params: dict[str, dict[str, object]] = {
        "search": {"query": "retry"},
        "multi_search": {"queries": ["retry"]},
        "read_span": {"path": "/home/ada/engine/retry.py"},
        "find_symbol": {"name": "retry"},
        "related": {"path": "/home/ada/engine/retry.py", "line": 3},
        "graph.callers": {"symbol": "retry"},
        "graph.callees": {"symbol": "retry"},
        "graph.call_chain": {"source": "fetch", "target": "retry"},
        "graph.dependencies": {"path": "/home/ada/engine/retry.py"},
        "graph.dependents": {"symbol": "retry"},
        "graph.complexity": {"path": "/home/ada/engine"},
        "ask": {"question": "how often is a request tried again?"},
        "answer.get": {"id": ANSWER["id"]},
        "answer.verify": {"id": ANSWER["id"]},
        "agent.run": {"task": "how often is a request tried again?"},
        "agent.trace": {"id": RUN["id"]},
        "agent.stop": {"id": RUN["id"]},
        "roots.add": {"path": "/home/ada/engine"},
        "roots.remove": {"path": "/home/ada/engine"},
        "cancel": {"id": 99},
    }
    async with running(tmp_path) as harness, await harness.connect() as wire:
        harness.services.events.put_nowait(None)
        for number, method in enumerate(METHODS):
            answer = await wire.ask(number, method, **params.get(method, {}))
            assert isinstance(answer["result"], dict), answer
        assert set(harness.server.stats().requests) == set(METHODS)
        assert not harness.server.stats().errors


async def test_errors_of_the_services_keep_their_kind_and_details(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        error = (await wire.ask(1, "read_span", path="/etc/passwd"))["error"]
        assert error["code"] == -32000
        assert error["data"] == {"kind": "outside_roots", "path": "/etc/passwd"}


async def test_an_internal_error_is_logged_once_and_told_without_its_text(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(tmp_path) as harness, await harness.connect() as wire:
            error = (await wire.ask(7, "search", query="crash here"))["error"]
            assert harness.server.stats().errors == {"internal": 1}
    assert error["data"] == {"kind": "internal"}
    assert "secret" not in error["message"]
    failures = [line for line in logs if line["log_level"] == "error"]
    assert [line["event"] for line in failures] == ["request_failed"]
    assert failures[0]["request"] in error["message"]


async def test_logs_never_hold_the_query(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(tmp_path) as harness, await harness.connect() as wire:
            await wire.ask(1, "search", query="unspeakable")
    assert {line["event"] for line in logs} >= {"connection_opened", "request", "connection_closed"}
    assert "unspeakable" not in repr(logs)


async def test_an_answer_over_the_limit_is_an_error_of_its_own(tmp_path: Path) -> None:
    async with running(tmp_path, max_response_bytes=64 * 1024) as harness, await harness.connect() as wire:
        error = (await wire.ask(1, "search", query="big 70000"))["error"]
        assert error["data"]["kind"] == "response_too_large"
        assert error["data"]["limit"] == 64 * 1024
        assert "result" in await wire.ask(2, "search", query="big 60000")


async def test_a_notification_is_carried_out_and_gets_no_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        wire.send_json({"jsonrpc": "2.0", "method": "search", "params": {"query": "x"}})
        wire.send_json({"jsonrpc": "2.0", "method": "search", "params": {"wrong": "x"}})
        wire.send_json({"jsonrpc": "2.0", "method": "no_such_method"})
        assert (await wire.ask(1, "health"))["id"] == 1
        assert harness.services.searches == 1
        assert harness.server.stats().errors == {"invalid_params": 1, "method_not_found": 1}


async def test_a_deadline_ends_what_does_not_end_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        error = (await wire.ask(1, "search", query="hang", deadline_ms=20))["error"]
        assert error["data"]["kind"] == "deadline"
        await acquired(harness.services.cancelled)


async def test_search_hears_of_its_deadline(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        assert (await wire.ask(1, "search", query="x", deadline_ms=1000))["result"]["complete"] is False
        assert (await wire.ask(2, "search", query="x"))["result"]["complete"] is True


async def test_a_wait_that_times_out_carries_the_status(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        harness.services.current = False
        for limit in ({"timeout_ms": 20}, {"deadline_ms": 20}, {"timeout_ms": 60_000, "deadline_ms": 20}):
            error = (await wire.ask(1, "index.wait", **limit))["error"]
            assert error["data"] == {"kind": "deadline", "status": STATUS}


async def test_a_wait_streams_progress_with_its_id_where_asked(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        assert "result" in await wire.ask("quiet", "index.wait")
        wire.call("told", "index.wait", events=True)
        event = await wire.receive()
        assert event["method"] == "event"
        assert event["params"] == {"id": "told", "event": "progress", "status": {**STATUS, "state": "indexing"}}
        assert (await wire.receive())["result"]["roots"] == [ROOT]
