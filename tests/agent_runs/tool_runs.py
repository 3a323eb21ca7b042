"""Runs in which every tool is used, rightly and wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_script import Script, call, calls, says

if TYPE_CHECKING:
    from agent_house import Outcome

RETRY = call("read_span", path="engine/retry.py", start_line=6, end_line=8)
ANSWER = says("It waits `2**attempt` seconds [retry.py].")
NO_SOURCE = ("cited no source",)


def told(outcome: Outcome, *words: str) -> None:
    """The model was told these words in the result of some call."""
    texts = "\n".join(each["text"] for each in outcome.calls)
    assert all(word in texts for word in words), texts


TOOL_RUNS = (
    Script(
        name="semantic search",
        says=(calls(call("semantic_search", query="seconds to wait in backoff", limit=1)), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        holds=("2**attempt",),
    ),
    Script(
        name="multi search",
        says=(
            calls(call("multi_search", queries=["backoff seconds", "wait before the next attempt"], limit=1)),
            ANSWER,
        ),
        turns=("ok", ""),
        cited=("retry.py",),
    ),
    Script(
        name="read a span",
        says=(calls(RETRY), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=lambda outcome: told(outcome, "return 2**attempt"),
    ),
    Script(
        name="find a symbol",
        says=(calls(call("find_symbol", name="backoff")), calls(RETRY), ANSWER),
        turns=("ok", "ok", ""),
        cited=("retry.py",),
        check=lambda outcome: told(outcome, "engine/retry.py", "backoff"),
    ),
    Script(
        name="list files",
        says=(calls(call("list_files", paths=["engine/**"])), says("There are three modules.")),
        turns=("ok", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "engine/retry.py", "engine/rules.py", "engine/client.py"),
    ),
    Script(
        name="dependencies",
        says=(
            calls(
                call("dependency_analysis", path="engine/client.py"),
                call("dependency_analysis", path="engine/retry.py", direction="imported_by"),
            ),
            says("The client imports it."),
        ),
        turns=("ok ok", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "client.py imports", "retry.py is imported by"),
    ),
    Script(
        name="complexity",
        says=(calls(call("code_complexity", path="engine", threshold=5)), says("`price` it is.")),
        turns=("ok", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "price"),
    ),
    Script(
        name="calls",
        says=(
            calls(
                call("call_chain", source="fetch", target="backoff"),
                call("call_chain", target="backoff"),
                call("call_chain", source="fetch"),
            ),
            says("By way of `send`."),
        ),
        turns=("ok ok ok", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "send"),
    ),
    Script(
        name="six at once, one of them wrong",
        says=(
            calls(
                RETRY,
                call("semantic_search", query="gadget"),
                call("find_symbol", name="send"),
                call("read_span", path="engine/nowhere.py"),
                call("list_files", kind="docs"),
                call("code_complexity", path="engine"),
            ),
            ANSWER,
        ),
        turns=("ok ok ok retry ok ok", ""),
        cited=("retry.py",),
        check=lambda outcome: told(outcome, "nowhere.py"),
    ),
    Script(
        name="arguments mended after a refusal",
        says=(
            calls(call("read_span", file="engine/retry.py"), call("semantic_search")),
            calls(call("read_span", path="engine/retry.py", start_line=9, end_line=2)),
            calls(call("read_span", path="retry.py", start_line="6", end_line="8")),
            ANSWER,
        ),
        turns=("retry retry", "retry", "ok", ""),
        cited=("retry.py",),
        check=lambda outcome: told(outcome, "there is no parameter", "`query` is missing", "expected end_line from"),
    ),
    Script(
        name="a path that two roots have",
        roots=("moving", "project"),
        task="When is the spindle oiled?",
        says=(
            calls(call("read_span", path="docs/notes.md")),
            calls(call("read_span", path="moving/docs/notes.md")),
            says("At night [notes.md]."),
        ),
        turns=("retry", "ok", ""),
        cited=("notes.md",),
        check=lambda outcome: told(outcome, "moving/docs/notes.md", "project/docs/notes.md", "spindle"),
    ),
    Script(
        name="a task and an answer in another language",
        task="Sekundenlänge von backoff(): 要等多久",
        says=(calls(RETRY), says("它等待 `2**attempt` 秒 [retry.py]。 ⏳ قف")),
        turns=("ok", ""),
        cited=("retry.py",),
        holds=("它等待 `2**attempt` 秒", "قف"),
    ),
    Script(
        name="a tool that is not there",
        says=(calls(call("grep_files", pattern="backoff")), calls(RETRY), ANSWER),
        turns=("retry", "ok", ""),
        cited=("retry.py",),
        check=lambda outcome: told(outcome, "there is no such tool", "semantic_search"),
    ),
    Script(
        name="a tool that the request left out",
        options={"tools": ["read_span"]},
        says=(calls(call("semantic_search", query="backoff")), calls(RETRY), ANSWER),
        turns=("retry", "ok", ""),
        cited=("retry.py",),
    ),
    Script(
        name="the same call twice",
        says=(calls(RETRY), calls(RETRY), ANSWER),
        turns=("ok", "ok", ""),
        cached=1,
        cited=("retry.py",),
        check=lambda outcome: told(outcome, "was made in turn 1 already"),
    ),
    Script(
        name="the same call twice in one turn",
        says=(calls(RETRY, RETRY), ANSWER),
        turns=("ok ok", ""),
        cached=1,
        cited=("retry.py",),
    ),
    Script(
        name="a file outside of the run's roots",
        says=(calls(call("read_span", path="/etc/passwd"), call("read_span", path="../private/wages.md")), says("No.")),
        turns=("retry retry", ""),
        degraded=NO_SOURCE,
        never=("root:x:0", "zqprivatezq"),
    ),
    Script(
        name="a command of the user",
        says=(calls(call("shout", word="$(id) `id`; {word}")), says("It shouts.")),
        turns=("ok", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "You said $(id)", "id`; {word}!"),
    ),
    Script(
        name="a command that reads JSON",
        says=(calls(call("count_words", text="one two")), says("Two words.")),
        turns=("ok", ""),
        degraded=NO_SOURCE,
    ),
    Script(
        name="a command that refuses its arguments, fails, and takes too long",
        says=(
            calls(call("shout", word="x" * 201), call("break_down"), call("dawdle")),
            says("It does not work."),
        ),
        turns=("retry retry timed_out", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "it is broken", "200", "0.3 s"),
    ),
    Script(
        name="a command that never stops talking",
        says=(calls(call("flood"), call("count_up")), says("It is wet.")),
        turns=("retry ok", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "was killed", "the output is long"),
    ),
)
