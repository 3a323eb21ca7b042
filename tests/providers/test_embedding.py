from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_harness import (
    EMBED,
    ROOT,
    Asked,
    Memory,
    Reply,
    as_json,
    failure,
    openai_vectors,
    providers,
    scripted_server,
    vector_of,
)

from agentd.config.settings import ProviderSettings, RootSettings
from agentd.errors import EgressError, ProviderAnswerError, ProviderError, ProviderUnavailableError
from agentd.kernels.quantise import restore
from agentd.providers.contracts import Outgoing
from agentd.providers.portions import BYTES_PER_TOKEN, estimate, fit, portions
from agentd.providers.probe import PROBE_TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from provider_harness import ScriptedServer

    from agentd.providers.contracts import Embedded


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


def settings(server: ScriptedServer, **others: Any) -> ProviderSettings:
    box = ProviderSettings(name="box", kind="openai", base_url=server.url, embedding_model="small", retries=0)
    return msgspec.structs.replace(box, **others)


def vectors(embedded: Embedded, dimension: int = 8) -> np.ndarray[Any, Any]:
    codes = np.frombuffer(embedded.codes, np.int8).reshape(-1, dimension)
    return restore(codes, np.frombuffer(embedded.scales, np.float32))


def expected(*texts: str, seed: int = 0) -> np.ndarray[Any, Any]:
    rows = np.stack([vector_of(text, seed=seed) for text in texts])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def ollama_vectors(asked: Asked) -> Reply:
    return as_json({"embeddings": [vector_of(text).tolist() for text in asked.body["input"]], "prompt_eval_count": 5})


async def test_texts_come_back_as_unit_vectors_in_their_order_whatever_that_of_the_answer(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with providers(tmp_path, settings(server, batch_texts=7, parallel=3)) as built:
        texts = [f"text number {number}" for number in range(50)]
        embedded = await built.embeddings["box"].embed(texts, EMBED)
        assert np.allclose(vectors(embedded), expected(*texts), atol=0.01)
        assert embedded.space == built.embeddings["box"].space
        assert embedded.tokens == 150
        assert server.most_open == 3
        assert [len(asked.body["input"]) for asked in server.asked] == [1, 1, *[7] * 7, 1]
        assert server.asked[0].body["input"] == [PROBE_TEXT]


async def test_ollama_is_asked_in_its_own_way(server: ScriptedServer, tmp_path: Path) -> None:
    server.script = ollama_vectors
    async with providers(tmp_path, settings(server, kind="ollama", embedding_dimension=8)) as built:
        embedded = await built.embeddings["box"].embed(["one", "two"], EMBED)
        assert np.allclose(vectors(embedded), expected("one", "two"), atol=0.01)
        assert server.asked[-1].path == "/api/embed"
        assert server.asked[-1].body["truncate"] is False
        assert server.asked[-1].body["dimensions"] == 8
        missing = as_json({"error": 'model "small" not found, try pulling it first'}, status="404 Not Found")
        server.replies(missing)
        with pytest.raises(ProviderError, match="run: ollama pull small"):
            await built.embeddings["box"].embed(["one"], EMBED)


async def test_queries_and_passages_have_their_prefixes(server: ScriptedServer, tmp_path: Path) -> None:
    async with providers(tmp_path, settings(server, query_prefix="q: ", document_prefix="d: ")) as built:
        await built.embeddings["box"].embed(["x"], EMBED, query=True)
        await built.embeddings["box"].embed(["x", ""], EMBED)
        assert [asked.body["input"] for asked in server.asked] == [
            *[["d: " + PROBE_TEXT]] * 2,
            ["q: x"],
            ["d: x", "d: "],
        ]


async def test_long_texts_are_cut_and_counted(server: ScriptedServer, tmp_path: Path) -> None:
    async with providers(tmp_path, settings(server, embedding_tokens=50)) as built:
        embedded = await built.embeddings["box"].embed(["x" * 151, "y" * 150, "ü" * 80], EMBED)
        assert embedded.truncated == 2
        assert server.asked[-1].body["input"] == ["x" * 150, "y" * 150, "ü" * 75]
        assert built.statuses()[0].counts["truncated"] == 2


async def test_what_the_server_finds_too_long_is_halved_and_then_cut(server: ScriptedServer, tmp_path: Path) -> None:
    def strict(asked: Asked) -> Reply:
        if sum(map(len, asked.body["input"])) > 300:
            return failure("400 Bad Request", "This model's maximum context length is 100 tokens")
        return openai_vectors(asked)

    server.script = strict
    async with providers(tmp_path, settings(server)) as built:
        texts = ["a" * 100, "b" * 1000, "c" * 100]
        embedded = await built.embeddings["box"].embed(texts, EMBED)
        kept = next(asked.body["input"] for asked in reversed(server.asked) if asked.body["input"][0].startswith("b"))
        assert 200 < len(kept[0]) <= 300
        assert np.allclose(vectors(embedded), expected(texts[0], kept[0], texts[2]), atol=0.01)
        assert embedded.truncated == 1
        assert built.statuses()[0].state == "ok"


async def test_a_server_without_base64_is_asked_for_numbers_from_then_on(
    server: ScriptedServer, tmp_path: Path
) -> None:
    def plain(asked: Asked) -> Reply:
        if "encoding_format" in asked.body:
            return failure("422 Unprocessable", "unknown field: encoding_format")
        return openai_vectors(asked)

    server.script = plain
    async with providers(tmp_path, settings(server)) as built:
        embedded = await built.embeddings["box"].embed(["one"], EMBED)
        assert np.allclose(vectors(embedded), expected("one"), atol=0.01)
        assert ["encoding_format" in asked.body for asked in server.asked] == [True, False, False, False]


async def test_a_dimension_that_is_not_given_as_asked_is_told(server: ScriptedServer, tmp_path: Path) -> None:
    async with providers(tmp_path, settings(server, embedding_dimension=4)) as built:
        with pytest.raises(ProviderAnswerError, match="8 numbers where 4"):
            await built.embeddings["box"].probe()
        assert server.asked[0].body["dimensions"] == 4


async def test_a_restart_knows_the_space_and_another_model_gets_its_own(server: ScriptedServer, tmp_path: Path) -> None:
    memory = Memory()

    async def space(seed: int, **others: Any) -> object:
        server.script = lambda asked: openai_vectors(asked, seed=seed)
        async with providers(tmp_path, settings(server, **others), memory=memory) as built:
            (model,) = built.embeddings.values()
            await model.probe()
            return model.space

    first = await space(0)
    assert await space(0) == first
    assert await space(0, name="other-name") == first
    second = await space(1)
    assert second != first
    assert await space(0) == first
    assert await space(0, document_prefix="d: ") != first
    assert await space(0, embedding_tokens=99) != first
    assert sum(map(len, memory.probes.values())) == 4


async def test_a_model_that_changed_during_an_outage_is_noticed_before_anything_is_embedded(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with providers(tmp_path, settings(server)) as built:
        model = built.embeddings["box"]
        await model.embed(["one"], EMBED)
        before = model.space
        server.replies(failure("500 Broken"))
        for _ in range(3):
            with pytest.raises(ProviderUnavailableError):
                await model.embed(["one"], EMBED)
        server.script = lambda asked: openai_vectors(asked, seed=1)
        model._breaker._until = 0.0
        with pytest.raises(ProviderUnavailableError, match="another model"):
            await model.embed(["one"], EMBED)
        assert server.asked[-1].body["input"] == [PROBE_TEXT]
        assert model.space != before
        assert np.allclose(vectors(await model.embed(["one"], EMBED)), expected("one", seed=1), atol=0.01)


async def test_a_server_that_makes_vectors_up_is_found_out(server: ScriptedServer, tmp_path: Path) -> None:
    server.script = lambda asked: openai_vectors(asked, seed=len(server.asked))
    async with providers(tmp_path, settings(server)) as built:
        with pytest.raises(ProviderAnswerError, match="two vectors of one text that differ"):
            await built.embeddings["box"].probe()


async def test_whoever_mended_something_need_not_wait(server: ScriptedServer, tmp_path: Path) -> None:
    async with providers(tmp_path, settings(server), settings(server, name="keyless", credential="none")) as built:
        server.replies(failure("401 Unauthorized"), openai_vectors)
        with pytest.raises(ProviderError):
            await built.embeddings["box"].probe()
        built.try_again()
        await built.embeddings["box"].probe()
        assert [status.state for status in built.statuses()] == ["ok", "refused"]


async def test_nothing_not_even_a_probe_goes_where_no_root_lets_it(server: ScriptedServer, tmp_path: Path) -> None:
    away = settings(server, base_url="http://models.example:9/v1")
    async with providers(tmp_path, away) as built:
        with pytest.raises(EgressError):
            await built.embeddings["box"].probe()
    rules = [RootSettings(path=ROOT, egress=("embeddings",))]
    async with providers(tmp_path, away, rules=rules) as built:
        assert built.embeddings["box"].probing == EMBED
        with pytest.raises(EgressError):
            await built.embeddings["box"]._portion(
                ["x"], Outgoing("embeddings", frozenset({ROOT, "/other"})), query=False, dimension=0
            )
        assert built.statuses()[0].state == "untried"


async def test_without_its_key_a_provider_is_refused_and_says_which(server: ScriptedServer, tmp_path: Path) -> None:
    async with providers(tmp_path, settings(server, credential="box-key")) as built:
        with pytest.raises(ProviderError, match="LoadCredential=box-key:FILE"):
            await built.embeddings["box"].probe()
        assert built.statuses()[0].state == "refused"
    async with providers(tmp_path, settings(server, credential="box-key"), keys={"box-key": "a\nb"}) as built:
        assert "ASCII" in built.statuses()[0].reason
    away = settings(server, credential="box-key", base_url="http://models.example/v1")
    async with providers(tmp_path, away, keys={"box-key": "k"}) as built:
        assert "in the clear" in built.statuses()[0].reason
    assert server.asked == []


async def test_a_space_is_not_known_before_the_probe(server: ScriptedServer, tmp_path: Path) -> None:
    async with providers(tmp_path, settings(server)) as built:
        with pytest.raises(ProviderUnavailableError, match="not been tried"):
            _ = built.embeddings["box"].space


@given(st.lists(st.integers(1, 600)), st.integers(1, 9), st.integers(16, 1000))
def test_portions_hold_everything_once_and_keep_both_limits(costs: list[int], texts: int, tokens: int) -> None:
    found = portions(costs, texts, tokens)
    assert [index for portion in found for index in portion] == list(range(len(costs)))
    for portion in found:
        assert 1 <= len(portion) <= texts
        assert len(portion) == 1 or sum(costs[index] for index in portion) <= tokens
    for one, following in pairwise(found):
        assert len(one) == texts or sum(costs[index] for index in one) + costs[following.start] > tokens


@given(st.text(), st.integers(1, 40))
def test_a_cut_text_is_a_beginning_that_fits(text: str, tokens: int) -> None:
    piece = fit(text, tokens)
    assert piece.text
    assert len(piece.text.encode()) <= max(1, tokens * BYTES_PER_TOKEN)
    clean = text.encode(errors="replace").decode()
    assert clean.startswith(piece.text) or piece.text == " "
    assert piece.cut == (len(clean.encode()) > tokens * BYTES_PER_TOKEN)
    assert estimate(piece.text) <= tokens + 1
