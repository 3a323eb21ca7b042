"""What tools of the agent need around them: a run's scope, and a library whose answers a test sets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agentd.agent.contracts import Limits, ToolResult
from agentd.agent.records import CallRecord
from agentd.config.settings import AgentSettings
from agentd.errors import NotFoundError
from agentd.providers.contracts import Outgoing, ToolCall
from agentd.storage.globs import glob_to_regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentd.agent.toolbox import RunToolbox
    from agentd.config.settings import Egress

ROOT = "/home/ada/engine"
SETTINGS = AgentSettings(tool_seconds=5.0, parallel_tools=4, max_running=2)
LIMITS = Limits(
    turns=8, tokens=60_000, seconds=60.0, tool_calls=20, context_tokens=8000, answer_tokens=800, result_tokens=1200,
    hits=4,
)  # fmt: skip

ANSWER = {"total": 0, "generation": 1, "complete": True, "degraded": [], "skipped": [], "cut": [], "took_ms": 1.0}


class Scope:
    """Satisfies ``Scope``; ``refusal`` is why there is no web."""

    def __init__(self, *roots: str, limits: Limits = LIMITS, addresses: Iterable[str] = (), refusal: str = "") -> None:
        self.roots = roots or (ROOT,)
        self.named = self.roots
        self.limits = limits
        self.addresses = set(addresses)
        self.refusal = refusal
        self.seen: set[str] = set()

    def outgoing(self, purpose: Egress) -> Outgoing:
        return Outgoing(purpose, frozenset(self.seen))

    def saw(self, result: ToolResult) -> None:
        self.seen |= result.roots
        self.addresses |= result.addresses

    def web_refusal(self) -> str:
        return self.refusal


class Library:
    """Knows ``files`` (relative path -> text) of each root; of all else it gives what a test put into ``answers``."""

    def __init__(self, files: Mapping[str, Any], **answers: Any) -> None:
        nested = files if ROOT in files else {ROOT: files}
        self.files: dict[str, tuple[str, str]] = {
            f"{root}/{path}": (root, text) for root, known in sorted(nested.items()) for path, text in known.items()
        }
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def list_files(self, **options: Any) -> Any:
        self.asked.append(("list_files", options))
        matching = [
            path
            for path, (root, _) in sorted(self.files.items())
            if (not options["roots"] or root in options["roots"])
            and any(matches(glob, path.removeprefix(f"{root}/")) for glob in options["paths"] or ["**"])
        ]
        page = [path for path in matching if path > options.get("after", "")]
        shown = page[: options["limit"]]
        return {"files": list(map(self._file, shown)), "total": len(matching),
                "next": shown[-1] if len(page) > len(shown) else None}  # fmt: skip

    async def read_span(self, path: str, start_line: int, end_line: int | None) -> Any:
        self.asked.append(("read_span", {"path": path}))
        if path not in self.files:
            raise NotFoundError(f"{path} is no file of the index: it is missing, ignored or skipped")
        root, text = self.files[path]
        lines = text.splitlines(keepends=True)
        last = min(len(lines), end_line or len(lines))
        return {"path": path, "root": root, "start_line": start_line, "end_line": last, "total_lines": len(lines),
                "text": "".join(lines[start_line - 1 : last]), "cut": False}  # fmt: skip

    async def search(self, queries: Sequence[str], **options: Any) -> Any:
        self.asked.append(("search", {"queries": queries, **options}))
        return {"hits": [], "relevance": None, **ANSWER, **self.answers.get("search", {})}

    def __getattr__(self, name: str) -> Any:
        async def answer(*positional: Any, **options: Any) -> Any:
            self.asked.append((name, {"positional": positional, **options}))
            given = self.answers[name]
            if isinstance(given, Exception):
                raise given
            return {**ANSWER, **given}

        return answer

    def _file(self, path: str) -> dict[str, object]:
        root, text = self.files[path]
        return {"path": path, "root": root, "language": "python", "kind": "code", "size": len(text), "chunks": 1,
                "skip": None}  # fmt: skip


def matches(glob: str, path: str) -> bool:
    return re.fullmatch(glob_to_regex(glob), path) is not None


def symbol(name: str = "Session.get", path: str = "src/app.py", root: str = ROOT, **fields: Any) -> dict[str, Any]:
    return {"id": 1, "name": name, "kind": "method", "path": f"{root}/{path}", "root": root, "start_line": 10,
            "end_line": 20, "signature": "def get(self, url):", "stale": False, **fields}  # fmt: skip


def called(name: str, **fields: Any) -> dict[str, Any]:
    return symbol(name, **{"line": 15, "certainty": "exact", "of": 1, "depth": 1, **fields})


def hit(
    path: str = "src/app.py", text: str = "x = 1", root: str = ROOT, start: int = 1, **fields: Any
) -> dict[str, Any]:
    return {"path": f"{root}/{path}", "root": root, "start_line": start, "end_line": start + text.count("\n"),
            "language": "python", "kind": "code", "symbol": "", "context": "", "score": 1.0, "text": text,
            "stale": False, **fields}  # fmt: skip


def call(name: str, arguments: str = "{}", identity: str = "c1") -> ToolCall:
    return ToolCall(identity, name, arguments)


def record(made: ToolCall) -> CallRecord:
    """A record as the loop begins it."""
    return CallRecord(id=made.id, tool=made.name, input=made.arguments, outcome="running")


async def told(tools: RunToolbox, name: str, arguments: str = "{}", turn: int = 1) -> tuple[str, CallRecord]:
    """What the model is told of a call, and its record."""
    made = call(name, arguments)
    kept = record(made)
    return (await tools.call(made, kept, turn)).text, kept
