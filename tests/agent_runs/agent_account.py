"""Whether three accounts of a run say the same: what the client was told, what is kept, and what the server saw."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from daemon_harness import until

from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_house import Outcome
    from agent_script import Json, Says

MOST_TEXT = 8000
"""Characters that a trace keeps of a result."""
GRACE_SECONDS = 1.0
"""Beyond the time of a run, for what runs on two busy cores."""
LEFT_ALONE = "is left alone for another"
"""What a turn says whose model failed too often, and was not asked."""
FAILED = {"retry", "final", "timed_out"}


def check(outcome: Outcome) -> None:
    """All that holds for every run, and what its script says of this one."""
    if not outcome.script.kept:
        forgotten(outcome)
        return
    the_end(outcome)
    the_calls(outcome)
    the_accounts(outcome)
    the_citations(outcome)
    the_words(outcome)
    if outcome.script.check is not None:
        outcome.script.check(outcome)


def the_accounts(outcome: Outcome) -> None:
    """What has to be so wherever a run ended, and whoever ended it."""
    the_counts(outcome)
    the_server(outcome)
    the_events(outcome)
    the_budgets(outcome)


def forgotten(outcome: Outcome) -> None:
    """Nothing is left of a run that had to do with a root which was removed."""
    assert outcome.error is not None
    assert outcome.error.kind == outcome.script.error
    client = outcome.house.daemon.client
    until(lambda: outcome.run not in {each["id"] for each in client.runs()["runs"]}, "the run is forgotten")
    with pytest.raises(AgentdClientError) as raised:
        client.trace(outcome.run)
    assert raised.value.kind == "not_found"


def the_end(outcome: Outcome) -> None:
    """How it ended: as the script has it, told to the client and kept alike."""
    script, run = outcome.script, outcome.trace["run"]
    assert (run["state"], run["limit"]) == (script.state, script.limit), shown(outcome)
    assert (run["error"] or {}).get("kind", "") == (script.error if script.state == "failed" else ""), run["error"]
    if outcome.error is not None:
        assert outcome.error.kind == script.error, outcome.error
    if outcome.result is not None:
        assert outcome.result == run
    assert run["id"] in {each["id"] for each in outcome.house.daemon.client.runs()["runs"]}


def the_calls(outcome: Outcome) -> None:
    """The trace has every call that the model made, in its order, with the outcome that it has to have."""
    turns = outcome.trace["turns"]
    found = [" ".join(each["outcome"] for each in turn["calls"]) for turn in turns]
    assert outcome.trace["run"]["counts"]["cached"] == outcome.script.cached
    assert found == [*outcome.script.turns], shown(outcome)
    assert [turn["n"] for turn in turns] == [*range(1, len(turns) + 1)]
    for turn, said in zip(turns, answered(outcome)[0], strict=False):
        assert len(turn["calls"]) <= len(said.calls)
        for made, wanted in zip(turn["calls"], said.calls, strict=False):
            if not outcome.script.hostile:
                arguments = json.loads(wanted.written.replace("SITE", outcome.house.peers.site.url("")))
                assert (made["tool"], made["input"]) == (wanted.tool, arguments)
            assert (made["kind"] == "") == (made["outcome"] in {"ok", "cancelled", "running"}), made
            assert made["began"] >= turn["began"]
            assert made["milliseconds"] >= 0


def the_counts(outcome: Outcome) -> None:
    """The sums are those of the calls."""
    run, calls = outcome.trace["run"], outcome.calls
    assert run["counts"] == {
        "turns": len(outcome.trace["turns"]),
        "tool_calls": len(calls),
        "tool_errors": sum(each["outcome"] in FAILED for each in calls),
        "cached": sum(each["cached"] for each in calls),
    }
    assert run["tools"] == Counter(each["tool"] for each in calls)


def the_server(outcome: Outcome) -> None:
    """The server was asked once for each turn (and each try of one), and shown what the trace says that it was."""
    assert len(outcome.asked) == len(outcome.said), "the server was asked for more than the script has"
    turns = [turn for turn in outcome.trace["turns"] if LEFT_ALONE not in str(turn["problems"])]
    if outcome.trace["run"]["state"] == "cancelled" and len(turns) > len(outcome.asked):
        turns.pop()  # it was not on its way yet
    served = list(zip(turns, *answered(outcome), strict=True))
    for (turn, _, _), (following, _, asked) in pairwise(served):
        if not following["context"]:  # nothing was shortened
            the_results(turn["calls"], asked["messages"])
    for turn, said, _ in served:
        usage = turn["usage"]
        assert not usage["counted"] or (usage["input_tokens"], usage["output_tokens"]) == said.counted
    total = outcome.trace["run"]["usage"]
    for name in ("input_tokens", "output_tokens"):
        assert total[name] == sum(turn["usage"][name] for turn in outcome.trace["turns"])


def the_results(calls: Sequence[Json], messages: Sequence[Json]) -> None:
    """The model was shown what the trace says of each of ``calls``, in their order; a note of ours may stand behind."""
    ids = [made["id"] for made in calls]
    results = [message for message in messages if message["role"] == "tool" and message["tool_call_id"] in ids]
    if not results:  # all was told in text
        shown = "\n".join(message["content"] for message in messages)
        assert all(made["text"] in shown for made in calls)
        return
    assert [each["tool_call_id"] for each in results] == ids
    for made, result in zip(calls, results, strict=True):
        text, rest = made["text"], result["content"].removeprefix(made["text"])
        assert len(text) <= MOST_TEXT
        assert result["content"].startswith(text)
        assert not rest or len(text) == MOST_TEXT or (result is messages[-1] and rest.startswith("\n\n"))


def the_events(outcome: Outcome) -> None:
    """They come in the one order that makes sense, and say what the trace says."""
    events = outcome.events
    if not events:
        assert outcome.error is not None
        return
    assert events[0]["event"] == "started"
    assert [each["event"] for each in events].count("started") == 1
    turns = [each["turn"] for each in events if "turn" in each]
    assert turns == sorted(turns)
    told = [(each["turn"], each["call"], each["tool"]) for each in outcome.of("tool_call")]
    kept = [(turn["n"], each["id"], each["tool"]) for turn in outcome.trace["turns"] for each in turn["calls"]]
    assert told == kept[: len(told)]
    records = {each["id"]: each for each in outcome.calls}
    assert len(records) == len(outcome.calls)
    results = outcome.of("tool_result")
    for each in results:
        record = records[each["call"]]
        same = ("outcome", "kind", "message", "milliseconds", "bytes", "found", "cached", "notes")
        assert {name: each[name] for name in same} == {name: record[name] for name in same}
        assert each["text"] == record["text"][:2000]
    if outcome.result is None:
        return
    assert told == kept
    assert sorted(each["call"] for each in results) == sorted(records)
    the_last_event(outcome)


def the_last_event(outcome: Outcome) -> None:
    """``done`` says what the result says, and the chunks that count are the answer."""
    run, done = outcome.trace["run"], outcome.events[-1]
    assert done["event"] == "done"
    same = ("state", "limit", "counts", "tools", "usage", "timings")
    assert {name: done[name] for name in same} == {name: run[name] for name in same}
    said = ""
    for each in outcome.events:
        said = "" if each["event"] == "discarded" else said + (each["text"] if each["event"] == "chunk" else "")
    assert said.strip() == run["answer"].strip() or "taken out" in str(run["degraded"]), (said, run["answer"])


def the_budgets(outcome: Outcome) -> None:
    """None was overrun, whatever the model did."""
    run, limits = outcome.trace["run"], outcome.trace["run"]["limits"]
    assert run["counts"]["turns"] <= limits["turns"]
    assert run["counts"]["tool_calls"] <= limits["tool_calls"]
    assert outcome.seconds <= limits["seconds"] + GRACE_SECONDS
    for name in ("turns", "tokens", "seconds", "tool_calls"):
        assert limits[name] <= outcome.script.options.get(f"max_{name}", limits[name])
    if all(turn["usage"]["counted"] for turn in outcome.trace["turns"]) and not outcome.script.hostile:
        assert run["usage"]["input_tokens"] + run["usage"]["output_tokens"] <= limits["tokens"]


def the_citations(outcome: Outcome) -> None:
    """What is cited is on disk (or in the web), and numbered as the answer has it."""
    run = outcome.trace["run"]
    names = [each.get("url") or each["path"].rpartition("/")[2] for each in run["citations"]]
    wanted = [each.replace("SITE", outcome.house.peers.site.url("")) for each in outcome.script.cited]
    assert sorted(set(names)) == sorted(wanted), run["answer"]
    for each in run["citations"]:
        assert each["hash"] == "sha256:" + hashlib.sha256(each["text"].encode()).hexdigest()
        if path := each.get("path"):
            with open(path) as file:  # noqa: PTH123  # the path is text
                lines = file.read().splitlines(keepends=True)
            assert each["text"].strip("\n") in "".join(lines[each["start_line"] - 1 : each["end_line"]])
    numbers = {int(each) for each in re.findall(r"\[(\d+)\]", run["answer"])}
    assert numbers <= {each["n"] for each in run["citations"]}


def the_words(outcome: Outcome) -> None:
    """What has to stand in the answer does, and what must not be seen is nowhere."""
    script, run = outcome.script, outcome.trace["run"]
    for each in script.holds:
        assert each in run["answer"], run["answer"]
    for each in script.degraded:
        assert any(re.search(each, sentence) for sentence in run["degraded"]), run["degraded"]
    if not script.degraded and not script.hostile:
        assert run["degraded"] == []
    for each in script.unsaid:
        assert each not in run["answer"]
        assert each not in "".join(event["text"] for event in outcome.of("chunk"))
    everything = json.dumps([outcome.events, run["answer"]], ensure_ascii=False)
    for each in script.never:
        assert each not in everything


def answered(outcome: Outcome) -> tuple[list[Says], list[Json]]:
    """What the server said last in each turn, and what it was asked then."""
    last = [(said, asked) for said, asked in zip(outcome.said, outcome.asked, strict=True) if not said.again]
    return [said for said, _ in last], [asked for _, asked in last]


def shown(outcome: Outcome) -> str:
    """For who reads a failure."""
    run = outcome.trace["run"]
    turns = [
        f"{turn['n']}: {turn['stop']} {turn['text'][:80]!r} {turn['problems']} "
        + "; ".join(
            f"{each['tool']} {each['outcome']} {each['kind']} {each['message'][:200]}" for each in turn["calls"]
        )
        for turn in outcome.trace["turns"]
    ]
    end = {name: run[name] for name in ("state", "limit", "error", "degraded", "answer", "counts")}
    return "\n".join([json.dumps(end, indent=1), *turns, str(outcome.error)])
