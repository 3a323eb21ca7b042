"""Cross-encoders by folder: a real one at work, which are accepted, and which are refused with which words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import build_cross_encoder
import numpy as np
import onnx_bytes as onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from agentd.errors import DeadlineError, ModelError
from agentd.kernels.cross_encoder import load_cross_encoder
from agentd.kernels.messages import CrossEncoderInfo, ModelRequest, RerankRequest, RerankResult
from agentd.kernels.rerank import describe_cross_encoder, rerank
from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from pathlib import Path

QUERY = "how do I close a database connection"
TEXTS = [
    "def close(self):\n    self.database.connection.close()",
    "The cat sat on the mat.",
    "",
    "word " * 900,
    "close the connection to a database",
]
WORDS = ["[UNK]", "[SEP]", "fox", "dog", "hen", "owl"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_cross_encoder.build(tmp_path_factory.mktemp("cross") / "tiny"))


def class_model(columns: int, *, flat: bool = False, name: str = "logits", value: float = 0.0) -> bytes:
    """Scores by the mean id of the tokens m: (n, columns) of m, -m, m, ... or with ``flat`` (n,) of m."""
    signs = np.resize(np.array([1, -1], np.float32), (1, columns))
    kept = 0 if flat else 1
    nodes = [
        onnx.node("Cast", ["input_ids"], "ids", to=onnx.FLOAT),
        onnx.node("ReduceMean", ["ids"], "mean", axes=[1], keepdims=kept),
        onnx.node("Add", ["mean", "value"], "moved"),
        onnx.node("Identity", ["moved"], name) if flat else onnx.node("MatMul", ["moved", "signs"], name),
    ]
    tensors = [onnx.tensor("signs", signs), onnx.tensor("value", np.array([value], np.float32))]
    return onnx.model(nodes, tensors, onnx.BOTH, [onnx.value_info(name, onnx.FLOAT, ("n",) if flat else ("n", "c"))])


def make_folder(folder: Path, graph: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(graph)
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))  # noqa: S106  # no password
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", pair="$A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[SEP]", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        describe_cross_encoder(ModelRequest(str(folder)))
    return caught.value.message


def test_the_built_model_is_described(built: str) -> None:
    assert describe_cross_encoder(ModelRequest(built)) == CrossEncoderInfo("tiny", 512)
    assert describe_cross_encoder(ModelRequest(built, max_tokens=64)).max_tokens == 64


def test_the_built_model_is_the_same_every_time(built: str, tmp_path: Path) -> None:
    again = build_cross_encoder.build(tmp_path)
    for name in ("model.onnx", "tokenizer.json", "config.json"):
        assert (again / name).read_bytes() == (load_cross_encoder(built).encoder.directory / name).read_bytes()


def test_texts_that_share_words_with_the_query_score_higher(built: str) -> None:
    result = rerank(RerankRequest(built, QUERY, TEXTS))
    assert len(result.scores) == len(TEXTS)
    assert result.scores[4] > result.scores[0] + 1 > result.scores[1] + 2
    assert result.truncated == 1


@pytest.mark.parametrize("batch_tokens", [1, 128, 4096])
def test_order_and_neighbours_do_not_matter(built: str, batch_tokens: int) -> None:
    alone = [rerank(RerankRequest(built, QUERY, [text])).scores[0] for text in TEXTS]
    together = rerank(RerankRequest(built, QUERY, TEXTS[::-1], batch_tokens=batch_tokens)).scores[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_both_segments_reach_the_model(built: str) -> None:
    there, back = (rerank(RerankRequest(built, *pair)).scores[0] for pair in (("a b", ["c"]), ("c", ["a b"])))
    assert there != back


def test_no_texts_give_no_scores(built: str) -> None:
    assert rerank(RerankRequest(built, QUERY, [])) == RerankResult([], 0)


def test_text_of_any_kind_is_judged(built: str) -> None:
    texts = ["\x00\x01\x02", "🎉" * 500, "a" * 100_000, "\u202e\ufeff", "[SEP] [PAD] [MASK]", " \t\n"]
    for query in (QUERY, *texts):
        assert np.isfinite(rerank(RerankRequest(built, query, texts)).scores).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(4, 40))
def test_a_query_is_cut_only_beyond_half_of_the_room(tmp_path_factory: pytest.TempPathFactory,
                                                     query: int, text: int, limit: int) -> None:  # fmt: skip
    folder = tmp_path_factory.getbasetemp() / "cutting"
    model = load_cross_encoder(str(folder if folder.exists() else make_folder(folder, class_model(1))))
    (pair,), truncated = model.pair("fox " * query, ["dog " * text], limit)
    foxes, dogs, room = pair.ids.count(2), pair.ids.count(3), limit - 2
    assert pair.ids == [2] * foxes + [1] + [3] * dogs + [1]
    assert pair.types == [0] * (foxes + 1) + [1] * (dogs + 1)
    assert foxes == min(query, room // 2)
    assert dogs == min(text, room - foxes)
    assert truncated == (dogs < text)


def test_whoever_has_given_up_is_not_kept_company(built: str) -> None:
    with pytest.raises(DeadlineError, match="5 texts were not judged in time"):
        rerank(RerankRequest(built, QUERY, TEXTS, deadline=time.monotonic() - 1))
    assert rerank(RerankRequest(built, QUERY, TEXTS, deadline=time.monotonic() + 60)).scores


@pytest.mark.parametrize(
    ("graph", "factor"),
    [(class_model(1), 1), (class_model(1, flat=True), 1), (class_model(2), -2), (class_model(1, name="score"), 1)],
    ids=["one column", "no column", "two classes", "another name"],
)
def test_scores_are_the_logit_of_yes_in_each_shape(tmp_path: Path, graph: bytes, factor: float) -> None:
    folder = str(make_folder(tmp_path / "shape", graph))
    assert describe_cross_encoder(ModelRequest(folder)).name == "shape"
    scores = rerank(RerankRequest(folder, "fox", ["fox", "owl", "hen"])).scores
    np.testing.assert_allclose(scores, np.array([6, 9, 8]) / 4 * factor, rtol=1e-5)


def test_one_text_is_judged_in_each_shape(tmp_path: Path) -> None:
    for number, graph in enumerate([class_model(1), class_model(1, flat=True), class_model(2)]):
        folder = make_folder(tmp_path / str(number), graph)
        assert len(rerank(RerankRequest(str(folder), "fox", ["owl"])).scores) == 1


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (class_model(3), "no cross-encoder of one or two classes"),
        (onnx.token_model(np.eye(6, dtype=np.float32)), "no cross-encoder of one or two classes"),
        (class_model(1, value=np.nan), "found NaN or infinity"),
        (b"\x00garbage" * 100, "expected an ONNX model"),
        (b"", "expected an ONNX model"),
        (
            onnx.model(
                [onnx.node("Identity", ["input_ids"], "labels")],
                [], onnx.BOTH, [onnx.value_info("labels", onnx.INT64, ("n", "t"))],
            ),
            "found labels tensor(int64)",
        ),
    ],
    ids=["three classes", "token vectors", "not a number", "garbage", "empty", "no floats"],
)  # fmt: skip
def test_what_is_no_cross_encoder_is_refused(tmp_path: Path, graph: bytes, words: str) -> None:
    assert words in refusal(make_folder(tmp_path / "wrong", graph))


def test_a_table_smaller_than_the_vocabulary_is_refused(tmp_path: Path) -> None:
    small = onnx.pooled_model(np.ones((len(WORDS) - 1, 1), np.float32))
    assert f"highest id {len(WORDS) - 1}" in refusal(make_folder(tmp_path / "vocabulary", small))


def test_the_embedding_model_of_the_package_is_no_cross_encoder() -> None:
    assert "no cross-encoder" in refusal(builtin_model_directory())


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert "found nothing" in refusal(tmp_path / "nowhere")
    folder = make_folder(tmp_path / "half", class_model(1))
    (folder / "tokenizer.json").unlink()
    assert "expected the file tokenizer.json" in refusal(folder)
    (folder / "tokenizer.json").write_text("{}")
    assert "tokenizer.json" in refusal(folder)


def test_a_limit_without_room_for_both_is_refused(built: str) -> None:
    with pytest.raises(ModelError, match=r"over the 3 special tokens of .* and one of each text, found 4"):
        describe_cross_encoder(ModelRequest(built, max_tokens=4))
    assert describe_cross_encoder(ModelRequest(built, max_tokens=5)).max_tokens == 5
