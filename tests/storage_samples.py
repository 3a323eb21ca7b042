"""Small files, walks and parses for the tests of storage, as short to write as possible."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agentd.domain import Chunk, Kind, Root, RootOrigin, SkipReason, embedding_text
from agentd.kernels.messages import FileEntry, ParsedFile, WalkPage
from agentd.storage.root_spaces import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import PendingDocument, ScanResult, ViewRow

SPACE = "local/test/4/1"


async def want(catalogue: Catalogue, *spaces: str) -> None:
    """Have every chunk of the roots there are wait for a vector in each of ``spaces``, until one has it."""
    chain = tuple(Stage(space) for space in spaces)
    await catalogue.spaces.set({root.id: chain for root in await catalogue.roots.all()})


def chunk(text: str, *, line: int = 1, symbol: str = "", context: str = "") -> Chunk:
    digest = hashlib.blake2b(embedding_text(context, text).encode(), digest_size=16).digest()
    return Chunk(line, line + 1, line * 10, line * 10 + len(text), symbol, context, text, digest)


def entry(path: str, version: int = 1, *, skip: SkipReason | None = None, size: int = 100) -> FileEntry:
    return FileEntry(path, size, version, f"v{version}", skip)


def parsed(taken: PendingDocument, chunks: Iterable[Chunk]) -> ParsedFile:
    """The result of parsing the file as it was when it was taken."""
    return ParsedFile(
        path=taken.path,
        size=taken.size,
        mtime_ns=taken.mtime_ns,
        signature=taken.signature,
        content_hash=b"content",
        language="python",
        kind=Kind.CODE,
        embed=True,
        lines=9,
        notes=[],
        chunks=list(chunks),
    )


def unsearchable(taken: PendingDocument, reason: SkipReason) -> ParsedFile:
    return replace(parsed(taken, []), skip=reason)


def vanished(taken: PendingDocument) -> ParsedFile:
    return replace(parsed(taken, []), vanished=True)


class Index:
    """A catalogue with the steps that the indexer takes, each in one call."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    async def root(self, path: str = "/root") -> Root:
        return await self.catalogue.roots.add(path, RootOrigin.ADDED)

    async def scan(
        self,
        root: Root,
        *entries: FileEntry,
        prefixes: Sequence[str] = ("",),
        missing: Sequence[str] = (),
        root_missing: bool = False,
    ) -> ScanResult:
        scan = await self.catalogue.scans.begin(root.id, prefixes)
        await self.catalogue.scans.page(scan, WalkPage(list(entries), [], list(missing), root_missing))
        return await self.catalogue.scans.finish(scan)

    async def pending(self) -> list[PendingDocument]:
        return await self.catalogue.documents.next_pending(1000, 1 << 40)

    async def parse_all(self, *texts: str) -> int:
        """Store ``texts`` as the chunks of every pending document; with none, its path."""
        taken = await self.pending()
        results = [(one, parsed(one, [chunk(text) for text in texts or (one.path,)])) for one in taken]
        return await self.catalogue.documents.store(results)

    async def store(self, root: Root, path: str, *chunks: Chunk, version: int = 1) -> int:
        """Scan one file as changed and store its parse; returns its document id."""
        await self.scan(root, entry(path, version), prefixes=(path,))
        (taken,) = [one for one in await self.pending() if (one.root_id, one.path) == (root.id, path)]
        await self.catalogue.documents.store([(taken, parsed(taken, chunks))])
        return taken.id

    async def view(self) -> list[ViewRow]:
        """Everything that a view which follows the feed from nothing holds."""
        changes = await self.catalogue.feed.changes(0, 100_000)
        return await self.catalogue.feed.view_rows([document_id for _, document_id in changes])

    async def texts(self) -> list[str]:
        return sorted(row.text for row in await self.view())
