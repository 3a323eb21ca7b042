"""The graph of all-MiniLM-L6-v2 in ONNX, with the fused operators that onnxruntime is fastest on.

A BERT encoder (Devlin et al., 2018) of 6 layers, 12 heads and 384 dimensions, followed by mean pooling over the tokens
that the mask keeps and an L2 norm (Reimers and Gurevych, 2019). Written node by node rather than exported, so that the
names, the order and therefore the bytes never change.

Attention and BiasGelu are of the domain ``com.microsoft`` (onnxruntime's ContribOperators). Its SkipLayerNormalization
is left out: on a CPU, Sum and LayerNormalization do the same in a fifth of the time, and the whole model takes 11 to 18
per cent less. It must be Sum: onnxruntime fuses Add and LayerNormalization back into the slow operator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = dict[str, NDArray[np.float32]]

LAYERS = 6
HEADS = 12
HIDDEN = 384
EPSILON = 1e-12
MICROSOFT = "com.microsoft"
OPSET = 17
IR_VERSION = 8
"""What goes with opset 17; any onnxruntime since 1.12 reads it."""


@dataclass
class Graph:
    """Collects nodes and constants in the order in which they are added."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Adds an initializer and returns its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        """Adds a node with one output, named after it, and returns the output's name."""
        made = helper.make_node(kind, inputs, [output], name=f"{output}.{kind}", domain=domain, **attributes)
        self.nodes.append(made)
        return output


def build(weights: Weights) -> onnx.ModelProto:
    """The float32 model: ``input_ids`` and ``attention_mask`` (n, t) int64 to ``sentence_embedding`` (n, 384)."""
    graph = Graph()
    hidden = _embeddings(graph, weights)
    graph.node("Cast", ["attention_mask"], "mask.int32", to=TensorProto.INT32)
    for layer in range(LAYERS):
        hidden = _layer(graph, weights, layer, hidden)
    _pooling(graph, hidden)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "all-MiniLM-L6-v2",
            [
                helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["rows", "tokens"]),
                helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["rows", "tokens"]),
            ],
            [helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["rows", HIDDEN])],
            initializer=graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)],
        producer_name="agentd",
    )
    model.ir_version = IR_VERSION
    return model


def _embeddings(graph: Graph, weights: Weights) -> str:
    """Word + position + segment embeddings, normalised. There is one segment, so its row is added to every position."""
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    words = graph.constant("embeddings.words", weights["embeddings.word_embeddings.weight"])
    graph.node("Gather", [words, "input_ids"], "embeddings.word")
    graph.node("Shape", ["input_ids"], "embeddings.tokens", start=1, end=2)
    bounds = [graph.constant("embeddings.first", np.zeros(1, np.int64)), "embeddings.tokens"]
    table = graph.constant("embeddings.positions", positions)
    graph.node("Slice", [table, *bounds], "embeddings.position")
    norm = [
        graph.constant("embeddings.norm.gamma", weights["embeddings.LayerNorm.weight"]),
        graph.constant("embeddings.norm.beta", weights["embeddings.LayerNorm.bias"]),
    ]
    return _sum_norm(graph, ["embeddings.word", "embeddings.position"], norm, "embeddings.output")


def _layer(graph: Graph, weights: Weights, layer: int, hidden: str) -> str:
    """One encoder layer: self-attention and a feed-forward network, each with a residual and a norm."""
    source, name = f"encoder.layer.{layer}", f"layer{layer}"
    parts = [f"{source}.attention.self.{part}" for part in ("query", "key", "value")]
    qkv = graph.constant(f"{name}.qkv", np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1))
    bias = graph.constant(f"{name}.qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))
    attended = graph.node(
        "Attention", [hidden, qkv, bias, "mask.int32"], f"{name}.attended", domain=MICROSOFT, num_heads=HEADS
    )
    attention = f"{source}.attention.output"
    projected = _matmul(graph, attended, weights[f"{attention}.dense.weight"], f"{name}.projected")
    normed = _residual(graph, weights, attention, [projected, hidden], f"{name}.attention")
    widened = _matmul(graph, normed, weights[f"{source}.intermediate.dense.weight"], f"{name}.widened")
    widened_bias = graph.constant(f"{name}.widened.bias", weights[f"{source}.intermediate.dense.bias"])
    active = graph.node("BiasGelu", [widened, widened_bias], f"{name}.active", domain=MICROSOFT)
    narrowed = _matmul(graph, active, weights[f"{source}.output.dense.weight"], f"{name}.narrowed")
    return _residual(graph, weights, f"{source}.output", [narrowed, normed], f"{name}.output")


def _matmul(graph: Graph, value: str, weight: NDArray[np.float32], output: str) -> str:
    """``value`` times the transpose of ``weight``, which PyTorch keeps as (out, in)."""
    return graph.node("MatMul", [value, graph.constant(f"{output}.weight", weight.T)], output)


def _residual(graph: Graph, weights: Weights, source: str, inputs: list[str], output: str) -> str:
    """Adds two values and the bias of the projection that made the first, and normalises."""
    bias = graph.constant(f"{output}.bias", weights[f"{source}.dense.bias"])
    norm = [
        graph.constant(f"{output}.gamma", weights[f"{source}.LayerNorm.weight"]),
        graph.constant(f"{output}.beta", weights[f"{source}.LayerNorm.bias"]),
    ]
    return _sum_norm(graph, [*inputs, bias], norm, output)


def _sum_norm(graph: Graph, inputs: list[str], norm: list[str], output: str) -> str:
    total = graph.node("Sum", inputs, f"{output}.sum")
    return graph.node("LayerNormalization", [total, *norm], output, axis=-1, epsilon=EPSILON)


def _pooling(graph: Graph, hidden: str) -> str:
    """Sum over the kept tokens, scaled to length 1: the mean's division cancels out in the norm."""
    graph.node("Cast", ["attention_mask"], "mask.float", to=TensorProto.FLOAT)
    axis = graph.constant("pooling.axis", np.ones(1, np.int64))
    graph.node("Unsqueeze", ["mask.float", axis], "pooling.weights")
    graph.node("MatMul", ["pooling.weights", hidden], "pooling.sums")
    graph.node("Squeeze", ["pooling.sums", axis], "pooling.sum")
    return graph.node("LpNormalization", ["pooling.sum"], "sentence_embedding", axis=-1, p=2)
