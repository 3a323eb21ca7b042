"""The embedding model that comes with the package: where it lies, and nothing that would load it."""

from __future__ import annotations

from pathlib import Path


def builtin_model_directory() -> Path:
    """The folder of all-MiniLM-L6-v2: ``model.onnx`` and ``tokenizer.json``, 384 dimensions, 256 tokens."""
    return Path(__file__).resolve().parent / "all-MiniLM-L6-v2"
