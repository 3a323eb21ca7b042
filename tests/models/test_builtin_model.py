"""The model folder of the package is the one that ORIGIN.md describes."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys

import pytest

from agentd.models import builtin_model_directory

FOLDER = builtin_model_directory()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "sentence_bert_config.json"])
def test_a_file_has_the_hash_that_origin_states(name: str) -> None:
    stated = re.findall(
        rf"^\| {re.escape(name)} \| `([0-9a-f]{{64}})`", (FOLDER / "ORIGIN.md").read_text(), re.MULTILINE
    )
    assert [hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()] == stated


def test_licence_and_notice_lie_beside_it() -> None:
    assert "Apache License" in (FOLDER / "LICENSE").read_text()
    assert "sentence-transformers/all-MiniLM-L6-v2" in (FOLDER / "NOTICE").read_text()


def test_asking_where_the_model_lies_loads_nothing_heavy() -> None:
    script = "import sys, agentd.models; print({'onnxruntime', 'numpy', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
