"""Every script in ``examples`` does what it says, against a real daemon on a small folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, running, until
from provider_harness import USAGE, delta, events
from provider_thread import Servers, servers

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (CHECKOUT / "examples").glob("*.py"))
RETRY = '''"""How requests are tried again."""

MOST_TRIES = 3


def backoff(attempt):
    """Seconds to wait before the next attempt."""
    return 2**attempt


def send(request):
    """Send a request, and try again with backoff where the server is overloaded."""
    return [backoff(attempt) for attempt in range(MOST_TRIES)]
'''
CHAT = """
[[provider]]
name = "scripted"
kind = "openai"
base_url = "{url}/v1"
chat_model = "model"

[chat]
chain = ["scripted"]
"""


@pytest.fixture(scope="module")
def chat() -> Iterator[Servers]:
    with servers() as served:
        yield served


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "retry.py").write_text(RETRY)
    return folder


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shop: Path, chat: Servers) -> Iterator[Daemon]:
    config = QUICK + CHAT.format(url=chat.scripted.url)
    with running(tmp_path_factory.mktemp("daemon"), shop, config=config) as daemon:
        daemon.client.wait("keyword")
        yield daemon


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(CHECKOUT / "examples" / name), *arguments]


def environ(daemon: Daemon, **more: str) -> dict[str, str]:
    return {**os.environ, "AGENTD_SOCKET": str(daemon.socket), "PYTHONPATH": str(CHECKOUT), **more}


def printed(daemon: Daemon, name: str, *arguments: str, **more: str) -> str:
    done = subprocess.run(
        command(name, *arguments), env=environ(daemon, **more), capture_output=True, text=True, check=False,
        timeout=DEADLINE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_a_test_for_each_example_and_the_readme_names_it() -> None:
    own = Path(__file__).read_text()
    page = (CHECKOUT / "examples" / "README.md").read_text()
    assert all(f'"{name}"' in own and f"[{name}]({name})" in page for name in EXAMPLES)


def test_search_and_open_lists_hits_and_opens_the_best_at_its_line(daemon: Daemon, shop: Path) -> None:
    lines = printed(daemon, "search_and_open.py", "backoff", EDITOR="echo opened").splitlines()
    assert re.fullmatch(rf"1\. {shop}/retry\.py:\d+  \w*", lines[0])
    assert re.fullmatch(rf"opened \+\d+ {shop}/retry\.py", lines[-1])


def test_ask_with_citations_streams_the_answer_and_checks_what_it_cites(
    daemon: Daemon, shop: Path, chat: Servers
) -> None:
    chat.scripted.replies(
        events(delta(content="It waits 2**attempt "), delta(content="seconds [1]."), delta("stop"), USAGE)
    )
    said = printed(daemon, "ask_with_citations.py", "how long does backoff wait before the next attempt?")
    assert said.startswith("It waits 2**attempt seconds [1].\n")
    assert re.search(rf"^\[1\] {shop}/retry\.py:\d+  current$", said, re.MULTILINE)


def test_many_at_once_says_who_calls_each_and_what_is_not_known(daemon: Daemon, shop: Path) -> None:
    assert printed(daemon, "many_at_once.py", "backoff", "nothing_like_it").splitlines() == [
        f"backoff: {shop}/retry.py:13  in send",
        "nothing_like_it: no such function",
    ]


def test_watch_index_says_when_all_is_there_and_what_changes(daemon: Daemon, shop: Path) -> None:
    watching = subprocess.Popen(
        command("watch_index.py", str(shop), "1"), env=environ(daemon), stdout=subprocess.PIPE, text=True
    )
    with watching:
        try:
            assert watching.stdout is not None
            assert any("files can be found" in line for line in watching.stdout)
            until(lambda: saved(shop) and watching.poll() is not None, "a change is told")
            assert watching.stdout.read() == f"indexed {shop}/new.py\n"
        finally:
            watching.kill()
    assert watching.returncode == 0


def saved(shop: Path) -> bool:
    """Change a file; again and again, since the script may not listen yet when it is changed first."""
    (shop / "new.py").write_text(f"TIME = {time.monotonic_ns()}\n")
    return True


def test_agent_run_shows_each_step_and_what_is_cited(daemon: Daemon, shop: Path, chat: Servers) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "semantic_search", "arguments": '{"query": "backoff"}'}}
    chat.scripted.replies(
        events(delta(tool_calls=[call]), delta("tool_calls"), USAGE),
        events(delta(content="It waits 2**attempt seconds [1]."), delta("stop"), USAGE),
    )
    said = printed(daemon, "agent_run.py", "how long does backoff wait?")
    assert "→ semantic_search {'query': 'backoff'}\n← ok, " in said
    assert "\nIt waits 2**attempt seconds [1].\n" in said
    assert f"[1] {shop}/retry.py:" in said
    assert re.search(r"^2 turns, 1 calls; agentctl trace \w+ has them all$", said, re.MULTILINE)
