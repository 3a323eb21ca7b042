"""Which definition lines are said to be about."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from agentd.errors import OutsideRootsError
from agentd.retrieval.scopes import Scopes

if TYPE_CHECKING:
    from agentd.storage.catalogue import Catalogue

BOUNDS = {"Clock": (1, 20), "Clock.now": (2, 6), "Clock.wait": (8, 18)}


class Definition:
    """What is asked of a row."""

    def __init__(self, qualified: str) -> None:
        self.qualified = qualified
        self.start_line = BOUNDS[qualified][0]


class Symbols:
    """Definitions of one file."""

    async def at(self, root_id: int, path: str, line: int) -> list[Definition]:
        assert (root_id, path) == (7, "clock.py")
        return [Definition(name) for name, (first, last) in BOUNDS.items() if first <= line <= last]


class Index:
    """One root, and its definitions."""

    symbols = Symbols()

    def root_of(self, path: str) -> tuple[int, str]:
        if not path.startswith("/r/"):
            raise OutsideRootsError("no root holds it", path=path)
        return 7, "/r"


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        (2, 6, "Clock.now"),
        (2, 18, "Clock.now"),
        (5, 14, "Clock.wait"),
        (1, 20, "Clock"),
        (19, 20, "Clock"),
        (21, 30, ""),
    ],
)
async def test_lines_are_about_what_begins_with_them_or_is_around_their_middle(start: int, end: int, name: str) -> None:
    scopes = Scopes(cast("Catalogue", Index()), Index())
    assert await scopes.name_of("/r/clock.py", start, end) == name


async def test_lines_of_a_root_that_was_removed_have_no_name() -> None:
    assert await Scopes(cast("Catalogue", Index()), Index()).name_of("/elsewhere/a.py", 1, 2) == ""
