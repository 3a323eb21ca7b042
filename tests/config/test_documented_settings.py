"""The example file and the reference name every setting as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from agentd.config.file import read_file
from agentd.config.flags import Flags
from agentd.config.load import as_values, load
from agentd.config.reload import LIVE
from agentd.config.schema import ENTRIES, FIELDS, SECTIONS

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLE = PROJECT / "config" / "agentd.toml"
REFERENCE = PROJECT / "docs" / "configuration.md"

SETTING = re.compile(r"^#(\w+ = .*)$", re.MULTILINE)


def test_the_example_file_changes_nothing_as_it_is() -> None:
    found = read_file(EXAMPLE)
    assert found.values == {}
    assert found.roots == ()


def test_the_example_file_without_its_comment_signs_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "agentd.toml"
    path.write_text(SETTING.sub(r"\1", EXAMPLE.read_text()))
    assert read_file(path).values == {key: field.default for key, field in FIELDS.items()}
    settings = load(Flags(config=str(path)), {"HOME": str(tmp_path)}).settings
    assert as_values(settings) == as_values(load(Flags(), {"HOME": str(tmp_path)}).settings)


@pytest.mark.parametrize("key", FIELDS)
def test_the_example_file_says_what_a_setting_expects_and_whether_it_is_live(key: str) -> None:
    field = FIELDS[key]
    section = EXAMPLE.read_text().partition(f"\n[{field.section}]\n")[2].partition("\n[")[0]
    comment = section.partition(f"\n#{field.name} = ")[0].rpartition("\n\n")[2]
    expected = f"# {field.expected[0].upper()}{field.expected[1:]}{'; live' if key in LIVE else ''}."
    assert comment.splitlines()[-1] == expected
    assert len(comment.splitlines()) >= 2


def test_the_reference_lists_every_setting_as_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| (.*?) \| (yes|no) \| .+ \|$", REFERENCE.read_text(), re.MULTILINE)
    expected = [
        (field.name, json.dumps(field.default), field.expected, "yes" if key in LIVE else "no")
        for key, field in FIELDS.items()
    ]
    assert rows == expected


def test_the_reference_has_every_table() -> None:
    assert re.findall(r"^## `\[(\w+)\]`$", REFERENCE.read_text(), re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_reference_lists_every_key_of_an_entry_as_it_is(name: str) -> None:
    heading = {"root": "Roots", "provider": "Providers", "tool": "Tools"}[name]
    part = REFERENCE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| .+ \|$", part, re.MULTILINE)
    expected = [
        (
            field.name,
            "required" if field.default is msgspec.NODEFAULT else f"`{json.dumps(field.default)}`",
            field.expected,
        )
        for field in ENTRIES[name].values()
    ]
    assert rows == expected
