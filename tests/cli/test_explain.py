from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from agentd.cli.explain import of_hit, wrapped

if TYPE_CHECKING:
    from agentd.protocol import Why

NAMES = st.text(alphabet="abcdefgh_", min_size=1, max_size=12)
VALUES = st.dictionaries(NAMES, st.just(0.0) | st.floats(0, 1), max_size=25)


def words(lines: list[str]) -> list[str]:
    return " ".join(lines).replace(",", " ").replace(":", " ").split()


@given(VALUES, st.dictionaries(NAMES, st.floats(-3, 3), max_size=25), st.integers(40, 200))
def test_every_feature_is_shown_once_within_the_columns(
    features: dict[str, float], weights: dict[str, float], columns: int
) -> None:
    why: Why = {"keyword_rank": 1, "keyword_score": 2.0, "vector_rank": 2, "vector_score": 0.5, "features": features}
    _ranks, *lines = of_hit(why, weights, columns)
    shown = words(lines)
    assert all(shown.count(name) == 1 for name in features if name not in {"nothing", "no", "weight", "x"})
    assert all(len(line) <= columns for line in lines)


@given(st.lists(NAMES, max_size=30), st.integers(10, 80))
def test_wrapping_loses_nothing(items: list[str], columns: int) -> None:
    lines = wrapped("    ", items, columns)
    assert "".join("".join(lines).split()) == ",".join(items)


def test_an_item_longer_than_the_line_stands_alone() -> None:
    assert wrapped("", ["short", "much_longer_than_this", "end"], 12) == ["short,", "  much_longer_than_this,", "  end"]
