"""Every configuration that a page shows is one that agentd takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentd.config.flags import Flags
from agentd.config.load import load

PROJECT = Path(__file__).parents[2]
OTHERS = {"mcp.md"}  # shows the configuration of other programs
PAGES = (PROJECT / "README.md", *sorted(path for path in (PROJECT / "docs").glob("*.md") if path.name not in OTHERS))
BLOCK = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text()), start=1)
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 8


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_taken(tmp_path: Path, example: str) -> None:
    file = tmp_path / "agentd.toml"
    file.write_text(example)
    load(Flags(config=str(file)), {"HOME": str(tmp_path)})
