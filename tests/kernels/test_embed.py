"""The model of the package, at work."""

from __future__ import annotations

import numpy as np
import pytest

from agentd.errors import ModelError
from agentd.kernels.embed import describe_model, embed
from agentd.kernels.messages import EmbedRequest, EmbedResult, ModelInfo, ModelRequest
from agentd.kernels.quantise import restore
from agentd.models import builtin_model_directory

MODEL = str(builtin_model_directory())

TEXTS = [
    "How do I close a database connection?",
    "",
    "def close(self):\n    self.connection.close()",
    "The cat sat on the mat.",
    "A kitten is sitting on a rug.",
    "Quarterly revenue grew by eight per cent.",
    "word " * 400,
]


def vectors(result: EmbedResult) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    codes = np.frombuffer(result.codes, np.int8).reshape(-1, result.dimension)
    return restore(codes, np.frombuffer(result.scales, "<f4"))


def test_the_model_of_the_package_is_described() -> None:
    info = describe_model(ModelRequest(MODEL))
    assert info == ModelInfo("all-MiniLM-L6-v2", 384, 256, info.revision)
    assert describe_model(ModelRequest(MODEL, max_tokens=1000)) == info
    assert describe_model(ModelRequest(MODEL, max_tokens=64)).max_tokens == 64


def test_vectors_are_as_long_as_one_and_every_text_has_its_own() -> None:
    result = embed(EmbedRequest(MODEL, TEXTS))
    found = vectors(result)
    assert found.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=0.005)
    assert result.truncated == 1
    assert result.tokens > 256


def test_what_means_the_same_is_nearer_than_what_does_not() -> None:
    found = vectors(embed(EmbedRequest(MODEL, TEXTS)))
    similarity = found @ found.T
    assert similarity[3, 4] > 0.5 > similarity[3, 5] + 0.2
    assert similarity[0, 2] > similarity[0, 3] + 0.2
    assert similarity[0, 2] > similarity[0, 5] + 0.2


@pytest.mark.parametrize("batch_tokens", [1, 64, 256, 4096])
def test_order_and_neighbours_do_not_matter(batch_tokens: int) -> None:
    alone = np.concatenate([vectors(embed(EmbedRequest(MODEL, [text]))) for text in TEXTS])
    together = vectors(embed(EmbedRequest(MODEL, TEXTS[::-1], batch_tokens=batch_tokens)))[::-1]
    # Activations are quantised over a run, so a neighbour moves a vector a little; texts differ by far more.
    assert (alone * together).sum(axis=1).min() > (0.999 if batch_tokens == 1 else 0.98)


def test_no_texts_give_no_vectors() -> None:
    assert embed(EmbedRequest(MODEL, [])) == EmbedResult(0, b"", b"", 0, 0)


def test_max_tokens_cuts_and_counts() -> None:
    result = embed(EmbedRequest(MODEL, ["one two three four five six seven", "one two three"], max_tokens=5))
    assert (result.tokens, result.truncated) == (10, 1)
    cut, whole = vectors(result)
    assert cut @ whole > 0.99


def test_max_tokens_below_the_special_tokens_is_refused() -> None:
    with pytest.raises(ModelError, match="expected max_tokens over the 2 special tokens"):
        embed(EmbedRequest(MODEL, ["text"], max_tokens=2))


def test_text_of_any_kind_is_embedded() -> None:
    texts = ["\x00\x01\x02", "🎉" * 500, "a" * 100_000, "\u202e\ufeff", "[SEP] [PAD] [MASK]", " \t\n"]
    found = vectors(embed(EmbedRequest(MODEL, texts)))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=0.005)
