"""A sentence-embedding model that is ready to run: one onnxruntime session of one thread, and its tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from agentd.errors import ModelError
from agentd.kernels import model_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Matrix = NDArray[np.float32]

REQUIRED = frozenset({"input_ids", "attention_mask"})
OPTIONAL = frozenset({"token_type_ids"})
INTEGERS: dict[str, type[np.integer[Any]]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
FLOATS = frozenset({"tensor(float)", "tensor(float16)"})
POOLED = "sentence_embedding"
SILENT = 4
"""onnxruntime's log level ``fatal``: what it would print also comes as an exception."""


@dataclass(frozen=True)
class Model:
    """``output`` is the name of the tensor that holds the vectors, or with ``pool`` those of the tokens."""

    directory: Path
    session: Any
    tokenizer: Tokenizer
    limit: int
    pad: int
    inputs: dict[str, type[np.integer[Any]]]
    output: str
    pool: bool

    def tokenise(self, texts: Sequence[str], max_tokens: int) -> tuple[list[list[int]], int]:
        """Token ids of each text, at least one, and how many texts were cut to ``max_tokens``."""
        self.tokenizer.enable_truncation(max_tokens)
        encodings = self.tokenizer.encode_batch_fast(list(texts))
        # An empty text has no token at all where the tokenizer adds no special ones.
        rows = [encoding.ids or [self.pad] for encoding in encodings]
        return rows, sum(bool(encoding.overflowing) for encoding in encodings)

    def effective_limit(self, max_tokens: int) -> int:
        """The lower of the model's own limit and ``max_tokens``, where that is not 0.

        Raises:
            ModelError: no token of the text would be left beside the special ones.
        """
        limit = min(self.limit, max_tokens or self.limit)
        special = self.tokenizer.num_special_tokens_to_add(is_pair=False)
        if limit <= special:
            raise ModelError(
                f"expected max_tokens over the {special} special tokens of {self.directory}, found {limit}"
            )
        return limit

    def run(self, rows: Sequence[Sequence[int]]) -> Matrix:
        """Unit vectors (n, d) of tokenised texts; a text for which the model has no direction gets zeros.

        Raises:
            ModelError: the model fails on these tokens, or answers with something other than n finite vectors.
        """
        ids, mask = _pad(rows, self.pad)
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: known[name].astype(kind, copy=False) for name, kind in self.inputs.items()}
        try:
            answer = self.session.run([self.output], feed)[0]
        except Exception as error:  # the binding's classes have no base of their own
            raise ModelError(
                f"{self.directory} fails on {ids.shape} tokens, highest id {ids.max()}: {error}"
            ) from error
        rank = 3 if self.pool else 2
        if answer.ndim != rank or len(answer) != len(rows) or not answer.shape[-1]:
            raise ModelError(f"expected {len(rows)} vectors from {self.directory}, found the shape {answer.shape}")
        vectors = np.einsum("nt,ntd->nd", mask, answer) if self.pool else answer
        return self._normalise(vectors.astype(np.float32, copy=False))

    def _normalise(self, vectors: Matrix) -> Matrix:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all():
            raise ModelError(f"expected finite vectors from {self.directory}, found NaN or infinity")
        return np.divide(vectors, np.where(norms > 0, norms, np.float32(1)), dtype=np.float32)


def _pad(rows: Sequence[Sequence[int]], pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and mask (n, t), filled up at the end."""
    ids = np.full((len(rows), max(map(len, rows))), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask


@lru_cache(maxsize=2)
def load_model(directory: str) -> Model:
    """The model in ``directory``; the last two stay loaded (this one and, during a change of models, the next).

    Raises:
        ModelError: the folder holds no such model; says what was expected and what was found.
    """
    folder = Path(directory)
    session = _open_session(model_folder.find_graph(folder))
    tokenizer = model_folder.load_tokenizer(folder)
    limit, pad = model_folder.token_limit(folder, tokenizer), model_folder.padding_id(tokenizer)
    tokenizer.no_padding()
    output, pool = _choose_output(folder, session.get_outputs())
    return Model(folder, session, tokenizer, limit, pad, _check_inputs(folder, session.get_inputs()), output, pool)


def _open_session(graph: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = SILENT
    try:
        return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the binding's classes have no base of their own
        raise ModelError(f"expected an ONNX model in {graph}: {error}") from error


def _check_inputs(folder: Path, inputs: Sequence[Any]) -> dict[str, type[np.integer[Any]]]:
    """Names and types of what the model wants to be given."""
    names = {value.name for value in inputs}
    if not names >= REQUIRED or not names <= REQUIRED | OPTIONAL:
        raise ModelError(
            f"expected the inputs input_ids, attention_mask and perhaps token_type_ids in {folder}, "
            f"found {', '.join(sorted(names)) or 'none'}"
        )
    for value in inputs:
        dynamic = len(value.shape) == 2 and not any(isinstance(axis, int) for axis in value.shape)
        if value.type not in INTEGERS or not dynamic:
            raise ModelError(
                f"expected {value.name} of {folder} to be tensor(int64) or tensor(int32) with two dynamic axes, "
                f"found {value.type} {value.shape}"
            )
    return {value.name: INTEGERS[value.type] for value in inputs}


def _choose_output(folder: Path, outputs: Sequence[Any]) -> tuple[str, bool]:
    """The name of the output with the vectors, and whether they are still those of the tokens.

    ``sentence_embedding`` comes first, then the only output of rank 2, then the first of rank 3: exporters put the last
    hidden state there.
    """
    pooled = [value for value in outputs if len(value.shape) == 2]
    named = [value for value in pooled if value.name == POOLED]
    tokens = [value for value in outputs if len(value.shape) == 3]
    for candidates, pool in ((named, False), (pooled if len(pooled) == 1 else [], False), (tokens, True)):
        if candidates and candidates[0].type in FLOATS:
            return candidates[0].name, pool
    found = ", ".join(f"{value.name} {value.type} {value.shape}" for value in outputs)
    raise ModelError(
        f"expected one float output of shape (rows, dimension) or (rows, tokens, dimension) in {folder}, found {found}"
    )
