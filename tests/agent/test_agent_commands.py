"""Commands as tools: their arguments, what they see, what comes of them, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agent_tools import Scope
from hypothesis import given
from hypothesis import strategies as st

from agentd.agent import process
from agentd.agent.commands import CommandTool, command_line, plain
from agentd.agent.process import Command, Output, run_command
from agentd.config.settings import ToolSettings
from agentd.errors import ToolCommandError, ToolError, ToolInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.agent.contracts import ToolResult

STRING: dict[str, object] = {"type": "string"}
ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/home/me", "LANG": "C.UTF-8", "SECRET": "key", "WANTED": "yes"}


def tool(*command: str, parameters: dict[str, dict[str, object]] | None = None, **settings: Any) -> CommandTool:
    made = ToolSettings(
        name="mine", description="does", command=command, parameters=parameters or {}, directory="/", **settings
    )
    return CommandTool(made, ENVIRON)


def python(source: str, **settings: Any) -> CommandTool:
    return tool(sys.executable, "-c", source.replace("{", "{{"), **settings)


async def called(made: CommandTool, *roots: str, **arguments: object) -> ToolResult:
    return await made.run(made.parse(json.dumps(arguments)), Scope(*roots))


def refusal(made: CommandTool, arguments: object) -> str:
    with pytest.raises(ToolInputError) as refused:
        made.parse(json.dumps(arguments))
    return refused.value.message


SEARCH = tool(
    "grep", "--max-count={most}", "--include={glob}", "--{{x}}", "--", "{pattern}", "{paths}",
    parameters={
        "pattern": STRING | {"minLength": 1},
        "most": {"type": "integer", "minimum": 1, "default": 10},
        "glob": STRING,
        "paths": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]"}},
        "how": {"enum": ["fast", "slow"]},
    },
    required=("pattern",),
)  # fmt: skip


def line(**arguments: object) -> list[str]:
    return SEARCH.parse(json.dumps(arguments)).line


def test_arguments_take_the_place_of_their_names() -> None:
    assert line(pattern="-x; $(y)", paths=["a b", "c"], glob=None) == [
        "grep", "--max-count=10", "--{x}}", "--", "-x; $(y)", "a b", "c",
    ]  # fmt: skip
    assert line(pattern="{paths}", most=2, glob="*.py")[1:3] == ["--max-count=2", "--include=*.py"]
    assert line(pattern="x") == ["grep", "--max-count=10", "--{x}}", "--", "x"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "the parameter `pattern` is missing"),
        ({"pattern": 3}, "parameter `pattern`: expected string, found 3"),
        ({"pattern": ""}, 'parameter `pattern`: expected minLength 1, found ""'),
        ({"pattern": "x", "patern": "y"}, 'there is no parameter "patern"; did you mean pattern'),
        ({"pattern": "x", "most": 0}, "parameter `most`: expected minimum 1, found 0"),
        ({"pattern": "x", "paths": ["a", "B"]}, 'parameter `paths[1]`: expected text that matches ^[a-z], found "B"'),
        ({"pattern": "x", "how": "well"}, 'parameter `how`: expected one of "fast", "slow", found "well"'),
        ({"pattern": "x\0"}, "expected text without NUL"),
        ([1], "expected a JSON object"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_in_words(arguments: object, words: str) -> None:
    assert words in refusal(SEARCH, arguments)


def test_a_value_is_never_taken_for_an_option() -> None:
    for element in ("{a}", "{a}x"):
        with pytest.raises(ToolInputError, match="expected no - at the beginning"):
            command_line(("x", element), {"a": "--delete"})
        assert command_line(("x", "--", element), {"a": "-"})[2].startswith("-")
    with pytest.raises(ToolInputError):
        command_line(("x", "{a}", "--"), {"a": ["y", "-z"]})
    with pytest.raises(ToolInputError):  # a -- of the model's own ends no options
        command_line(("x", "{a}", "{b}"), {"a": "--", "b": "-z"})
    assert command_line(("x", "-n{a}", "{b}"), {"a": -1, "b": True}) == ["x", "-n-1", "true"]


@given(st.lists(st.sampled_from(["-", "--", "a", "--x", "{", "{a}", " ", "\n"]), max_size=4).map("".join))
def test_whatever_is_given_stays_one_argument(value: str) -> None:
    with suppress(ToolInputError):
        made = command_line(("x", "{a}", "--b={a}"), {"a": value})
        assert made == ["x", value, f"--b={value}"]
        assert not value.startswith("-")


async def test_a_command_sees_its_arguments_and_little_else(tmp_path: Path) -> None:
    source = "import json, os, sys; print(json.dumps([os.environ | {}, os.getcwd(), sys.stdin.read(), os.getsid(0)]))"
    made = CommandTool(
        ToolSettings(
            name="mine", description="d", command=(sys.executable, "-c", source.replace("{", "{{")), input="json",
            parameters={"a": STRING, "b": {"default": 2}}, environment=("WANTED", "NOT_THERE"),
        ),
        ENVIRON,
    )  # fmt: skip
    roots = (str(tmp_path), "/other")
    environment, directory, stdin, session = json.loads((await called(made, *roots, a="ä")).text)
    assert environment == {
        "PATH": "/usr/bin:/bin", "HOME": "/home/me", "LANG": "C.UTF-8", "WANTED": "yes",
        "AGENTD_ROOTS": f"{tmp_path}\n/other",
    }  # fmt: skip
    assert directory == str(tmp_path)
    assert json.loads(stdin) == {"a": "ä", "b": 2}
    assert session != os.getsid(0)


async def test_what_it_wrote_is_text_of_all_roots() -> None:
    result = await called(
        python("print('\\x1b[31mred\\x1b[0m\\x07 caf\\xe9'); import sys; print('why', file=sys.stderr)"), "/a", "/b"
    )
    assert sorted(result.text.split()) == ["café", "red", "why"]
    assert (result.found, result.notes, result.roots) == (2, (), frozenset({"/a", "/b"}))
    assert "wrote nothing" in (await called(python(""))).text


def test_output_is_made_plain() -> None:
    assert plain(b"a\xff\x1b]0;t\x07b\r\nc\x1b(Bd\x1b[2J\x00\t\xe2\x80\xaee") == "a\ufffdb\ncd\te"


async def test_a_long_output_keeps_its_beginning_and_its_end() -> None:
    made = python("for i in range(10_000): print(i)", max_output_bytes=300)
    result = await called(made)
    assert result.text.startswith("0\n1\n")
    assert result.text.endswith("9998\n9999\n")
    assert "bytes left out …]" in result.text
    assert len(result.text) < 400
    assert "48590 bytes in its middle are left out" in result.notes[0]


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(3, 60))
def test_what_is_kept_of_an_output_is_bounded_and_counted(pieces: list[bytes], limit: int) -> None:
    output, whole = Output(limit), b"".join(pieces)
    for piece in pieces:
        output.add(piece)
    kept = output.whole()
    assert output.cut == max(0, len(whole) - limit)
    if not output.cut:
        assert kept == whole
    else:
        head, _, rest = kept.partition(f"\n[… {output.cut} bytes left out …]\n".encode())
        assert whole == head + whole[len(head) : len(whole) - len(rest)] + rest
        assert len(head) + len(rest) == limit


async def test_a_failure_is_told_with_the_end_of_the_output() -> None:
    with pytest.raises(ToolCommandError) as failed:
        await called(python("import sys; print('x' * 5000); print('no such thing'); sys.exit(3)"))
    assert failed.value.retry
    assert "mine ended with exit code 3; its output ends with:\n…x" in failed.value.message
    assert failed.value.message.endswith("no such thing\n")
    assert len(failed.value.message) < 2000
    with pytest.raises(ToolCommandError, match="was killed by SIGTERM; its output is empty"):
        await called(python("import os; os.kill(os.getpid(), 15)"))


async def test_what_cannot_be_started_is_final(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    for made, words in (
        (tool("agentd-no-such"), "there is no program agentd-no-such"),
        (tool(str(tmp_path / "text")), "cannot be started"),
        (CommandTool(ToolSettings(name="x", description="d", command=("true",), directory="/gone")), "no folder /gone"),
        (CommandTool(ToolSettings(name="x", description="d", command=("true",))), "no folder /nowhere"),
    ):
        with pytest.raises(ToolError, match=words) as failed:
            await called(made, "/nowhere")
        assert not failed.value.retry


def alive(pid: int) -> bool:
    """Whether it runs: one that is dead and not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def open_files() -> Iterator[str]:
    """Descriptors of ours, and what they are of; but for /dev/null, of which uvloop keeps one once it closed a pipe."""
    for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208  # of no folder on a disk
        with suppress(FileNotFoundError):
            kind = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115  # no file
            if kind != "/dev/null":
                yield f"{descriptor} {kind}"


async def gone(*pids: int) -> None:
    async with asyncio.timeout(5):
        while any(map(alive, pids)):  # noqa: ASYNC110  # not our children, some of them: no event tells
            await asyncio.sleep(0.01)


async def pids_in(path: Path) -> list[int]:
    async with asyncio.timeout(10):
        while not (path.exists() and path.read_text().endswith("end")):  # noqa: ASYNC110, ASYNC240  # a file in memory
            await asyncio.sleep(0.01)
    return list(map(int, path.read_text().split()[:-1]))  # noqa: ASYNC240


STAYS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    with open(sys.argv[1] + "_", "w") as file:
        file.write(f"{os.getpid()} {child} end")
    os.rename(sys.argv[1] + "_", sys.argv[1])
time.sleep(60)
"""


async def test_who_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    made = tool(sys.executable, "-c", STAYS.replace("{", "{{"), str(tmp_path / "pids"))
    before = set(open_files())
    running = asyncio.create_task(called(made))
    pids = await pids_in(tmp_path / "pids")
    assert all(map(alive, pids))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(*pids)
    async with asyncio.timeout(5):
        while set(open_files()) - before:  # noqa: ASYNC110  # the loop closes them a turn later
            await asyncio.sleep(0.01)


async def test_who_is_cancelled_while_it_starts_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = process._start, []

    def slowly(command: Command) -> Any:
        started.append(start(command))
        time.sleep(0.2)  # the disk
        return started[0]

    monkeypatch.setattr(process, "_start", slowly)
    running = asyncio.create_task(called(tool("sleep", "60")))
    async with asyncio.timeout(5):
        while not started:  # noqa: ASYNC110  # a thread tells no event
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(started[0].popen.pid)
    assert started[0].popen.poll() == -9


async def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    """Its output stays open in a child, which would hold up whoever waits for the end of it."""
    path = tmp_path / "pids"
    began = time.monotonic()
    result = await called(tool("sh", "-c", f"sleep 60 & echo $! end > {path}_; mv {path}_ {path}; echo done"))
    assert result.text == "done\n"
    assert time.monotonic() - began < 5
    path.write_text(path.read_text().strip())
    await gone(*await pids_in(path))


async def test_what_left_its_group_holds_nobody_up() -> None:
    began = time.monotonic()
    result = await called(tool("sh", "-c", "setsid sleep 3 & echo done"))
    assert result.text == "done\n"
    assert time.monotonic() - began < 2.5


async def test_who_does_not_stop_writing_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOST_BYTES", 1024 * 1024)
    with pytest.raises(ToolCommandError, match="was killed: ask for less"):
        await called(tool("yes"))


async def test_a_large_input_is_read_or_not() -> None:
    text = "x" * 60_000
    for source, expected in (("import sys; print(len(sys.stdin.read()))", "60009\n"), ("print('unread')", "unread\n")):
        made = python(source, input="json", parameters={"a": STRING})
        assert (await called(made, a=text)).text == expected


async def test_many_commands_start_without_holding_up_the_loop() -> None:
    late: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            late.append(time.perf_counter() - before)
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    command = Command(arguments=["/bin/true"], environment={}, directory="/", max_bytes=100)
    ended = await asyncio.gather(*(run_command(command) for _ in range(20)))
    watching.cancel()
    assert [each.status for each in ended] == [0] * 20
    assert sorted(late)[len(late) // 2] < 0.01
