from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from agentd.kernels.quantise import quantise, restore

floats = st.floats(-1e6, 1e6, width=32)
matrices = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=floats)


@given(matrices)
def test_a_value_is_off_by_half_a_step_at_most(vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    codes, scales = quantise(vectors)
    error = np.abs(restore(codes, scales) - vectors)
    assert (error <= scales[:, None] * 0.501 + 1e-30).all()
    assert codes.min() >= -127


@given(matrices)
def test_the_sign_of_a_vector_only_turns_the_codes(
    vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    codes, scales = quantise(vectors)
    turned, same = quantise(-vectors)
    assert (turned == -codes).all()
    assert (same == scales).all()


def test_unit_vectors_keep_their_direction() -> None:
    vectors = np.random.default_rng(1).normal(size=(1000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = restore(*quantise(vectors))
    cosines = (found * vectors).sum(axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.min() > 0.9998


def test_zero_stays_zero() -> None:
    codes, scales = quantise(np.zeros((2, 3), np.float32))
    assert not codes.any()
    assert not scales.any()


def test_no_rows_are_no_rows() -> None:
    codes, scales = quantise(np.zeros((0, 3), np.float32))
    assert codes.shape == (0, 3)
    assert scales.shape == (0,)
