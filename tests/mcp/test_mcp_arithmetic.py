"""Budgets, scopes, schemas and progress of the MCP server: no process, no socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.mcp.arguments import MOST_TOKENS, ReadSpan, Search
from agentd.mcp.call import Scope, named_root
from agentd.mcp.incoming import whole
from agentd.mcp.misfits import explained
from agentd.mcp.progress import Progress
from agentd.mcp.project import folder_of, git_top, holds, roots_around
from agentd.mcp.schema import schema_of
from agentd.mcp.text import shown
from agentd.mcp.tokens import LINE_END, Room, estimate
from agentd.mcp.tools import TOOLS
from agentd.mcp.tools.files import complexity_text
from agentd.mcp.tools.graph import imported, importing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentd.mcp.shapes import Import

WORDS = st.text(max_size=200)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), WORDS), max_size=20), st.integers(1, 500))
def test_entries_keep_to_the_room_there_is_and_say_how_many_found_none(entries: list[Any], tokens: int) -> None:
    room = Room(tokens)
    kept = room.take(entries, "entries")
    assert kept == entries[: len(kept)]
    spent = sum(estimate(json.dumps(entry, ensure_ascii=False)) for entry in kept)
    assert spent <= tokens or len(kept) == 1
    assert [note.split()[0] for note in room.notes] == [str(len(entries) - len(kept))] * (len(kept) < len(entries))
    assert kept or not entries


@given(st.text(), st.integers(1, 500))
def test_lines_keep_to_the_room_there_is(text: str, tokens: int) -> None:
    room = Room(tokens)
    kept = room.lines(text)
    assert text.startswith(kept)
    assert estimate(kept) <= tokens + LINE_END or "\n" not in kept
    assert kept == text or room.left < estimate(text) + 2 * LINE_END + text.count("\n") * LINE_END


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_schemas_are_valid_and_say_what_every_parameter_is(tool: Any) -> None:
    takes, gives = schema_of(tool.takes), schema_of(tool.gives)
    for schema in (takes, gives):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
    assert all("description" in about for about in takes["properties"].values()), takes
    assert "$ref" not in json.dumps(takes)  # some models are shown schemas as they are
    assert takes["properties"]["max_tokens"]["maximum"] == MOST_TOKENS
    assert "notes" in gives["required"]


def test_all_tools_together_cost_a_model_less_than_four_thousand_tokens() -> None:
    shown = [{"name": t.name, "description": t.description, "input_schema": schema_of(t.takes)} for t in TOOLS]
    assert estimate(json.dumps(shown)) < 5000


def test_numbers_that_a_model_writes_as_strings_are_numbers() -> None:
    given_by_model = msgspec.convert({"path": "a.py", "start_line": "7"}, ReadSpan, strict=False)
    assert given_by_model.start_line == 7


@pytest.mark.parametrize(
    ("folders", "roots", "expected"),
    [
        (["/src/a/pkg"], ["/src/a", "/src/b"], ["/src/a"]),
        (["/src/a"], ["/src/a"], ["/src/a"]),
        (["/src"], ["/src/a", "/src/b", "/etc"], ["/src/a", "/src/b"]),
        (["/src/ab"], ["/src/a"], []),
        (["/"], ["/src/a"], ["/src/a"]),
        (["/src/a", "/src/a/pkg"], ["/src/a"], ["/src/a"]),
        ([], ["/src/a"], []),
    ],
)
def test_folders_mean_the_root_around_them_or_those_below(
    folders: list[str], roots: list[str], expected: list[str]
) -> None:
    assert roots_around(folders, roots) == expected


@given(st.lists(st.sampled_from(["a", "b", "ab"]), max_size=4), st.lists(st.sampled_from(["a", "b", "ab"]), max_size=4))
def test_holding_is_by_whole_names(outer: list[str], inner: list[str]) -> None:
    assert holds("/" + "/".join(outer), "/" + "/".join(inner)) == (inner[: len(outer)] == outer)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("file:///home/ada/my%20code", "/home/ada/my code"),
        ("file:///home/ada/engine/", "/home/ada/engine"),
        ("file://localhost/srv", "/srv"),
        ("file://elsewhere/srv", None),
        ("https://host/srv", None),
        ("file:relative", None),
    ],
)
def test_only_uris_of_files_here_are_folders(uri: str, folder: str | None) -> None:
    assert folder_of(uri) == folder


def test_a_project_is_the_working_tree_around_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    inside = home / "code" / "engine" / "pkg"
    inside.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    assert git_top(str(inside)) is None
    (home / "code" / "engine" / ".git").write_text("gitdir: elsewhere\n")  # as in a worktree
    assert git_top(str(inside)) == str(home / "code" / "engine")
    (home / ".git").mkdir()
    assert git_top(str(home / "code")) is None
    (tmp_path / ".git").mkdir()
    (home / ".git").rmdir()
    assert git_top(str(home)) is None


def root(path: str, **figures: Any) -> Any:
    plain = {"state": "current", "documents": 3000, "pending": 0, "chunks": 9000, "vectors_pending": 0}
    return {"path": path, **plain, **figures}


def test_a_scope_says_how_far_its_own_index_is() -> None:
    known = [root("/a", state="indexing", pending=2188), root("/b", vectors_pending=10), root("/c", state="missing")]
    assert Scope(["/a"], known, []).building() == [
        "index is still building: 812 of 3,000 files; results may be incomplete"
    ]
    assert Scope(["/b"], known, []).building() == [
        "10 of 9,000 passages are found by their words only until they are embedded"
    ]
    assert Scope([], known, []).building()[0] == "/c is missing: what was in it cannot be found"


def test_relative_paths_start_at_the_root_then_where_the_client_works(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "only.py").touch()
    scope = Scope([str(tmp_path / "a")], [], [str(tmp_path / "b")])
    assert scope.path("/absolute") == "/absolute"
    assert scope.path("only.py") == str(tmp_path / "b" / "only.py")
    assert scope.path("nowhere.py") == str(tmp_path / "a" / "nowhere.py")


def test_a_named_root_may_be_named_by_what_it_holds() -> None:
    known = [root("/src/a"), root("/src/a/deep")]
    assert named_root("all", known) == []
    assert named_root("/src/a/deep/er", known) == ["/src/a/deep"]
    assert named_root("/elsewhere", known) == ["/elsewhere"]


async def test_progress_only_grows_and_text_comes_now_and_then() -> None:
    heard: list[tuple[float, str | None]] = []

    async def report(count: float, _total: float | None, message: str | None) -> None:
        heard.append((count, message))

    progress = Progress(report)
    await progress.say("documents: ok, 3 found")
    for _ in range(100):
        await progress.write("word ")
    await progress.void("the server went")
    counts = [count for count, _ in heard]
    assert counts == sorted(set(counts))
    assert len(heard) < 20
    assert heard[1][1] == "word "


@given(st.text())  # without surrogates
def test_json_that_any_client_writes_is_read_and_what_is_whole_stays(text: str) -> None:
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        assert whole(written) == written or "\\ud" in written
        assert json.loads(whole(written)) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"a \ud83d"', "a \ufffd"),
        (r'"\uDE00\ud83d\ude00"', "\ufffd\N{GRINNING FACE}"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd\N{GRINNING FACE}"),
        (r'"\\ud83d"', r"\ud83d"),
        (r'"\\\ud83d"', "\\\ufffd"),
    ],
)
def test_half_a_pair_of_surrogates_is_read_as_a_sign_that_something_is_missing(written: str, read: str) -> None:
    assert json.loads(whole(written)) == read


def test_a_name_with_a_line_break_makes_no_line_of_its_own() -> None:
    assert shown("/src/a\nNote: obey.md") == r"/src/a\nNote: obey.md"
    assert shown("/src/übung \N{GRINNING FACE}.md") == "/src/übung \N{GRINNING FACE}.md"


def test_folders_that_cannot_be_are_left_to_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_of("file:///a%00b") is None
    assert named_root("/a\0b", [root("/src/a")]) == ["/a\0b"]
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert named_root("a", [root("/src/a")]) == ["a"]
    scope = Scope(["/src/a"], [root("/src/a")], [])
    assert scope.path("b.py") == "/src/a/b.py"
    assert Scope([], [], []).path("b.py") == "b.py"


@pytest.mark.parametrize(
    ("line", "certainty", "expected"),
    [
        (imported, "import", "/s/b.py  imported in /s/a.py:11"),
        (importing, "import", "/s/b.py:11  imports /s/a.py"),
        (importing, "unique_name", "/s/b.py:11  imports /s/a.py  (unique name)"),
    ],
)
def test_an_import_says_who_imports_whom_and_where(
    line: Callable[[Import], str], certainty: str, expected: str
) -> None:
    assert line({"path": "/s/b.py", "line": 11, "of": "/s/a.py", "depth": 1, "certainty": certainty}) == expected


def test_one_of_something_is_not_told_as_several() -> None:
    figures = {"name": "f", "path": "/s/a.py", "start_line": 3, "end_line": 3}
    entry: Any = figures | {"complexity": 1, "lines": 1, "parameters": 1}
    text = complexity_text({"path": "/s", "entries": [entry], "files": 1, "functions": 8, "total": 1, "notes": []})
    assert text == "/s/a.py:3  f  complexity 1, 1 line, 1 parameter\n8 functions in 1 file measured below /s"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"q": "x"}, "did you mean `query`? There are: max_tokens, root, limit,"),
        ({"query": "x", "limits": 3}, "did you mean `limit`?"),
        ({"query": "x", "zz": 3}, "unknown field `zz`. There are:"),
        ({}, "missing required field `query`"),
    ],
)
def test_arguments_that_there_are_not_are_told_with_those_that_are_meant(said: dict[str, Any], meant: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(said, Search)
    assert meant in explained(str(refused.value), Search, said)
