"""Old clients and this daemon, this client and old or newer daemons: it works, or it says which side to renew.

``tests/client_versions`` holds clients as they once were, under names that no tool takes for modules of this version.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon, running, write_files
from scripted_peer import Failure, Reply, Result, ScriptedPeer

from agentd import __version__
from agentd.cli.skew import parts
from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = Path(__file__).parents[1] / "client_versions"
CHECKOUT = Path(__file__).parents[2]

USE = """
import json, sys
from agentd.client import AgentdClientError, Client
root = sys.argv[2]
with Client(sys.argv[1]) as client:
    found = {"hello": client.hello(), "roots": client.roots(), "status": client.status(), "stats": client.stats()}
    found["wait"] = client.wait("keyword", timeout=20)
    found["search"] = client.search("unique1", limit=3, mode="keyword")
    found["span"] = client.read_span(found["search"]["hits"][0]["path"], 1, 2)
    found["files"] = client.list_files(limit=2)
    found["reindex"] = client.reindex()
    found["health"] = client.health()
    found["events"] = [event["event"] for event in client.stream("index.wait", events=True)]
    found["added"] = client.add_root(root)
    try:
        client.search("x", mode="no such mode")
    except AgentdClientError as error:
        found["kind"] = error.kind
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    root = tmp_path_factory.mktemp("skew") / "root"
    write_files(root, 10)
    with running(tmp_path_factory.mktemp("place") / "daemon", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        yield daemon


def installed(version: Path, place: Path) -> Path:
    """The client of an earlier version as a package ``agentd`` of its own below ``place``."""
    for file in version.iterdir():
        *folders, name = file.name.removesuffix(".py.txt").split(".")
        target = place.joinpath("agentd", *folders, f"{name}.py")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.read_text())
        (target.parent / "__init__.py").touch()
    return place


@pytest.mark.parametrize("version", sorted(VERSIONS.iterdir()), ids=lambda path: path.name)
def test_an_earlier_client_can_do_all_that_it_could(daemon: Daemon, tmp_path: Path, version: Path) -> None:
    another = tmp_path / "another"
    another.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", USE, str(daemon.socket), str(another)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed(version, tmp_path / "old"))},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["hello"]["protocol"] == 1
    assert found["search"]["hits"][0]["path"] == found["span"]["path"]
    assert found["wait"]["state"]
    assert found["files"]["total"] == 10
    assert found["added"]["path"] == str(another)
    assert found["kind"] == "invalid_params"


OLD_HIT = {
    "path": "/r/a.py",
    "root": "/r",
    "start_line": 1,
    "end_line": 2,
    "language": "python",
    "symbol": "f",
    "score": 0.5,
    "text": "def f():\n    pass",
    "stale": False,
}
OLD_ANSWER = {
    "hits": [OLD_HIT],
    "total": 1,
    "generation": 1,
    "complete": True,
    "degraded": [],
    "skipped": [],
    "cut": [],
    "took_ms": 1.0,
}
"""A search as the first version answered it: no totals, no relevance, no kind, no confidence."""

ROOTS = {"roots": [{"path": "/r", "state": "current", "pending": 0, "vectors_pending": 0}]}


def agentctl(peer: ScriptedPeer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentd.cli.main", "--socket", peer.path, *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def hello(version: str, protocol: int | None = 1) -> Result:
    known = {} if protocol is None else {"protocol": protocol}
    return Result({"name": "agentd", "version": version, "pid": os.getpid(), **known})


def test_an_answer_of_the_first_version_can_be_shown(tmp_path: Path) -> None:
    replies = {"hello": hello("0.0.1"), "roots.list": Result(ROOTS), "search": Result(OLD_ANSWER)}
    with ScriptedPeer(tmp_path / "s", replies) as peer:
        done = agentctl(peer, "search", "--all", "f")
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "1 hit (1.0 ms)")
    assert "def f():" in done.stdout


def test_fields_that_this_version_does_not_know_are_ignored(tmp_path: Path) -> None:
    newer: dict[str, Any] = OLD_ANSWER | {"hits": [OLD_HIT | {"colour": "green"}], "mood": {"good": True}}
    replies = {"hello": hello("9.0.0"), "roots.list": Result(ROOTS | {"more": 1}), "search": Result(newer)}
    with ScriptedPeer(tmp_path / "s", replies) as peer:
        assert agentctl(peer, "search", "--all", "f").returncode == 0
        with Client(peer.path) as client:
            assert client.search("f")["hits"][0]["path"] == "/r/a.py"


@pytest.mark.parametrize(
    "refusal",
    [
        Failure("method_not_found", "no method `multi_search`; `hello` lists them all."),
        Failure("invalid_params", "search takes no `signatures`. It takes: query, limit.", {"field": "signatures"}),
    ],
)
def test_what_an_older_daemon_does_not_know_is_said_with_what_to_do(tmp_path: Path, refusal: Failure) -> None:
    replies: dict[str, Reply] = {"hello": hello("0.0.9"), "roots.list": Result(ROOTS), "search": refusal}
    with ScriptedPeer(tmp_path / "s", replies) as peer:
        done = agentctl(peer, "search", "--all", "f", "--signatures")
    assert done.returncode == 4
    assert refusal.message in done.stderr
    assert f"the daemon is older (0.0.9) than agentctl ({__version__}): restart agentd" in done.stderr


def test_a_wrong_parameter_is_no_matter_of_versions_where_they_are_equal(tmp_path: Path) -> None:
    refusal = Failure("invalid_params", "search, `limit`: Expected `int` <= 1000", {"field": "limit"})
    replies: dict[str, Reply] = {"hello": hello(__version__), "roots.list": Result(ROOTS), "search": refusal}
    with ScriptedPeer(tmp_path / "s", replies) as peer:
        done = agentctl(peer, "search", "--all", "f", "-k", "5000")
    assert (done.returncode, done.stderr) == (2, f"agentctl: {refusal.message}\n")


def test_an_answer_that_cannot_be_read_blames_the_versions_where_they_differ(tmp_path: Path) -> None:
    replies = {"hello": hello("9.0.0"), "roots.list": Result({"folders": []})}
    with ScriptedPeer(tmp_path / "s", replies) as peer:
        done = agentctl(peer, "roots")
    assert done.returncode == 4
    assert "the daemon is newer (9.0.0)" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("protocol", "advice"), [(2, "upgrade this agentctl"), (0, "restart agentd, so that it runs the version")]
)
def test_another_protocol_is_refused_with_the_side_to_renew(tmp_path: Path, protocol: int, advice: str) -> None:
    with ScriptedPeer(tmp_path / "s", {"hello": hello("5.0.0", protocol), "roots.list": Result(ROOTS)}) as peer:
        done = agentctl(peer, "roots")
        assert (done.returncode, done.stdout) == (4, "")
        assert f"agentd 5.0.0 speaks protocol {protocol}, agentctl {__version__} protocol 1: {advice}" in done.stderr
        assert peer.sent() == []  # nothing was asked of it
        assert "5.0.0" in agentctl(peer, "version").stdout  # what is needed to mend it works all the same


def test_a_daemon_that_does_not_say_its_protocol_is_taken_at_its_word(tmp_path: Path) -> None:
    with ScriptedPeer(tmp_path / "s", {"hello": hello("0.1.0", None), "roots.list": Result({"roots": []})}) as peer:
        assert agentctl(peer, "roots", "--json").stdout == '{"roots":[]}\n'


def test_the_daemon_takes_a_greeting_with_fields_of_the_future(daemon: Daemon) -> None:
    assert daemon.client.request("hello", client="x", protocol=99, colour="green")["protocol"] == 1
    with pytest.raises(AgentdClientError, match="takes no `colour`"):
        daemon.client.request("search", query="x", colour="green")


def test_versions_compare_by_their_numbers() -> None:
    assert parts("0.10.1") > parts("0.9.9")
    assert parts("1.0rc1") == parts("1.0")
    assert parts("1.0.dev3") == [1, 0]
    assert parts("") == parts("unknown") == []
