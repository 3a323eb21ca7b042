from __future__ import annotations

import os
import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agentd.kernels.gitignore import Patterns, translate_name, translate_path
from agentd.kernels.messages import WalkRequest
from agentd.kernels.walk import walk

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["a", "b", "ab", "ba", "aba", "a.c", "c", "abc", "[a]", "a]", "é", "!a", "#a", "A", "a ", "a\\b"]
FOLDERS = ["", "a/", "b/", "ab/", "a/b/", "a/b/ab/", "b/a/"]
CASES = 25

plain = st.sampled_from([*"ab", "a", "b", "*", "**", "?", "/", "[!a]", "[ab]"])
odd = st.sampled_from([
    *"c*?/ .-]", "**/", "/**", "*.c", "[^b]", "[a-c]", "[]a]", "[a", "[[:alpha:]]", "[[:upper:]0-9]", "[a-]", "[\\]]",
    "[[:x:]]", "[[:]", "\\a", "\\*", "\\", "\\ ", "é", "a/b",
])  # fmt: skip
pattern = st.builds(
    lambda head, body, tail: head + "".join(body) + tail,
    st.sampled_from(["", "", "", "/", "!", "!/", "#", "\\!"]),
    st.lists(plain, min_size=1, max_size=5) | st.lists(plain | odd, min_size=1, max_size=4),
    st.sampled_from(["", "", "", "", "/", " ", "\r"]),
)
patterns = st.lists(pattern, min_size=1, max_size=3).map(lambda lines: "\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with nothing of this machine's configuration in it."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "-q")
    return root


def git(root: Path, *arguments: str) -> bytes:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True).stdout


def seen_by_git(root: Path) -> set[str]:
    listed = git(root, "ls-files", "-o", "-z", "--exclude-standard")
    return {os.fsdecode(path) for path in listed.split(b"\0") if path}


def seen_by_walk(root: Path) -> set[str]:
    return {entry.path for page in walk(WalkRequest(str(root))) for entry in page.entries}


def plant(folder: Path) -> None:
    """Every name as a file in every folder, except where a folder has that name."""
    for below in FOLDERS:
        (folder / below).mkdir(parents=True, exist_ok=True)
    for below in FOLDERS:
        for name in NAMES:
            if not (folder / below / name).exists():
                (folder / below / name).touch()


@pytest.fixture(scope="module")
def planted(repository: Path) -> list[Path]:
    folders = [repository / f"case{number}" for number in range(CASES)]
    for folder in folders:
        plant(folder)
    return folders


@settings(
    max_examples=20,
    deadline=None,  # each example asks git
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # what fails is named below; shrinking it would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)
@given(cases=st.lists(st.tuples(patterns, patterns, patterns), min_size=CASES, max_size=CASES), top=patterns)
def test_nested_ignore_files_leave_out_what_git_leaves_out(
    repository: Path, planted: list[Path], cases: list[tuple[str, str, str]], top: str
) -> None:
    (repository / ".gitignore").write_bytes(top.encode() if len(top) % 3 == 0 else b"")
    (repository / ".git/info/exclude").write_bytes(top.encode() if len(top) % 3 == 1 else b"")
    for folder, (own, below, deeper) in zip(planted, cases, strict=True):
        (folder / ".gitignore").write_bytes(own.encode())
        (folder / "a/.gitignore").write_bytes(below.encode())
        (folder / "a/b/.gitignore").write_bytes(deeper.encode())
    ours, theirs = seen_by_walk(repository), seen_by_git(repository)
    for folder, texts in zip(planted, cases, strict=True):
        prefix = folder.name + "/"
        differing = {path for path in ours ^ theirs if path.startswith(prefix)}
        assert not differing, (top, texts, sorted(differing & ours), sorted(differing & theirs))
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "path", "is_dir", "verdict"),
    [
        ("*.pyc", "a/b.pyc", False, True),
        ("*.pyc\n!b.pyc", "a/b.pyc", False, False),
        ("!b.pyc\n*.pyc", "a/b.pyc", False, True),
        ("build/", "build", False, None),
        ("build/", "x/build", True, True),
        ("/build", "x/build", True, None),
        ("doc/*.txt", "doc/a.txt", False, True),
        ("doc/*.txt", "doc/a/b.txt", False, None),
        ("**/foo", "x/y/foo", False, True),
        ("a/**/b", "a/b", False, True),
        ("a/**/b", "a/x/y/b", False, True),
        ("a/**", "a", True, None),
        ("\ufeff*.log", "x.log", False, True),
        ("*.log\r\n", "x.log", False, True),
        ("# a comment\n\n", "# a comment", False, None),
        ("trail  ", "trail", False, True),
        ("trail\\ ", "trail ", False, True),
        ("a[", "a[", False, None),
        ("a\\", "a\\", False, None),
    ],
)
def test_a_pattern_means_what_the_manual_says(text: str, path: str, *, is_dir: bool, verdict: bool | None) -> None:
    name = path.rpartition("/")[2]
    assert Patterns(text.encode()).verdict(path.encode(), name.encode(), is_dir=is_dir) is verdict


@pytest.mark.parametrize(
    ("glob", "path"),
    [("*a" * 30 + "*b", "a" * 250), ("**/a/" * 30 + "b", "a/" * 250), ("*/" * 30 + "*a*a*a*b", "aaaaaa/" * 250)],
)
def test_a_hostile_pattern_costs_no_more_than_an_honest_one(glob: str, path: str) -> None:
    translate = translate_path if "/" in glob else translate_name
    expression = translate(glob.encode())
    assert expression is not None
    started = time.process_time()
    assert not re.fullmatch(expression, path.encode())
    assert time.process_time() - started < 0.1
