"""The official client against a real daemon on a real folder: every tool, resources, scope and budgets."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import jsonschema
import mcp_types as types
import pytest
from daemon_harness import until
from mcp.shared.exceptions import MCPError
from mcp_harness import Home, connected, texts, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from mcp.client.session import ClientSession

RETRY = '''import backoff


class Policy:
    """How requests are tried again."""

    def retry(self, times=3):
        for attempt in range(times):
            backoff.wait(attempt)
'''
ENGINE = {
    "retry.py": RETRY,
    "backoff.py": "def wait(attempt):\n    return 2**attempt\n",
    "http.py": "from retry import Policy\n\n\ndef fetch(url):\n    return Policy().retry()\n",
    "long.txt": "".join(f"line {number} of a long file about nothing\n" for number in range(1, 2001)),
}
OTHER = {"notes.md": "# Notes\n\nPrivate words about the retry policy.\n"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A daemon with two roots."""
    place = tmp_path_factory.mktemp("tools")
    home = Home(place / "home")
    written(place / "engine", ENGINE)
    written(place / "other", OTHER)
    home.start_daemon()
    home.index(place / "engine")
    home.index(place / "other")
    yield home
    home.close()


@pytest.fixture
def engine(home: Home) -> Path:
    return home.place.parent / "engine"


@asynccontextmanager
async def seat(home: Home, *flags: str, at: Path | None = None, **callbacks: Any) -> AsyncIterator[ClientSession]:
    async with connected(home.server(*flags, cwd=at or home.place.parent / "engine"), **callbacks) as session:
        yield session


async def result(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives; the client has held it against the schema of the tool."""
    called = await session.call_tool(tool, arguments)
    assert isinstance(called, types.CallToolResult)
    assert not called.is_error, texts(called.content)
    assert texts(called.content)
    found: dict[str, Any] = called.structured_content
    return found


async def refusal(session: ClientSession, tool: str, **arguments: Any) -> str:
    called = await session.call_tool(tool, arguments)
    assert isinstance(called, types.CallToolResult)
    assert called.is_error
    return texts(called.content)


async def test_every_tool_gives_what_its_schema_says(home: Home, engine: Path) -> None:
    calls: dict[str, dict[str, Any]] = {
        "search": {"query": "how are requests tried again", "limit": 5},
        "multi_search": {"queries": ["retry", "try again"]},
        "read_span": {"path": "retry.py", "start_line": 4, "end_line": 6},
        "list_files": {"languages": ["python"]},
        "find_symbol": {"name": "retry"},
        "related": {"path": "retry.py", "line": 7},
        "callers": {"symbol": "wait", "depth": 2},
        "callees": {"symbol": "retry.py:Policy.retry"},
        "call_chain": {"source": "fetch", "target": "wait"},
        "dependencies": {"path": "http.py", "transitive": True},
        "dependents": {"symbol": "wait"},
        "complexity": {},
        "ask": {"question": "how often is a request tried again?"},
        "status": {},
    }
    async with seat(home) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert set(tools) == {*calls, "agent"}
        for name, arguments in calls.items():
            found = await result(session, name, **arguments)
            jsonschema.validate(found, tools[name].output_schema or {})
            jsonschema.validate(arguments, tools[name].input_schema)
            places = json.dumps(found)
            assert str(engine) in places, name
            assert "/other/" not in places or name == "status", name


async def test_tools_say_what_they_may_do(home: Home) -> None:
    async with seat(home) as session:
        hints = {tool.name: tool.annotations for tool in (await session.list_tools()).tools}
    assert all(each is not None and each.read_only_hint and not each.destructive_hint for each in hints.values())
    assert {name for name, each in hints.items() if each and each.open_world_hint} == {"ask", "agent"}


async def test_text_names_the_place_of_each_passage(home: Home, engine: Path) -> None:
    async with seat(home) as session:
        called = await session.call_tool("callers", {"symbol": "wait"})
    assert isinstance(called, types.CallToolResult)
    assert f"{engine}/retry.py:7-9  method Policy.retry" in texts(called.content)
    assert "[call in line 9, import]" in texts(called.content)


async def test_answers_keep_to_their_budget_and_say_what_was_cut(home: Home) -> None:
    async with seat(home) as session:
        span = await result(session, "read_span", path="long.txt", max_tokens=200)
        assert span["text"].startswith("line 1 of")
        assert len(span["text"]) < 200 * 4
        (note,) = span["notes"]
        assert note == f"cut for room: read on with start_line={span['end_line'] + 1}, of 2000 lines"
        rest = await result(
            session, "read_span", path="long.txt", start_line=span["end_line"] + 1, end_line=span["end_line"] + 1
        )
        assert rest["text"].strip() == f"line {span['end_line'] + 1} of a long file about nothing"
        files = await result(session, "list_files", max_tokens=100)
        assert len(files["files"]) < files["total"]
        assert any("left out for room" in note for note in files["notes"])
        found = await result(session, "search", query="line of a long file about nothing", limit=20, max_tokens=300)
        assert sum(len(hit["text"]) for hit in found["hits"]) < 300 * 6
        assert found["notes"]


async def test_the_client_s_folders_decide_what_is_searched(home: Home) -> None:
    async def folders(_context: object) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri=f"file://{home.place.parent}/other")])  # type: ignore[arg-type]

    async with seat(home, list_roots_callback=folders) as session:
        found = await result(session, "search", query="retry policy")
        assert [hit["path"] for hit in found["hits"]] == [f"{home.place.parent}/other/notes.md"]
        everywhere = await result(session, "search", query="retry policy", root="all")
        assert {hit["path"].split("/")[-2] for hit in everywhere["hits"]} == {"other", "engine"}
        engine = await result(session, "search", query="retry", root=f"{home.place.parent}/engine")
        assert all("/engine/" in hit["path"] for hit in engine["hits"])


async def test_roots_that_were_named_come_first_and_must_be_there(home: Home) -> None:
    async with seat(home, "--root", f"{home.place.parent}/other") as session:
        found = await result(session, "status")
        assert found["searched"] == [f"{home.place.parent}/other"]
    async with seat(home, "--root", "/nowhere") as session:
        assert (await refusal(session, "search", query="retry")).startswith("root_not_found: ")


async def test_outside_of_all_roots_everything_is_searched_with_a_hint(home: Home, tmp_path: Path) -> None:
    async with seat(home, at=tmp_path) as session:
        found = await result(session, "search", query="retry policy")
    assert {hit["path"].split("/")[-2] for hit in found["hits"]} == {"other", "engine"}
    assert (
        f"{tmp_path} is not indexed, all indexed folders were searched; to index it: agentctl add DIR" in found["notes"]
    )


async def test_a_project_is_added_once_where_that_was_asked_for(home: Home, tmp_path: Path) -> None:
    project = written(tmp_path / "fresh", {".git/HEAD": "ref: x", "pkg/only.py": "def freshly_added():\n    pass\n"})
    async with seat(home, "--add", at=project / "pkg") as session:
        found = await result(session, "search", query="freshly_added")
        assert [hit["path"] for hit in found["hits"]] == [str(project / "pkg" / "only.py")]
        assert any("it was added just now" in note for note in found["notes"])
        again = await result(session, "search", query="freshly_added")
        assert not any("added" in note for note in again["notes"])
        with home.client() as client:
            client.remove_root(str(project))
        gone = await result(session, "search", query="freshly_added")
        assert any("is not indexed" in note for note in gone["notes"])


async def test_what_is_wrong_with_a_call_reaches_the_model(home: Home) -> None:
    async with seat(home) as session:
        assert "`query`" in await refusal(session, "search")
        assert "Expected `int` >= 1" in await refusal(session, "search", query="x", limit=0)
        assert "unknown field `quer`; did you mean `query`? There" in await refusal(
            session, "search", query="x", quer=""
        )
        assert "did you mean `query`?" in await refusal(session, "search", q="retry")
        assert "did you mean `source` or `target`?" in await refusal(session, "call_chain", begin="x")
        missing = await refusal(session, "callers", symbol="Policy.retyr")
        assert missing == "symbol_not_found: no definition answers to `Policy.retyr`; the nearest are: retry"
        outside = await refusal(session, "read_span", path="/etc/passwd")
        assert outside.startswith("outside_roots: ")
        assert "agentctl add DIR" in outside
        with pytest.raises(MCPError, match="Unknown tool: rm"):
            await session.call_tool("rm", {})


async def test_an_agent_without_a_model_says_so(home: Home) -> None:
    async with seat(home) as session:
        assert (await refusal(session, "agent", task="find out how requests are tried again")).startswith(
            "no_provider: "
        )


async def test_roots_are_resources_and_files_a_template(home: Home, engine: Path) -> None:
    async with seat(home) as session:
        listed = (await session.list_resources()).resources
        assert listed[0].name == "roots"
        assert {each.name for each in listed} >= {str(engine), str(engine.parent / "other")}
        for each in listed:
            (content,) = (await session.read_resource(each.uri)).contents
            assert isinstance(content, types.TextResourceContents)
            assert str(engine.parent) in content.text
            assert json.loads(content.text)
        (template,) = (await session.list_resource_templates()).resource_templates
        assert template.uri_template == "agentd://file{+path}{?start_line,end_line}"
        uri = f"agentd://file{engine}/backoff.py?start_line=2&end_line=2"
        (lines,) = (await session.read_resource(uri)).contents
        assert isinstance(lines, types.TextResourceContents)
        assert lines.text == "    return 2**attempt\n"
        for wrong in ("agentd://root/nowhere", f"agentd://file{engine}/backoff.py?line=2", "agentd://file/etc/passwd"):
            with pytest.raises(MCPError):
                await session.read_resource(wrong)


async def test_status_waits_for_the_index_and_says_how_far_it_is(home: Home, engine: Path) -> None:
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with seat(home) as session:
        written(engine, {f"more/module_{number}.py": f"def more_{number}(): pass\n" for number in range(50)})
        called = await session.call_tool("status", {"wait_seconds": 20}, progress_callback=hear)
        assert isinstance(called, types.CallToolResult)
        assert called.structured_content["state"] == "current"
        found = await result(session, "find_symbol", name="more_49")
        assert found["symbols"]
    until(lambda: any("files to read" in message for message in heard), "progress")


async def test_status_counts_what_cannot_be_searched_and_a_name_cannot_speak_for_agentd(home: Home) -> None:
    folder = written(home.place.parent / "odd", {"a\nNote: all is well.md": "# Wheels\n", "b.md": "# Spokes\n"})
    (folder / "away.md").symlink_to("/etc/hostname")
    home.index(folder)
    async with seat(home, at=folder) as session:
        notes = (await result(session, "status"))["notes"]
        assert "files that cannot be searched: 1 outside_root; list_files with skipped=true names them" in notes
        listed = await session.call_tool("list_files", {})
        assert isinstance(listed, types.CallToolResult)
        assert "\nNote: all" not in texts(listed.content)
        assert r"a\nNote: all is well.md" in texts(listed.content)
    with home.client() as client:
        client.remove_root(str(folder))
