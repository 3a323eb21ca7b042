"""What a person sees: ``agentctl`` on a real pseudo-terminal of 80 by 24."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pty_harness import Terminal
from scripted_peer import SILENCE, Failure, Result, ScriptedPeer

from agentd.cli.hits import FEWEST_LINES, lines_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    with ScriptedPeer(tmp_path / "s") as peer:
        yield peer


@pytest.fixture
def type_in(tmp_path: Path, peer: ScriptedPeer) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def type_in(*arguments: str, **environ: str) -> Terminal:
        opened.append(Terminal("--socket", peer.path, *arguments, directory=tmp_path, environ=environ))
        return opened[-1]

    yield type_in
    for terminal in opened:
        terminal.close()


def root(path: Path, **changes: object) -> dict[str, object]:
    known = {"path": str(path), "origin": "flag", "state": "current", "documents": 2, "pending": 0, "chunks": 3}
    return known | {"vectors": 3, "vectors_pending": 0, "skipped": {}, "watched": True, "scanned_at": None} | changes


def hit(path: Path, text: str, **changes: object) -> dict[str, object]:
    lines = text.count("\n") + 1
    found = {"path": str(path), "root": str(path.parent), "start_line": 9, "end_line": 8 + lines, "language": "python"}
    found |= {"kind": "code", "symbol": "parse_config", "context": "", "score": 0.5, "text": text, "stale": False}
    return found | changes


def found(*hits: dict[str, object]) -> Result:
    state = {"complete": True, "degraded": [], "skipped": [], "cut": []}
    return Result({"hits": hits, "total": len(hits), "generation": 1, "took_ms": 2.0, **state})


def status(tmp_path: Path, **changes: object) -> Result:
    value = root(tmp_path) | {"generation": 2, "keyword_generation": 2, "vector_generation": 2}
    value |= {"roots": [root(tmp_path)], "files_per_second": 0.0, "vectors_per_second": 0.0, "eta_seconds": None}
    return Result(value | {"space": "local", "degraded": [], "disk_bytes": {"database": 2048}} | changes)


def test_a_hit_has_a_header_numbered_lines_and_a_footer(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    peer.replies["search"] = found(hit(tmp_path / "a b.py", "def parse_config():\n\treturn 1"))
    terminal = type_in("search", "config")
    assert terminal.end() == 0
    assert terminal.plain() == (
        "a b.py:9-10  parse_config  (python, 0.500)\n 9  def parse_config():\n10      return 1\n\n1 hit (2.0 ms)\n"
    )
    assert "parse_\x1b[1;31mconfig\x1b[0m" in terminal.seen
    assert f"\x1b]8;;file://{tmp_path}/a%20b.py\x1b\\" in terminal.seen


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_is_left_out_where_it_is_not_wanted(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path, environ: dict[str, str]
) -> None:
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    peer.replies["search"] = found(hit(tmp_path / "a.py", "config"))
    terminal = type_in("search", "config", **environ)
    assert terminal.end() == 0
    assert "\x1b[" not in terminal.seen
    assert ("\x1b]8" in terminal.seen) == ("NO_COLOR" in environ)


def test_a_long_hit_is_cut_around_the_line_that_matches_best_and_lines_fit_the_terminal(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    text = [f"line {number}" for number in range(9, 49)]
    text[20] = "retry with a policy " + "x" * 200
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    peer.replies["search"] = found(hit(tmp_path / "a.py", "\n".join(text)))
    terminal = type_in("search", "retry policy")
    terminal.end()
    lines = terminal.plain().split("\n")
    assert lines[1:4] == ["27  line 27", "28  line 28", "29  retry with a policy " + "x" * 55 + "…"]
    assert (len(lines[3]), len(lines[1:13]), lines[13]) == (80, 12, " …  28 more lines")


@pytest.mark.parametrize(
    ("hits", "rows", "lines"), [(10, 24, 3), (4, 60, 11), (1, 24, 12), (3, 30, 6), (10, 10, 3), (0, 24, 12)]
)
def test_all_hits_stand_on_the_terminal_at_once_where_three_lines_of_each_do(hits: int, rows: int, lines: int) -> None:
    assert lines_each(rows - 2, hits) == lines
    assert lines == FEWEST_LINES or hits * (lines + 3) + 2 <= rows


def test_ten_long_hits_show_three_lines_each_around_what_matches(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    text = "\n".join("retry with a policy" if number == 20 else f"line {number}" for number in range(40))
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    peer.replies["search"] = found(*(hit(tmp_path / f"{number}.py", text) for number in range(10)))
    terminal = type_in("search", "retry policy")
    terminal.end()
    each = terminal.plain().split("\n\n")[0].split("\n")
    assert each[1:] == ["28  line 19", "29  retry with a policy", "30  line 21", " …  37 more lines"]
    assert terminal.plain().count("\n") == 10 * 6 + 1


def test_a_hit_says_which_queries_found_it_and_that_it_was_cut(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    both = [{"query": 0, "rank": 2}, {"query": 2, "rank": 1}]
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    hits = [hit(tmp_path / "a.py", "config", queries=both, cut=True), hit(tmp_path / "b.py", "x", queries=both[:1])]
    peer.replies["multi_search"] = found(*hits)
    terminal = type_in("search", "nothing", "--also", "config")
    terminal.end()
    first, second = (line for line in terminal.plain().split("\n") if ".py:" in line)
    assert first == "a.py:9  parse_config  (python, 0.500, queries 1 and 3)  cut short"
    assert second == "b.py:9  parse_config  (python, 0.500, query 1)"
    assert "\x1b[1;31mconfig\x1b[0m" in terminal.seen  # the words of each query are highlighted


def test_signatures_stand_beside_their_own_lines(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    peer.replies["search"] = found(hit(tmp_path / "a.py", "9: class App:\n114:   def run(self)"))
    terminal = type_in("search", "app", "--signatures")
    terminal.end()
    assert terminal.plain().split("\n")[1:3] == ["  9  class App:", "114    def run(self)"]


def test_text_of_a_file_cannot_drive_the_terminal(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m"
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    changes = {"symbol": evil, "language": evil}
    peer.replies["search"] = found(hit(tmp_path / f"{evil}.py", f"config {evil}", **changes))
    terminal = type_in("search", "config")
    terminal.end()
    assert not {"\x1b", "\x07", "\x9b"} & set(terminal.plain())
    peer.replies["read_span"] = Result({"text": evil, "start_line": 1, "end_line": 1, "cut": False})
    shown = type_in("show", "a.py", NO_COLOR="1")
    shown.end()
    assert not {"\x1b", "\x07", "\x9b"} & set(shown.seen)


def test_explain_says_what_put_a_hit_where_it_is(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    features = {"keyword": 1.0, "similarity": 0.5, **{f"feature_{number}": 0.0 for number in range(12)}}
    why = {"keyword_rank": 3, "keyword_score": 12.1, "vector_rank": None, "vector_score": None, "features": features}
    explanation = {"query_type": "identifier", "names": ["config"], "paths": [], "evidence": {"similarity": 0.5}}
    explanation["weights"] = dict.fromkeys(features, 0.0) | {"keyword": 0.1, "similarity": 1.0}
    peer.replies["roots.list"] = Result({"roots": [root(tmp_path)]})
    answer = {
        "hits": [hit(tmp_path / "a.py", "config", why=why, stale=True, confidence="low")],
        "total": 1,
        "complete": True,
        "degraded": [],
        "skipped": [],
        "cut": [],
        "took_ms": 2.0,
    }
    peer.replies["search"] = Result(answer | {"relevance": 0.31, "explanation": explanation})
    terminal = type_in("search", "config", "--explain")
    terminal.end()
    assert terminal.plain() == (
        "identifier; names config; relevance 0.31: similarity 0.50\n"
        "a.py:9  parse_config  (python, 0.500)  confidence low  changed since it was indexed\n"
        "  keyword #3 (12.10), ranked by 0.600:\n"
        "    similarity 0.50 x 1 = 0.500, keyword 1.00 x 0.1 = 0.100, nothing: feature_0,\n"
        "      feature_1, feature_2, feature_3, feature_4, feature_5, feature_6,\n"
        "      feature_7, feature_8, feature_9, feature_10, feature_11\n"
        "9  config\n\n1 hit (2.0 ms)\nThese may not be what you asked for (relevance 0.31)\n"
    )


def test_ctrl_c_cancels_the_search_and_ends_quietly(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    peer.replies |= {"roots.list": Result({"roots": [root(tmp_path)]}), "search": SILENCE}
    terminal = type_in("search", "config")
    while peer.received.get(timeout=10)[0] != "search":
        pass
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert peer.received.get(timeout=10) == ("cancel", {"id": 3})
    assert terminal.seen == ""


def test_watch_draws_the_status_until_ctrl_c(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    many = [root(tmp_path / str(number), state="indexing", pending=7) for number in range(40)]
    peer.replies["index.status"] = status(tmp_path, roots=many, pending=31, files_per_second=120.0, eta_seconds=70)
    peer.replies["stats"] = Result(
        {"process": {"rss_bytes": 1048576}, "compute": {"workers": [{"rss_bytes": 1048576}]}}
    )
    terminal = type_in("status", "--watch")
    terminal.wait_for("2.0 KiB")
    for text in (
        "2 / 33 files",
        "120 files/s",
        "about 1 min 10 s left",
        "3 / 3 vectors",
        "7 to do",
        " more)",
        "2.0 MiB (daemon 1.0 MiB, 1 workers)",
        "none yet: agentctl search QUERY",
    ):
        assert text in terminal.plain()
    assert max(len(line) for line in terminal.plain().split("\n")) <= 80
    peer.replies["index.status"] = status(tmp_path, degraded=["inotify: the watch limit is reached"])
    terminal.wait_for("! inotify: the watch limit is reached")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 0
    assert "Traceback" not in terminal.plain()
    assert terminal.seen.endswith("\x1b[?25h\x1b[?1049l")  # the cursor is back, and what was on the screen


def test_watch_waits_for_a_daemon_that_goes_away_and_tells_what_happens(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    event = {"event": "indexed", "at": 0.0, "files": 5, "paths": [str(tmp_path / "a.py"), str(tmp_path / "b.py")]}
    peer.replies |= {"index.status": status(tmp_path), "stats": Result({})}
    peer.replies["index.events"] = Result({}, events=(event,))
    terminal = type_in("status", "--watch")
    terminal.wait_for("read a.py, b.py and 3 more")
    peer.__exit__()
    terminal.wait_for("waiting for agentd: it does not answer")
    Path(peer.path).unlink()
    with ScriptedPeer(Path(peer.path)) as again:
        again.replies |= {"index.status": status(tmp_path, documents=77), "stats": Result({}), "index.events": SILENCE}
        terminal.wait_for("77 / 77 files")
        terminal.wait_for("agentd is back")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0
    assert "Traceback" not in terminal.plain()


def test_watch_without_a_daemon_says_how_to_start_one(tmp_path: Path) -> None:
    terminal = Terminal("--socket", str(tmp_path / "none"), "status", "--watch", directory=tmp_path, environ={})
    assert terminal.end() == 3
    terminal.close()


def test_wait_draws_progress_and_ends_with_the_result(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    now = status(tmp_path, pending=31).value
    peer.replies["index.wait"] = Result(status(tmp_path).value, events=({"event": "progress", "status": now},))
    terminal = type_in("wait")
    assert terminal.end() == 0
    assert "2 / 33 files" in terminal.plain()
    assert "Current: 2 files, 3 vectors" in terminal.plain()
    assert peer.sent() == [("index.wait", {"events": True, "for": "vectors"})]


def test_a_wait_that_times_out_says_what_was_left(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    now = status(tmp_path, pending=31, vectors_pending=4).value
    peer.replies["index.wait"] = Failure("deadline", "the index was not current within 1 s", {"status": now})
    terminal = type_in("wait", "--timeout", "1")
    assert terminal.end() == 5
    assert "not current within 1 s\n31 files to read, 4 vectors to compute\n" in terminal.plain()
