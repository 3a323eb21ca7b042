from __future__ import annotations

import pytest
from soak.report import held
from soak.sampling import Sample, growth, last_quarter

STEADY = Sample(0.0, 100, 20, 50, 30, 20, 10, 1000)


def test_growth_leaves_the_first_quarter_out_and_is_not_fooled_by_one_sample() -> None:
    assert growth([10, 50, 100, 100, 300, 101, 102, 102]) == pytest.approx(0.02)
    assert growth([100]) == 0
    assert last_quarter([1, 2, 3]) == [3]


def test_a_descriptor_a_round_is_a_leak_and_one_that_comes_and_goes_is_none() -> None:
    leaking = [STEADY._replace(descriptors=30 + number) for number in range(8)]
    wavering = [STEADY._replace(descriptors=30 + number % 2) for number in range(8)]
    assert [figure.met for figure in held(leaking)[:3]] == [False, True, True]
    assert [figure.met for figure in held(wavering)[:3]] == [True, True, True]
