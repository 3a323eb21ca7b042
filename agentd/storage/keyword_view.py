"""The keyword view: BM25 over chunks, derived from the feed of changes and able to be built anew at any time."""

from __future__ import annotations

import json
import math
import threading
from typing import TYPE_CHECKING, NamedTuple, TypeVar

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
from agentd.storage.view_files import (
    OtherViewError,
    damaged,
    disk_bytes,
    make_directory,
    renew,
    replace_file,
    unusable,
    wipe,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Self

    from agentd.storage.rows import ViewRow

__all__ = ["KeywordFilter", "KeywordView"]

T = TypeVar("T")

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

    def __init__(self, directory: Path, epoch: str, index: tantivy.Index, schema: tantivy.Schema) -> None:
        self.renewed = ""
        """What was wrong with the files that these took the place of; whoever has filled the view clears it."""
        self.on_damage: Callable[[str], None] = lambda _reason: None
        """Called, in any thread, with what is wrong, when a search meets damage: the view has to be rebuilt."""
        self._directory = directory
        self._epoch = epoch
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
        """Open the view of that ``epoch``. One of another epoch or format is thrown away, a damaged one is set aside;
        both are made anew, empty.

        Raises:
            StateUnusableError: the directory cannot be read or written.
        """
        make_directory(directory)
        try:
            _check(directory, epoch)
            _sweep(directory)
            return cls(directory, epoch, _open_index(directory, schema := build_schema()), schema)
        except OtherViewError as error:
            if any(directory.iterdir()):
                log.warning("keyword_view_rebuilt", directory=str(directory), reason=str(error))
                wipe(directory, first=IDENTITY)
            return cls._create(directory, epoch)
        except BaseException as error:
            if not _is_failure(error):
                raise
            reason = str(error)
        renew(directory, reason)
        view = cls._create(directory, epoch)
        view.renewed = reason
        return view

    @classmethod
    def _create(cls, directory: Path, epoch: str) -> Self:
        try:
            schema = build_schema()
            view = cls(directory, epoch, _open_index(directory, schema), schema)
            view.commit(0)
            replace_file(directory / IDENTITY, [_identity(epoch)])
        except (ValueError, OSError) as error:
            raise unusable(f"Cannot make a keyword index in {directory}", error) from error
        return view

    def rebuild(self, reason: str, *, keep: bool = True) -> None:
        """Begin anew, empty, at generation 0; the files are set aside, or with ``keep`` false thrown away. Searches
        under way end well or badly, later ones find what has been applied and committed since.

        Raises:
            StateUnusableError: it cannot be made; try again.
        """
        with self._writing:
            self._drop_writer()
            if keep:
                renew(self._directory, reason)
            else:
                wipe(self._directory, first=IDENTITY)
            self._take_over(self._create(self._directory, self._epoch))
            self.renewed = reason

    def _take_over(self, fresh: Self) -> None:
        self._index, self._writer = fresh._index, fresh._writer
        self._publish()

    def check(self) -> str | None:
        """What is wrong with the files, or None; reads them all, at over 1 GB/s, beside searches and writes."""
        return find_damage(self._directory)

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
            StateDamagedError: it is to be rebuilt.
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
            except BaseException as error:
                raise self._failed("write", error) from error

    def commit(self, generation: int) -> None:
        """Make what was applied durable and findable, together with ``generation``.

        Raises:
            StateDamagedError: it is to be rebuilt.
            StateUnusableError: as for :meth:`apply`; searches go on with the last commit.
        """
        with self._writing:
            try:
                writer = self._open_writer()
                # The library has no payload for a commit; a record replaced within it says the same.
                writer.delete_documents_by_query(generation_query(self._schema))
                writer.add_document(generation_document(generation))
                writer.commit()
                self._publish()
            except BaseException as error:
                raise self._failed("commit", error) from error

    def search(self, query: str, restriction: KeywordFilter = EVERYTHING, limit: int = 10) -> list[tuple[int, float]]:
        """Chunk ids and BM25 scores, best first. Scores of different queries do not compare.

        Raises:
            InvalidParamsError: a path pattern cannot be used.
            StateDamagedError: the files are damaged.
        """
        asked = search_query(self._schema, query_stems(self._analyzer, query), restriction)
        if asked is None or limit < 1:
            return []
        return self._searched(lambda searcher: _best(searcher, asked, limit))

    def scores(self, query: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """BM25 scores of those of ``chunk_ids`` that hold any word of the query, as :meth:`search` gives them."""
        asked = chunks_query(self._schema, query_stems(self._analyzer, query), chunk_ids)
        return {} if asked is None else dict(self._searched(lambda searcher: _best(searcher, asked, len(chunk_ids))))

    def weigh(self, query: str) -> list[WeighedWord]:
        """The words that a search for ``query`` looks for, with their inverse document frequency (that of BM25)."""
        return self._searched(lambda searcher: self._weighed(searcher, query))

    def _weighed(self, searcher: tantivy.Searcher, query: str) -> list[WeighedWord]:
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

        Waits for merges under way. The next :meth:`apply` opens a writer again, in about a millisecond. A merge that a
        commit has overtaken, by removing all its rows, leaves its files, with their text, until some later commit: they
        go here.

        Raises:
            StateUnusableError: their files cannot be removed.
        """
        with self._writing:
            if self._writer is None:
                return
            self._drop_writer()
            self._publish()
            try:
                _sweep(self._directory)
            except (ValueError, OSError) as error:
                raise unusable(f"Cannot clear the keyword index in {self._directory}", error) from error

    def close(self) -> None:
        """End the writer's threads. What was applied and not committed is dropped."""
        with self._writing:
            self._drop_writer()

    def _searched(self, search: Callable[[tantivy.Searcher], T]) -> T:
        """What ``search`` finds. The library trusts its files: damage is a failure in the middle, if it is noticed."""
        try:
            return search(self._searcher)
        except BaseException as error:
            if not _is_failure(error):
                raise
            if damage := find_damage(self._directory):
                self.on_damage(damage)
                raise damaged(self._directory, damage) from error
            # Patterns are compiled when they are first used.
            raise InvalidParamsError(f"The search cannot be run: {error}. Use simpler path patterns") from error

    def _failed(self, verb: str, error: BaseException) -> BaseException:
        """Give the writer up; the error to raise in place of the library's."""
        self._drop_writer()
        if not _is_failure(error):
            return error
        if damage := find_damage(self._directory):
            return damaged(self._directory, damage)
        return unusable(f"Cannot {verb} the keyword index in {self._directory}", error)

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
        if writer is None:
            return
        try:
            writer.wait_merging_threads()
        except BaseException as error:  # it failed before; there is nothing more to save
            if not (_is_failure(error) or isinstance(error, RuntimeError)):
                raise


def _best(searcher: tantivy.Searcher, asked: tantivy.Query, limit: int) -> list[tuple[int, float]]:
    hits = searcher.search(asked, limit, count=False).hits
    chunk_ids = searcher.fast_field_values("chunk_id", [address for _, address in hits])
    return [(int(chunk_id or 0), float(score)) for chunk_id, (score, _) in zip(chunk_ids, hits, strict=True)]


def _open_index(directory: Path, schema: tantivy.Schema) -> tantivy.Index:
    return tantivy.Index(schema, str(directory))


def _sweep(directory: Path) -> None:
    """Remove what belongs to no committed segment. Nobody may be writing; searches under way have their files open."""
    for stray in strays(directory):
        if stray.name != IDENTITY:
            stray.unlink(missing_ok=True)


def _is_failure(error: BaseException) -> bool:
    """Whether the library failed. A panic of Rust is no ``Exception``, and its class cannot be imported."""
    return isinstance(error, (ValueError, OSError)) or type(error).__name__ == "PanicException"


def _identity(epoch: str) -> bytes:
    return json.dumps({"format": FORMAT, "epoch": epoch}).encode()


def _check(directory: Path, epoch: str) -> None:
    """Raises OtherViewError where ``directory`` holds no view or another, ValueError or OSError where it is damaged."""
    try:
        found = (directory / IDENTITY).read_bytes()
    except FileNotFoundError:
        raise OtherViewError("no complete index is there") from None
    if found != (expected := _identity(epoch)):
        json.loads(found)  # another view's can be read
        raise OtherViewError(f"expected {expected.decode()}, found {found[:200].decode()}")
    if damage := find_damage(directory):
        raise ValueError(damage)
