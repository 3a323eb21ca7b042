"""A run of the agent as a person sees it, on a real pseudo-terminal, and what Ctrl-C does to it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from agent_events import chunks, discarded, done, error, run, started, thinking, tool_call, tool_result
from pty_harness import Terminal
from scripted_peer import SILENCE, Endless, Failure, Result, ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[bold red]:smile:"
END = (
    "\n\n"
    "answered in 12.3 s · 2 turns · 3 calls (1 failed) · 12,345 tokens in, 890 out\n"
    "run 5d64afz0k3vw: agentctl trace 5d64afz0k3vw"
)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    root = {"path": str(tmp_path), "state": "current", "pending": 0, "vectors_pending": 0}
    with ScriptedPeer(tmp_path / "s", {"roots.list": Result({"roots": [root]})}) as peer:
        yield peer


@pytest.fixture
def type_in(tmp_path: Path, peer: ScriptedPeer) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def type_in(*arguments: str, columns: int = 80, rows: int = 24, **environ: str) -> Terminal:
        words = ("--socket", peer.path, "agent", "what?", *arguments)
        opened.append(Terminal(*words, directory=tmp_path, environ=environ, columns=columns, rows=rows))
        return opened[-1]

    yield type_in
    for terminal in opened:
        terminal.close()


def shows(peer: ScriptedPeer, *events: dict[str, object], answer: str = "So.", **changes: object) -> None:
    """Let the daemon send these, and then the result."""
    peer.replies["agent.run"] = Result(run(answer, **changes), (started(), *events, done()))


def asked(peer: ScriptedPeer, method: str) -> dict[str, object]:
    """Wait for the daemon to be sent ``method``."""
    while True:
        name, params = peer.received.get(timeout=10)
        if name == method:
            return params


def test_thoughts_calls_in_their_order_and_the_answer_stand_there_in_the_end(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, tmp_path: Path
) -> None:
    failed: dict[str, Any] = {
        "outcome": "retry",
        "kind": "not_found",
        "message": "there is no such file",
        "bytes": 0,
        "found": 0,
    }
    cited = {"n": 1, "source": "documents", "path": f"{tmp_path}/a.py", "root": str(tmp_path), "symbol": "now"}
    cited |= {"start_line": 3, "end_line": 4, "hash": "sha256:ab", "text": "x", "supported": True}
    answer = "# Time\n\nIt *is* `late` [1].\n\n- one\n- two\n"
    events = [thinking("I look "), thinking("for it."), tool_call("a"), tool_call("b", "read_span", {"path": "x"})]
    events += [tool_result("b", "read_span", **failed), tool_result("a", notes=["the index is being built"])]
    context = {"event": "context", "turn": 2, "dropped": ["read_span was shortened"], "tokens": 9}
    shows(peer, *events, context, *chunks(answer), answer=answer.strip(), citations=[cited])
    terminal = type_in()
    assert terminal.end() == 0
    assert terminal.screen().text() == (
        "medium · ollama/qwen3 · 2 tools · up to 12 turns\n"
        "\n"
        "  I look for it.\n"
        "\n"
        '✓ semantic_search(query="time")  12 found · 3.4 KiB · 45 ms\n'
        "    ! the index is being built\n"
        "    [1] a.py:3\n    b\n    c\n    … 2 more lines\n"
        '✗ read_span(path="x")  failed · 45 ms\n'
        "    not_found: there is no such file\n"
        "context: read_span was shortened\n"
        "\n"
        "Time\n"
        "\n"
        "It is late [1].\n"
        "\n"
        " • one\n • two\n"
        "\n"
        "[1] a.py:3-4  now\n"
        "\n" + END.removeprefix("\n\n")
    )
    assert f"\x1b]8;;file://{tmp_path}/a.py\x1b\\" in terminal.seen
    assert terminal.seen.endswith("\x1b[0m\r\n")
    assert terminal.seen.count("\x1b[?25l") == terminal.seen.count("\x1b[?25h") == 1


def test_text_of_others_cannot_drive_the_terminal(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    answer = f"{EVIL} &#x202e; ![x](http://a/b)\n\n<b>[1]: http://hidden</b>\n\n| a |\n|---|\n| {EVIL} |\n"
    evil_call = tool_result("a", EVIL, text=EVIL, message=EVIL, kind=EVIL, notes=[EVIL])
    events = [thinking(EVIL), tool_call("a", EVIL, {EVIL: EVIL}), evil_call, tool_call("b", EVIL, EVIL)]
    events += [tool_result("b", EVIL, outcome=EVIL), error(EVIL, EVIL), *chunks(EVIL), discarded(EVIL, 2)]
    events += [{"event": EVIL}, {"event": "context", "turn": 2, "dropped": [EVIL], "tokens": 1}, *chunks(answer)]
    peer.replies["agent.run"] = Result(
        run(answer.strip(), degraded=[EVIL], limit=EVIL, id=EVIL, state=EVIL),
        (started(model=EVIL, tier=EVIL, run=EVIL), *events, done()),
    )
    terminal = type_in()
    assert terminal.end() == 4
    shown = terminal.screen().text()  # which refuses every sequence that is not ours
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
    assert shown.count("[bold red]:smile:") >= 14
    assert "http://a/b" in shown
    assert "<b>[1]: http://hidden</b>" in shown


def test_an_answer_that_was_void_is_said_to_be(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    shows(peer, *chunks("One.\n\nTwo.\nTh"), discarded("the server died"), *chunks("So."))
    terminal = type_in()
    terminal.end()
    assert terminal.screen().text().split("\n", 2)[2] == "One.\n\n(begun anew: the server died)\n\nSo." + END


def test_a_failure_that_voids_text_is_told_once_however_often_it_comes(
    type_in: Callable[..., Terminal], peer: ScriptedPeer
) -> None:
    failed = (*chunks("One.\n\nTw"), discarded("box: it is full"), error("no_provider", "no model: box: it is full"))
    shows(peer, *failed, *failed, *failed, *chunks("So."))
    terminal = type_in()
    terminal.end()
    shown = terminal.screen().text()
    assert shown.count("it is full") == 1
    assert shown.count("One.\n\n(this does not count)") == 3
    assert "! no_provider: three times in all" in shown


@pytest.mark.parametrize("said", ["I search.", "I search.\n\nThen I read."])
def test_a_thought_that_looked_like_an_answer_is_told_once(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, said: str
) -> None:
    events = [*chunks(said, 1), discarded("it called tools"), thinking(said), tool_call("a"), tool_result("a", text="")]
    shows(peer, *events, *chunks("So."))
    terminal = type_in()
    terminal.end()
    shown = terminal.screen().text()
    assert "begun anew" not in shown
    assert all(shown.count(line) == 1 for line in said.split("\n\n"))


def test_an_answer_that_was_changed_afterwards_is_shown_as_it_is(
    type_in: Callable[..., Terminal], peer: ScriptedPeer
) -> None:
    shows(peer, *chunks("It is [9]."), answer="It is.")
    terminal = type_in()
    terminal.end()
    assert "It is [9].\n\n(the answer, after what it cites was checked)\n\nIt is.\n" in terminal.screen().text()


def test_a_long_thought_and_a_long_result_are_folded_unless_all_is_asked_for(
    type_in: Callable[..., Terminal], peer: ScriptedPeer
) -> None:
    text = "\n".join(f"line {number}" for number in range(40))
    shows(peer, thinking(text), tool_call("a"), tool_result("a", text=text), *chunks("So."))
    folded, whole = type_in(), type_in("--verbose")
    folded.end()
    whole.end()
    shown = folded.screen().text()
    assert "  line 3\n  … 36 more lines\n" in shown
    assert "    line 2\n    … 37 more lines\n" in shown
    assert all(whole.screen().text().count(f"  line {number}\n") == 2 for number in range(40))


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10), (20, 5)])
def test_an_answer_longer_than_the_terminal_stands_there_once_and_whole(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, columns: int, rows: int
) -> None:
    paragraphs = [f"Sentence {number}." for number in range(60)]
    code = "\n".join(f"    row_{number} = 1" for number in range(90))
    answer = "\n\n".join([*paragraphs, f"```python\n{code}\n```"])
    shows(peer, *chunks(answer, size=50), answer=answer)
    terminal = type_in(columns=columns, rows=rows)
    assert terminal.end() == 0
    lines = [line.strip() for line in terminal.screen().text().split("\n")]
    assert [line for line in lines if line.startswith("Sentence")] == paragraphs
    assert [line for line in lines if line.startswith("row_")] == [f"row_{number} = 1" for number in range(90)]


def test_many_calls_at_once_fit_below_what_is_printed(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    events = [tool_call(str(number), given={"query": number}) for number in range(50)]
    peer.replies["agent.run"] = Endless((started(), *events))
    terminal = type_in(rows=12)
    terminal.wait_for("… 44 more calls")
    terminal.wait_for("50 calls")
    assert terminal.screen().text().count("semantic_search") == 6
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130


def test_letters_of_two_columns_are_cut_where_they_do_not_fit(
    type_in: Callable[..., Terminal], peer: ScriptedPeer
) -> None:
    shows(
        peer, tool_call("a", given={"query": "漢字" * 60}), tool_result("a"), *chunks("漢字" * 60), answer="漢字" * 60
    )
    terminal = type_in(columns=60)
    terminal.end()
    lines = terminal.screen().text().split("\n")
    assert lines[2].startswith('✓ semantic_search(query="漢字')
    assert lines[2].endswith("…)  12 found · 3.4 KiB · 45 ms")
    assert [line for line in lines if line.startswith("漢")] == ["漢字" * 15] * 4


def test_a_terminal_made_narrower_is_drawn_as_it_is_now(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = Endless((started(), tool_call("a", given={"query": "x" * 200})))
    terminal = type_in()
    terminal.wait_for("1 call")
    terminal.resize(50, 24)
    terminal.wait_for(f'semantic_search(query="{"x" * (50 - 34)}')
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130


def test_colour_is_left_out_where_it_is_not_wanted(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    shows(peer, tool_call("a"), tool_result("a"), *chunks("# So `it` is"), answer="# So `it` is")
    terminal = type_in(NO_COLOR="1")
    terminal.end()
    assert not any(f"\x1b[{colour}" in terminal.seen or f";{colour}m" in terminal.seen for colour in range(30, 50))


@pytest.mark.parametrize(("words", "environ"), [(["--plain"], {}), ([], {"TERM": "dumb"})])
def test_without_drawing_there_is_a_line_for_each_call_and_the_answer(
    type_in: Callable[..., Terminal], peer: ScriptedPeer, words: list[str], environ: dict[str, str]
) -> None:
    shows(peer, thinking("hm"), tool_call("a"), tool_result("a"), *chunks("So."))
    terminal = type_in(*words, **environ)
    assert terminal.end() == 0
    assert "\x1b" not in terminal.seen
    assert terminal.plain().split("\n")[:2] == ['✓ semantic_search(query="time")  12 found · 3.4 KiB · 45 ms', "So."]


def test_ctrl_c_cancels_the_run_and_says_how_far_it_came(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = Endless((started(), *chunks("Half an ans", 1), tool_call("a")), {"run": "5d64afz0k3vw"})
    terminal = type_in()
    terminal.wait_for("1 call")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert asked(peer, "cancel") == {"id": 3}
    *_, half, _, call, _, end, hint = terminal.screen().text().split("\n")
    assert half == "Half an ans"
    assert call.startswith('✗ semantic_search(query="time")  cancelled · ')
    assert end.startswith("cancelled after ")
    assert end.endswith(" · 1 turn · 1 call")
    assert hint == "run 5d64afz0k3vw: agentctl trace 5d64afz0k3vw"


def test_a_second_ctrl_c_leaves_at_once(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = SILENCE
    terminal = type_in()
    terminal.wait_for("starting")
    terminal.process.send_signal(signal.SIGINT)
    asked(peer, "cancel")
    terminal.wait_for("stopping")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert terminal.seen.rindex("\x1b[?25h") > terminal.seen.rindex("\x1b[?25l")
    assert "Traceback" not in terminal.plain()


def test_with_keep_ctrl_c_leaves_the_run_alone(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = Endless((started(),))
    terminal = type_in("--keep")
    terminal.wait_for("2 tools")
    assert asked(peer, "agent.run")["keep"] is True
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert peer.sent() == []
    assert (
        terminal.screen()
        .text()
        .endswith("The run goes on: agentctl trace 5d64afz0k3vw\nTo end it: agentctl runs --stop 5d64afz0k3vw")
    )


def test_an_error_that_ends_the_run_is_told_once(type_in: Callable[..., Terminal], peer: ScriptedPeer) -> None:
    events = (
        started(),
        error("busy", "asked again"),
        *chunks("x"),
        error("no_provider", "qwen3: gone"),
        done("failed"),
    )
    failure = Failure("no_provider", "qwen3: gone", {"run": "5d64afz0k3vw"}, events)
    peer.replies["agent.run"] = failure
    terminal = type_in()
    assert terminal.end() == 4
    shown = terminal.screen().text()
    assert "! busy: asked again" in shown
    assert shown.count("qwen3: gone") == 1
    assert "failed after " in shown
    assert shown.endswith("run 5d64afz0k3vw: agentctl trace 5d64afz0k3vw\nagentctl: qwen3: gone")
