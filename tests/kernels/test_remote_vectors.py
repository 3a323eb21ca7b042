from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.messages import RemoteVectorsRequest
from agentd.kernels.quantise import restore
from agentd.kernels.remote_vectors import read_vectors

ROWS = [[3.0, 4.0], [0.0, -2.0]]


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_vectors_get_length_one(scale: float) -> None:
    body = json.dumps({"embeddings": [[scale * number for number in row] for row in ROWS]}).encode()
    found = read_vectors(RemoteVectorsRequest(body, "ollama", 2))
    codes = np.frombuffer(found.codes, np.int8).reshape(2, 2)
    vectors = restore(codes, np.frombuffer(found.scales, np.float32))
    assert np.allclose(vectors, [[0.6, 0.8], [0.0, -1.0]], atol=0.005)
    assert found.dimension == 2
    assert not found.problem


@given(st.binary(), st.sampled_from(["openai", "ollama"]))
def test_no_body_breaks_it(body: bytes, form: str) -> None:
    assert read_vectors(RemoteVectorsRequest(body, form, 1)).problem  # type: ignore[arg-type]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["index", "embedding"]), inner),
    max_leaves=8,
)


@given(json_values)
def test_no_json_breaks_it(value: object) -> None:
    openai = json.dumps({"data": value}).encode()
    ollama = json.dumps({"embeddings": value}).encode()
    for found in (
        read_vectors(RemoteVectorsRequest(openai, "openai", 1)),
        read_vectors(RemoteVectorsRequest(ollama, "ollama", 1)),
    ):
        assert found.problem or (len(found.codes) == found.dimension > 0 and len(found.scales) == 4)
