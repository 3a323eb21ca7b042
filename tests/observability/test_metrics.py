from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.observability.metrics import BOUNDS, Histogram, Metrics

VALUES = st.lists(st.floats(min_value=BOUNDS[0], max_value=BOUNDS[-1]), min_size=1, max_size=200)
STEP = BOUNDS[1] / BOUNDS[0]


def filled(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    return histogram


@given(VALUES, st.floats(min_value=0, max_value=1))
def test_a_quantile_is_off_by_at_most_one_bucket(values: list[float], share: float) -> None:
    true = sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
    assert true / STEP * (1 - 1e-9) <= filled(values).quantile(share) <= true * STEP * (1 + 1e-9)


@given(VALUES)
def test_quantiles_rise_and_stay_between_the_extremes(values: list[float]) -> None:
    histogram = filled(values)
    quantiles = [histogram.quantile(step / 20) for step in range(21)]
    assert all(low <= high * (1 + 1e-9) for low, high in pairwise(quantiles))
    assert min(values) * (1 - 1e-9) <= quantiles[0]
    assert quantiles[-1] == pytest.approx(max(values))


@given(st.lists(st.floats(min_value=0, max_value=1e12), min_size=1))
def test_count_mean_and_maximum_are_exact_for_any_value(values: list[float]) -> None:
    snapshot = filled(values).snapshot()
    assert snapshot["count"] == len(values)
    assert snapshot["mean"] == pytest.approx(sum(values) / len(values))
    assert snapshot["max"] == max(values)
    assert snapshot["p99"] <= max(values) * (1 + 1e-9)


def test_an_empty_histogram_is_all_zero_also_after_a_reset() -> None:
    histogram = filled([5.0])
    histogram.reset()
    assert set(Histogram().snapshot().values()) == set(histogram.snapshot().values()) == {0.0}


def test_an_instrument_is_found_again_by_name_and_labels() -> None:
    metrics = Metrics()
    metrics.counter("files", stage="parse").increment(3)
    metrics.counter("files", stage="parse").increment()
    metrics.counter("files", stage="walk").increment()
    metrics.gauge("queue").set(2.5)
    metrics.histogram("request_ms", method="search").observe(4.0)
    snapshot = metrics.snapshot()
    assert snapshot["files{stage=parse}"] == 4
    assert snapshot["files{stage=walk}"] == 1
    assert snapshot["queue"] == 2.5
    assert list(snapshot)[-1] == "request_ms{method=search}"


def test_one_name_cannot_be_two_kinds() -> None:
    metrics = Metrics()
    metrics.counter("files")
    with pytest.raises(TypeError, match="files is a Counter already, not a Gauge"):
        metrics.gauge("files")
