from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentd.kernels.ignore import JUNK, JUNK_BESIDE, JUNK_SUFFIXES, MAX_RULES_BYTES, VERSION_CONTROL
from agentd.kernels.messages import WalkRequest
from agentd.kernels.walk import walk

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def walked(root: Path, *exclude: str, global_excludes: str = "") -> set[str]:
    request = WalkRequest(str(root), exclude=exclude, global_excludes=global_excludes)
    paths = {entry.path for page in walk(request) for entry in page.entries}
    return {path for path in paths if not path.endswith("ignore")}


@pytest.mark.parametrize("name", sorted(JUNK | VERSION_CONTROL) + [b"x" + suffix for suffix in JUNK_SUFFIXES])
def test_junk_is_left_out_at_any_depth(tmp_path: Path, name: bytes) -> None:
    write(tmp_path, {f"{name.decode()}/a": "", f"sub/{name.decode()}/b/a": "", f"sub/not{name.decode()}x/a": ""})
    assert walked(tmp_path) == {f"sub/not{name.decode()}x/a"}


@pytest.mark.parametrize(("name", "beside"), [(n, b) for n, several in JUNK_BESIDE.items() for b in several])
def test_build_folders_are_junk_only_beside_their_project_file(tmp_path: Path, name: bytes, beside: bytes) -> None:
    folder, project = name.decode(), beside.decode()
    write(tmp_path, {f"a/{folder}/x": "", f"a/{project}": "", f"b/{folder}/x": ""})
    assert walked(tmp_path) == {f"a/{project}", f"b/{folder}/x"}


def test_build_dist_and_vendor_are_kept(tmp_path: Path) -> None:
    files = {"build/a": "", "dist/a": "", "vendor/a": "", "env/a": ""}
    write(tmp_path, files)
    assert walked(tmp_path) == set(files)


def test_a_virtual_environment_is_known_by_its_file_and_not_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, {".venv/pyvenv.cfg": "", ".venv/a": "", "odd/pyvenv.cfg": "", "odd/a": "", "venv/a": ""})
    assert walked(tmp_path) == {"venv/a"}


def test_agentdignore_includes_junk_again(tmp_path: Path) -> None:
    write(tmp_path, {
        ".agentdignore": "!node_modules/\n!.venv/\n!target/\n",
        "sub/node_modules/x/index.js": "",
        ".venv/pyvenv.cfg": "",
        "target/a": "",
        "Cargo.toml": "",
    })  # fmt: skip
    assert walked(tmp_path) == {"sub/node_modules/x/index.js", ".venv/pyvenv.cfg", "target/a", "Cargo.toml"}


def test_gitignore_cannot_include_junk(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "!node_modules/\n", "node_modules/a": ""})
    assert walked(tmp_path) == set()


def test_nothing_includes_the_folders_of_version_control(tmp_path: Path) -> None:
    """A checkout must not be able to have its remote's credentials indexed."""
    write(tmp_path, {".agentdignore": "!.git/\n!.git\n", ".git/config": "token", "sub/.git": "gitdir: /elsewhere"})
    assert walked(tmp_path, "!.git/") == set()


def test_agentdignore_wins_over_gitignore_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "made.py\n", ".agentdignore": "!made.py\nsecret\n", "made.py": "", "secret": ""})
    assert walked(tmp_path) == {"made.py"}


def test_a_deeper_gitignore_wins_over_agentdignore_above_it(tmp_path: Path) -> None:
    write(tmp_path, {".agentdignore": "*.log\n", "sub/.gitignore": "!a.log\n", "sub/a.log": "", "b.log": ""})
    assert walked(tmp_path) == {"sub/a.log"}


def test_what_lies_below_an_ignored_folder_cannot_be_included(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "out/\n!out/keep\n", "out/keep": "", "out/.gitignore": "!keep\n"})
    assert walked(tmp_path) == set()


def test_no_file_of_a_checkout_includes_what_the_configuration_excludes(tmp_path: Path) -> None:
    write(tmp_path, {".agentdignore": "!secret\n", "sub/.gitignore": "!secret\n", "sub/secret": "", "secret": ""})
    assert walked(tmp_path, "secret") == set()


def test_the_configuration_includes_what_others_exclude(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*.log\n", ".agentdignore": "node_modules/\n", "a.log": "", "node_modules/b": ""})
    assert walked(tmp_path, "!a.log", "!node_modules/") == {"a.log", "node_modules/b"}


def test_the_global_file_is_the_weakest(tmp_path: Path) -> None:
    root, excludes = tmp_path / "root", tmp_path / "config/ignore"
    write(tmp_path, {"config/ignore": "*.log\n*.tmp\n"})
    write(root, {".gitignore": "!b.log\n", "a.log": "", "b.log": "", "sub/c.tmp": ""})
    assert walked(root, global_excludes=str(excludes)) == {"b.log"}
    (tmp_path / "link").symlink_to(excludes)
    assert walked(root, global_excludes=str(tmp_path / "link")) == {"b.log"}


@pytest.mark.parametrize("missing", ["/nowhere/ignore", "/dev/null", "/", "relative"])
def test_a_global_file_that_cannot_be_read_excludes_nothing(tmp_path: Path, missing: str) -> None:
    write(tmp_path, {"a": ""})
    assert walked(tmp_path, global_excludes=missing) == {"a"}


def test_git_info_exclude_is_weaker_than_gitignore(tmp_path: Path) -> None:
    write(tmp_path, {".git/info/exclude": "*.log\n", ".gitignore": "!b.log\n", "a.log": "", "b.log": ""})
    assert walked(tmp_path) == {"b.log"}


def test_a_nested_repository_brings_its_own_rules(tmp_path: Path) -> None:
    write(tmp_path, {"lib/.git/info/exclude": "a\n", "lib/.gitignore": "b\n"})
    write(tmp_path, {"lib/a": "", "lib/b": "", "lib/c": "", "a": "", "b": ""})
    assert walked(tmp_path) == {"lib/c", "a", "b"}


def test_an_ignore_file_that_is_a_link_or_a_folder_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"rules": "*\n", "a/x": "", "b/.gitignore/x": "", "b/y": ""})
    (tmp_path / "a/.gitignore").symlink_to("../rules")
    assert walked(tmp_path) == {"rules", "a/x", "b/.gitignore/x", "b/y"}


def test_an_enormous_ignore_file_counts_as_far_as_whole_lines_are_read(tmp_path: Path) -> None:
    """Half a pattern could mean anything: the one at the bound would become ``*``."""
    filler = "# filler\n" * ((MAX_RULES_BYTES - 10) // 9)
    padding = "#" * (MAX_RULES_BYTES - len("*.log\n") - len(filler) - 2) + "\n"
    write(tmp_path, {".gitignore": "*.log\n" + filler + padding + "*.tmp\n", "a.log": "", "b.tmp": "", "c": ""})
    assert walked(tmp_path) == {"b.tmp", "c"}


def test_names_count_in_bytes_as_in_git(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "caf??\n", "café": "", "cafe": ""})
    assert walked(tmp_path) == {"cafe"}
