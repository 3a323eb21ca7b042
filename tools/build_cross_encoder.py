"""Build a small cross-encoder into a folder, to see reranking work and to test it with.

::

    python tools/build_cross_encoder.py DIR      # then, in the configuration: [rerank] model = "DIR"

A BERT encoder (Devlin et al., 2018) of 2 layers and 64 dimensions over the vocabulary of the package's embedding
model, with weights drawn from a fixed seed: it was never trained. Token vectors of different words are nearly
orthogonal and pass through the layers almost as they are, so that the score, the cosine between the mean token of the
query and that of the text, says how many words they share. Needs neither onnx nor a network.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_bytes as onnx
from tokenizers import Tokenizer

from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20240807
LAYERS = 2
HEADS = 4
HIDDEN = 64
POSITIONS = 512
SPREAD = 0.05
"""Standard deviation of what is drawn, but for the words, which have 1: so little changes them little."""
SHARPNESS = 10.0
"""The cosine times this is the logit."""
EPSILON = 1e-12


@dataclass
class Graph:
    """Collects nodes and constants in the order in which they are added."""

    random: np.random.Generator
    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Adds a constant and returns its name."""
        self.constants.append(onnx.tensor(name, value))
        return name

    def drawn(self, name: str, *shape: int, spread: float = SPREAD) -> str:
        """Adds a constant drawn from a normal distribution around 0."""
        return self.constant(name, spread * self.random.standard_normal(shape, dtype=np.float32))

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node with one output and returns the output's name."""
        self.nodes.append(onnx.node(operator, inputs, output, **attributes))
        return output

    def norm(self, value: str, output: str) -> str:
        """Layer normalisation without a gain or a shift."""
        gain = self.constant(f"{output}.gain", np.ones(HIDDEN, np.float32))
        return self.node("LayerNormalization", [value, gain], output, axis=2, epsilon=EPSILON)


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to write; made where it is missing")
    build(parser.parse_args().folder)


def build(folder: Path) -> Path:
    """Write ``model.onnx``, ``tokenizer.json`` and ``config.json``; the same bytes every time. Returns ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(builtin_model_directory() / "tokenizer.json"))
    tokenizer.no_truncation()  # the package's is that of its embedding model
    tokenizer.no_padding()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": POSITIONS, "model_type": "bert"}))
    (folder / "model.onnx").write_bytes(graph(tokenizer.get_vocab_size()))
    return folder


def graph(words: int) -> bytes:
    """The model: tokens, mask and segments (n, t) int64 to ``logits`` (n, 1)."""
    made = Graph(np.random.default_rng(SEED))
    hidden = _embeddings(made, words)
    made.node("Cast", ["attention_mask"], "mask.int32", to=onnx.INT32)
    for layer in range(LAYERS):
        hidden = _layer(made, f"layer{layer}", hidden)
    _score(made, hidden)
    output = onnx.value_info("logits", onnx.FLOAT, ("rows", 1))
    return onnx.model(made.nodes, made.constants, [*onnx.BOTH, onnx.TYPES], [output])


def _embeddings(made: Graph, words: int) -> str:
    """Word + segment + position."""
    made.node("Gather", [made.drawn("words", words, HIDDEN, spread=1.0), "input_ids"], "word")
    made.node("Gather", [made.drawn("segments", 2, HIDDEN), "token_type_ids"], "segment")
    made.node("Shape", ["input_ids"], "tokens", start=1, end=2)
    first = made.constant("first", np.zeros(1, np.int64))
    made.node("Slice", [made.drawn("positions", POSITIONS, HIDDEN), first, "tokens"], "position")
    return made.norm(made.node("Sum", ["word", "segment", "position"], "embedded"), "embeddings")


def _layer(made: Graph, name: str, hidden: str) -> str:
    """Self-attention and a feed-forward network, each with a residual and a norm."""
    qkv = [made.drawn(f"{name}.qkv", HIDDEN, 3 * HIDDEN), made.drawn(f"{name}.bias", 3 * HIDDEN)]
    made.node("Attention", [hidden, *qkv, "mask.int32"], f"{name}.seen", domain=onnx.MICROSOFT, num_heads=HEADS)
    made.node("MatMul", [f"{name}.seen", made.drawn(f"{name}.mix", HIDDEN, HIDDEN)], f"{name}.mixed")
    attended = made.norm(made.node("Sum", [hidden, f"{name}.mixed"], f"{name}.attended"), f"{name}.attention")
    made.node("MatMul", [attended, made.drawn(f"{name}.widen", HIDDEN, 4 * HIDDEN)], f"{name}.wide")
    made.node("Gelu", [f"{name}.wide"], f"{name}.active", domain=onnx.MICROSOFT)
    made.node("MatMul", [f"{name}.active", made.drawn(f"{name}.narrow", 4 * HIDDEN, HIDDEN)], f"{name}.narrowed")
    return made.norm(made.node("Sum", [attended, f"{name}.narrowed"], f"{name}.fed"), f"{name}.output")


def _score(made: Graph, hidden: str) -> None:
    """The cosine between the sums over each segment, which is that between their means."""
    made.node("Cast", ["attention_mask"], "mask", to=onnx.FLOAT)
    made.node("Cast", ["token_type_ids"], "types", to=onnx.FLOAT)
    made.node("Mul", ["types", "mask"], "second")
    made.node("Sub", ["mask", "second"], "first.only")
    middle = made.constant("middle", np.ones(1, np.int64))
    for segment in ("first.only", "second"):
        made.node("Unsqueeze", [segment, middle], f"{segment}.row")
        made.node("MatMul", [f"{segment}.row", hidden], f"{segment}.sum")
        made.node("Squeeze", [f"{segment}.sum", middle], f"{segment}.flat")
        made.node("LpNormalization", [f"{segment}.flat"], f"{segment}.unit", axis=1, p=2)
    made.node("Mul", ["first.only.unit", "second.unit"], "products")
    made.node("ReduceSum", ["products", middle], "cosine", keepdims=1)
    made.node("Mul", ["cosine", made.constant("sharpness", np.array([SHARPNESS], np.float32))], "logits")


if __name__ == "__main__":
    main()
