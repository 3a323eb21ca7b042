"""The live view is cut to any terminal, and makes rates of totals."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agentd.cli.dashboard import screen, shared, told, within
from agentd.cli.history import History, sparkline

if TYPE_CHECKING:
    from agentd.protocol import IndexStatus

SIZES = st.lists(st.integers(min_value=2, max_value=60), max_size=6)


def root(number: int, **changes: object) -> dict[str, object]:
    known = {"path": f"/home/ada/src/project-{number}", "origin": "added", "state": "current", "documents": 1204}
    known |= {"pending": 0, "chunks": 9000, "vectors": 9000, "vectors_pending": 0, "skipped": {"binary": 12}}
    return known | {"watched": True, "coverage": 100.0, "scanned_at": None} | changes


def status(**changes: object) -> IndexStatus:
    value: dict[str, object] = {"state": "indexing", "generation": 1234, "documents": 2000, "pending": 300}
    value |= {"vectors": 5000, "vectors_pending": 4000, "files_per_second": 88.0, "vectors_per_second": 31.0}
    value |= {"eta_seconds": 140.0, "roots": [root(1, state="indexing", pending=300), root(2)], "degraded": []}
    return cast("IndexStatus", value | {"disk_bytes": {"index": 4_000_000, "total": 4_000_000}} | changes)


def stats(*, searches: int = 100, cpu: float = 10.0, bulk: float = 50.0, pid: int = 7) -> dict[str, Any]:
    lane = {"workers": 2, "busy": 1, "queued": 3, "done": 9, "failed": 0, "killed": 0, "restarts": 0}
    return {
        "process": {"pid": pid, "uptime_seconds": 7380.0, "cpu_seconds": cpu, "rss_bytes": 100_000_000},
        "server": {
            "requests": {"search": searches, "stats": 50},
            "recent": {"search": {"count": 9, "p50": 4.1, "p99": 12.3}},
        },
        "compute": {
            "lanes": {"interactive": lane | {"busy_seconds": 5.0}, "bulk": lane | {"busy_seconds": bulk}},
            "workers": [{"rss_bytes": 100_000_000}, {"rss_bytes": 50_000_000}],
        },
        "loop_lag": {"p99_ms": 1.2, "max_ms": 14.0},
        "views": {"keyword": {"behind": 12, "behind_seconds": 1.0}},
    }


def watched(**changes: object) -> History:
    history = History()
    history.add(10.0, status(), stats())
    history.add(12.0, status(**changes), stats(searches=110, cpu=10.5, bulk=53.0))
    return history


def drawn(history: History, columns: int, rows: int, events: list[str] | None = None, *, away: bool = False) -> str:
    console = Console(file=io.StringIO(), width=columns, height=rows, force_terminal=False, markup=False)
    with console.capture() as captured:
        console.print(screen(history, events or [], columns, rows, away=away))
    return captured.get()


def test_totals_become_rates_and_a_restart_begins_anew() -> None:
    history = watched()
    assert (history.last("search"), history.last("cpu"), history.last("lane bulk")) == (5.0, 0.25, 1.5)
    assert history.last("memory") == 250_000_000
    history.add(13.0, status(), stats(searches=3, pid=8))
    assert list(history.curve("search")) == [5.0]
    history.add(14.0, status(), stats(searches=5, pid=8))
    assert list(history.curve("search")) == [5.0, 2.0]


SPACES = [
    {
        "space": "s",
        "provider": "box",
        "position": 0,
        "vectors": 30,
        "pending": 40,
        "state": "waiting",
        "reason": "gone",
    },
    {"space": "t", "provider": "local", "position": 1, "vectors": 10, "pending": 0, "state": "ok", "reason": ""},
]
SERVERS = [{"name": "box", "state": "waiting", "reason": "gone", "counts": {"requests": 9, "failures": 2}}]


def test_models_and_servers_have_a_row_each_where_there_is_more_than_the_one_of_the_package() -> None:
    shown = drawn(watched(spaces=SPACES, providers=SERVERS), 100, 40)
    rows = [" ".join(row.split()) for row in shown.splitlines()]
    assert "embeds: box waiting 30 vectors (75 %), 40 to compute gone" in rows
    assert "server box waiting 9 requests, 2 failed gone" in rows
    assert "models" not in drawn(watched(spaces=SPACES[1:]), 100, 40)


def test_a_screen_says_how_far_how_fast_and_how_large() -> None:
    shown = drawn(watched(), 100, 40, ["14:03:20  read a.py"])
    for words in (
        "agentd: indexing, up 2 h 03 min, keyword view 12 behind",
        "2,000 / 2,300 files",
        "88 files/s",
        "about 2 min 20 s left",
        "/home/ada/src/project-1",
        "300 to do, 12 skipped",
        "search",
        "5.0/s",
        "4.1 / 12.3 ms",
        "25 %",
        "238 MiB (daemon 95 MiB, 2 workers)",
        "75 % of 2, 3 waiting",
        "p99 1.2 ms, worst 14 ms",
        "3.8 MiB",
        "14:03:20  read a.py",
    ):
        assert words in shown
    assert "stats" not in shown  # its own requests would drown the others


@pytest.mark.parametrize(
    ("columns", "rows"), [(60, 15), (80, 24), (110, 30), (200, 60), (40, 10), (20, 5), (300, 12), (1, 1)]
)
def test_a_screen_fits_any_terminal(columns: int, rows: int) -> None:
    crowded = watched(
        roots=[root(number) for number in range(100)], degraded=[f"problem {number} of many" for number in range(20)]
    )
    lines = drawn(crowded, columns, rows, [f"14:03:{number:02}  read a file of some length" for number in range(60)])
    assert len(lines.splitlines()) <= max(rows, 6)  # the bars and what is wrong are never left out
    assert max(len(line) for line in lines.splitlines()) <= columns
    if rows >= 15:
        assert all(words in lines for words in ("roots", "requests", "daemon", "problem 0"))


def test_the_last_screen_stays_while_the_daemon_is_away() -> None:
    shown = drawn(watched(), 80, 24, away=True)
    assert shown.startswith("waiting for agentd")
    assert "2,000 / 2,300 files" in shown
    assert drawn(History(), 80, 24) == "waiting for agentd …\n"


def test_what_an_older_daemon_does_not_tell_is_left_out() -> None:
    history = History()
    history.add(1.0, status(), {})
    assert "agentd: indexing\n" in drawn(history, 100, 24)


def test_names_of_files_cannot_drive_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x9b31m"
    history = watched(roots=[root(1, path=f"/{evil}", state=evil)], degraded=[evil])
    told_of = told({"event": "indexed", "at": 0.0, "files": 1, "paths": [evil]}, [])
    assert not {"\x1b", "\x07", "\x9b"} & set(drawn(history, 100, 40, [told_of]))


@given(SIZES, st.integers(min_value=0, max_value=100))
def test_rows_are_shared_out_and_never_more_than_there_are(wanted: list[int], room: int) -> None:
    given_rows = shared(wanted, [min(2, each) for each in wanted], room)
    assert sum(given_rows) <= room
    assert all(0 <= rows <= want for rows, want in zip(given_rows, wanted, strict=True))
    if sum(wanted) <= room:
        assert given_rows == wanted


@given(st.lists(st.floats(min_value=0, max_value=1e9), max_size=50), st.integers(min_value=0, max_value=60))
def test_a_curve_is_as_wide_as_it_is_told(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == width
    assert len(line.lstrip(" ")) == min(len(values), width)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ({"event": "indexed", "files": 1, "paths": ["/r/a.py"]}, "read a.py"),
        ({"event": "indexed", "files": 9, "paths": [f"/r/{name}" for name in "abcd"]}, "read a, b, c and 6 more"),
        ({"event": "root_added", "path": "/r"}, "root /r added"),
        ({"event": "root_removed", "path": "/r"}, "root /r removed"),
        ({"event": "scanned", "path": "/r", "new": 1, "changed": 0, "removed": 2}, "2 files are gone from /r"),
    ],
)
def test_an_event_is_told_in_a_line(event: dict[str, Any], line: str) -> None:
    assert told(event | {"at": 0.0}, ["/r"]).partition("  ")[2] == line


def test_events_that_say_nothing_new_are_not_told() -> None:
    assert not told({"event": "scanned", "at": 0.0, "path": "/r", "new": 3, "changed": 0, "removed": 0}, [])
    assert not told({"event": "of_tomorrow", "at": 0.0}, [])
    assert within("/other/a", ["/r"]) == "/other/a"
