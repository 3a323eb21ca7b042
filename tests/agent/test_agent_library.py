"""The built-in tools over a real index: what they find stands on the disk, and the rest of the machine is not there."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agent_tools import LIMITS, SETTINGS, Scope, told
from chain_harness import running
from msgspec.structs import replace

from agentd.agent.builtin import library_tools
from agentd.agent.executor import Executor
from agentd.agent.toolbox import RunToolbox
from agentd.answer.contracts import SourceName
from agentd.config.settings import ComputeSettings, EmbeddingSettings, IndexSettings, Settings
from agentd.daemon.agent_library import DaemonLibrary
from agentd.errors import InvalidParamsError
from agentd.retrieval.budget import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentd.agent.records import CallRecord

RETRY = '''\
"""Calls that are tried again."""

from engine.clock import now

TRIES = 3


def retry(call):
    """Try a call until it succeeds or the tries are used up."""
    for attempt in range(TRIES):
        try:
            return call(now())
        except OSError:
            if attempt == TRIES - 1:
                raise
'''
CLOCK = "def now():\n    return 42\n"
MAIN = "from engine.retry import retry\n\n\ndef main():\n    return retry(print)\n"


class Run:
    """One run over the roots of a daemon."""

    def __init__(self, library: DaemonLibrary, *roots: Path, result_tokens: int = 1200) -> None:
        self.scope = Scope(*map(str, roots), limits=replace(LIMITS, result_tokens=result_tokens))
        self.tools = RunToolbox(Executor(SETTINGS), library_tools(library), self.scope)

    async def call(self, tool: str, /, **arguments: Any) -> tuple[str, CallRecord]:
        return await told(self.tools, tool, json.dumps(arguments))


@asynccontextmanager
async def indexed(place: Path, *roots: Path) -> AsyncIterator[DaemonLibrary]:
    """A daemon without a model, at rest."""
    (place / "state").mkdir(mode=0o700)
    settings = Settings(
        socket=place / "agentd.sock", state_directory=place / "state", flag_roots=roots,
        index=IndexSettings(rescan_seconds=86400.0, quiet_milliseconds=20), compute=ComputeSettings(bulk_workers=1),
        embedding=EmbeddingSettings(enabled=False),
    )  # fmt: skip
    async with running(settings) as daemon:
        await daemon.index.settle(vectors=False)
        yield DaemonLibrary(daemon.services)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


async def test_every_tool_over_a_real_index(tmp_path: Path) -> None:
    engine = write(tmp_path / "code", {"engine/retry.py": RETRY, "engine/clock.py": CLOCK, "engine/main.py": MAIN,
                                       "engine/__init__.py": ""})  # fmt: skip
    other = write(tmp_path / "other", {"secret.py": RETRY.replace("retry", "hidden_retry")})
    async with indexed(tmp_path, engine, other) as library:
        run = Run(library, engine)
        await searching(run, engine)
        await reading(run, engine)
        await structure(run)
        every_proof_stands(run)
        await nothing_of_others(run, other)
        with pytest.raises(InvalidParamsError, match="did you mean"):
            await library.list_files(root=["/x"])
        both = Run(library, engine, other)
        text, kept = await both.call("find_symbol", name="hidden_retry")
        assert kept.found == 1
        assert f"{other}/secret.py" in text
        assert both.scope.seen == {str(other)}


async def searching(run: Run, engine: Path) -> None:
    text, kept = await run.call("semantic_search", query="try a call again until it succeeds", limit="3")
    assert kept.outcome == "ok", kept.message
    assert f"{engine}/engine/retry.py" in text
    for passage in run.tools.passages:
        lines = (engine / passage.path).read_text().splitlines()
        assert passage.text.strip("\n") in "\n".join(lines[passage.start_line - 1 : passage.end_line])
    text, kept = await run.call("multi_search", queries=["retry", "what is the time"], paths=["engine/*.py"])
    assert (kept.outcome, kept.found > 1) == ("ok", True)
    assert estimate_tokens(text) <= LIMITS.result_tokens
    _, kept = await run.call("semantic_search", query="retry", languages=["cobol"], kind="code")
    assert (kept.outcome, kept.found) == ("ok", 0)


async def reading(run: Run, engine: Path) -> None:
    text, kept = await run.call("read_span", path="engine/retry.py", start_line=8, end_line=9)
    assert (kept.outcome, kept.found, kept.notes) == ("ok", 2, [])
    assert f"{engine}/engine/retry.py lines 8-9 | of 15 lines" in text
    assert "def retry(call):" in text
    _, kept = await run.call("read_span", path="engine/retry.py", start_line=99)
    assert (kept.outcome, kept.kind) == ("retry", "not_found")
    assert "15 lines" in kept.message
    text, kept = await run.call("list_files", paths=["**/*.py"], languages=["python"], kind="code")
    assert (kept.outcome, "engine/clock.py" in text) == ("ok", True)


async def structure(run: Run) -> None:
    text, kept = await run.call("find_symbol", name="retry")
    assert re.search(r"function retry  engine/retry.py:8-15 \| source \d+: def retry\(call\):", text)
    _, kept = await run.call("find_symbol", name="retri")
    assert (kept.outcome, kept.found) == ("ok", 0)
    text, kept = await run.call("call_chain", target="retry")
    assert re.search(
        r"function main  calls in engine/main.py:5 \| source \d+: def main\(\): return retry\(print\)\n", text
    )
    text, kept = await run.call("call_chain", source="engine/main.py:main", target="now")
    assert kept.found == 1, text
    assert "-> function now  engine/clock.py:1-2" in text
    _, kept = await run.call("call_chain", target="nothing_like_it")
    assert (kept.outcome, kept.kind) == ("retry", "symbol_not_found")
    text, kept = await run.call("dependency_analysis", path="engine/clock.py", direction="imported_by", transitive=True)
    assert re.search(r"engine/retry.py:3  imports engine/clock.py \| source \d+: from engine.clock import now\n", text)
    assert "engine/main.py:1  imports engine/retry.py, 2 steps away" in text
    text, kept = await run.call("code_complexity", path="engine", threshold=2)
    assert re.search(r"function retry  engine/retry.py:8-15 \| source \d+: def retry\(call\):", text)


def every_proof_stands(run: Run) -> None:
    """Also those of lists, and each line that was said to prove something is there."""
    for each in run.tools.passages:
        lines = Path(each.path).read_text().splitlines()
        assert each.text.strip("\n") == "\n".join(lines[each.start_line - 1 : each.end_line]).strip("\n")
    abouts = {each.about for each in run.tools.passages if each.source is SourceName.GRAPH}
    assert {"defines retry", "calls now", "imports engine/clock.py"} <= abouts


async def nothing_of_others(run: Run, other: Path) -> None:
    asked: dict[str, dict[str, Any]] = {
        "semantic_search": {"query": "hidden_retry"},
        "find_symbol": {"name": "hidden_retry"},
        "call_chain": {"target": f"{other}/secret.py:hidden_retry"},
        "read_span": {"path": f"{other}/secret.py"},
        "list_files": {"paths": ["secret.py"]},
        "dependency_analysis": {"path": f"{other}/secret.py"},
        "code_complexity": {"path": str(other)},
    }
    for name, arguments in asked.items():
        text, _ = await run.call(name, **arguments)
        shown = text.replace(f"{other}/secret.py", "").replace("called hidden_retry", "")  # what the model wrote itself
        assert "hidden" not in shown, name
        assert "secret.py" not in shown, name
    assert str(other) not in run.scope.seen


async def test_secrets_are_masked_in_what_a_run_reads_even_where_only_their_middle_is_read(tmp_path: Path) -> None:
    body = "MIIEpAIBAAKCAQEA7bq2vJk1f0Zr9yQwXn3s5T8uLmP4oGhC6dEaKjR2iVtYbNxW"
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body[::-1]}\n-----END RSA PRIVATE KEY-----"
    code = write(tmp_path / "code", {"deploy.py": f'"""How it is deployed."""\n\nKEY = """{key}"""\n\n{RETRY}'})
    async with indexed(tmp_path, code) as library:
        run = Run(library, code)
        text, kept = await run.call("read_span", path="deploy.py", start_line=4, end_line=5)
        assert kept.outcome == "ok", kept.message
        assert body[:20] not in text
        assert "*" * len(body) in kept.text
        text, _ = await run.call("read_span", path="deploy.py", start_line=1, end_line=2)
        assert "How it is deployed." in text
