"""``agentctl stats``: what people look for first, on one screen."""

from __future__ import annotations

from typing import Any

from agentd.cli.output import Screen
from agentd.cli.stats import screen

TIMES = {"count": 4, "mean": 3.0, "p50": 3.61, "p95": 9.0, "p99": 10.8, "max": 123.4}


def values() -> dict[str, Any]:
    lane: dict[str, float] = {
        "workers": 2,
        "ready": 2,
        "busy": 1,
        "queued": 3,
        "done": 680,
        "failed": 1,
        "cancelled": 0,
        "retried": 0,
    }
    lane |= {"killed": 1, "recycled": 0, "restarts": 2, "busy_seconds": 9.0}
    return {
        "server": {
            "connections": 1,
            "in_flight": 1,
            "refused": {"busy": 2},
            "requests": {"stats": 3, "search": 1200},
            "outcomes": {"search": {"ok": 1197, "deadline": 2, "cancelled": 1}},
            "recent": {"search": {"count": 12, "p50": 3.61, "p99": 10.8}, "stats": {"count": 0}},
        },
        "process": {"pid": 7, "uptime_seconds": 7380.0, "rss_bytes": 104857600},
        "compute": {"lanes": {"bulk": lane}, "workers": [{"rss_bytes": 52428800}]},
        "loop_lag": {"p50_ms": 0.12, "p99_ms": 1.2, "max_ms": 140.0},
        "cache": {"memory_hits": 10, "disk_hits": 70, "misses": 20, "evicted": 0},
        "views": {"keyword": {"behind": 0, "behind_seconds": 0.0}, "vector": {"behind": 12, "behind_seconds": 3.0}},
        "services": {"ingest": 2},
        "agent": {"running": 1, "runs": []},
        "metrics": {
            "query_vectors{result=hit}": 3,
            "query_vectors{result=miss}": 1,
            "rerank_late": 0,
            "agent_runs{state=answered}": 40,
            "agent_runs{state=failed}": 2,
            "agent_runs{state=cancelled}": 0,
            "agent_turns": 131,
            "agent_tokens{kind=input}": 812345,
            "agent_tokens{kind=output}": 20100,
            "agent_run_milliseconds": TIMES | {"p50": 12300.0, "p99": 80000.0, "max": 95000.0},
            "agent_tool_calls{outcome=ok}{tool=read_span}": 1200,
            "agent_tool_calls{outcome=retry}{tool=read_span}": 3,
            "agent_tool_calls{outcome=timed_out}{tool=read_span}": 1,
            "agent_tool_calls{outcome=cancelled}{tool=find_symbol}": 4,
            "agent_tool_milliseconds{tool=find_symbol}": TIMES,
            "agent_tool_milliseconds{tool=read_span}": TIMES | {"count": 1204},
            "search_stage_ms{stage=pack}": TIMES,
            "search_stage_ms{stage=keyword}": TIMES,
            "search_stage_ms{stage=rerank}": TIMES | {"count": 0},
            "task_run_ms{kernel=embed}{lane=bulk}": TIMES,
            "task_wait_ms{kernel=embed}{lane=bulk}": TIMES,
        },
    }


def test_the_screen() -> None:
    shown = [line.rstrip() for line in screen(values(), Screen(is_terminal=False))]
    assert shown == [
        "up 2 h 03 min, process 7, memory 100 MiB and 50 MiB in 1 workers",
        "",
        "requests    all  last minute  p50 ms  p99 ms  failed",
        "  search  1,200           12     3.6    10.8       2",
        "  stats       3            0",
        "",
        "search, by stage  times  p50 ms  p99 ms  max ms",
        "  keyword             4     3.6    10.8     123",
        "  pack                4     3.6    10.8     123",
        "",
        "workers, by kernel  times  p50 ms  p99 ms  waited p99 ms",
        "  embed (bulk)          4     3.6    10.8           10.8",
        "",
        "tools of the agent  calls  p50 ms  p99 ms  max ms  failed",
        "  read_span         1,204     3.6    10.8     123       4",
        "  find_symbol           4     3.6    10.8     123",
        "",
        "lanes   workers  busy  waiting  done  failed  ended",
        "  bulk        2     1        3   680       1      2",
        "",
        "loop lag      p50 0.12 ms, p99 1.2 ms, worst 140 ms",
        "embeddings    80 % of 100 found in the cache",
        "queries       75 % of 4 had their vector already",
        "agent runs    40 answered, 2 failed, 1 running",
        "agent turns   131, 812,345 tokens in, 20,100 out",
        "agent times   p50 12.3 s, p99 1 min 20 s, worst 1 min 35 s a run",
        "keyword view  current",
        "vector view   12 changes and 3 s behind",
        "clients       1 connected, 1 requests open, 2 refused",
        "failed        2 ingest",
    ]


def test_what_an_older_daemon_does_not_tell_is_left_out() -> None:
    assert screen({"server": {"requests": {"search": 3}}}, Screen(is_terminal=False))[1:3] == [
        "requests  all  last minute  p50 ms  p99 ms  failed",
        "  search    3            0                        ",
    ]
    assert screen({}, Screen(is_terminal=False))
