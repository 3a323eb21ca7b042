"""Thousands of edits of few files: what grows with the number of edits, rather than with the files, fills a disk."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from storage_samples import entry, want

from agentd.domain import RootOrigin
from agentd.kernels.messages import ParseRequest, WalkPage
from agentd.kernels.parse import parse_files
from agentd.storage.embedding_cache import EmbeddingCache
from agentd.storage.keyword_view import KeywordView
from agentd.storage.vector_view import VectorView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from agentd.domain import Root
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import UnembeddedChunk

SPACE = "local/test/384/1"
FILES = 20
ROUNDS = 100
WARM_UP = 40
CACHE_BYTES = 1_000_000
LOG_BYTES = 34 * 1024 * 1024
CONSTANT_BYTES = {"index.db-wal": LOG_BYTES, "embeddings.db-wal": LOG_BYTES, "vectors": 3_000_000}
"""What is let grow a little: a write-ahead log is folded into its file each 16 MiB, and cut back to 32 where it became
longer; 4,096 vectors that are gone are dropped together."""
TABLES = ("document", "chunk", "symbol", "edge", "mention", "feed", "link_queue", "link_news", "embedding_queue")


def source(number: int, version: int) -> str:
    """A module in which every name, and so every row, is another one in each version."""
    functions = (
        f"def task_{number}_{version}_{each}(value):\n"
        f'    """Step {each} of version {version}."""\n'
        f"    return helper_{version}_{each}(value) + {each}\n"
        for each in range(4)
    )
    return f"from package import helper_{version}\n\n\n" + "\n\n".join(functions)


class Edits:
    """An index whose files are edited, renamed and deleted, and the work that each edit brings."""

    def __init__(self, place: Path, catalogue: Catalogue, cache: EmbeddingCache, root: Root) -> None:
        self.place = place
        self.catalogue = catalogue
        self.cache = cache
        self.root = root
        self.keyword = KeywordView.open(place / "keyword", catalogue.feed.epoch)
        self.vectors = VectorView.open(place / "vectors", catalogue.feed.epoch, SPACE, 384)

    async def round(self, version: int) -> None:
        """Change every file; give every fourth another name."""
        files = self.place / "root"
        names = {f"module_{number}{f'_{version}' if number % 4 == 0 else ''}.py": number for number in range(FILES)}
        for path in files.glob("*_*_*.py"):
            path.unlink()
        for name, number in names.items():
            (files / name).write_text(source(number, version))
        scan = await self.catalogue.scans.begin(self.root.id, ("",))
        await self.catalogue.scans.page(scan, WalkPage([entry(name, version) for name in names], [""], []))
        await self.catalogue.scans.finish(scan)
        await self._store()
        await self._follow()
        await self._embed()

    async def _store(self) -> None:
        taken = await self.catalogue.documents.next_pending(1000, 1 << 40)
        parsed = parse_files(ParseRequest(self.root.path, tuple(document.path for document in taken)))
        await self.catalogue.documents.store(list(zip(taken, parsed, strict=True)))
        while (await self.catalogue.links.step(10_000))[0]:
            pass

    async def _follow(self) -> None:
        changes = await self.catalogue.feed.changes(self.keyword.generation, 10_000)
        documents = [document_id for _, document_id in changes]
        self.keyword.apply(documents, await self.catalogue.feed.view_rows(documents))
        self.keyword.commit(changes[-1][0])
        live = await self.catalogue.feed.chunk_ids(documents)
        for document in documents:
            self.vectors.retain(document, np.array([chunk for owner, chunk in live if owner == document], np.uint64))

    async def _embed(self) -> None:
        rows = await self.catalogue.vectors.next_unembedded(SPACE, 10_000)
        await self.cache.put_many(SPACE, [(row.text_hash, codes_of(row), 1.0) for row in rows])
        self.vectors.add(
            ids(row.chunk_id for row in rows),
            ids(row.document_id for row in rows),
            ids(row.root_id for row in rows),
            b"".join(codes_of(row) for row in rows),
            np.ones(len(rows), np.float32),
        )
        await self.catalogue.vectors.embedded(SPACE, [row.chunk_id for row in rows])

    async def maintain(self) -> None:
        """What a round of maintenance does."""
        await self.catalogue.maintain()
        await self.catalogue.feed.trim(min(self.keyword.generation, self.vectors.generation))
        self.keyword.release()
        self.vectors.save(self.catalogue.feed.changed.value)
        await self.cache.evict(self.catalogue.vectors.all_text_hashes(), [SPACE], CACHE_BYTES)

    def sizes(self) -> dict[str, int]:
        """Bytes by file or folder of the state; logs for themselves."""
        sizes: dict[str, int] = {}
        for path in self.place.rglob("*"):
            if path.is_file() and path.parent.name != "root":
                name = path.parent.name if path.parent != self.place else path.name
                sizes[name] = sizes.get(name, 0) + path.stat().st_blocks * 512
        return sizes

    async def rows(self) -> dict[str, int]:
        def count(connection: object) -> dict[str, int]:
            run = connection.execute  # type: ignore[attr-defined]  # a connection of sqlite3
            return {table: run(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608 ours

        return await self.catalogue.database.read(count)


def codes_of(row: UnembeddedChunk) -> bytes:
    return hashlib.shake_128(row.text_hash).digest(384)


def ids(values: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.fromiter(values, np.uint64)


@pytest.fixture
async def edits(tmp_path: Path, catalogue: Catalogue) -> AsyncIterator[Edits]:
    (tmp_path / "root").mkdir()
    cache = await EmbeddingCache.open(tmp_path / "embeddings.db", 1)
    root = await catalogue.roots.add(str(tmp_path / "root"), RootOrigin.ADDED)
    await want(catalogue, SPACE)
    edits = Edits(tmp_path, catalogue, cache, root)
    yield edits
    edits.keyword.close()
    edits.vectors.close()
    await cache.close()


async def test_two_thousand_edits_of_twenty_files_leave_the_state_as_large_as_it_was(edits: Edits) -> None:
    found: list[tuple[dict[str, int], dict[str, int]]] = []
    for version in range(ROUNDS):
        await edits.round(version)
        if version % 5 == 0:
            await edits.maintain()
        if version in {WARM_UP, ROUNDS - 1}:
            await edits.maintain()
            await edits.maintain()  # what the first one saved lets the second one trim
            found.append((edits.sizes(), await edits.rows()))
    (warm, rows), (last, last_rows) = found
    assert last_rows == rows
    assert rows["document"] == rows["feed"] == FILES
    assert (rows["link_queue"], rows["link_news"], rows["embedding_queue"]) == (0, 0, 0)
    for name, size in last.items():
        bound = CONSTANT_BYTES.get(name, 1.25 * warm[name] + 250_000)
        assert size <= bound, (name, warm[name], size)
