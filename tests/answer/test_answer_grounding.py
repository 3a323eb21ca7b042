"""Where cited text stands now."""

from __future__ import annotations

import pytest
from answer_harness import ROOT, Disk

from agentd.answer.contracts import Standing
from agentd.answer.grounding import Grounder
from agentd.kernels.secrets import find_secrets, mask

PATH = f"{ROOT}/deploy.sh"
TEXT = "set -e\ncurl -u ada:Xk39fjQpL02vbnTz https://example.org/release\necho done\n"
SHOWN = mask(TEXT, find_secrets(TEXT)).splitlines(keepends=True)[1]


@pytest.mark.parametrize(("before", "standing", "line"), [("", Standing.CURRENT, 2), ("# x\n" * 3, Standing.MOVED, 5)])
async def test_text_that_was_shown_without_its_secrets_stands(before: str, standing: Standing, line: int) -> None:
    assert "Xk39fjQpL02vbnTz" not in SHOWN
    disk = Disk({PATH: before + TEXT})
    ground = await Grounder(disk, disk, disk).look(PATH, 2, 2, SHOWN)
    assert (ground.standing, ground.start_line) == (standing, line)


async def test_text_whose_surroundings_changed_stands_no_more() -> None:
    disk = Disk({PATH: TEXT.replace("release", "other")})
    disk.extracted[PATH] = [(1, 3, "set -e")]
    ground = await Grounder(disk, disk, disk).look(PATH, 2, 2, SHOWN)
    assert ground.standing is Standing.CHANGED
