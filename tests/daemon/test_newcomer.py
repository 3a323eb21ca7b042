"""What a person does first: start with a root, wait, search. And what a search must never do: show what is not so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon, running, until, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentd.protocol import Hit

COOKIES = '''"""Sessions."""


def merge_cookies(jar, other):
    """Put what a redirect set into the jar of the session."""
    for name, value in other.items():
        jar[name] = value
    return jar


def close(session):
    """Give every connection back to the pool."""
    session.pool.clear()
'''
GUIDE = """# Guide

## Baking bread

Knead the dough, let it rise for an hour, then bake it in a hot oven.

## Astronomy

The moons of Jupiter are seen with a small telescope.
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Two roots: ``app`` named by a flag, ``notes`` added."""
    place = tmp_path_factory.mktemp("newcomer")
    for name, text in {
        "app/http/session.py": COOKIES,
        "app/http/retry.js": "function retryPolicy(attempts) {\n  return attempts > 3; // zqxbrtwk\n}\n",
        "app/README.md": GUIDE,
        "app/data.json": '{"colour": "green"}\n',
        "notes/bread.md": "# Bread\n\nA loaf of sourdough.\n",
    }.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    with Daemon(place, place / "app") as daemon:
        daemon.client.add_root(str(place / "notes"))
        daemon.client.wait("vectors", timeout=DEADLINE)
        yield daemon


def agentctl(daemon: Daemon, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentd.cli.main", "--socket", str(daemon.socket), *arguments],
        cwd=cwd or daemon.place / "app",
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def search(daemon: Daemon, query: str, **options: Any) -> list[Hit]:
    return daemon.client.search(query, **options)["hits"]


def names(hits: list[Hit]) -> list[str]:
    return [hit["path"].rsplit("/", 1)[1] for hit in hits]


def test_the_two_commands_of_the_readme(daemon: Daemon) -> None:
    assert agentctl(daemon, "wait").returncode == 0
    found = agentctl(daemon, "search", "merge_cookies")
    assert found.returncode == 0
    first = found.stdout.partition("--")[0].splitlines()
    assert "http/session.py:4: def merge_cookies(jar, other):" in first
    assert agentctl(daemon, "status").stdout.startswith("current")
    nothing = agentctl(daemon, "search", "--mode", "keyword", "xylophone")
    assert nothing.returncode == 1


def test_json_holds_what_the_protocol_says(daemon: Daemon) -> None:
    result = json.loads(agentctl(daemon, "--json", "search", "--explain", "merge_cookies").stdout)
    assert result["complete"]
    hit = result["hits"][0]
    assert hit["start_line"] <= 4 <= hit["end_line"]
    assert (hit["language"], hit["kind"], hit["stale"]) == ("python", "code", False)
    assert hit["why"]["keyword_rank"] == 1
    assert hit["why"]["vector_rank"] is not None


def test_a_hit_is_the_exact_text_of_its_lines(daemon: Daemon) -> None:
    hits = search(daemon, "merge cookies session connection bread telescope")
    assert len(hits) > 4
    for hit in hits:
        span = daemon.client.read_span(hit["path"], hit["start_line"], hit["end_line"])
        assert span["text"].rstrip("\n") == hit["text"].rstrip("\n")
        assert not hit["stale"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("planets in the night sky", "Jupiter"),
        ("how do I cook a loaf", "oven"),
        ("release sockets when finished", "Give every connection back"),
    ],
)
def test_meaning_finds_what_no_word_names(daemon: Daemon, question: str, expected: str) -> None:
    root = str(daemon.place / "app")
    assert not any(expected in hit["text"] for hit in search(daemon, question, mode="keyword", roots=[root])[:1])
    assert expected in search(daemon, question, roots=[root], mode="vector")[0]["text"]


def test_a_word_that_one_passage_mentions_is_found_by_whoever_types_it(daemon: Daemon) -> None:
    root = str(daemon.place / "app")
    assert names(search(daemon, "zqxbrtwk", roots=[root]))[0] == "retry.js"
    assert search(daemon, "zqxbrtwq", roots=[root]) == []


def test_filters_restrict_both_retrievers(daemon: Daemon) -> None:
    query = "merge cookies session retry bread"
    for mode in ("keyword", "vector", "fusion"):
        assert set(names(search(daemon, query, mode=mode, languages=["python"]))) == {"session.py"}
        assert set(names(search(daemon, query, mode=mode, kind="docs"))) == {"README.md", "bread.md"}
        assert set(names(search(daemon, query, mode=mode, paths=["http/**"]))) <= {"session.py", "retry.js"}
        assert set(names(search(daemon, query, mode=mode, paths=["*.md"], kind="docs"))) == {"README.md", "bread.md"}
        assert search(daemon, query, mode=mode, paths=["nothing/**"]) == []
        one_each = names(search(daemon, query, mode=mode, max_per_file=1))
        assert len(one_each) == len(set(one_each)) > 1


def test_roots_are_searched_together_or_one_by_one(daemon: Daemon) -> None:
    app, notes = str(daemon.place / "app"), str(daemon.place / "notes")
    assert {hit["root"] for hit in search(daemon, "bread")} == {app, notes}
    assert {hit["root"] for hit in search(daemon, "bread", roots=[notes])} == {notes}
    assert {hit["root"] for hit in search(daemon, "bread", roots=[notes, app])} == {app, notes}
    assert agentctl(daemon, "search", "sourdough", "--mode", "keyword").returncode == 1
    assert agentctl(daemon, "search", "sourdough", "--mode", "keyword", "--all").returncode == 0
    assert agentctl(daemon, "search", "sourdough", cwd=daemon.place / "notes").stdout.startswith("bread.md:1:")


def test_a_search_right_after_a_change_never_shows_what_is_not_so(daemon: Daemon) -> None:
    path = daemon.place / "app" / "volatile.py"
    for number in range(25):
        path.write_text(f"def volatile():\n    return 'kestrel number {number}'\n")
        for hit in search(daemon, "volatile kestrel", mode="keyword"):
            assert hit["stale"] or hit["text"] in path.read_text()
    path.unlink()
    assert "volatile.py" not in names(search(daemon, "volatile kestrel", mode="fusion"))


def test_a_changed_file_is_read_again_for_the_search_that_finds_it(daemon: Daemon) -> None:
    path = daemon.place / "app" / "fresh.py"
    path.write_text("def fresh():\n    return 'heron'\n")
    until(lambda: search(daemon, "heron", mode="keyword"))
    daemon.client.wait("keyword", timeout=DEADLINE)
    before = path.stat()
    path.write_text("def fresh():\n    return 'egret'\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (hit,) = search(daemon, "fresh", mode="keyword", paths=["fresh.py"])
    assert hit["stale"] or "egret" in hit["text"]
    until(lambda: not search(daemon, "fresh", mode="keyword", paths=["fresh.py"])[0]["stale"])
    assert "egret" in search(daemon, "fresh", mode="keyword", paths=["fresh.py"])[0]["text"]


def test_a_file_replaced_by_a_directory_or_a_link_has_no_hits(daemon: Daemon) -> None:
    path = daemon.place / "app" / "swapped.py"
    path.write_text("bittern = 1\n")
    until(lambda: search(daemon, "bittern", mode="keyword"))
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert all(hit["stale"] for hit in search(daemon, "bittern", mode="keyword"))
    until(lambda: search(daemon, "bittern", mode="keyword") == [])
    assert daemon.client.list_files(skipped=True)["files"][0]["skip"] == "outside_root"
    path.unlink()
    path.mkdir()
    assert search(daemon, "bittern", mode="keyword") == []
    path.rmdir()


def test_a_root_that_is_removed_is_gone_from_answers_and_from_the_state(daemon: Daemon) -> None:
    extra = daemon.place / "extra"
    extra.mkdir()
    (extra / "secret.md").write_text("# Secret\n\nthe cormorant flies at midnight\n")
    daemon.client.add_root(str(extra))
    daemon.client.wait("vectors", timeout=DEADLINE)
    assert names(search(daemon, "cormorant"))[0] == "secret.md"
    assert daemon.client.remove_root(str(extra))["documents"] == 1
    assert "secret.md" not in names(search(daemon, "cormorant", limit=100))
    daemon.restart()
    stored = [path for path in daemon.state.rglob("*") if path.is_file() and b"cormorant flies" in path.read_bytes()]
    assert stored == []


def test_the_state_is_closed_to_others(daemon: Daemon) -> None:
    modes = {path: path.stat().st_mode & 0o077 for path in [daemon.state, daemon.socket, *daemon.state.rglob("*")]}
    assert not {path for path, mode in modes.items() if mode}


def test_the_users_own_ignore_rules_of_git_hold(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 2)
    (tmp_path / "root" / "mine.scratch").write_text("common\n")
    excludes = tmp_path / "config" / "git" / "ignore"
    excludes.parent.mkdir(parents=True)
    excludes.write_text("*.scratch\n")
    with running(tmp_path / "place", tmp_path / "root", XDG_CONFIG_HOME=str(tmp_path / "config")) as daemon:
        assert daemon.client.wait("keyword", timeout=DEADLINE)["documents"] == 2
