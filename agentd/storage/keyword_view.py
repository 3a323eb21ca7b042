"""The keyword view: BM25 over chunks, derived from the feed of changes and able to be built anew at any time."""

from __future__ import annotations

import json
import math
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import structlog
import tantivy

from agentd.errors import InvalidParamsError
from agentd.storage.keyword_check import find_damage, strays
from agentd.storage.keyword_schema import (
    ANALYZER,
    FORMAT,
    KeywordFilter,
    build_schema,
    chunks_query,
    documents_query,
    generation_document,
    generation_query,
    row_document,
    search_query,
)
from agentd.storage.keyword_terms import build_analyzer, query_stems, query_words
from agentd.storage.view_files import disk_bytes, make_directory, replace_file, unusable, wipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

    from agentd.storage.rows import ViewRow

__all__ = ["KeywordFilter", "KeywordView"]

log = structlog.get_logger(__name__)

IDENTITY = "view.json"
"""Written when an index has been made, removed first when it is thrown away: without it, the rest is not trusted."""

WRITER_BYTES = 30_000_000
"""What the writer's one thread may hold before it starts another segment: the more, the fewer merges. It is taken while
rows come in, and given back by ``release``."""

EVERYTHING = KeywordFilter()


class WeighedWord(NamedTuple):
    """A word of a query. ``weight`` is greater the rarer it is; ``known`` whether it stands anywhere, in any form."""

    word: str
    weight: float
    known: bool


class KeywordView:
    """Rows of chunks, searched by words.

    Synchronous, for daemon threads; the library releases the GIL in every call that takes long. Any number of threads
    may search while one applies and commits: a search sees the last commit, whole.
    """

    def __init__(self, directory: Path, index: tantivy.Index, schema: tantivy.Schema) -> None:
        self._directory = directory
        self._index = index
        self._schema = schema
        self._analyzer = build_analyzer()
        index.register_tokenizer(ANALYZER, self._analyzer)
        index.config_reader("manual", 0)
        self._writing = threading.Lock()
        """Held by whoever uses the writer: its methods refuse a second thread instead of waiting."""
        self._writer: tantivy.IndexWriter | None = None
        self._publish()

    @classmethod
    def open(cls, directory: Path, epoch: str) -> Self:
        """Open the view of that ``epoch``; one of another epoch or format, or a damaged one, is made anew, empty.

        Raises:
            StateUnusableError: the directory cannot be read or written.
        """
        make_directory(directory)
        identity = json.dumps({"format": FORMAT, "epoch": epoch}).encode()
        reason = _why_not(directory, identity)
        if reason is None:
            try:
                _sweep(directory)
                return cls(directory, _open_index(directory, schema := build_schema()), schema)
            except (ValueError, OSError) as error:
                reason = str(error)
        if any(directory.iterdir()):
            log.warning("keyword_view_rebuilt", directory=str(directory), reason=reason)
            wipe(directory, first=IDENTITY)
        return cls._create(directory, identity)

    @classmethod
    def _create(cls, directory: Path, identity: bytes) -> Self:
        try:
            schema = build_schema()
            view = cls(directory, _open_index(directory, schema), schema)
            view.commit(0)
            replace_file(directory / IDENTITY, [identity])
        except (ValueError, OSError) as error:
            raise unusable(f"Cannot make a keyword index in {directory}", error) from error
        return view

    @property
    def generation(self) -> int:
        """The generation of the last commit: everything up to it can be found, nothing after it."""
        return self._generation

    def count(self) -> int:
        """Rows that can be found."""
        return self._searcher.num_docs - 1 if self._searcher.num_docs else 0

    def disk_bytes(self) -> int:
        """Bytes on disk."""
        return disk_bytes(self._directory)

    def apply(self, document_ids: Sequence[int], rows: Sequence[ViewRow]) -> None:
        """Take out every row of ``document_ids``, then add ``rows``. Found after the next commit.

        Raises:
            StateUnusableError: the index cannot be written. All that was applied since the last commit is dropped:
                apply again from ``generation``.
        """
        with self._writing:
            try:
                writer = self._open_writer()
                if document_ids:
                    writer.delete_documents_by_query(documents_query(self._schema, document_ids))
                for row in rows:
                    writer.add_document(row_document(row))
            except (ValueError, OSError) as error:
                self._drop_writer()
                raise unusable(f"Cannot write the keyword index in {self._directory}", error) from error

    def commit(self, generation: int) -> None:
        """Make what was applied durable and findable, together with ``generation``.

        Raises:
            StateUnusableError: as for :meth:`apply`; searches go on with the last commit.
        """
        with self._writing:
            try:
                writer = self._open_writer()
                # The library has no payload for a commit; a record replaced within it says the same.
                writer.delete_documents_by_query(generation_query(self._schema))
                writer.add_document(generation_document(generation))
                writer.commit()
            except (ValueError, OSError) as error:
                self._drop_writer()
                raise unusable(f"Cannot commit the keyword index in {self._directory}", error) from error
            self._publish()

    def search(self, query: str, restriction: KeywordFilter = EVERYTHING, limit: int = 10) -> list[tuple[int, float]]:
        """Chunk ids and BM25 scores, best first. Scores of different queries do not compare.

        Raises:
            InvalidParamsError: a path pattern cannot be used.
        """
        asked = search_query(self._schema, query_stems(self._analyzer, query), restriction)
        if asked is None or limit < 1:
            return []
        try:
            return _best(self._searcher, asked, limit)
        except ValueError as error:  # patterns are compiled when they are first used
            raise InvalidParamsError(f"The search cannot be run: {error}. Use simpler path patterns") from error

    def scores(self, query: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """BM25 scores of those of ``chunk_ids`` that hold any word of the query, as :meth:`search` gives them."""
        asked = chunks_query(self._schema, query_stems(self._analyzer, query), chunk_ids)
        return {} if asked is None else dict(_best(self._searcher, asked, len(chunk_ids)))

    def weigh(self, query: str) -> list[WeighedWord]:
        """The words that a search for ``query`` looks for, with their inverse document frequency (that of BM25)."""
        searcher = self._searcher
        total = max(1, searcher.num_docs)
        words = []
        for word, stems in query_words(self._analyzer, query):
            counts = [searcher.doc_freq("body", stem) for stem in stems]
            # The first is the word itself; where it stands nowhere, its rarest part says how telling it is.
            count = counts[0] or min(filter(None, counts), default=0)
            words.append(WeighedWord(word, math.log(1 + (total - count + 0.5) / (count + 0.5)), known=counts[0] > 0))
        return words

    def release(self) -> None:
        """Let the writer go, with its memory and its threads; what was applied and not committed is dropped.

        Waits for merges under way. The next :meth:`apply` opens a writer again, in about a millisecond.
        """
        with self._writing:
            if self._writer is not None:
                self._drop_writer()
                self._publish()

    def close(self) -> None:
        """End the writer's threads. What was applied and not committed is dropped."""
        with self._writing:
            self._drop_writer()

    def _publish(self) -> None:
        """Show searches the last commit."""
        self._index.reload()
        searcher = self._index.searcher()
        hits = searcher.search(generation_query(self._schema), 1, count=False).hits
        stored = searcher.doc(hits[0][1]).get_first("generation") if hits else 0
        self._searcher, self._generation = searcher, int(stored or 0)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(WRITER_BYTES, 1)
        return self._writer

    def _drop_writer(self) -> None:
        """Give the writer up. Safe after it failed: it holds its lock until its threads have ended."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(ValueError, OSError, RuntimeError):  # it failed before; there is nothing more to save
                writer.wait_merging_threads()


def _best(searcher: tantivy.Searcher, asked: tantivy.Query, limit: int) -> list[tuple[int, float]]:
    hits = searcher.search(asked, limit, count=False).hits
    chunk_ids = searcher.fast_field_values("chunk_id", [address for _, address in hits])
    return [(int(chunk_id or 0), float(score)) for chunk_id, (score, _) in zip(chunk_ids, hits, strict=True)]


def _open_index(directory: Path, schema: tantivy.Schema) -> tantivy.Index:
    return tantivy.Index(schema, str(directory))


def _sweep(directory: Path) -> None:
    """Remove what a killed writer has left; whoever holds the state's lock is alone here."""
    for stray in strays(directory):
        if stray.name != IDENTITY:
            stray.unlink(missing_ok=True)


def _why_not(directory: Path, identity: bytes) -> str | None:
    """Why the index in ``directory`` cannot be used, or None."""
    try:
        found = (directory / IDENTITY).read_bytes()
    except FileNotFoundError:
        return "no complete index is there"
    except OSError as error:
        raise unusable(f"Cannot read {directory / IDENTITY}", error) from error
    if found != identity:
        return f"expected {identity.decode()}, found {found[:200].decode(errors='replace')}"
    return find_damage(directory)
