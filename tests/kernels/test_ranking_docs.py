"""docs/ranking.md describes everything that --explain shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from agentd.config.settings import SearchSettings
from agentd.kernels.features import FEATURES
from agentd.kernels.rank import BIAS, EVIDENCE, Weights
from agentd.retrieval.analysis import QueryType, analyse

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "ranking.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[str]:
    """The first cells of the first table whose first column has this heading, without their code marks."""
    table = TEXT.partition(f"\n| {heading} | ")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_every_feature_is_described_in_its_order() -> None:
    assert rows("feature") == list(FEATURES)


def test_every_evidence_is_described() -> None:
    assert rows("evidence") == list(EVIDENCE)


def test_every_type_of_query_is_described_by_examples_of_it() -> None:
    table = TEXT.partition("\n| type | ")[2].partition("\n\n")[0]
    described = re.findall(r"^\| `(\w+)` \| (.+?) \|", table, re.MULTILINE)
    assert [name for name, _ in described] == [each.value for each in QueryType]
    for name, examples in described:
        assert {analyse(example).type for example in re.findall(r"`([^`]+)`", examples)} == {name}


def test_the_example_of_a_file_of_weights_is_one() -> None:
    example = TEXT.partition("```json\n")[2].partition("```")[0]
    weights = msgspec.convert(json.loads(example), Weights)
    assert set(weights.common).union(*weights.types.values()) <= set(FEATURES)
    assert set(weights.types) <= {each.value for each in QueryType}
    assert set(weights.relevance) <= {*EVIDENCE, BIAS}


def test_the_bounds_are_those_of_the_settings() -> None:
    settings = SearchSettings()
    assert f"under `search.min_relevance` ({settings.min_relevance:g})" in TEXT
    assert f"under `search.doubtful_relevance` ({settings.doubtful_relevance:g})" in TEXT


def test_what_other_pages_link_to_is_there() -> None:
    assert {"## Weights", "## Nothing relevant"} <= set(TEXT.splitlines())
