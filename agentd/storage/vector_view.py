"""The vector view of one space: int8 rows with a scale each, derived from the catalogue and the embedding cache."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import structlog

from agentd.storage.vector_rows import RowFile
from agentd.storage.vector_snapshot import FORMAT, Columns, Header, read_snapshot, write_snapshot
from agentd.storage.vector_table import Frame, appended, frame_of, killed
from agentd.storage.view_files import OtherViewError, disk_bytes, make_directory, renew, sync_directory, unusable, wipe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Self

    from numpy.typing import ArrayLike

    from agentd.storage.vector_kernels import Codes, Ids, Mask, Rows

log = structlog.get_logger(__name__)

SNAPSHOT = "snapshot"

COMPACT_SHARE = 0.25
COMPACT_ROWS = 4096
"""Dead rows are dropped from the file, at a save, when both this share and this many are dead."""


class VectorView:
    """Vectors of chunks, searched by cosine.

    Synchronous, for daemon threads. Changes take turns behind one lock; a search takes none: it works on the frame that
    was current when it began, which no change touches, so it sees every change whole or not at all.

    What was added since the last :meth:`save` is lost in a crash, and what was removed is back: whoever follows the
    feed applies removals again from ``generation`` and adds what is missing in :meth:`chunk_ids`.
    """

    def __init__(self, directory: Path, header: Header, columns: Columns, rows: RowFile) -> None:
        self._directory = directory
        self._header = header
        self._changing = threading.Lock()
        self._rows = rows
        self._frame = frame_of(rows.codes, columns)
        self._places = _places(columns)
        """Row of each live chunk. Only for changes, under the lock."""
        self._unsaved = False
        self.renewed = ""
        """What was wrong with the files that these took the place of; whoever has filled the view clears it."""

    @classmethod
    def open(cls, directory: Path, epoch: str, space_key: str, dimension: int) -> Self:
        """Open the view of that epoch and space. Another's is thrown away, a damaged one is set aside; both are made
        anew, empty.

        Raises:
            StateUnusableError: the directory cannot be read or written.
        """
        make_directory(directory)
        expected = Header(FORMAT, epoch, space_key, dimension, 0, 0, "rows-0", 0)
        reason = ""
        try:
            return cls(directory, *_load(directory, expected))
        except OtherViewError as error:
            if any(directory.iterdir()):
                log.warning("vector_view_rebuilt", directory=str(directory), reason=str(error))
                wipe(directory, first=SNAPSHOT)
        except (ValueError, OSError) as error:
            reason = str(error)
            renew(directory, reason)
        view = cls(directory, *_empty(directory, expected))
        view.renewed = reason
        return view

    def rebuild(self, reason: str, *, keep: bool = True) -> None:
        """Begin anew, empty, at generation 0; the files are set aside, or with ``keep`` false thrown away. Searches
        under way end well on the old ones.

        Raises:
            StateUnusableError: it cannot be made; try again.
        """
        with self._changing:
            if keep:
                renew(self._directory, reason)
            else:
                wipe(self._directory, first=SNAPSHOT)
            header = msgspec.structs.replace(self._header, generation=0, count=0, rows="rows-0", rows_crc=0)
            old = self._rows
            self._header, columns, self._rows = _empty(self._directory, header)
            self._frame, self._places = frame_of(self._rows.codes, columns), {}
            old.close()
            self.renewed = reason

    def check(self) -> str | None:
        """What is wrong with the files, or None. Reads all rows, at over 1 GB/s, while nothing is changed."""
        with self._changing:
            try:
                header, _ = read_snapshot(self._directory / SNAPSHOT)
            except (ValueError, OSError) as error:
                return str(error)
            if header != self._header:
                return f"{SNAPSHOT} is another one"
            return None if self._rows.is_whole() else f"{self._rows.path.name} does not match its checksum"

    @property
    def generation(self) -> int:
        """The position in the feed up to which removals were applied and saved."""
        return self._header.generation

    @property
    def count(self) -> int:
        """Vectors that can be found."""
        frame = self._frame
        return frame.count - frame.dead

    @property
    def newest_chunk(self) -> int:
        """The greatest id of a chunk that has, or had, a vector; 0 for none."""
        frame = self._frame
        return int(frame.columns.chunk_ids[: frame.count].max(initial=0))

    def disk_bytes(self) -> int:
        """Bytes on disk."""
        return disk_bytes(self._directory)

    def chunk_ids(self) -> Ids:
        """Chunks that have a vector, sorted."""
        frame = self._frame
        return np.sort(frame.columns.chunk_ids[: frame.count][frame.columns.live[: frame.count]])

    def add(
        self,
        chunk_ids: ArrayLike,
        document_ids: ArrayLike,
        root_ids: ArrayLike,
        codes: bytes | Codes,
        scales: ArrayLike,
    ) -> None:
        """Add vectors, n of each; one of a chunk that has one replaces it.

        ``codes`` are (n, dimension) int8, ``scales`` (n,) float32.

        Raises:
            ValueError: the lengths do not fit each other or the dimension.
            StateUnusableError: the disk is full or broken; nothing was added.
        """
        matrix = self._matrix(codes)
        added = Columns(
            _ids(chunk_ids),
            _ids(document_ids),
            _ids(root_ids),
            np.asarray(scales, dtype=np.float32),
            np.ones(len(matrix), dtype=np.bool_),
        )
        if any(each.shape != (len(matrix),) for each in added.arrays()):
            shapes = [each.shape for each in added.arrays()]
            raise ValueError(f"expected {len(matrix)} of each, as there are vectors; found {shapes}")
        if not len(matrix):
            return
        with self._changing:
            try:
                self._rows.append(matrix)
            except OSError as error:
                raise unusable(f"Cannot add vectors to {self._rows.path}", error) from error
            frame = appended(self._frame, self._rows.codes, added)
            self._publish(frame, self._replaced(added.chunk_ids.tolist()))

    def remove(self, chunk_ids: ArrayLike) -> int:
        """Remove the vectors of these chunks; returns how many there were."""
        with self._changing:
            return self._kill(
                place for each in _ids(chunk_ids).tolist() if (place := self._places.get(each)) is not None
            )

    def remove_documents(self, document_ids: ArrayLike) -> int:
        """Remove the vectors of these documents; returns how many there were."""
        with self._changing:
            frame = self._frame
            return self._kill(_rows_of(frame, np.isin(frame.columns.document_ids[: frame.count], _ids(document_ids))))

    def retain(self, document_id: int, chunk_ids: ArrayLike) -> int:
        """Remove the vectors of the document's chunks other than these; returns how many there were."""
        with self._changing:
            frame = self._frame
            rows = _rows_of(frame, frame.columns.document_ids[: frame.count] == np.uint64(document_id))
            kept = np.isin(frame.columns.chunk_ids[rows], _ids(chunk_ids))
            return self._kill(rows[~kept])

    def search(
        self,
        codes: bytes | Codes,
        scale: float,
        limit: int,
        allowed_documents: ArrayLike | None = None,
        allowed_roots: ArrayLike | None = None,
    ) -> list[tuple[int, float]]:
        """Chunk ids and cosines of the nearest vectors, best first; None allows all, nothing allows none.

        Raises:
            ValueError: the query is not of this space's dimension.
        """
        (query,) = self._matrix(codes)
        documents = None if allowed_documents is None else _ids(allowed_documents)
        roots = None if allowed_roots is None else _ids(allowed_roots)
        frame = self._frame
        if limit < 1 or frame.count == frame.dead:
            return []
        chunk_ids, cosines = frame.search(query, scale, limit, documents, roots)
        return list(zip(chunk_ids.tolist(), cosines.tolist(), strict=True))

    def cosines(self, codes: bytes | Codes, scale: float, chunk_ids: ArrayLike) -> dict[int, float]:
        """Cosines of those of ``chunk_ids`` that have a vector.

        Raises:
            ValueError: the query is not of this space's dimension.
        """
        (query,) = self._matrix(codes)
        found, cosines = self._frame.among(query, scale, _ids(chunk_ids))
        return dict(zip(found.tolist(), cosines.tolist(), strict=True))

    def save(self, generation: int) -> None:
        """Make everything durable, together with the position in the feed. Nothing is written when nothing changed.

        Raises:
            StateUnusableError: the last save still holds.
        """
        with self._changing:
            if generation == self.generation and not self._unsaved:
                return
            try:
                if self._frame.dead > max(COMPACT_ROWS, COMPACT_SHARE * self._frame.count):
                    self._compact(generation)
                else:
                    self._rows.sync()
                    self._header = self._write(generation, self._rows, self._columns())
            except OSError as error:
                raise unusable(f"Cannot save the vector index in {self._directory}", error) from error
            self._unsaved = False

    def close(self) -> None:
        """Close the file, without saving. Searches under way end well; changes after this fail."""
        with self._changing:
            self._rows.close()

    def _matrix(self, codes: bytes | Codes) -> Codes:
        flat = np.frombuffer(codes, dtype=np.int8) if isinstance(codes, bytes) else codes
        return flat.reshape(-1, self._header.dimension)

    def _replaced(self, chunk_ids: list[int]) -> list[int]:
        """Note where the chunks that were appended are; returns the rows that they had, or had in the same batch."""
        replaced = []
        for row, chunk_id in enumerate(chunk_ids, start=self._frame.count):
            before = self._places.get(chunk_id)
            if before is not None:
                replaced.append(before)
            self._places[chunk_id] = row
        return replaced

    def _kill(self, rows: Iterable[int]) -> int:
        dead = list(dict.fromkeys(map(int, rows)))  # a chunk may be named twice; its row dies once
        for chunk_id in self._frame.columns.chunk_ids[dead].tolist():
            del self._places[chunk_id]
        if dead:
            self._publish(self._frame, dead)
        return len(dead)

    def _publish(self, frame: Frame, dead: list[int]) -> None:
        """Show searches the new rows and hide the dead ones, in one step."""
        self._frame = killed(frame, np.array(dead, dtype=np.intp)) if dead else frame
        self._unsaved = True

    def _columns(self) -> Columns:
        count = self._frame.count
        return self._frame.columns.map(lambda each: each[:count])

    def _write(self, generation: int, rows: RowFile, columns: Columns) -> Header:
        header = Header(
            FORMAT,
            self._header.epoch,
            self._header.space,
            self._header.dimension,
            generation,
            rows.count,
            rows.path.name,
            rows.crc,
        )
        write_snapshot(self._directory / SNAPSHOT, header, columns)
        return header

    def _compact(self, generation: int) -> None:
        """Save into a new file of rows without the dead; the old one goes when no snapshot names it any more."""
        frame = self._frame
        live = np.flatnonzero(frame.columns.live[: frame.count])
        columns = frame.columns.map(lambda each: each[live])
        number = int(self._rows.path.name.rpartition("-")[2]) + 1
        rows = RowFile(self._directory / f"rows-{number}", self._header.dimension, create=True)
        try:
            _copy(frame.codes, live, rows)
            rows.sync()
            sync_directory(self._directory)
            self._header = self._write(generation, rows, columns)
        except BaseException:
            rows.close()
            rows.path.unlink(missing_ok=True)
            raise
        old, self._rows = self._rows, rows
        self._frame, self._places = frame_of(rows.codes, columns), _places(columns)
        old.close()
        old.path.unlink(missing_ok=True)


_AT_A_TIME = 8192
"""Rows that are copied or entered in one go, well under a millisecond of the GIL."""


def _load(directory: Path, expected: Header) -> tuple[Header, Columns, RowFile]:
    """The last snapshot and its rows; files of crashed saves are removed.

    Raises:
        OtherViewError: there is none, or another.
        OSError: a file is missing or cannot be read.
        ValueError: it is damaged.
    """
    try:
        header, columns = read_snapshot(directory / SNAPSHOT)
    except FileNotFoundError as error:
        raise OtherViewError("no complete view is there") from error
    for field in ("format", "epoch", "space", "dimension"):
        if getattr(header, field) != getattr(expected, field):
            raise OtherViewError(f"expected {field} {getattr(expected, field)}, found {getattr(header, field)}")
    rows = RowFile(directory / header.rows, header.dimension, header.count)
    if rows.crc != header.rows_crc:
        rows.close()
        raise ValueError(f"{header.rows} does not match its checksum")
    for stray in directory.iterdir():
        if stray.name not in {SNAPSHOT, header.rows}:
            stray.unlink()
    return header, columns, rows


def _empty(directory: Path, header: Header) -> tuple[Header, Columns, RowFile]:
    """The files of a view without vectors."""
    try:
        rows = RowFile(directory / header.rows, header.dimension, create=True)
        write_snapshot(directory / SNAPSHOT, header, Columns.empty())
    except OSError as error:
        raise unusable(f"Cannot make a vector index in {directory}", error) from error
    return header, Columns.empty(), rows


def _places(columns: Columns) -> dict[int, int]:
    live = np.flatnonzero(columns.live)
    places: dict[int, int] = {}
    for start in range(0, len(live), _AT_A_TIME):  # one call for all of them would hold the GIL for 10 ms and more
        rows = live[start : start + _AT_A_TIME]
        places.update(zip(columns.chunk_ids[rows].tolist(), rows.tolist(), strict=True))
    return places


def _copy(codes: Codes, rows: Rows, into: RowFile) -> None:
    for start in range(0, len(rows), _AT_A_TIME):
        into.append(codes[rows[start : start + _AT_A_TIME]])


def _rows_of(frame: Frame, mask: Mask) -> Rows:
    return np.flatnonzero(mask & frame.columns.live[: frame.count])


def _ids(ids: ArrayLike) -> Ids:
    return np.asarray(ids, dtype=np.uint64)
