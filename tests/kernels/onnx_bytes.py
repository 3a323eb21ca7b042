"""Tiny ONNX models as bytes, encoded by hand (field numbers of onnx.proto), because onnx is no dependency of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

FLOAT, INT64 = 1, 7

Shape = tuple[int | str, ...]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(tag: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(tag << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(tag << 3 | 2) + _varint(len(content)) + content


def value_info(name: str, kind: int, shape: Shape) -> bytes:
    axes = b"".join(_field(1, _field(1 if isinstance(axis, int) else 2, axis)) for axis in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, axes)))


def node(operator: str, inputs: Sequence[str], output: str, **ints: int | list[int]) -> bytes:
    content = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, operator)
    for name, value in ints.items():
        typed = _field(3, value) + _field(20, 2) if isinstance(value, int) else _many(value) + _field(20, 7)
        content += _field(5, _field(1, name) + typed)
    return content


def _many(values: list[int]) -> bytes:
    return b"".join(_field(8, value) for value in values)


def tensor(name: str, value: NDArray[np.float32]) -> bytes:
    dims = b"".join(_field(1, axis) for axis in value.shape)
    return dims + _field(2, FLOAT) + _field(8, name) + _field(9, value.astype("<f4").tobytes())


def model(nodes: list[bytes], tensors: list[bytes], inputs: list[bytes], outputs: list[bytes]) -> bytes:
    parts = {1: nodes, 2: [b"tiny"], 5: tensors, 11: inputs, 12: outputs}
    graph = b"".join(_field(tag, item) for tag, items in parts.items() for item in items)
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 13))


BOTH = [value_info(name, INT64, ("rows", "tokens")) for name in ("input_ids", "attention_mask")]


def token_model(table: NDArray[np.float32], inputs: list[bytes] | None = None) -> bytes:
    """Answers with the row of ``table`` for every token: (rows, tokens, dimension)."""
    output = value_info("last_hidden_state", FLOAT, ("rows", "tokens", table.shape[1]))
    return model([node("Gather", ["table", "input_ids"], "last_hidden_state")], [tensor("table", table)],
                 inputs or BOTH, [output])  # fmt: skip


def pooled_model(table: NDArray[np.float32], name: str = "pooled") -> bytes:
    """Answers with the mean over all tokens, padding included: (rows, dimension)."""
    nodes = [
        node("Gather", ["table", "input_ids"], "tokens"),
        node("ReduceMean", ["tokens"], name, axes=[1], keepdims=0),
    ]
    return model(nodes, [tensor("table", table)], BOTH, [value_info(name, FLOAT, ("rows", table.shape[1]))])
