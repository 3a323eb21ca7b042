"""A transformer that is ready to run over rows of tokens: one onnxruntime session of one thread, and its tokenizer.

What sentence-embedding models and cross-encoders have in common: the folder, the inputs, the limit on tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
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

    Ids = NDArray[np.int64]

REQUIRED = frozenset({"input_ids", "attention_mask"})
OPTIONAL = frozenset({"token_type_ids"})
INTEGERS: dict[str, type[np.integer[Any]]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
FLOATS = frozenset({"tensor(float)", "tensor(float16)"})
SILENT = 4
"""onnxruntime's log level ``fatal``: what it would print also comes as an exception."""


@dataclass(frozen=True)
class Encoder:
    """``limit`` is how many tokens the model was made for, ``pad`` the id that fills up short rows, ``inputs`` the
    names and types of what the graph wants to be given.
    """

    directory: Path
    session: Any
    tokenizer: Tokenizer
    limit: int
    pad: int
    inputs: dict[str, type[np.integer[Any]]]

    @property
    def outputs(self) -> Sequence[Any]:
        """What the graph answers with: each has a ``name``, a ``type`` and a ``shape``."""
        return self.session.get_outputs()  # type: ignore[no-any-return]

    def effective_limit(self, max_tokens: int, *, is_pair: bool = False) -> int:
        """The lower of the model's own limit and ``max_tokens``, where that is not 0.

        Raises:
            ModelError: no token of each text would be left beside the special ones.
        """
        limit = min(self.limit, max_tokens or self.limit)
        special = self.tokenizer.num_special_tokens_to_add(is_pair=is_pair)
        if limit <= special + is_pair:
            raise ModelError(
                f"expected max_tokens over the {special} special tokens of {self.directory} and one of each text, "
                f"found {limit}"
            )
        return limit

    @property
    def highest_id(self) -> int:
        """The last token that the tokenizer can give: the graph's table of tokens must reach that far."""
        return max(self.tokenizer.get_vocab(with_added_tokens=True).values())

    def run(self, output: str, rows: Sequence[Sequence[int]], types: Ids | None = None) -> tuple[NDArray[Any], Ids]:
        """What the graph answers for tokenised texts, and the mask (n, t) that it was given.

        ``types`` are the ids of each token's segment, padded like the rows; None is one segment.

        Raises:
            ModelError: the model fails on these tokens.
        """
        ids, mask = pad(rows, self.pad), pad([[1] * len(row) for row in rows], 0)
        known = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids) if types is None else types,
        }
        feed = {name: known[name].astype(kind, copy=False) for name, kind in self.inputs.items()}
        try:
            return self.session.run([output], feed)[0], mask
        except Exception as error:  # the binding's classes have no base of their own
            raise ModelError(
                f"{self.directory} fails on {ids.shape} tokens, highest id {ids.max()}: {error}"
            ) from error


def pad(rows: Sequence[Sequence[int]], filler: int) -> Ids:
    """Rows as a matrix (n, t), filled up at the end."""
    matrix = np.full((len(rows), max(map(len, rows))), filler, dtype=np.int64)
    for number, row in enumerate(rows):
        matrix[number, : len(row)] = row
    return matrix


def load_encoder(directory: str) -> Encoder:
    """The transformer in ``directory``, its tokenizer without padding.

    Raises:
        ModelError: the folder holds none; says what was expected and what was found.
    """
    folder = Path(directory)
    session = _open_session(model_folder.find_graph(folder))
    tokenizer = model_folder.load_tokenizer(folder)
    limit, filler = model_folder.token_limit(folder, tokenizer), model_folder.padding_id(tokenizer)
    tokenizer.no_padding()
    return Encoder(folder, session, tokenizer, limit, filler, _check_inputs(folder, session.get_inputs()))


def in_words(outputs: Sequence[Any]) -> str:
    """Outputs of a graph, for a message."""
    return ", ".join(f"{value.name} {value.type} {value.shape}" for value in outputs) or "none"


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
