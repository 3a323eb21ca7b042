"""What ranking reads: scores of chosen chunks, words with their weights, candidates, files at a path."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from storage_samples import chunk, entry

from agentd.domain import Filter, Kind, SkipReason
from agentd.kernels.quantise import quantise
from agentd.kernels.tokens import identifier_parts
from agentd.storage.keyword_view import KeywordView
from agentd.storage.passages import MOST_AT_PATH
from agentd.storage.rows import ViewRow
from agentd.storage.vector_view import VectorView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage_samples import Index

TEXTS = {
    1: "merge the cookies of a session",
    2: "cookies",
    3: "def merge_cookies(jar): return jar",
    4: "nothing of the sort",
    5: "merge merge merge",
}


@pytest.fixture
def keyword(tmp_path: Path) -> Iterator[KeywordView]:
    view = KeywordView.open(tmp_path / "keyword", "epoch")
    rows = [
        ViewRow(number, 1, f"src/f{number}.py", "python", "code", number, "", "", text, identifier_parts(text))
        for number, text in TEXTS.items()
    ]
    view.apply([], rows)
    view.commit(1)
    yield view
    view.close()


@pytest.mark.parametrize("query", ["merge cookies", "merge_cookies", "jar", "sessions", "the"])
def test_scores_of_chosen_chunks_are_those_of_the_search(keyword: KeywordView, query: str) -> None:
    found = dict(keyword.search(query, limit=50))
    assert found
    assert keyword.scores(query, list(TEXTS)) == pytest.approx(found)
    for chunk_id in TEXTS:
        alone = keyword.scores(query, [chunk_id])
        assert alone == pytest.approx({chunk_id: found[chunk_id]} if chunk_id in found else {})


def test_there_are_no_scores_of_no_words_no_chunks_and_chunks_that_are_not_there(keyword: KeywordView) -> None:
    assert keyword.scores("", [1, 2]) == keyword.scores("cookies", []) == keyword.scores("cookies", [99]) == {}


def test_rare_words_weigh_more_and_unknown_ones_most(keyword: KeywordView) -> None:
    words = {each.word: each for each in keyword.weigh("merge session wombat")}
    assert list(words) == ["merge", "session", "wombat"]
    assert words["merge"].weight < words["session"].weight < words["wombat"].weight
    assert [each.known for each in words.values()] == [True, True, False]


def test_a_weight_is_the_inverse_document_frequency_of_bm25(keyword: KeywordView) -> None:
    (word,) = keyword.weigh("session")
    rows = len(TEXTS) + 1  # and the record of the generation
    assert word.weight == pytest.approx(math.log(1 + (rows - 1 + 0.5) / (1 + 0.5)))


def test_stop_words_weigh_only_where_there_is_nothing_else(keyword: KeywordView) -> None:
    assert [each.word for each in keyword.weigh("where are the cookies")] == ["cookies"]
    assert [each.word for each in keyword.weigh("the of")] == ["the", "of"]
    assert keyword.weigh("") == keyword.weigh("== !") == []


def test_an_unknown_name_weighs_as_much_as_its_rarest_part(keyword: KeywordView) -> None:
    (joined,), (part,) = keyword.weigh("session_cookies"), keyword.weigh("session")
    assert joined.weight == pytest.approx(part.weight)
    assert not joined.known


def test_an_empty_index_gives_weights_too(tmp_path: Path) -> None:
    view = KeywordView.open(tmp_path / "empty", "epoch")
    (word,) = view.weigh("cookies")
    assert word.weight > 0
    assert not word.known
    assert view.scores("cookies", [1]) == {}
    view.close()


def test_cosines_of_chosen_chunks_are_those_of_the_search(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    vectors = generator.normal(size=(60, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes, scales = quantise(vectors)
    view = VectorView.open(tmp_path / "vectors", "epoch", "space", 32)
    ids = np.arange(1, 61)
    view.add(ids, ids, np.ones(60), codes, scales)
    query, scale = codes[7:8].tobytes(), float(scales[7])
    found = dict(view.search(query, scale, 60))
    assert view.cosines(query, scale, ids) == pytest.approx(found, abs=1e-5)
    assert view.cosines(query, scale, [8, 3, 999]) == pytest.approx({8: found[8], 3: found[3]}, abs=1e-5)
    view.remove([3])
    assert list(view.cosines(query, scale, [8, 3])) == [8]
    assert view.cosines(query, scale, []) == {}
    with pytest.raises(ValueError, match="reshape"):
        view.cosines(query[:-1], scale, [8])
    view.close()


async def at_path(index: Index, path: str, restriction: Filter | None = None) -> dict[str, float]:
    """Path of each file found, and how surely it is meant."""
    found = await index.catalogue.passages.at_path(path, restriction or Filter())
    rows = await index.catalogue.passages.hits(list(found))
    return {rows[chunk_id].path: strength for chunk_id, strength in found.items()}


async def test_files_are_found_by_the_end_of_their_path(index: Index) -> None:
    root = await index.root()
    paths = ("src/http/server.py", "server.py", "docs/http/server.md", "src/webserver.py", "src/http/client.py")
    await index.scan(root, *map(entry, paths))
    await index.parse_all("first", "second")
    assert await at_path(index, "server.py") == {"src/http/server.py": 1.0, "server.py": 1.0}
    assert await at_path(index, "./http/server.py") == {"src/http/server.py": 1.0}
    assert await at_path(index, "src\\http\\server.py") == {"src/http/server.py": 1.0}
    assert await at_path(index, "http/server") == {"src/http/server.py": 0.8, "docs/http/server.md": 0.8}
    assert await at_path(index, "src/http/") == {"src/http/server.py": 0.5, "src/http/client.py": 0.5}
    for nothing in ("erver.py", "SERVER.PY", "http/serv", "", "/", "%", "_erver.py", "*.py"):
        assert await at_path(index, nothing) == {}, nothing


async def test_files_at_a_path_pass_the_filter(index: Index) -> None:
    one, two = await index.root("/one"), await index.root("/two")
    await index.scan(one, entry("src/app.py"), entry("tests/app.py"), entry("gone/app.py", skip=SkipReason.BINARY))
    await index.scan(two, entry("lib/app.py"))
    await index.parse_all("text")
    assert await at_path(index, "app.py", Filter(roots=(two.id,))) == {"lib/app.py": 1.0}
    assert await at_path(index, "app.py", Filter(paths=("src/**",))) == {"src/app.py": 1.0}
    assert set(await at_path(index, "app.py", Filter(paths=("*.py",)))) == {"src/app.py", "tests/app.py", "lib/app.py"}
    assert await at_path(index, "app.py", Filter(paths=("**/*.md",))) == {}
    assert await at_path(index, "app.py", Filter(kinds=(Kind.DOCS,))) == {}
    assert await at_path(index, "app.py", Filter(languages=("python",), roots=(one.id,), paths=("tests/",))) == {
        "tests/app.py": 1.0
    }


async def test_of_a_name_that_many_files_have_the_shortest_paths_are_taken(index: Index) -> None:
    root = await index.root()
    await index.scan(root, *(entry(f"{'deep/' * (number % 3)}p{number}/__init__.py") for number in range(90)))
    await index.parse_all("text")
    found = await at_path(index, "__init__.py")
    assert len(found) == MOST_AT_PATH
    assert max(path.count("/") for path in found) < 3


async def test_candidates_come_with_what_they_define_and_the_first_with_their_text(index: Index) -> None:
    root = await index.root()
    await index.store(root, "src/a.py", chunk("one", symbol="Session.get", context="C"), chunk("two", line=5))
    first, second = (row.chunk_id for row in await index.view())
    found = (await index.catalogue.passages.candidates([second, first, 999], 1)).rows
    assert set(found) == {first, second}
    assert (found[second].text, found[first].text) == ("two", "")
    assert (found[first].names, found[first].context, found[first].path) == ("Session.get", "C", "src/a.py")
    assert found[first].kind is Kind.CODE
    assert await index.catalogue.passages.candidates([], 3) == ({}, {})
