"""Deadlines and cancelling on a real daemon: every method keeps its time, and what nobody waits for stops."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, running, until, write_files

from agentd.client import AgentdClientError, Client
from agentd.server.handlers import METHOD_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES, FUNCTIONS = 60, 40
"""Of what is slow to measure: some 20 ms a file for a worker."""
PROMPT_SECONDS = 1.5
"""For what takes milliseconds where nothing is in its way; the whole of ``winding`` takes a worker longer than that."""
SLACK_SECONDS = 1.0
"""Beyond deadline and grace, for a machine that has other things to do."""


def winding(number: int) -> str:
    """A function with many ways through it."""
    branches = "".join(f"    if value == {way} and number:\n        value += {way}\n" for way in range(30))
    return f"def winding_{number}(value, number):\n{branches}    return value\n\n\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A common package."""
    root = tmp_path_factory.mktemp("deadlines") / "root"
    write_files(root, 30)
    (root / "callers.py").write_text(
        "def low():\n    return 1\n\n\ndef middle():\n    return low()\n\n\ndef high():\n    return middle()\n"
    )
    return root


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("place") / "daemon", root) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        yield daemon
        assert "request_failed" not in daemon.log


@pytest.fixture(scope="module")
def winding_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Code that takes more than a second to measure."""
    root = tmp_path_factory.mktemp("winding") / "root"
    root.mkdir()
    for file in range(FILES):
        text = "".join(winding(number) for number in range(file * FUNCTIONS, (file + 1) * FUNCTIONS))
        (root / f"winding_{file}.py").write_text(text)
    return root


@pytest.fixture(scope="module")
def measurer(tmp_path_factory: pytest.TempPathFactory, winding_root: Path) -> Iterator[Daemon]:
    """One worker measures; nothing is embedded meanwhile."""
    place, config = tmp_path_factory.mktemp("place") / "daemon", f"{QUICK}[compute]\nbulk_workers = 1\n"
    with running(place, winding_root, config=config) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        yield daemon
        assert "request_failed" not in daemon.log


def params_of(root: Path) -> dict[str, dict[str, Any]]:
    """Something that each method can be asked."""
    symbol = {"symbol": "low"}
    return {
        "search": {"query": "a common task that returns"},
        "multi_search": {"queries": ["a common task", "holder of steps", "something else"], "explain": True},
        "read_span": {"path": f"{root}/callers.py"},
        "find_symbol": {"name": "middle"},
        "related": {"path": f"{root}/callers.py", "line": 6},
        "graph.callers": symbol | {"depth": 5},
        "graph.callees": {"symbol": "high", "depth": 5},
        "graph.call_chain": {"source": "high", "target": "low"},
        "graph.dependencies": {"path": f"{root}/callers.py", "transitive": True},
        "graph.dependents": symbol | {"transitive": True},
        "graph.complexity": {"path": str(root)},
        "ask": {"question": "what does middle() return?"},
        "answer.get": {"id": "nowhere"},
        "answer.verify": {"id": "nowhere"},
        "agent.run": {"task": "what does middle() return?"},
        "agent.trace": {"id": "nowhere"},
        "agent.stop": {"id": "nowhere"},
        "roots.add": {"path": str(root)},
        "roots.remove": {"path": "/nowhere"},
        "index.reindex": {"path": f"{root}/callers.py"},
        "index.inspect": {"paths": [f"{root}/callers.py", f"{root}/none.py"], "sample": 50, "passages": True},
        "cancel": {"id": 99},
    }


REFUSALS = {
    "roots.remove": "root_not_found",
    "agent.run": "no_provider",
    **dict.fromkeys(("answer.get", "answer.verify", "agent.trace", "agent.stop"), "not_found"),
}
"""Of what is asked for above, by method."""


def outcome(daemon: Daemon, method: str, params: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The result and ``ok``, or nothing and the kind of the error."""
    try:
        return daemon.client.request(method, **params), "ok"
    except AgentdClientError as error:
        return {}, error.kind


@pytest.mark.parametrize("milliseconds", [1, 5, 50])
@pytest.mark.parametrize("method", METHOD_TABLE)
def test_every_method_keeps_its_deadline(daemon: Daemon, root: Path, method: str, milliseconds: int) -> None:
    """Either an answer, which names what is missing, or the error ``deadline``; and not much later than that."""
    began = time.monotonic()
    result, kind = outcome(daemon, method, params_of(root).get(method, {}) | {"deadline_ms": milliseconds})
    assert kind in {"ok", "deadline", REFUSALS.get(method)}
    assert result.get("complete", True) or result["degraded"] or result["cut"]
    late = time.monotonic() - began - milliseconds / 1000 - METHOD_TABLE[method].grace_seconds
    assert late < SLACK_SECONDS


def test_complexity_is_of_what_was_measured_in_time_and_says_so(measurer: Daemon, winding_root: Path) -> None:
    params = {"path": str(winding_root), "limit": 3}
    result: dict[str, Any] = {}
    deadline = 0
    for deadline in (400, 800, 1600):  # on a busy machine nothing may be ready after the first of these
        result, kind = outcome(measurer, "graph.complexity", params | {"deadline_ms": deadline})
        if kind == "ok":
            break
    assert 0 < result["files"] < FILES
    assert result["entries"]
    assert result["complete"] is False
    assert f"smaller files, after {deadline / 1000:g} s" in result["cut"][0]


def busy_seconds(daemon: Daemon, lane: str) -> float:
    """CPU time of the lane's workers."""
    times = [psutil.Process(pid).cpu_times() for pid in daemon.workers(lane)]
    return sum(each.user + each.system for each in times)


@pytest.mark.parametrize("how", ["cancel", "disconnect", "deadline"])
def test_work_that_nobody_waits_for_stops_in_the_worker(measurer: Daemon, winding_root: Path, how: str) -> None:
    """Its CPU time stands still, the worker lives on, and the next task finds it free."""
    workers = measurer.workers("bulk")
    params: dict[str, Any] = {"path": str(winding_root)} | ({"deadline_ms": 300} if how == "deadline" else {})
    before = busy_seconds(measurer, "bulk")
    with Client(str(measurer.socket), timeout=DEADLINE) as other:
        stream = other.stream("graph.complexity", **params)
        until(lambda: busy_seconds(measurer, "bulk") > before + 0.1, "the worker is measuring")
        if how == "cancel":
            other.cancel(stream.id)
            with pytest.raises(AgentdClientError, match="cancelled"):
                list(stream)
        elif how == "deadline":
            with suppress(AgentdClientError):  # where nothing was ready
                list(stream)
    until(lambda: lane(measurer, "bulk")["busy"] == 0, "the lane is free", within=PROMPT_SECONDS)
    stopped = busy_seconds(measurer, "bulk")
    began = time.monotonic()
    measurer.client.complexity(f"{winding_root}/winding_1.py")
    assert time.monotonic() - began < PROMPT_SECONDS
    assert busy_seconds(measurer, "bulk") - stopped < 0.1
    assert measurer.workers("bulk") == workers
    assert lane(measurer, "bulk")["killed"] == 0


def lane(daemon: Daemon, name: str) -> dict[str, Any]:
    found: dict[str, Any] = daemon.client.stats()["compute"]["lanes"][name]
    return found


def test_a_flood_of_cancelled_searches_leaves_the_next_one_as_fast_as_ever(daemon: Daemon) -> None:
    daemon.client.wait("vectors", timeout=DEADLINE)
    killed = lane(daemon, "interactive")["killed"]
    with Client(str(daemon.socket), timeout=DEADLINE) as other:
        for number in range(100):
            stream = other.stream("search", query=f"question {number} about tasks that hold steps " * 20)
            other.cancel(stream.id)
            with pytest.raises(AgentdClientError) as ended:
                list(stream)
            assert ended.value.kind == "cancelled"
    began = time.monotonic()
    assert daemon.client.search("a question that nobody asked before")["complete"]
    assert time.monotonic() - began < PROMPT_SECONDS
    assert lane(daemon, "interactive")["killed"] == killed


def test_the_log_of_all_that_has_no_error(daemon: Daemon) -> None:
    levels = {json.loads(line)["level"] for line in Path(daemon.place / "log").read_text().splitlines()}
    assert "error" not in levels
