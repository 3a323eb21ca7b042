"""What the built-in tools ask of the library, what they make of it, and that no run sees beyond its roots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from agent_tools import LIMITS, ROOT, Library, Scope, called, hit, symbol
from msgspec.structs import replace

from agentd.agent.builtin import library_tools, reach, web_tools
from agentd.agent.builtin.web import Fetched
from agentd.answer.contracts import SourceName
from agentd.errors import OutsideRootsError, SymbolNotFoundError, ToolInputError
from agentd.providers.contracts import Outgoing
from agentd.providers.web.contracts import SearchHit, SearchResult, WebPassage
from agentd.retrieval.budget import estimate_tokens

if TYPE_CHECKING:
    from agentd.agent.contracts import ToolResult

OTHER = "/home/ada/other"
FILES = {
    "src/app.py": "import os\n\ndef run():\n    return 1\n",
    "src/api/app.py": "x = 1\n",
    "docs/guide.md": "# Guide\n",
}


LINES = {
    "src/app.py": "".join(f"line {number}\n" for number in range(1, 10)) + "def get(self, url):\n" + "    get(x)\n" * 10
}
"""A file with the lines that symbols here have."""


async def ask(name: str, arguments: str, library: Any, scope: Scope | None = None) -> ToolResult:
    tool = next(each for each in library_tools(library) if each.name == name)
    return await tool.run(tool.parse(arguments), scope or Scope())


def said(found: ToolResult) -> list[str]:
    """Its list, without proofs."""
    return [row.text for row in found.rows]


# Search


async def test_a_search_gives_passages_of_its_roots_within_its_tokens() -> None:
    library = Library(FILES, search={"hits": [hit(text="a\nb", start=5, symbol="run"), hit(root=OTHER)]})
    found = await ask("semantic_search", '{"query": "runs", "paths": ["./src/**"], "kind": "code"}', library)
    assert [(each.path, each.start_line, each.end_line, each.symbol) for each in found.passages] == [
        (f"{ROOT}/src/app.py", 5, 6, "run")
    ]
    assert (found.found, found.roots) == (1, frozenset({ROOT}))
    [(_, asked)] = library.asked
    assert asked["roots"] == [ROOT]
    assert asked["paths"] == ["src/**"]
    assert asked["kind"] == "code"
    assert asked["limit"] == LIMITS.hits
    assert LIMITS.result_tokens // 2 <= asked["max_tokens"] < LIMITS.result_tokens


async def test_a_search_says_what_is_missing_and_what_is_doubtful() -> None:
    stale = hit(stale=True, confidence="low")
    library = Library(
        FILES, search={"hits": [stale], "degraded": ["vectors are still being computed"], "cut": ["1 hit"]}
    )
    found = await ask("multi_search", '{"queries": ["runs", "starts"], "limit": 3}', library)
    assert found.passages[0].about == "may not be relevant"
    assert found.notes[0] == "vectors are still being computed"
    assert "changed on disk" in found.notes[1]
    assert library.asked[0][1]["queries"] == ["runs", "starts"]
    assert library.asked[0][1]["limit"] == 3


async def test_a_search_that_finds_nothing_says_what_to_try() -> None:
    found = await ask("semantic_search", '{"query": "otters"}', Library(FILES))
    assert "Try other words" in found.text
    assert found.roots == frozenset()


async def test_a_run_over_more_roots_than_a_request_may_name_asks_for_all_and_sifts() -> None:
    roots = [f"/r/{number}" for number in range(150)]
    library = Library(FILES, search={"hits": [hit(root="/r/7"), hit(root=OTHER)]})
    found = await ask("semantic_search", '{"query": "x"}', library, Scope(*roots))
    assert library.asked[0][1]["roots"] == []
    assert [each.root for each in found.passages] == ["/r/7"]


# Reading


async def test_lines_are_read_as_they_are_and_may_be_cited() -> None:
    found = await ask("read_span", '{"path": "src/app.py", "start_line": 3, "end_line": 4}', Library(FILES))
    [passage] = found.passages
    assert (passage.text, passage.start_line, passage.end_line) == ("def run():\n    return 1", 3, 4)
    assert (passage.about, found.notes, found.roots) == ("of 4 lines", (), frozenset({ROOT}))


async def test_a_long_file_is_cut_at_a_line_and_says_where_to_go_on() -> None:
    library = Library({"long.py": "".join(f"value_{number} = {number}\n" for number in range(1000))})
    found = await ask("read_span", '{"path": "long.py"}', library)
    [passage] = found.passages
    assert passage.text.count("\n") == passage.end_line - 1
    assert estimate_tokens(passage.text) <= LIMITS.result_tokens
    assert found.notes == (f"there was room for lines 1 to {passage.end_line}; go on from {passage.end_line + 1}",)
    rest = await ask("read_span", f'{{"path": "long.py", "start_line": {passage.end_line + 1}}}', library)
    assert rest.passages[0].text.startswith(f"value_{passage.end_line} =")


async def test_a_line_that_is_too_long_is_shown_in_part_and_not_cited() -> None:
    found = await ask("read_span", '{"path": "min.js"}', Library({"min.js": "\nx=1;" + "y=2;" * 5000}))
    assert not found.passages
    assert len(found.text) == 1000
    assert "line 2 has 20,004 characters" in found.notes[0]


async def test_an_empty_file_is_said_to_be_empty() -> None:
    found = await ask("read_span", '{"path": "a.py"}', Library({"a.py": ""}))
    assert (found.text, found.passages, found.found) == ("The file is empty.", (), 0)


async def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ToolInputError, match=r"expected end_line from start_line \(5\) on, found 2"):
        await ask("read_span", '{"path": "a.py", "start_line": 5, "end_line": 2}', Library(FILES))


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "./src/app.py",
        f"{ROOT}/src/app.py",
        f"/{ROOT}//src/app.py",
        "engine/src/app.py",
        "`src/app.py:3-4`",
        "src/api/../app.py",
    ],
)
async def test_a_path_may_be_written_as_models_write_it(path: str) -> None:
    assert await reach.file_at(path, Scope(), Library(FILES)) == f"{ROOT}/src/app.py"


async def test_the_end_of_a_path_will_do_where_no_other_file_has_it() -> None:
    assert await reach.file_at("api/app.py", Scope(), Library(FILES)) == f"{ROOT}/src/api/app.py"
    with pytest.raises(ToolInputError, match=r"say which: .*src/api/app.py, .*src/app.py"):
        await reach.file_at("app.py", Scope(), Library(FILES))


async def test_a_file_that_is_in_two_roots_has_to_be_named_with_its_root() -> None:
    library = Library({ROOT: FILES, OTHER: FILES})
    with pytest.raises(ToolInputError, match=f"{ROOT}/src/app.py, {OTHER}/src/app.py"):
        await reach.file_at("src/app.py", Scope(ROOT, OTHER), library)
    assert await reach.file_at("other/src/app.py", Scope(ROOT, OTHER), library) == f"{OTHER}/src/app.py"
    assert await reach.file_at("src/app.py", Scope(OTHER), library) == f"{OTHER}/src/app.py"


async def test_a_path_with_signs_of_globs_means_itself() -> None:
    library = Library({"app/[id].tsx": "x", "app/i.tsx": "y"})
    assert await reach.file_at("app/[id].tsx", Scope(), library) == f"{ROOT}/app/[id].tsx"


async def test_a_path_that_nothing_has_is_answered_with_files_of_its_name() -> None:
    with pytest.raises(ToolInputError, match=f"say which: {ROOT}/docs/guide.md"):
        await reach.file_at("documents/guide.md", Scope(), Library(FILES))
    with pytest.raises(ToolInputError, match="list_files shows what there is"):
        await reach.file_at("nowhere.py", Scope(), Library(FILES))


@pytest.mark.parametrize("path", ["/etc/passwd", f"{ROOT}/../other/a.py", f"{ROOT}er/a.py", f"{OTHER}/src/app.py"])
async def test_no_path_leads_out_of_the_roots_of_the_run(path: str) -> None:
    library = Library({ROOT: FILES, OTHER: FILES})
    with pytest.raises(OutsideRootsError, match="outside of what can be read here"):
        await ask("read_span", f'{{"path": "{path}"}}', library)
    with pytest.raises(OutsideRootsError):
        await ask("code_complexity", f'{{"path": "{path}"}}', library)
    with pytest.raises(OutsideRootsError):
        await ask("dependency_analysis", f'{{"path": "{path}"}}', library)
    for tool, name in (("find_symbol", "name"), ("call_chain", "source"), ("call_chain", "target")):
        with pytest.raises(OutsideRootsError):
            await ask(tool, f'{{"{name}": "{path}:run"}}', library)
    assert library.asked == []


async def test_a_relative_path_upwards_finds_nothing() -> None:
    with pytest.raises(ToolInputError):
        await ask("read_span", '{"path": "../other/src/app.py"}', Library({ROOT: FILES, OTHER: FILES}))


async def test_files_are_listed_page_by_page() -> None:
    library = Library({f"f{number:03}.py": "x" for number in range(100)})
    first = await ask("list_files", '{"paths": ["*.py"]}', library)
    assert first.found == 40
    assert first.text.splitlines()[0] == "f000.py  python, 1 bytes"
    assert first.notes == ("100 files in all; for more give after: f039.py",)
    second = await ask("list_files", '{"paths": ["*.py"], "after": "f039.py"}', library)
    assert second.text.startswith("f040.py")


async def test_a_name_with_a_line_break_makes_no_line_of_its_own() -> None:
    found = await ask("list_files", "{}", Library({"a\nNote: obey.md": "x\n"}))
    assert found.text.startswith("a Note: obey.md  ")


async def test_files_of_several_roots_are_listed_in_full() -> None:
    library = Library({ROOT: FILES, OTHER: FILES})
    found = await ask("list_files", f'{{"paths": ["{ROOT}/docs/*"]}}', library, Scope(ROOT, OTHER))
    assert found.text.splitlines()[0].startswith(f"{ROOT}/docs/guide.md")
    assert found.roots == {ROOT, OTHER}
    none = await ask("list_files", '{"paths": ["*.rs"]}', library)
    assert (none.text, none.found, none.roots) == ("No file of the index matches.", 0, frozenset())


# Structure


async def test_definitions_are_listed_with_their_place() -> None:
    library = Library(LINES, find_symbol={"symbols": [symbol(), symbol(root=OTHER)], "nearest": [], "total": 30})
    found = await ask("find_symbol", '{"name": "get", "kinds": ["method"]}', library)
    [row] = found.rows
    assert (row.text, row.instead) == (
        "method Session.get  src/app.py:10-20",
        "method Session.get  src/app.py:10-20  def get(self, url):",
    )
    assert found.notes == ("30 in all; these are the first",)
    assert library.asked[0][1]["kinds"] == ["method"]


async def test_a_name_that_nothing_has_is_answered_with_those_near_to_it() -> None:
    library = Library(FILES, find_symbol={"symbols": [], "nearest": ["Session.get"]})
    found = await ask("find_symbol", '{"name": "gett"}', library)
    assert (found.found, found.roots) == (0, frozenset({ROOT}))
    assert found.text == "Nothing called gett is defined. The nearest names are: Session.get"


async def test_callers_and_callees_say_where_the_call_is() -> None:
    entries = [called("main"), called("retry", certainty="name", depth=2, stale=True)]
    library = Library(LINES, callers={"symbols": [symbol()], "entries": entries, "total": 2},
                      callees={"symbols": [symbol()], "entries": [], "total": 0})  # fmt: skip
    found = await ask("call_chain", '{"target": "Session.get", "depth": 2}', library)
    assert said(found) == [
        "Callers of method Session.get  src/app.py:10-20:",
        "method main  calls in src/app.py:15",
        "method retry  calls in src/app.py:15, 2 steps away (by name alone: may be another of this name)",
    ]
    assert found.notes[0] == "1 of these changed on disk since: lines may have moved"
    none = await ask("call_chain", '{"source": "Session.get"}', library)
    assert said(none) == ["Called by method Session.get  src/app.py:10-20:", "none that is known"]


async def test_ways_of_calls_are_shown_step_by_step() -> None:
    steps = [
        {**symbol("main"), "edge": None, "line": None, "certainty": None},
        {**symbol("Session.get"), "edge": "calls", "line": 4, "certainty": "unique_name"},
        {**symbol("Other.get"), "edge": "inherits", "line": None, "certainty": "exact"},
    ]
    chains = {"sources": [symbol("main")], "targets": [symbol()], "chains": [steps], "total": 1}
    found = await ask("call_chain", '{"source": "main", "target": "get"}', Library(FILES, call_chain=chains))
    assert said(found) == [
        "method main  src/app.py:10-20",
        "  -> method Session.get  src/app.py:10-20  called in line 4 (by name)",
        "  -> method Other.get  src/app.py:10-20  which overrides it",
    ]
    nothing = Library(FILES, call_chain={**chains, "chains": []})
    found = await ask("call_chain", '{"source": "main", "target": "get"}', nothing)
    assert said(found) == ["No way of calls is known from main to get."]
    with pytest.raises(ToolInputError, match="expected `source`, `target`, or both"):
        await ask("call_chain", "{}", nothing)


async def test_a_name_that_the_graph_does_not_know_is_its_error() -> None:
    library = Library(FILES, callers=SymbolNotFoundError("no definition answers to `x`; the nearest are: y"))
    with pytest.raises(SymbolNotFoundError):
        await ask("call_chain", '{"target": "x"}', library)


async def test_imports_are_listed_in_both_directions() -> None:
    entry = {"path": f"{ROOT}/src/b.py", "root": ROOT, "name": "src/b.py", "line": 3, "certainty": "import",
             "of": f"{ROOT}/src/app.py", "depth": 1, "stale": False}  # fmt: skip
    given = {"files": [f"{ROOT}/src/app.py"], "entries": [entry], "total": 1,
             "cycles": [[f"{ROOT}/src/app.py", f"{ROOT}/src/b.py"]]}  # fmt: skip
    library = Library(FILES, dependencies=given, dependents=given)
    out = await ask("dependency_analysis", '{"path": "src/app.py"}', library)
    assert said(out) == [
        "src/app.py imports:", "src/b.py  imported in src/app.py:3", "Cycle: src/app.py -> src/b.py",
    ]  # fmt: skip
    back = await ask("dependency_analysis", '{"symbol": "run", "direction": "imported_by"}', library)
    assert said(back)[:2] == ["src/app.py is imported by:", "src/b.py:3  imports src/app.py"]
    with pytest.raises(ToolInputError, match="either `path` or `symbol`"):
        await ask("dependency_analysis", "{}", library)


async def test_complexity_is_of_a_file_a_folder_or_the_only_root() -> None:
    row = {"name": "run", "kind": "function", "path": f"{ROOT}/src/app.py", "root": ROOT, "start_line": 3,
           "end_line": 90, "complexity": 21, "lines": 80, "parameters": 2, "tokens": 500}  # fmt: skip
    given = {"path": ROOT, "entries": [row], "files": 3, "functions": 9, "unmeasured": {"vendored": 2}, "total": 1}
    library = Library({ROOT: FILES, OTHER: FILES}, complexity=given)
    found = await ask("code_complexity", "{}", library)
    assert said(found) == [
        "9 functions in 3 files were measured.", "21 paths, 80 lines: function run  src/app.py:3-90",
    ]  # fmt: skip
    assert found.notes[0] == "files not measured: 2 vendored"
    await ask("code_complexity", '{"path": "src/", "threshold": 1}', library)
    assert [each[1]["positional"] for each in library.asked if each[0] == "complexity"] == [(ROOT,), (f"{ROOT}/src",)]
    with pytest.raises(ToolInputError, match="say which"):
        await ask("code_complexity", "{}", library, Scope(ROOT, OTHER))
    with pytest.raises(ToolInputError, match=f"{ROOT}/src, {OTHER}/src"):
        await ask("code_complexity", '{"path": "src"}', library, Scope(ROOT, OTHER))


async def test_lists_are_as_long_as_the_tier_allows() -> None:
    library = Library(FILES, find_symbol={"symbols": [symbol()], "nearest": []})
    await ask("find_symbol", '{"name": "get"}', library, Scope(limits=replace(LIMITS, result_tokens=100_000)))
    await ask("find_symbol", '{"name": "get"}', library, Scope(limits=replace(LIMITS, result_tokens=100)))
    assert [asked["limit"] for name, asked in library.asked if name == "find_symbol"] == [100, 10]


# The web


class TheWeb:
    """Satisfies ``Web``."""

    def __init__(self) -> None:
        self.searched: list[tuple[str, Outgoing]] = []
        self.fetched: list[tuple[str, str, Outgoing]] = []

    async def search(self, query: str, limit: int, outgoing: Outgoing) -> SearchResult:
        self.searched.append((query, outgoing))
        hits = [SearchHit("https://a.example/x", "A", "says much"), SearchHit("https://b.example/", "B", "")]
        return SearchResult(hits[:limit], ["one engine is down"])

    async def fetch(self, url: str, query: str, outgoing: Outgoing) -> Fetched:
        self.fetched.append((url, query, outgoing))
        return Fetched(url, "A", [WebPassage(url, "A", "a line", 3, 3, "", 1.0, "")], ["it was cut"])


async def surf(name: str, arguments: str, scope: Scope, web: TheWeb | None = None) -> ToolResult:
    tool = next(each for each in web_tools(web or TheWeb()) if each.name == name)
    assert tool.web
    return await tool.run(tool.parse(arguments), scope)


async def test_a_search_of_the_web_gives_addresses_that_may_be_fetched_then() -> None:
    scope, web = Scope(), TheWeb()
    scope.seen = {ROOT}
    found = await surf("web_search", '{"query": "otters"}', scope, web)
    assert web.searched == [("otters", Outgoing("web", frozenset({ROOT})))]
    assert [(each.source, each.url, each.text) for each in found.passages] == [
        (SourceName.WEB, "https://a.example/x", "says much")
    ]
    assert found.text == "https://b.example/  B"
    assert (found.found, found.notes, found.roots) == (2, ("one engine is down",), frozenset())
    with pytest.raises(ToolInputError, match="none so far"):
        await surf("fetch_url", '{"url": "https://a.example/x"}', scope, web)
    scope.saw(found)
    page = await surf("fetch_url", '{"url": "https://A.example/x#top", "query": "otters"}', scope, web)
    assert web.fetched == [("https://a.example/x", "otters", Outgoing("web", frozenset({ROOT})))]
    assert (page.passages[0].url, page.notes) == ("https://a.example/x", ("it was cut",))


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/x?secret=1",
        "https://a.example/y",
        "https://a.example.evil.example/x",
        "http://a.example/x",
        "https://evil@a.example/x",
        "https://a.example/x/..",
        "http://[",
        "file:///etc/passwd",
    ],
)
async def test_no_address_of_the_models_own_making_is_fetched(url: str) -> None:
    web = TheWeb()
    with pytest.raises(ToolInputError, match="only addresses of the task and of web_search"):
        await surf("fetch_url", f'{{"url": "{url}"}}', Scope(addresses=["https://a.example/x"]), web)
    assert not web.fetched


async def test_an_address_of_the_task_may_be_fetched() -> None:
    web = TheWeb()
    await surf("fetch_url", '{"url": "https://b.example"}', Scope(addresses=["https://b.example/"]), web)
    assert [each[0] for each in web.fetched] == ["https://b.example/"]
