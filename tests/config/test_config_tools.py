"""``[[tool]]``: what is taken, what is refused with a sentence, and what changes while the daemon runs."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest

from agentd.config.check import warnings
from agentd.config.commands import executable, schema_of
from agentd.config.flags import Flags
from agentd.config.load import Loaded, load
from agentd.config.reload import reload_difference, take_live
from agentd.config.render import render
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

GREP = """
[[tool]]
name = "grep"
description = "Finds lines."
command = ["grep", "--count", "--max-count={most}", "--", "{pattern}", "{{x}"]
environment = ["GREP_COLORS"]
timeout_seconds = 2
[tool.parameters.pattern]
type = "string"
description = "What to find: \\u007f"
[tool.parameters.most]
type = "integer"
default = 10
enum = [1, 10]
"""


def loaded(tmp_path: Path, text: str, name: str = "agentd.toml") -> Loaded:
    path = tmp_path / name
    path.write_text(text)
    return load(Flags(config=str(path)), {"HOME": "/home/me"})


def test_a_tool_is_read_and_rendered_as_it_was(tmp_path: Path) -> None:
    first = loaded(tmp_path, GREP)
    (tool,) = first.settings.tools
    assert tool.command[0] == "grep"
    assert tool.timeout_seconds == 2.0
    assert schema_of(tool) == {
        "type": "object",
        "properties": tool.parameters,
        "required": ["pattern"],
        "additionalProperties": False,
    }
    assert loaded(tmp_path, render(first), "copy.toml").settings.tools == first.settings.tools


def test_programs_and_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    text = '[[tool]]\nname = "x"\ndescription = "d"\ncommand = ["%s"]\ndirectory = "%s"\n'
    for program, directory, expected in (
        ("tools/x", "here", (f"{tmp_path}/tools/x", f"{tmp_path}/here")),
        ("~/x", "~", ("/home/me/x", "/home/me")),
        ("/bin/x", "/", ("/bin/x", "/")),
    ):
        (tool,) = loaded(tmp_path, text % (program, directory)).settings.tools
        assert (tool.command[0], tool.directory) == expected
    (tool,) = loaded(tmp_path, text % ("x", "")).settings.tools
    assert (tool.command, tool.directory) == (("x",), "")


def entry(**members: str) -> str:
    """A tool in TOML; what is not said is well."""
    whole = {"name": '"x"', "description": '"d"', "command": '["x", "{a}"]', "parameters": '{a = {type = "string"}}'}
    return "[[tool]]\n" + "\n".join(f"{key} = {value}" for key, value in (whole | members).items() if value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (entry(name='"X"'), ":2: expected a name of lower-case letters, digits and _ for tool.name"),
        (entry(name='"read_span"'), "a tool of that name is built in"),
        (entry() + "\n" + entry(), "expected each [[tool]] once, found 2 different ones of x"),
        (entry(command=""), "expected command = a list of strings in [[tool]], found nothing"),
        (entry(comand='["x"]'), "unknown key tool.comand; did you mean command?"),
        (entry(command="[]"), "expected a list of strings for tool.command, found []"),
        (entry(command='["{a}"]'), "expected a program, which no argument can choose"),
        (entry(command='["x", "{b}"]'), "{b} is no parameter; known here: a"),
        (entry(command='["x", "{a}", "{print $1}"]'), "{{ for a brace, found another {"),
        (entry(command='["x"]'), 'a stands nowhere in command; name it there, or set input = "json"'),
        (entry(command='["x", "\\u0000{a}"]'), "without NUL"),
        (entry(parameters='{a = {type = "strin"}}'), "parameters.a: expected a JSON schema, found one that is none at"),
        (entry(parameters='{a = {"$ref" = "#/x"}}'), "expected a schema without $ref"),
        (entry(parameters='{a = {anyOf = [{"$dynamicRef" = "x"}]}}'), "without $dynamicRef"),
        (entry(parameters='{a = "string"}'), "expected a table of JSON schemas for tool.parameters"),
        (entry(parameters='{a = {}, "b c" = {}}'), "expected names of letters, digits, - and _, found 'b c'"),
        (entry(required='["b"]'), "required: there is no parameter b"),
        (entry(environment='["A=B"]'), "expected names of variables"),
        (entry(input='"xml"'), 'expected one of "json", "none"'),
        (entry(timeout_seconds="0"), "expected a number above 0 to 86400"),
        ('[agent]\ntools = ["search"]', "there is no tool search; did you mean semantic_search?"),
        ('[agent]\ntools = ["red_span"]', "there is no tool red_span; did you mean read_span?"),
    ],
)
def test_what_could_not_work_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    assert words in refused.value.message


def test_a_tool_without_parameters_or_with_all_of_them_as_json_is_well(tmp_path: Path) -> None:
    tools = (
        entry(command='["x"]', parameters=""),
        entry(name='"y"', command='["x"]', input='"json"', required="[]"),
        '[agent]\ntools = ["y", "read_span"]',
    )
    settings = loaded(tmp_path, "\n".join(tools)).settings
    assert [schema_of(tool)["required"] for tool in settings.tools] == [[], []]


def test_tools_change_while_the_daemon_runs(tmp_path: Path) -> None:
    old, new = loaded(tmp_path, GREP).settings, loaded(tmp_path, GREP + '[agent]\ntier = "small"\n').settings
    assert reload_difference(old, new) == (["agent.tier"], [])
    gone = loaded(tmp_path, "").settings
    assert reload_difference(old, gone) == (["tools"], [])
    assert take_live(old, gone) == gone


def test_a_program_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    text = entry(command='["agentd-no-such-program", "{a}"]') + entry(name='"y"', directory='"/gone"').replace(
        "x", "sh"
    )
    found = warnings(loaded(tmp_path, text.replace("[[tool]]", "\n[[tool]]")))
    assert "tool x: there is no program agentd-no-such-program that this user could run" in found
    assert "tool y: its directory /gone is no folder" in found


def test_no_program_is_taken_from_the_folder_that_happens_to_be_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "agentd-mine"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(stat.S_IRWXU)
    monkeypatch.chdir(tmp_path)
    environ: dict[str, Any] = {"PATH": f":.:./x:{tmp_path.name}"}
    assert executable("agentd-mine", environ) is None
    assert executable("agentd-mine", {"PATH": str(tmp_path)}) == str(mine)
    assert executable(str(mine), environ) == str(mine)
