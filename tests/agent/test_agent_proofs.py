"""Lists of definitions, calls and imports come with the lines that prove them, as these stand on the disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from agent_harness import Bench, calling, saying
from agent_harness import call as calls
from agent_tools import LIMITS, ROOT, Library, Scope, called, symbol
from answer_harness import FILES as DISK_FILES
from answer_harness import ROOT as DISK_ROOT
from msgspec.structs import replace

from agentd.agent.builtin import library_tools
from agentd.agent.builtin.heads import head_of, import_of
from agentd.answer.contracts import Passage, SourceName
from agentd.answer.records import text_hash

if TYPE_CHECKING:
    from agentd.agent.contracts import ToolResult

OTHER = "/home/ada/other"
APP = """\
import engine.retry
from engine.clock import (
    now,
    later,
)

# def run(old):
@traced("run")
def run(task):
    return retry(task)


@cached
async def fetch(
    url,
    *,
    tries=3,
):
    for _ in range(tries):
        got = send(url)
    return retry(got)
"""
FILES = {"src/app.py": APP, "src/retry.py": "def retry(task):\n    return task()\n"}

RUN = symbol("run", kind="function", start_line=7, end_line=10, signature="def run(task)", id=1)
FETCH = symbol("fetch", kind="function", start_line=13, end_line=21, signature="async def fetch( url, *, tries=3, )")
RETRY = symbol("retry", "src/retry.py", kind="function", start_line=1, end_line=2, signature="def retry(task)", id=7)
RUN_CALLS = {**RUN, "line": 10, "certainty": "exact", "of": 7, "depth": 1}
FETCH_CALLS = {**FETCH, "line": 21, "certainty": "exact", "of": 7, "depth": 1}
CALLERS = {"symbols": [RETRY], "entries": [RUN_CALLS, FETCH_CALLS], "total": 2}


async def ask(name: str, arguments: dict[str, object], library: Any, scope: Scope | None = None) -> ToolResult:
    tool = next(each for each in library_tools(library) if each.name == name)
    return await tool.run(tool.parse(json.dumps(arguments)), scope or Scope())


def proofs(found: ToolResult) -> list[list[tuple[str, int, int, str]]]:
    """Of each row: file, lines, and what the proof is about."""
    return [[short(each) for each in row.proofs] for row in found.rows]


def short(proof: Passage) -> tuple[str, int, int, str]:
    return proof.path.removeprefix(f"{ROOT}/src/"), proof.start_line, proof.end_line, proof.about


async def test_a_definition_comes_with_its_head_and_not_with_what_stands_above() -> None:
    library = Library(FILES, find_symbol={"symbols": [RUN, FETCH], "nearest": [], "total": 2})
    found = await ask("find_symbol", {"name": "x"}, library)
    assert proofs(found) == [[("app.py", 9, 9, "defines run")], [("app.py", 14, 16, "defines fetch")]]
    [[run], [fetch]] = [row.proofs for row in found.rows]
    assert (run.text, run.source, run.root, run.symbol) == ("def run(task):", SourceName.GRAPH, ROOT, "run")
    assert fetch.text == "async def fetch(\n    url,\n    *,"
    assert found.notes == ()


async def test_a_call_comes_with_who_calls_and_where() -> None:
    found = await ask("call_chain", {"target": "retry"}, Library(FILES, callers=CALLERS))
    assert proofs(found) == [
        [("retry.py", 1, 1, "defines retry")],
        [("app.py", 9, 10, "defines run")],  # both at once, as they are near
        [("app.py", 14, 16, "defines fetch"), ("app.py", 21, 21, "calls retry")],
    ]
    assert found.rows[2].proofs[1].text == "    return retry(got)"


async def test_what_is_called_is_proved_in_the_file_of_who_calls() -> None:
    entry = {**RETRY, "line": 10, "certainty": "import", "of": 1, "depth": 1}
    library = Library(FILES, callees={"symbols": [RUN], "entries": [entry], "total": 1})
    found = await ask("call_chain", {"source": "run"}, library)
    assert proofs(found) == [[("app.py", 9, 9, "defines run")], [("app.py", 10, 10, "calls retry")]]


async def test_each_step_of_a_chain_comes_with_the_call_that_leads_to_it() -> None:
    steps = [{**FETCH, "edge": None, "line": None, "certainty": None},
             {**RETRY, "edge": "calls", "line": 21, "certainty": "import"}]  # fmt: skip
    library = Library(FILES, call_chain={"sources": [FETCH], "targets": [RETRY], "chains": [steps], "total": 1})
    found = await ask("call_chain", {"source": "fetch", "target": "retry"}, library)
    assert proofs(found) == [
        [("app.py", 14, 16, "defines fetch")],
        [("app.py", 21, 21, "calls retry"), ("retry.py", 1, 1, "defines retry")],
    ]


@pytest.mark.parametrize("direction", ["imports", "imported_by"])
async def test_an_import_comes_with_its_lines(direction: str) -> None:
    ends = (f"{ROOT}/src/clock.py", f"{ROOT}/src/app.py")
    path, of = ends if direction == "imports" else ends[::-1]
    entry = {"path": path, "root": ROOT, "name": "", "line": 2, "certainty": "import", "of": of, "depth": 1,
             "stale": False}  # fmt: skip
    given = {"files": [of], "entries": [entry], "total": 1, "cycles": []}
    library = Library(FILES, dependencies=given, dependents=given)
    found = await ask("dependency_analysis", {"symbol": "x", "direction": direction}, library)
    assert proofs(found) == [[], [("app.py", 2, 4, "imports src/clock.py")]]


async def test_a_complicated_function_comes_with_its_head() -> None:
    row = {"name": "fetch", "kind": "function", "path": f"{ROOT}/src/app.py", "root": ROOT, "start_line": 13,
           "end_line": 21, "complexity": 2, "lines": 8, "parameters": 2, "tokens": 50}  # fmt: skip
    given = {"path": ROOT, "entries": [row], "files": 2, "functions": 3, "unmeasured": {}, "total": 1}
    found = await ask("code_complexity", {}, Library(FILES, complexity=given))
    assert proofs(found) == [[], [("app.py", 14, 16, "defines fetch")]]


async def test_what_changed_is_gone_or_is_too_long_is_listed_and_said_to_have_no_source() -> None:
    gone, long = symbol("gone", "src/gone.py"), symbol("long", "src/min.js", start_line=1, end_line=1)
    changed = symbol("changed", "src/retry.py", stale=True)
    other = symbol("absent", start_line=20, end_line=40, signature="def absent()")
    symbols = [gone, long, changed, other, RUN]
    library = Library({**FILES, "src/min.js": "long=1;" * 100}, find_symbol={"symbols": symbols, "nearest": []})
    found = await ask("find_symbol", {"name": "x"}, library)
    assert [bool(row.proofs) for row in found.rows] == [False, False, False, False, True]
    assert found.rows[2].plain == "method changed  src/retry.py:10-20  def get(self, url):"
    assert found.notes[-1].startswith("4 of these have no source: ")
    read = [asked["path"] for name, asked in library.asked if name == "read_span"]
    assert f"{ROOT}/src/retry.py" not in read


async def test_only_the_first_rows_have_proofs_and_no_lines_are_read_twice() -> None:
    entries = [{**RUN_CALLS, "name": f"run_{number}"} for number in range(30)]
    library = Library(FILES, callers={**CALLERS, "entries": entries})
    found = await ask("call_chain", {"target": "retry"}, library, Scope(limits=replace(LIMITS, hits=3)))
    assert [len(row.proofs) > 0 for row in found.rows] == [True] * 6 + [False] * 25
    assert len([name for name, _ in library.asked if name == "read_span"]) == 3


async def test_no_line_of_another_root_is_read_or_shown() -> None:
    inner = f"{ROOT}/src/vendored"  # a root of its own, within one that the run may see
    library = Library({ROOT: FILES, inner: {"a.py": "import secret\n"}, OTHER: {"a.py": "import secret\n"}})
    for path in (f"{inner}/a.py", f"{OTHER}/a.py"):
        entry = {"path": f"{ROOT}/src/app.py", "root": ROOT, "name": "", "line": 1, "certainty": "import", "of": path,
                 "depth": 2, "stale": False}  # fmt: skip
        library.answers["dependencies"] = {"files": [], "entries": [entry], "total": 1, "cycles": []}
        found = await ask("dependency_analysis", {"symbol": "x"}, library)
        assert not any(row.proofs for row in found.rows)
        assert found.roots == {ROOT}
    assert f"{OTHER}/a.py" not in [asked.get("path") for _, asked in library.asked]


@pytest.mark.parametrize(
    ("lines", "name", "signature", "head"),
    [
        (["def f(x):", "    f"], "f", "def f(x)", range(1)),
        (["static int", "send(void) {"], "send", "static int send(void)", range(1, 2)),
        (["## Get started", "text"], "Guide.Get started", "## Get started", range(1)),
        (["bool operator==(A a);"], "A.operator==", "bool operator==(A a)", range(1)),
        (["resend()", "send()"], "send", "", range(1, 2)),
        (["/* send */", "nothing"], "send", "", range(0)),
        ([], "send", "def send()", range(0)),
    ],
)
def test_heads_are_found_in_any_language(lines: list[str], name: str, signature: str, head: range) -> None:
    assert head_of(lines, name, signature, 0) == head


def test_a_line_that_imports_nothing_is_no_proof() -> None:
    assert not import_of(["x = 1"])
    assert not import_of([])
    assert import_of(["#include <a.h>", "int x;"]) == range(1)


class OnDisk(Library):
    """Answers of the graph about the files of the answer harness."""

    def __init__(self) -> None:
        retry = symbol("retry", "retry.py", DISK_ROOT, id=1, start_line=5, end_line=6, signature="def retry(call)")
        super().__init__(
            {ROOT: {}, DISK_ROOT: {"retry.py": DISK_FILES[f"{DISK_ROOT}/retry.py"]}},
            callees={"symbols": [retry], "total": 1,
                     "entries": [called("call", path="retry.py", root=DISK_ROOT, line=6, of=1)]},
        )  # fmt: skip


def test_an_answer_cites_the_line_of_a_call_as_it_stands_on_the_disk() -> None:
    answer = "`retry` [1] calls `call` with `TRIES` [1][2]."
    library: Any = OnDisk()
    bench = Bench(calling(calls("call_chain", {"source": "retry"})), saying(answer), tools=library_tools(library))
    trace = bench.run("What does retry call?")
    told = bench.model.requests[1].messages[-1].content
    assert "method call  retry.py:10-20  called in line 6 | source 2: return call(TRIES)" in told
    run = trace.run
    assert (run.state, run.answer, run.degraded) == ("answered", answer, [])
    assert [(each.n, each.path, each.start_line, each.end_line, each.hash) for each in run.citations] == [
        (1, f"{DISK_ROOT}/retry.py", 5, 5, text_hash("def retry(call):")),
        (2, f"{DISK_ROOT}/retry.py", 6, 6, text_hash("    return call(TRIES)")),
    ]
    assert [claim.supported for claim in run.claims] == [True]
