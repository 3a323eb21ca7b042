"""status: what is indexed, and how far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from agentd.mcp import arguments as a
from agentd.mcp import shapes as s
from agentd.mcp import text as t
from agentd.mcp.tool import Tool
from agentd.wire import AgentdClientError

if TYPE_CHECKING:
    from agentd import protocol as p
    from agentd.mcp.call import Call


async def status(call: Call, given: a.Status) -> s.Status:
    """How far the index is, now or after waiting for it."""
    if given.wait_seconds:
        await wait(call, given.wait_seconds)
    found: p.IndexStatus = await call.ask("index.status", wait_seconds=UNSET, roots=UNSET)
    call.scope.known = found["roots"]
    searched = call.scope.roots or [root["path"] for root in found["roots"]]
    return {
        "state": found["state"],
        "searched": searched,
        "roots": call.room.take([root_of(root) for root in found["roots"]], "folders"),
        "notes": [*call.notes({"complete": False}), *skipped(found["skipped"]), *found.get("notices", ())],
    }


async def wait(call: Call, seconds: float) -> None:
    """Wait until all is indexed, or as long as was given; say how far it is meanwhile."""

    async def hear(event: Any) -> None:
        state = event.get("status", {})
        await call.progress.say(
            f"{state.get('pending', 0):,} files to read, {state.get('vectors_pending', 0):,} to embed"
        )

    changes = {"wait_seconds": UNSET, "roots": UNSET}
    try:
        await call.ask("index.wait", hear, timeout_ms=max(1, round(1000 * seconds)), events=True, **changes)
    except AgentdClientError as error:
        if error.kind != "deadline":
            raise


def root_of(root: p.RootInfo) -> s.RootState:
    """One folder."""
    return {
        "path": root["path"],
        "state": root["state"],
        "documents": root["documents"],
        "pending": root["pending"],
        "passages": root["chunks"],
        "embedding_pending": root["vectors_pending"],
    }


def skipped(counts: dict[str, int]) -> list[str]:
    """How many files cannot be searched, by reason; nothing where all can."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
    return [f"files that cannot be searched: {reasons}; list_files with skipped=true names them"] if counts else []


def text(found: s.Status) -> str:
    """One folder a line."""
    lines = [
        f"{t.shown(root['path'])}  {root['state']}, {root['documents']:,} files, {root['passages']:,} passages"
        f"{'  (searched)' if root['path'] in found['searched'] else ''}"
        for root in found["roots"]
    ]
    return t.text_of([f"agentd: {found['state']}", *(lines or ["No folder is indexed."])], found["notes"])


TOOLS = (
    Tool(
        "status",
        "What is indexed",
        "Which folders are indexed, which of them tools search, and how far the index is; with wait_seconds it waits "
        "until the index is current.",
        a.Status,
        s.Status,
        status,
        text,
    ),
)
