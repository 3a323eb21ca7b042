"""Other models by folder: what is accepted, and what is refused with which words."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import onnx_bytes as onnx
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from agentd.errors import ModelError
from agentd.kernels.embed import describe_model, embed
from agentd.kernels.messages import EmbedRequest, ModelRequest
from agentd.kernels.quantise import restore
from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WORDS = ["[UNK]", "[PAD]", "the", "quick", "brown", "fox", "over", "dog"]
TABLE = np.eye(len(WORDS), dtype=np.float32) + 0.01


def make_folder(folder: Path, graph: bytes, words: list[str] = WORDS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(graph)
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106  # no password
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        describe_model(ModelRequest(str(folder)))
    return caught.value.message


def vectors(folder: Path, texts: list[str]) -> NDArray[np.float32]:
    result = embed(EmbedRequest(str(folder), texts))
    codes = np.frombuffer(result.codes, np.int8).reshape(len(texts), result.dimension)
    return restore(codes, np.frombuffer(result.scales, "<f4"))


def test_token_vectors_are_pooled_over_the_mask_and_normalised(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "tokens", onnx.token_model(TABLE * 7))
    info = describe_model(ModelRequest(str(folder)))
    assert (info.name, info.dimension, info.max_tokens) == ("tokens", len(WORDS), 512)
    long, short = vectors(folder, ["the quick brown fox over the dog the fox", "the quick fox over the dog the fox"])
    counts = np.bincount([2, 3, 5, 6, 2, 7, 2, 5], minlength=8) + 8 * 0.01
    np.testing.assert_allclose(short, counts / np.linalg.norm(counts), atol=0.01)
    assert long @ short < 0.99


@pytest.mark.parametrize("name", ["sentence_embedding", "any_other_name"])
def test_a_pooled_output_is_taken_as_it_is_but_for_its_length(tmp_path: Path, name: str) -> None:
    folder = make_folder(tmp_path / "pooled", onnx.pooled_model(TABLE * 5, name))
    assert describe_model(ModelRequest(str(folder))).dimension == len(WORDS)
    np.testing.assert_allclose(np.linalg.norm(vectors(folder, ["fox", "the dog"]), axis=1), 1, atol=0.01)


def test_token_type_ids_are_given_where_the_model_asks_for_them(tmp_path: Path) -> None:
    asked = [*onnx.BOTH, onnx.value_info("token_type_ids", onnx.INT64, ("rows", "tokens"))]
    folder = make_folder(tmp_path / "types", onnx.token_model(TABLE, asked))
    assert describe_model(ModelRequest(str(folder))).dimension == len(WORDS)


def test_an_empty_text_works_without_special_tokens(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "empty", onnx.token_model(TABLE))
    assert vectors(folder, ["", "fox"]).shape == (2, len(WORDS))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"sentence_bert_config.json": {"max_seq_length": 64}}, 64),
        ({"sentence_bert_config.json": {"max_seq_length": None}, "config.json": {"max_position_embeddings": 40}}, 40),
        ({"sentence_bert_config.json": {"max_seq_length": 64}, "config.json": {"max_position_embeddings": 40}}, 40),
        ({"config.json": {"max_position_embeddings": 514, "model_type": "roberta"}}, 512),
        ({}, 512),
    ],
)
def test_the_token_limit_is_read_from_the_folder(tmp_path: Path, files: dict[str, object], expected: int) -> None:
    folder = make_folder(tmp_path / "limits", onnx.token_model(TABLE))
    if "roberta" in str(files):
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_padding(pad_id=1, pad_token="[PAD]")  # noqa: S106  # no password
        tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    assert describe_model(ModelRequest(str(folder))).max_tokens == expected


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert "found nothing" in refusal(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    assert "found a file" in refusal(tmp_path / "file")
    (tmp_path / "half").mkdir()
    assert "model.onnx" in refusal(tmp_path / "half")
    (tmp_path / "half" / "model.onnx").touch()
    assert "expected the file tokenizer.json" in refusal(tmp_path / "half")


@pytest.mark.parametrize("damage", [b"", b"\x00garbage" * 100, b"<html>not found</html>"])
def test_a_graph_that_is_no_onnx_is_refused(tmp_path: Path, damage: bytes) -> None:
    assert "expected an ONNX model" in refusal(make_folder(tmp_path / "garbage", damage))


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    whole = (builtin_model_directory() / "model.onnx").read_bytes()
    folder = make_folder(tmp_path / "truncated", whole[: len(whole) // 2])
    assert "expected an ONNX model" in refusal(folder)


@pytest.mark.parametrize("content", ["not json", "{}", '{"model": 3}'])
def test_a_tokenizer_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    folder = make_folder(tmp_path / "tokenizer", onnx.token_model(TABLE))
    (folder / "tokenizer.json").write_text(content)
    assert "tokenizer.json" in refusal(folder)


def test_a_limit_that_is_no_number_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "limit", onnx.token_model(TABLE))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": "many"}')
    assert "expected a positive whole number for max_seq_length" in refusal(folder)
    (folder / "sentence_bert_config.json").write_text("[]")
    assert "expected a JSON object" in refusal(folder)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([onnx.BOTH[0]], "found input_ids"),
        ([*onnx.BOTH, onnx.value_info("pixels", onnx.FLOAT, ("n",))], "pixels"),
        ([onnx.BOTH[0], onnx.value_info("attention_mask", onnx.FLOAT, ("n", "t"))], "tensor(float)"),
        ([onnx.BOTH[0], onnx.value_info("attention_mask", onnx.INT64, ("n", 128))], "two dynamic axes"),
        ([onnx.BOTH[0], onnx.value_info("attention_mask", onnx.INT64, ("n",))], "two dynamic axes"),
    ],
)
def test_inputs_of_another_kind_of_model_are_refused(tmp_path: Path, inputs: list[bytes], words: str) -> None:
    folder = make_folder(tmp_path / "inputs", onnx.token_model(TABLE, inputs))
    assert words in refusal(folder)


def test_an_output_that_holds_no_vectors_is_refused(tmp_path: Path) -> None:
    output = onnx.value_info("labels", onnx.INT64, ("rows", "tokens"))
    graph = onnx.model([onnx.node("Identity", ["input_ids"], "labels")], [], onnx.BOTH, [output])
    message = refusal(make_folder(tmp_path / "outputs", graph))
    assert "expected one float output" in message
    assert "labels tensor(int64)" in message


def test_two_outputs_that_could_be_the_vectors_are_refused(tmp_path: Path) -> None:
    nodes = [onnx.node("ReduceMean", ["table"], name, axes=[1], keepdims=1) for name in ("one", "two")]
    outputs = [onnx.value_info(name, onnx.FLOAT, ("rows", 1)) for name in ("one", "two")]
    graph = onnx.model(nodes, [onnx.tensor("table", TABLE)], onnx.BOTH, outputs)
    assert "expected one float output" in refusal(make_folder(tmp_path / "two", graph))


def test_a_vocabulary_larger_than_the_model_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "vocabulary", onnx.token_model(TABLE), [*WORDS, "lazy"])
    assert "highest id 8" in refusal(folder)


@pytest.mark.parametrize(("value", "words"), [(np.nan, "NaN"), (0.0, "zeros")])
def test_a_model_without_usable_vectors_is_refused(tmp_path: Path, value: float, words: str) -> None:
    folder = make_folder(tmp_path / "values", onnx.token_model(np.full_like(TABLE, value)))
    assert words in refusal(folder)


def test_a_dimension_of_zero_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "zero", onnx.token_model(TABLE[:, :0]))
    assert "found the shape" in refusal(folder)


def test_the_revision_changes_with_each_file_and_with_the_limit(tmp_path: Path) -> None:
    def revision(name: str, table: NDArray[np.float32], words: list[str], max_tokens: int = 0) -> str:
        folder = make_folder(tmp_path / name, onnx.token_model(table), words)
        return describe_model(ModelRequest(str(folder), max_tokens)).revision

    first = revision("a", TABLE, WORDS)
    assert first == revision("b", TABLE, WORDS)
    assert len(first) == 16
    others = {revision("c", TABLE * 2, WORDS), revision("d", TABLE, WORDS[::-1]), revision("e", TABLE, WORDS, 100)}
    assert len(others | {first}) == 4


def test_a_folder_that_was_mended_is_loaded_after_a_refusal(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "mended", b"broken")
    refusal(folder)
    shutil.rmtree(folder)
    make_folder(folder, onnx.token_model(TABLE))
    assert describe_model(ModelRequest(str(folder))).dimension == len(WORDS)


@pytest.mark.parametrize("place", ["../weights", "sub/../../weights", "{root}/weights", "link"])
def test_weights_outside_of_the_folder_are_not_read(tmp_path: Path, place: str) -> None:
    """A model may name files beside it that hold its weights: one from elsewhere must not reach what is not its own."""
    table = onnx.outside_tensor("table", TABLE.shape, place.format(root=tmp_path))
    (tmp_path / "weights").write_bytes(TABLE.tobytes())
    folder = make_folder(tmp_path / "model", onnx.token_model(TABLE, table=table))
    (folder / "sub").mkdir()
    (folder / "link").symlink_to("../weights")
    assert "External data path validation failed" in refusal(folder)


def test_weights_in_the_folder_are_read(tmp_path: Path) -> None:
    table = onnx.outside_tensor("table", TABLE.shape, "model.onnx_data")
    folder = make_folder(tmp_path / "model", onnx.token_model(TABLE, table=table))
    (folder / "model.onnx_data").write_bytes(TABLE.tobytes())
    assert describe_model(ModelRequest(str(folder))).dimension == len(WORDS)
