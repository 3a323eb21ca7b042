"""Texts judged against a query by a cross-encoder, in a worker process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from agentd.errors import DeadlineError
from agentd.kernels.batches import plan_runs
from agentd.kernels.cross_encoder import Pair, load_cross_encoder
from agentd.kernels.interruption import pause_point
from agentd.kernels.messages import CrossEncoderInfo, RerankResult

if TYPE_CHECKING:
    from agentd.kernels.cross_encoder import CrossEncoder
    from agentd.kernels.messages import ModelRequest, RerankRequest

PROBE = "Which fox jumps?", ("The quick brown fox jumps over the lazy dog.", "Nothing of the kind.")
PROBE_TOKENS = 512
"""A longer row proves little more and, at 8,192 tokens, would take gigabytes."""


def describe_cross_encoder(request: ModelRequest) -> CrossEncoderInfo:
    """Loads the model, tries it out and says what it is.

    Raises:
        ModelError: the folder holds no model that can be used; says what was expected and what was found.
    """
    model = load_cross_encoder(request.directory)
    limit = model.encoder.effective_limit(request.max_tokens, is_pair=True)
    _probe(model, limit)
    return CrossEncoderInfo(name=model.encoder.directory.name, max_tokens=limit)


def _probe(model: CrossEncoder, limit: int) -> None:
    """Two pairs together, the highest id of the vocabulary and a row of full length go through."""
    pairs, _ = model.pair(*PROBE, limit)
    model.run(pairs)
    model.run([Pair([model.encoder.highest_id], [0])])
    full = min(limit, PROBE_TOKENS)
    model.run([Pair((pairs[0].ids * limit)[:full], (pairs[0].types * limit)[:full])])


def rerank(request: RerankRequest) -> RerankResult:
    """The score of each of ``request.texts``, in their order.

    Raises:
        ModelError: the model cannot be loaded, or fails on these texts.
        DeadlineError: the caller has given up meanwhile; looked at before each run of the model.
    """
    model = load_cross_encoder(request.directory)
    limit = model.encoder.effective_limit(request.max_tokens, is_pair=True)
    pairs, truncated = model.pair(request.query, request.texts, limit)
    scores = np.zeros(len(pairs), np.float32)
    for run in plan_runs([len(pair.ids) for pair in pairs], request.batch_tokens):
        pause_point()
        if 0 < request.deadline < time.monotonic():
            raise DeadlineError(f"{len(pairs)} texts were not judged in time")
        scores[run] = model.run([pairs[index] for index in run])
    return RerankResult(scores=scores.tolist(), truncated=truncated)
