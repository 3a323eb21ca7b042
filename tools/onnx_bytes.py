"""Small ONNX models as bytes, encoded by hand (field numbers of onnx.proto), because onnx is no dependency of tests."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

FLOAT, INT32, INT64 = 1, 6, 7
OPSET = 17
IR_VERSION = 8
"""What goes with opset 17."""
MICROSOFT = "com.microsoft"

Shape = tuple[int | str, ...]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(tag: int, value: float | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(tag << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(tag << 3 | 5) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(tag << 3 | 2) + _varint(len(content)) + content


def value_info(name: str, kind: int, shape: Shape) -> bytes:
    """An input or output; an axis is a length, or a name where any will do."""
    axes = b"".join(_field(1, _field(1 if isinstance(axis, int) else 2, axis)) for axis in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, axes)))


def node(
    operator: str, inputs: Sequence[str], output: str, *, domain: str = "", **attributes: float | list[int]
) -> bytes:
    """An operator with one output. Attributes are whole numbers, lists of them, or floats."""
    content = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, operator)
    for name, value in attributes.items():
        content += _field(5, _field(1, name) + _attribute(value))
    return content + (_field(7, domain) if domain else b"")


def _attribute(value: float | list[int]) -> bytes:
    if isinstance(value, list):
        return b"".join(_field(8, each) for each in value) + _field(20, 7)
    if isinstance(value, int):
        return _field(3, value) + _field(20, 2)
    return _field(2, value) + _field(20, 1)


def tensor(name: str, value: NDArray[Any]) -> bytes:
    """A constant of int64 or, for anything else, float32."""
    kind, stored = (INT64, "<i8") if value.dtype.kind == "i" else (FLOAT, "<f4")
    dims = b"".join(_field(1, axis) for axis in value.shape)
    return dims + _field(2, kind) + _field(8, name) + _field(9, value.astype(stored).tobytes())


def outside_tensor(name: str, shape: tuple[int, ...], place: str) -> bytes:
    """A constant of float32 whose values lie in the file at ``place``, relative to the model's folder."""
    dims = b"".join(_field(1, axis) for axis in shape)
    location = _field(1, "location") + _field(2, place)
    return dims + _field(2, FLOAT) + _field(8, name) + _field(13, location) + _field(14, 1)


def model(nodes: list[bytes], tensors: list[bytes], inputs: list[bytes], outputs: list[bytes]) -> bytes:
    """The whole file."""
    parts = {1: nodes, 2: [b"tiny"], 5: tensors, 11: inputs, 12: outputs}
    graph = b"".join(_field(tag, item) for tag, items in parts.items() for item in items)
    operators = _field(8, _field(2, OPSET)) + _field(8, _field(1, MICROSOFT) + _field(2, 1))
    return _field(1, IR_VERSION) + _field(7, graph) + operators


BOTH = [value_info(name, INT64, ("rows", "tokens")) for name in ("input_ids", "attention_mask")]
TYPES = value_info("token_type_ids", INT64, ("rows", "tokens"))


def token_model(values: NDArray[np.float32], inputs: list[bytes] | None = None, table: bytes | None = None) -> bytes:
    """Answers with the row of ``values`` for every token: (rows, tokens, dimension). ``table`` is another tensor of
    their shape in their place.
    """
    output = value_info("last_hidden_state", FLOAT, ("rows", "tokens", values.shape[1]))
    return model([node("Gather", ["table", "input_ids"], "last_hidden_state")], [table or tensor("table", values)],
                 inputs or BOTH, [output])  # fmt: skip


def pooled_model(table: NDArray[np.float32], name: str = "pooled") -> bytes:
    """Answers with the mean over all tokens, padding included: (rows, dimension)."""
    nodes = [
        node("Gather", ["table", "input_ids"], "tokens"),
        node("ReduceMean", ["tokens"], name, axes=[1], keepdims=0),
    ]
    return model(nodes, [tensor("table", table)], BOTH, [value_info(name, FLOAT, ("rows", table.shape[1]))])
