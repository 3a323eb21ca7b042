"""What holds for the answer to any search, whatever is asked and however it is narrowed."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.storage.globs import glob_to_regex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {
    "src/heron.py": '"""Herons."""\n\n\nclass Heron:\n    def wade(self, depth):\n        return depth\n\n\n'
    "def wade(heron):\n    return heron.wade(1)\n",
    "src/nested/wade.py": "WADE = 1\n\n\ndef heron():\n    return WADE\n",
    "tests/test_heron.py": "from src.heron import Heron, wade\n\n\ndef test_wade():\n    assert wade(Heron())\n",
    "docs/heron.md": "# Heron\n\nHow a heron wades.\n\n## Depth\n\nThe depth in which it can wade.\n",
    "web/heron.js": "export function wade(heron) {\n  return heron.depth;\n}\n",
    "data/heron.json": '{"heron": {"wade": 3}}\n',
}
QUERIES = (
    "Heron", "wade", "Heron.wade", "class Heron:", "heron.py", "src/heron.py", "docs/", "/elsewhere/src/heron.py",
    "how deep does a heron wade", "where is Heron.wade called in src/heron.py", "WADE", "TypeError: Heron has no wade",
    'File "/opt/app/src/nested/wade.py", line 4, in heron', "unrelated words altogether", ".", " ", "heron " * 40,
)  # fmt: skip
GLOBS = ("*.py", "src", "src/**", "**/heron.*", "docs/*.md", "tests/", "[a-m]*.js", "nothing/**", "heron.py")


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same files twice: what is found in one is in the other, too."""
    made = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    for root in made:
        for path, text in FILES.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    return made


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, roots: list[Path]) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("place"), *roots) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        yield daemon


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "paths": st.lists(st.sampled_from(GLOBS), min_size=1, max_size=2, unique=True),
        "languages": st.lists(st.sampled_from(("python", "javascript", "markdown", "json", "cobol")), max_size=2),
        "kind": st.sampled_from(("code", "docs", "data")),
    },
)
SIZES = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.sampled_from((1, 2, 5, 1000)),
        "max_per_file": st.sampled_from((0, 1, 2)),
        "max_tokens": st.sampled_from((1, 30, 200, 1_000_000)),
        "min_score": st.sampled_from((0, 0.3, 1)),
        "merge": st.booleans(),
        "signatures": st.booleans(),
        "explain": st.booleans(),
    },
)
MODES = st.sampled_from(("keyword", "vector", "fusion", "full"))
ROOTS = st.sampled_from(((), (0,), (1,), (0, 1)))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(QUERIES), min_size=1, max_size=3), MODES, ROOTS, FILTERS, SIZES)
def test_no_hit_escapes_the_filter_and_the_figures_agree(
    daemon: Daemon,
    roots: list[Path],
    queries: list[str],
    mode: str,
    chosen: tuple[int, ...],
    filters: dict[str, Any],
    sizes: dict[str, Any],
) -> None:
    among = [str(roots[number]) for number in chosen]
    options: Any = filters | sizes | {"mode": mode, "roots": among}
    result: Any = daemon.client.multi_search(queries, **options)
    assert result["degraded"] == []
    if len(queries) == 1:
        scores_hold(result["hits"], mode, sizes.get("min_score"))
    else:
        assert all(hit["queries"] for hit in result["hits"])
    for hit in result["hits"]:
        assert hit["root"] in (among or map(str, roots))
        passes(hit, filters)
    figures_agree(result, sizes, 3 if mode == "full" else 0)


def passes(hit: dict[str, Any], filters: dict[str, Any]) -> None:
    path = os.path.relpath(hit["path"], hit["root"])
    globs = filters.get("paths")
    assert not globs or any(re.fullmatch(glob_to_regex(glob), path) for glob in globs)
    assert hit["language"] in (filters.get("languages") or [hit["language"]])
    assert hit["kind"] == filters.get("kind", hit["kind"])
    assert hit["text"]


def scores_hold(hits: list[dict[str, Any]], mode: str, min_score: float | None) -> None:
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(score >= (min_score or 0.0) for score in scores)
    assert mode != "full" or all(0.0 <= score <= 1.0 for score in scores)
    assert {hit.get("confidence") for hit in hits} <= ({"high", "low"} if mode == "full" else {None})


def figures_agree(result: Any, sizes: dict[str, Any], usual_share: int) -> None:
    hits, totals = result["hits"], result["totals"]
    left_out = totals["cut"].get("max_tokens", 0)
    assert totals["hits"] == len(hits) + left_out <= min(sizes.get("limit", 10), result["total"])
    assert totals["cut"].get("shortened", 0) == sum(hit.get("cut", False) for hit in hits)
    assert left_out == 0 or totals["tokens"] > sizes["max_tokens"]
    of_file = Counter(hit["path"] for hit in hits)
    assert left_out or totals["files"] == len(of_file)
    share = sizes.get("max_per_file", usual_share)
    assert not share or max(of_file.values(), default=0) <= share
    assert result["complete"]
