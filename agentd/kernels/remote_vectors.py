"""Vectors out of what a server of embeddings answered: read, checked, brought to unit length, quantised.

Shapes: https://platform.openai.com/docs/api-reference/embeddings/create; Ollama's docs/api.md, "Generate Embeddings".
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from agentd.kernels.messages import RemoteVectors, RemoteVectorsRequest
from agentd.kernels.quantise import quantise

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_TOKENS = 10**9
"""Of one request; far beyond what any model reads."""

Answer = TypeVar("Answer", bound=msgspec.Struct)
Row = list[float] | str
"""Numbers, or little-endian float32 in base64."""


class _Entry(msgspec.Struct):
    embedding: Row
    index: int = -1


class _OpenAI(msgspec.Struct):
    data: list[_Entry]
    usage: object = None


class _Ollama(msgspec.Struct):
    embeddings: list[list[float]]
    prompt_eval_count: object = 0


class _WrongError(Exception):
    """What is wrong, in words that follow "found"."""


def read_vectors(request: RemoteVectorsRequest) -> RemoteVectors:
    """The vectors in ``request.body``; never raises for what a server wrote."""
    try:
        rows, tokens = _openai(request.body) if request.form == "openai" else _ollama(request.body)
        vectors = _unit(_matrix(rows, request))
    except _WrongError as error:
        return RemoteVectors(problem=str(error))
    codes, scales = quantise(vectors)
    return RemoteVectors(codes.tobytes(), scales.tobytes(), vectors.shape[1], tokens)


def counted(usage: object, name: str) -> int:
    """Tokens in an object of a server's answer. What it says of itself is no reason to refuse what it gives: 0 where it
    is no number that can be.
    """
    return plausible(usage.get(name)) if isinstance(usage, dict) else 0


def plausible(count: object) -> int:
    """A count of tokens as it is, else 0."""
    return count if isinstance(count, int) and 0 < count <= MOST_TOKENS else 0


def _openai(body: bytes) -> tuple[list[Row], int]:
    answer = _decoded(body, _OpenAI)
    tokens = counted(answer.usage, "prompt_tokens")
    places = [entry.index for entry in answer.data]
    if all(place == -1 for place in places):  # some servers leave it out, and keep the order
        return [entry.embedding for entry in answer.data], tokens
    if sorted(places) != list(range(len(places))):
        raise _WrongError(f"indices that are not 0 to {len(places) - 1}, each once")
    return [entry.embedding for entry in sorted(answer.data, key=lambda entry: entry.index)], tokens


def _ollama(body: bytes) -> tuple[list[Row], int]:
    answer = _decoded(body, _Ollama)
    return [*answer.embeddings], plausible(answer.prompt_eval_count)


def _decoded(body: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _WrongError(f"JSON of another shape, or none: {error}") from error


def _matrix(rows: list[Row], request: RemoteVectorsRequest) -> NDArray[np.float32]:
    """(count, dimension), checked against what was asked for."""
    if len(rows) != request.count:
        raise _WrongError(f"{len(rows)} vectors for {request.count} texts")
    vectors = [_vector(row) for row in rows]
    dimension = request.dimension or (len(vectors[0]) if vectors else 0)
    for vector in vectors:
        if len(vector) != dimension or not dimension:
            raise _WrongError(f"a vector of {len(vector)} numbers where {dimension or 'some'} were expected")
    return np.stack(vectors) if vectors else np.zeros((0, dimension), np.float32)


def _vector(row: Row) -> NDArray[np.float32]:
    if isinstance(row, list):
        with np.errstate(over="ignore"):  # infinities are found, and told, later
            return np.array(row, np.float32)
    try:
        return np.frombuffer(binascii.a2b_base64(row, strict_mode=True), "<f4")
    except ValueError as error:  # binascii.Error is one
        raise _WrongError("a vector that is not float32 in base64") from error


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1: some servers leave that to the caller."""
    if not np.isfinite(vectors).all():
        raise _WrongError("a vector with numbers that are not finite")
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)  # float32 overflows at its own maximum
    if not norms.all():
        raise _WrongError("a vector of zeros, which has no direction")
    return np.asarray(vectors / norms, np.float32)
