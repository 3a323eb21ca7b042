"""A folder with a transformer: ``model.onnx``, ``tokenizer.json`` and what states its token limit."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from agentd.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

# The library reads this before each batch; threads of its own would fight the other workers for the cores.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
DEFAULT_MAX_TOKENS = 512

OFFSET_POSITIONS = frozenset({"camembert", "mpnet", "roberta", "xlm-roberta"})
"""Model types whose positions start after the padding token's id, so that their table has that many rows to spare."""


def find_graph(directory: Path) -> Path:
    """The path of ``model.onnx``.

    Raises:
        ModelError: the folder or one of its two files is missing.
    """
    if not directory.is_dir():
        found = "a file" if directory.exists() else "nothing"
        raise ModelError(f"expected a folder with {GRAPH} and {TOKENIZER} at {directory}, found {found}")
    for name in (GRAPH, TOKENIZER):
        if not (directory / name).is_file():
            raise ModelError(f"expected the file {name} in {directory}, found {_listing(directory)}")
    return directory / GRAPH


def _listing(directory: Path) -> str:
    names = sorted(path.name for path in directory.iterdir())
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "an empty folder"


def load_tokenizer(directory: Path) -> Tokenizer:
    """The tokenizer as published, with its own padding and truncation.

    Raises:
        ModelError: ``tokenizer.json`` is not what the tokenizers library writes.
    """
    path = directory / TOKENIZER
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for whatever is wrong
        raise ModelError(f"expected the tokenizers library's JSON in {path}: {error}") from error


def padding_id(tokenizer: Tokenizer) -> int:
    """The token that fills up short rows; its value hardly matters, because the mask leaves it out."""
    if tokenizer.padding:
        return int(tokenizer.padding["pad_id"])
    named = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return next((number for number in named if number is not None), 0)


def token_limit(directory: Path, tokenizer: Tokenizer) -> int:
    """How many tokens the model was made for, special ones included.

    ``max_seq_length`` of ``sentence_bert_config.json`` counts first, then the tokenizer's truncation, then the
    positions in ``config.json``, which also cap the others; 512 where nothing says.

    Raises:
        ModelError: one of the files is not JSON or states no positive number.
    """
    stated = _number(directory / "sentence_bert_config.json", "max_seq_length")
    truncation = tokenizer.truncation["max_length"] if tokenizer.truncation else None
    positions = _positions(directory / "config.json", padding_id(tokenizer))
    limit = int(stated or truncation or positions or DEFAULT_MAX_TOKENS)
    return min(limit, positions) if positions else limit


def _positions(path: Path, pad: int) -> int | None:
    rows = _number(path, "max_position_embeddings")
    if rows is not None and _read(path).get("model_type") in OFFSET_POSITIONS:
        return rows - pad - 1
    return rows


def _number(path: Path, key: str) -> int | None:
    value = _read(path).get(key)
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise ModelError(f"expected a positive whole number for {key} in {path}, found {value!r}")
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"expected a JSON object in {path}: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"expected a JSON object in {path}, found {type(content).__name__}")
    return content


def revision(directory: Path, max_tokens: int) -> str:
    """16 hexadecimal digits of BLAKE2b over all that shapes a vector: graph, outside weights, tokenizer and limit."""
    digest = hashlib.blake2b(digest_size=8)
    # Weights outside the graph lie beside it, by custom as model.onnx_data or model.onnx.data.
    for path in [*sorted(directory.glob(f"{GRAPH}*")), directory / TOKENIZER]:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32))
        digest.update(content.digest())
    digest.update(max_tokens.to_bytes(8, "little"))
    return digest.hexdigest()
