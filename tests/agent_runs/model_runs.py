"""Runs with models of every kind: that fail, fall back, think, call tools in text, and count nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_script import Says, Script, calls, says
from tool_runs import ANSWER, NO_SOURCE, RETRY

if TYPE_CHECKING:
    from agent_house import Outcome

BROKEN = "500 Internal Server Error"
THOUGHT = "The person wants to know how long it waits. Let me look."


def by_the_spare(outcome: Outcome) -> None:
    """The second model wrote the answer, of which nothing was lost."""
    assert outcome.trace["run"]["model"].endswith("-spare/spare")
    assert outcome.asked[-1]["model"] == "spare"
    assert "return 2**attempt" in str(outcome.asked[-1]["messages"])


def void_between(outcome: Outcome) -> None:
    """What the first model had begun to say was taken back before the second one spoke."""
    by_the_spare(outcome)
    kinds = [each["event"] for each in outcome.events if each["event"] in {"chunk", "discarded"}]
    assert kinds[0] == "chunk"
    assert kinds.count("discarded") == 1
    assert kinds[-1] == "chunk"


def in_words(outcome: Outcome) -> None:
    """The server was told of tools in text, and given results so."""
    last = outcome.asked[-1]
    assert "tools" not in last
    assert "<tools>" in last["messages"][0]["content"]
    assert {message["role"] for message in last["messages"]} == {"system", "user", "assistant"}
    assert "<tool_response>" in last["messages"][-1]["content"]


def thoughts(outcome: Outcome) -> None:
    """They are told apart from the answer."""
    said = [each["text"] for each in outcome.of("thinking") if each["turn"] == 1]
    assert "".join(said).strip() == outcome.trace["turns"][0]["thinking"].strip() == THOUGHT
    assert outcome.trace["turns"][0]["text"] == ""
    assert THOUGHT not in outcome.trace["run"]["answer"]


def thought_aloud(outcome: Outcome) -> None:
    """What was said before a call is taken back, and told as thought."""
    thoughts(outcome)
    first = [each["event"] for each in outcome.events if each.get("turn") == 1]
    assert first[first.index("discarded") :][:3] == ["discarded", "thinking", "tool_call"]


def estimated(outcome: Outcome) -> None:
    usage = outcome.trace["run"]["usage"]
    assert not usage["counted"]
    assert usage["input_tokens"] > 1000
    assert usage["output_tokens"] > 5


MODEL_RUNS = (
    Script(
        name="a server that is busy for a moment",
        provider={"retries": 1},
        says=(Says(status="429 Too Many Requests", again=True), calls(RETRY), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
    ),
    Script(
        name="a server that is broken from the start",
        says=(Says(status=BROKEN),),
        turns=("",),
        state="failed",
        error="no_provider",
    ),
    Script(
        name="a server that breaks when something was found",
        says=(calls(RETRY), Says(status=BROKEN)),
        turns=("ok", ""),
        cited=("retry.py",),
        holds=("No model wrote this", "2**attempt"),
        degraded=("the model failed",),
    ),
    Script(
        name="a second model takes over in the middle of a run",
        spare=True,
        says=(calls(RETRY), Says(status=BROKEN, again=True), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=by_the_spare,
    ),
    Script(
        name="a second model takes over in the middle of an answer",
        spare=True,
        says=(calls(RETRY), says("It waits for three seconds, and then some more, and", cut=True, again=True), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        degraded=("failed in the middle of its answer",),
        check=void_between,
    ),
    Script(
        name="tools in text",
        provider={"tool_calls": "text"},
        says=(says(THOUGHT, calls=(RETRY,), in_text=True), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=in_words,
    ),
    Script(
        name="tools in text, once the server has refused them",
        says=(
            Says(status="400 Bad Request", message="registry.ollama.ai/m does not support tools", again=True),
            calls(RETRY, in_text=True),
            ANSWER,
        ),
        turns=("ok", ""),
        cited=("retry.py",),
        check=in_words,
    ),
    Script(
        name="a model that thinks",
        says=(calls(RETRY, thought=THOUGHT), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=thoughts,
    ),
    Script(
        name="a model that thinks aloud",
        says=(calls(RETRY, text=THOUGHT), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=thought_aloud,
    ),
    Script(
        name="a server that counts nothing",
        says=(calls(RETRY, usage=None), says(ANSWER.text, usage=None)),
        turns=("ok", ""),
        cited=("retry.py",),
        check=estimated,
    ),
    Script(
        name="an answer without a look",
        says=(says("It waits for a while, as far as I know."),),
        turns=("",),
        degraded=NO_SOURCE,
    ),
    Script(
        name="nothing said, then an answer",
        says=(calls(RETRY), says(""), ANSWER),
        turns=("ok", "", ""),
        cited=("retry.py",),
        check=lambda outcome: outcome.of("error")[0]["kind"] == "provider_answer",
    ),
    Script(
        name="a server that gives every call the same id",
        says=(
            calls(RETRY, RETRY._replace(arguments={"path": "docs/notes.md"}), identity="call"),
            calls(RETRY._replace(arguments={"path": "engine/rules.py"}), identity="call"),
            ANSWER,
        ),
        turns=("ok ok", "ok", ""),
        cited=("retry.py",),
    ),
)
