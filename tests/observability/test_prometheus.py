"""The text exposition format, read again by a parser that knows its grammar and nothing of ours."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.observability.metrics import Histogram
from agentd.observability.prometheus import Family, render

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"')
UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample, by its name and labels."""
    found = {}
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            labels = [(name, re.sub(r"\\.", lambda each: UNESCAPED[each[0]], value))
                      for name, value in LABEL.findall(match[2] or "")]  # fmt: skip
            found[match[1], tuple(labels)] = float(match[3])
    return found


@given(st.dictionaries(st.tuples(TEXTS, TEXTS), st.floats(allow_nan=False)))
def test_any_label_and_any_value_can_be_read_again(values: dict[tuple[str, str], float]) -> None:
    family = Family("agentd_x", "gauge", "Help.", ("one", "two"))
    read = samples(render([(family, {labels: value for labels, value in values.items()})]))  # noqa: C416 wider keys
    assert read == {("agentd_x", (("one", one), ("two", two))): value for (one, two), value in values.items()}


def test_a_family_has_its_help_and_its_type_once_and_before_its_samples() -> None:
    family = Family("agentd_x_total", "counter", "A \\ and\na line.", ("kind",))
    assert render([(family, {("a",): 1, ("b",): 2.5})]) == (
        "# HELP agentd_x_total A \\\\ and\\na line.\n# TYPE agentd_x_total counter\n"
        'agentd_x_total{kind="a"} 1\nagentd_x_total{kind="b"} 2.5\n'
    )
    assert render([(family, {})]) == ""


@given(st.lists(st.floats(min_value=0, max_value=1e9)))
def test_a_histogram_has_cumulative_buckets_that_end_in_its_count(milliseconds: list[float]) -> None:
    histogram = Histogram()
    for value in milliseconds:
        histogram.observe(value)
    read = samples(render([(Family("agentd_x_seconds", "histogram", "Help."), {(): histogram})]))
    buckets = {float(dict(labels)["le"]): count for (name, labels), count in read.items() if name.endswith("_bucket")}
    assert list(buckets) == sorted(buckets)
    assert buckets[math.inf] == read["agentd_x_seconds_count", ()] == len(milliseconds)
    assert read["agentd_x_seconds_sum", ()] == pytest.approx(sum(milliseconds) / 1000)
    for bound, count in buckets.items():
        # Bounds are shown to six digits: a value that lies on one may count on either side.
        assert sum(value / 1000 < bound * (1 - 1e-5) for value in milliseconds) <= count
        assert count <= sum(value / 1000 <= bound * (1 + 1e-5) for value in milliseconds)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (True, "1"), (0.1, "0.1"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
)
def test_a_number_is_written_as_prometheus_reads_it(value: float, text: str) -> None:
    assert render([(Family("agentd_x", "gauge", "Help."), {(): value})]).endswith(f"\nagentd_x {text}\n")
