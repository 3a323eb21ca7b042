"""ask and agent: what models of the configuration write, with citations."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agentd.mcp import arguments as a
from agentd.mcp import shapes as s
from agentd.mcp import text as t
from agentd.mcp.tool import Tool

if TYPE_CHECKING:
    from agentd import protocol as p
    from agentd.mcp.call import Call
    from agentd.mcp.progress import Progress


BY_NOBODY = {
    "extractive": "(extractive: no model wrote this, it is passages as they stand)",
    "nothing": "(nothing: there is no answer)",
}
"""By mode, what a text says where no model answered."""


async def ask(call: Call, _given: a.Ask) -> s.Answer:
    """A question, answered."""
    answer: p.Answered = await call.ask("ask", partial(hear, call.progress))
    return {
        "id": answer["id"],
        "answer": call.room.lines(answer["answer"]),
        "mode": answer["mode"],
        "model": answer["model"],
        "citations": call.room.take([source_of(citation) for citation in answer["citations"]], "citations"),
        "notes": call.notes(answer),
    }


async def agent(call: Call, _given: a.Agent) -> s.Report:
    """A task, carried out."""
    run: p.Run = await call.ask("agent.run", partial(hear, call.progress))
    failed = [run["error"]["message"]] if run["error"] else []
    return {
        "id": run["id"],
        "answer": call.room.lines(run["answer"]),
        "mode": run["mode"],
        "state": run["state"],
        "model": run["model"],
        "citations": call.room.take([source_of(citation) for citation in run["citations"]], "citations"),
        "turns": run["counts"].get("turns", 0),
        "tool_calls": run["counts"].get("tool_calls", 0),
        "notes": [*failed, *call.notes(run)],
    }


async def hear(progress: Progress, event: Any) -> None:
    """Pass on what happens on the way; what a client of another version sends beside it is left out."""
    match event:
        case {"event": "source", "name": name, "status": {"state": state, "found": found}}:
            await progress.say(f"{name}: {state}, {found} found")
        case {"event": "chunk", "text": str(text)}:
            await progress.write(text)
        case {"event": "discarded", "reason": reason}:
            await progress.void(reason)
        case {"event": "thinking", "text": text}:
            await progress.say(text)
        case {"event": "tool_call", "tool": tool, "input": given}:
            await progress.say(f"{tool} {given}")
        case {"event": "tool_result", "tool": tool, "outcome": outcome, "found": found}:
            await progress.say(f"{tool}: {outcome}, {found} found")
        case {"event": "error", "message": message}:
            await progress.say(message)


def source_of(citation: p.Citation) -> s.Source:
    """One citation, without its text, which read_span gives."""
    shown: s.Source = {
        "n": citation["n"],
        "start_line": citation["start_line"],
        "end_line": citation["end_line"],
    }
    if "path" in citation:
        shown["path"] = citation["path"]
    if "url" in citation:
        shown["url"] = citation["url"]
    if "supported" in citation:
        shown["supported"] = citation["supported"]
    return shown


def text(answer: s.Answer | s.Report) -> str:
    """The answer and by whom it is, then what its numbers stand for."""
    cited = [f"[{each['n']}] {t.place(each)}{doubt(each)}" for each in answer["citations"]]
    by_whom = [BY_NOBODY[answer["mode"]]] if answer["mode"] in BY_NOBODY else []
    return t.text_of([answer["answer"], *by_whom, *t.group("cited", cited)], answer["notes"])


def doubt(source: s.Source) -> str:
    """What to add where a sentence is not borne out."""
    return "" if source.get("supported", True) else "  (does not bear out what cites it)"


TOOLS = (
    Tool(
        "ask",
        "Answer a question",
        "Answer a question about the indexed code and documents in plain language, with citations that were compared "
        "with the files on disk. A model of agentd's configuration writes it; without one it is made of passages as "
        "they stand.",
        a.Ask,
        s.Answer,
        ask,
        text,
        open_world=True,
    ),
    Tool(
        "agent",
        "Research a task",
        "Have agentd's own agent look into a task in several steps with tools like these, and report with citations. "
        "Slower than ask; needs a chat model in agentd's configuration. It reads only.",
        a.Agent,
        s.Report,
        agent,
        text,
        open_world=True,
    ),
)
