"""A cross-encoder that is ready to run: a query and a text go in as one row, how well they fit comes out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agentd.errors import ModelError
from agentd.kernels.encoder import FLOATS, Encoder, in_words, load_encoder, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LOGITS = "logits"


class Pair(NamedTuple):
    """Tokens of a query and a text with the special ones around them, and the segment that each belongs to."""

    ids: list[int]
    types: list[int]


@dataclass(frozen=True)
class CrossEncoder:
    """``output`` is the name of the tensor that holds the scores."""

    encoder: Encoder
    output: str

    def pair(self, query: str, texts: Sequence[str], max_tokens: int) -> tuple[list[Pair], int]:
        """The query with each text, and how many texts were cut so that both are ``max_tokens`` at most.

        A query is cut only where it takes more than half of the room: otherwise no text would be left to judge.
        """
        tokenizer = self.encoder.tokenizer
        tokenizer.no_truncation()  # tokenising the whole text and cutting its tokens leaves the query's room exact
        room = max_tokens - tokenizer.num_special_tokens_to_add(is_pair=True)
        first, *rest = tokenizer.encode_batch([query, *texts], add_special_tokens=False)
        first.truncate(room // 2)
        room -= len(first)
        cut = sum(len(encoding) > room for encoding in rest)
        for encoding in rest:
            encoding.truncate(room)
        joined = [tokenizer.post_process(first, encoding) for encoding in rest]
        # Two empty texts have no token at all where the tokenizer adds no special ones.
        return [Pair(each.ids or [self.encoder.pad], each.type_ids or [0]) for each in joined], cut

    def run(self, pairs: Sequence[Pair]) -> NDArray[np.float32]:
        """The score of each pair (n,): the logit of "relevant", higher is better, comparable for one query alone.

        Raises:
            ModelError: the model fails on these tokens, or answers with something other than n finite scores.
        """
        answer, _ = self.encoder.run(self.output, [pair.ids for pair in pairs], pad([pair.types for pair in pairs], 0))
        scores = self._logits(answer, len(pairs)).astype(np.float32, copy=False)
        if not np.isfinite(scores).all():
            raise ModelError(f"expected finite scores from {self.encoder.directory}, found NaN or infinity")
        return scores

    def _logits(self, answer: NDArray[np.floating], rows: int) -> NDArray[np.floating]:
        """One number a row. Of two classes (no, yes) it is their difference: the logit of what softmax gives to yes."""
        match answer.shape:
            case (n,) | (n, 1) if n == rows:
                return answer.reshape(rows)
            case (n, 2) if n == rows:
                return answer[:, 1] - answer[:, 0]
        raise ModelError(
            f"expected scores of shape ({rows},), ({rows}, 1) or ({rows}, 2) from {self.output} of "
            f"{self.encoder.directory}, found {answer.shape}: this is no cross-encoder of one or two classes"
        )


@lru_cache(maxsize=1)
def load_cross_encoder(directory: str) -> CrossEncoder:
    """The cross-encoder in ``directory``, which stays loaded.

    Raises:
        ModelError: the folder holds none; says what was expected and what was found.
    """
    encoder = load_encoder(directory)
    return CrossEncoder(encoder, _choose_output(encoder))


def _choose_output(encoder: Encoder) -> str:
    """The name of the output with the scores: ``logits``, as exporters call it, else the only one there is."""
    floats = [value for value in encoder.outputs if value.type in FLOATS]
    for candidates in ([value for value in floats if value.name == LOGITS], floats):
        if len(candidates) == 1:
            name: str = candidates[0].name
            return name
    raise ModelError(
        f"expected one float output, or one named {LOGITS}, in {encoder.directory}, found {in_words(encoder.outputs)}"
    )
