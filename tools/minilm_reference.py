"""all-MiniLM-L6-v2 in plain numpy, one sentence at a time: what the ONNX graph is held against.

Written from the papers and not from the graph, so that a mistake in one does not hide in the other.
"""

from __future__ import annotations

import math

import numpy as np
from minilm_graph import EPSILON, HEADS, HIDDEN, LAYERS, Weights
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

_erf = np.frompyfunc(math.erf, 1, 1)


def embed(weights: Weights, ids: list[int]) -> Matrix:
    """The unit vector (384,) of one tokenised sentence, in float32."""
    hidden = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: len(ids)]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    hidden = _norm(weights, "embeddings", hidden)
    for layer in range(LAYERS):
        source = f"encoder.layer.{layer}"
        attended = _linear(weights, f"{source}.attention.output.dense", _attention(weights, source, hidden))
        hidden = _norm(weights, f"{source}.attention.output", hidden + attended)
        wide = _gelu(_linear(weights, f"{source}.intermediate.dense", hidden))
        hidden = _norm(weights, f"{source}.output", hidden + _linear(weights, f"{source}.output.dense", wide))
    mean: Matrix = hidden.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _attention(weights: Weights, source: str, hidden: Matrix) -> Matrix:
    """Scaled dot-product attention (Vaswani et al., 2017), heads side by side."""
    query, key, value = (
        _linear(weights, f"{source}.attention.self.{part}", hidden).reshape(len(hidden), HEADS, -1).transpose(1, 0, 2)
        for part in ("query", "key", "value")
    )
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(HIDDEN // HEADS)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    joined: Matrix = (shares @ value).transpose(1, 0, 2).reshape(len(hidden), HIDDEN)
    return joined


def _linear(weights: Weights, name: str, value: Matrix) -> Matrix:
    return value @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _norm(weights: Weights, name: str, value: Matrix) -> Matrix:
    centred = value - value.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
    normed: Matrix = centred / deviation * weights[f"{name}.LayerNorm.weight"] + weights[f"{name}.LayerNorm.bias"]
    return normed


def _gelu(value: Matrix) -> Matrix:
    """Gaussian error linear unit in its exact form (Hendrycks and Gimpel, 2016)."""
    active: Matrix = value * (1 + _erf(value / math.sqrt(2)).astype(np.float32)) / 2
    return active
