"""Answers of the graph, as they would be of a folder with two files: fixed, and whole in their shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.errors import SymbolNotFoundError

if TYPE_CHECKING:
    from agentd import protocol as p
    from agentd.server import graph_params as g

ROOT = "/home/ada/engine"
ANSWER: p.Answer = {
    "total": 1,
    "generation": 12,
    "complete": True,
    "degraded": [],
    "skipped": [],
    "cut": [],
    "took_ms": 0.9,
}
RETRY: p.SymbolInfo = {
    "id": 7,
    "name": "Policy.retry",
    "kind": "method",
    "path": f"{ROOT}/retry.py",
    "root": ROOT,
    "start_line": 12,
    "end_line": 31,
    "signature": "def retry(self, attempts: int = 3) -> bool",
    "stale": False,
}
FETCH: p.SymbolInfo = {
    "id": 9,
    "name": "fetch",
    "kind": "function",
    "path": f"{ROOT}/http.py",
    "root": ROOT,
    "start_line": 4,
    "end_line": 9,
    "signature": "def fetch(url: str) -> bytes",
    "stale": False,
}
POLICY: p.SymbolInfo = {
    **RETRY,
    "id": 6,
    "name": "Policy",
    "kind": "class",
    "start_line": 3,
    "end_line": 40,
    "signature": "class Policy",
}
CALL: p.Call = {**FETCH, "line": 6, "certainty": "import", "of": 7, "depth": 1}


class StubGraph:
    """Knows ``Policy.retry``, which ``fetch`` calls; no other name is found."""

    async def find_symbol(self, params: g.FindSymbolParams) -> p.SymbolList:
        if "retry" in params.name:
            return {**ANSWER, "symbols": [RETRY], "nearest": []}
        return {**ANSWER, "total": 0, "symbols": [], "nearest": ["Policy.retry"]}

    async def related(self, params: g.RelatedParams, deadline: float | None) -> p.Related:  # noqa: ARG002  # answers at once
        near: p.Near = {
            "path": f"{ROOT}/backoff.py",
            "root": ROOT,
            "start_line": 1,
            "end_line": 12,
            "symbol": "backoff",
            "score": 0.61,
            "stale": False,
        }
        return {
            **ANSWER,
            "path": params.path,
            "line": params.line,
            "symbol": RETRY,
            "container": POLICY,
            "siblings": [{**RETRY, "id": 8, "name": "Policy.wait"}],
            "members": [],
            "callers": [CALL],
            "callees": [],
            "bases": [],
            "derived": [],
            "tests": [],
            "similar": [near],
        }

    async def callers(self, params: g.CallsParams, deadline: float | None) -> p.Calls:  # noqa: ARG002  # answers at once
        _known(params.symbol)
        return {**ANSWER, "symbols": [RETRY], "entries": [CALL]}

    async def callees(self, params: g.CallsParams, deadline: float | None) -> p.Calls:  # noqa: ARG002  # answers at once
        _known(params.symbol)
        return {
            **ANSWER,
            "symbols": [FETCH],
            "entries": [{**RETRY, "line": 6, "certainty": "import", "of": 9, "depth": 1}],
        }

    async def call_chain(self, _params: g.ChainParams) -> p.Chains:
        first: p.ChainStep = {**FETCH, "edge": None, "line": None, "certainty": None}
        last: p.ChainStep = {**RETRY, "edge": "calls", "line": 6, "certainty": "import"}
        return {**ANSWER, "sources": [FETCH], "targets": [RETRY], "chains": [[first, last]]}

    async def dependencies(self, _params: g.ImportsParams) -> p.Imports:
        return _imports(f"{ROOT}/http.py", f"{ROOT}/retry.py")

    async def dependents(self, _params: g.ImportsParams) -> p.Imports:
        return _imports(f"{ROOT}/retry.py", f"{ROOT}/http.py")

    async def complexity(self, params: g.ComplexityParams, deadline: float | None) -> p.Complexity:  # noqa: ARG002  # answers at once
        figures: p.FunctionFigures = {
            "name": "Policy.retry",
            "kind": "method",
            "path": f"{ROOT}/retry.py",
            "root": ROOT,
            "start_line": 12,
            "end_line": 31,
            "complexity": 11,
            "lines": 18,
            "parameters": 2,
            "tokens": 121,
        }
        return {
            **ANSWER,
            "path": params.path,
            "entries": [figures],
            "files": 2,
            "functions": 5,
            "unmeasured": {"language": 1},
        }


def _known(symbol: str) -> None:
    if symbol == "Policy.retyr":
        raise SymbolNotFoundError(
            "no definition answers to `Policy.retyr`; the nearest are: Policy.retry", nearest=["Policy.retry"]
        )


def _imports(of: str, path: str) -> p.Imports:
    entry: p.ImportEntry = {
        "path": path,
        "root": ROOT,
        "name": path.removeprefix(f"{ROOT}/"),
        "line": 1,
        "certainty": "import",
        "of": of,
        "depth": 1,
        "stale": False,
    }
    return {**ANSWER, "files": [of], "entries": [entry], "cycles": [[of, path]]}
