"""Answers of the size that was asked for, from a real daemon: merged, in a budget, as signatures, of many queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon, running

from agentd.retrieval.packing import HIT_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = 12


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    root = tmp_path_factory.mktemp("root")
    body = "\n".join(f"        self.heron_{line} = 'heron of the marsh, number {line}'" for line in range(12))
    methods = "\n\n".join(f"    def wade_{number}(self, depth):\n{body}" for number in range(METHODS))
    (root / "heron.py").write_text(f"class Heron:\n    '''A heron.'''\n\n{methods}\n")
    (root / "birds.md").write_text(
        "# Birds\n\n## Herons\n\nThe heron of the marsh wades.\n\n## Owls\n\nAn owl hoots.\n"
    )
    with running(tmp_path_factory.mktemp("place"), root) as started:
        started.client.wait("keyword", timeout=DEADLINE)
        yield started


def search(daemon: Daemon, query: str = "heron marsh", **options: Any) -> Any:
    chosen: dict[str, Any] = {"mode": "keyword", "limit": 20} | options
    return daemon.client.search(query, **chosen)


def test_merged_text_is_what_stands_in_the_file(daemon: Daemon) -> None:
    apart, merged = search(daemon), search(daemon, merge=True)
    assert len(merged["hits"]) < len(apart["hits"])
    for hit in merged["hits"]:
        span = daemon.client.read_span(hit["path"], hit["start_line"], hit["end_line"])
        assert hit["text"] == span["text"].removesuffix("\n")
    joined = next(hit for hit in merged["hits"] if "symbols" in hit)
    assert joined["symbol"] in joined["symbols"]


def test_a_budget_holds_and_what_it_cost_is_counted(daemon: Daemon) -> None:
    whole = search(daemon)["totals"]
    result = search(daemon, max_tokens=whole["tokens"] // 2)
    assert result["totals"]["tokens"] == whole["tokens"]
    assert result["totals"]["cut"]["max_tokens"] == whole["hits"] - len(result["hits"]) > 0
    assert len(result["cut"]) >= 1
    assert search(daemon, max_tokens=HIT_TOKENS)["hits"] == []


def test_signatures_stand_for_the_text(daemon: Daemon) -> None:
    hits = search(daemon, signatures=True, merge=True)["hits"]
    lines = [line for hit in hits if hit["language"] == "python" for line in hit["text"].split("\n")]
    assert "1: class Heron" in {line.removesuffix(":") for line in lines}
    assert sum("def wade_" in line for line in lines) >= METHODS
    assert [hit["text"] for hit in hits if hit["language"] == "markdown"] == ["1: Birds"]


def test_several_queries_are_one_answer_that_says_who_found_what(daemon: Daemon) -> None:
    result = daemon.client.multi_search(["owl hoots", "wade_3", "zzqqy"], mode="keyword", limit=5)
    by_query = {found["query"] for hit in result["hits"] for found in hit["queries"]}
    assert by_query == {0, 1}
    assert result["hits"][0]["path"].endswith("birds.md")
    spans = [(hit["path"], hit["start_line"]) for hit in result["hits"]]
    assert len(spans) == len(set(spans))


def test_a_file_has_no_more_than_its_share(daemon: Daemon) -> None:
    result = search(daemon, max_per_file=2)
    assert sum(hit["path"].endswith("heron.py") for hit in result["hits"]) == 2
    assert result["totals"]["cut"]["max_per_file"] > 0
