"""Is a state directory sound? Read from outside, with SQLite, tantivy and numpy; no daemon runs, or one that rests.

Every function returns what is wrong, in sentences that begin with the file concerned; an empty list is good news.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import tantivy
from link_samples import drain, forget_links, links
from tantivy import Query

from agentd.storage.keyword_check import strays as leftovers
from agentd.storage.keyword_schema import build_schema, generation_query
from agentd.storage.vector_snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DATABASES = ("index.db", "embeddings.db", "answers.db", "runs.db", "web.db")
PLAIN_FILES = {
    "lock",
    "roots.json",
    "agentd.log",
    *(name + suffix for name in DATABASES for suffix in ("", "-wal", "-shm")),
}
BUSY_SECONDS = 5.0
SCHEMA = build_schema()
LINK_LIMIT = 20_000

TALLIES = {
    "document_tally": (
        "SELECT root_id, state, skip, documents, chunks, embeddable FROM document_tally WHERE documents > 0",
        "SELECT root_id, state, skip, count(*), sum(chunks), sum(chunks * embed) FROM document GROUP BY 1, 2, 3",
    ),
    "queue_tally": (
        "SELECT root_id, space_id, queued FROM queue_tally WHERE queued > 0",
        "SELECT root_id, space_id, count(*) FROM embedding_queue GROUP BY root_id, space_id",
    ),
    "document.chunks": (
        "SELECT id, chunks FROM document WHERE chunks > 0",
        "SELECT document_id, count(*) FROM chunk GROUP BY document_id",
    ),
}
"""Running totals: what is kept, and what counting anew gives."""

LOOSE_ENDS = {
    "documents without a place in the feed": (
        "SELECT count(*) FROM document WHERE chunks > 0 AND id NOT IN (SELECT document_id FROM feed WHERE NOT gone)"
    ),
    "documents in the feed that are gone and not marked so": (
        "SELECT count(*) FROM feed WHERE NOT gone AND document_id NOT IN (SELECT id FROM document)"
    ),
    "roots half removed": "SELECT count(*) FROM root WHERE removing",
    "documents to read": "SELECT count(*) FROM document WHERE state = 'pending'",
    "documents to link": "SELECT count(*) FROM link_queue",
    "pieces of news to the linker": "SELECT count(*) FROM link_news",
    "chunks to embed": "SELECT count(*) FROM embedding_queue",
}
"""What must be nought in an index at rest."""


def audit(state: Path, *, vectors: bool) -> list[str]:
    """All that is wrong with an index at rest; ``vectors`` says whether its daemon keeps them up to date."""
    found = soundness(state)
    if found:
        return found  # what is read from a damaged file means nothing
    with closing(in_memory(state)) as index:
        return [
            *totals(index, vectors=vectors),
            *keyword_view(state, index),
            *(vector_views(state, index) if vectors else ()),
            *edges(index),
            *strays(state),
        ]


def soundness(state: Path) -> list[str]:
    """Every database, as SQLite sees them; fit for a state that a daemon has just been killed over."""
    found = []
    for name in DATABASES:
        if (state / name).exists():
            with closing(reader(state / name)) as connection:
                found += [f"{name}: {line}" for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
                found += [f"{name}: foreign key {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    return found


def reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads; the log of a killed writer is read too."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def in_memory(state: Path) -> sqlite3.Connection:
    """A copy of ``index.db`` as of one moment, free to be changed."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(reader(state / "index.db")) as connection:
        connection.backup(copy)
    return copy


def totals(index: sqlite3.Connection, *, vectors: bool) -> Iterator[str]:
    """Running totals against a count, and what an index at rest has none of."""
    for name, queries in TALLIES.items():
        kept, counted = (sorted(index.execute(sql).fetchall()) for sql in queries)
        if kept != counted:
            yield f"index.db: {name} says {kept[:5]}, counting gives {counted[:5]}"
    for what, sql in LOOSE_ENDS.items():
        (count,) = index.execute(sql).fetchone()
        if count and (vectors or what != "chunks to embed"):
            yield f"index.db: {count} {what}"


def keyword_rows(state: Path, root_id: int) -> list[int]:
    """Ids of the chunks that the committed keyword view has of a root, sorted."""
    return rows_of(open_keyword(state), "root_id", root_id)


def open_keyword(state: Path) -> tantivy.Searcher:
    """The last commit, whoever writes on."""
    return tantivy.Index(SCHEMA, str(state / "keyword")).searcher()


def rows_of(searcher: tantivy.Searcher, field: str, key: int) -> list[int]:
    """Ids of the chunks whose rows have ``key`` in ``field``, sorted."""
    hits = searcher.search(Query.term_query(SCHEMA, field, key), max(1, searcher.num_docs), count=False).hits
    return sorted(int(each or 0) for each in searcher.fast_field_values("chunk_id", [at for _, at in hits]))


def keyword_view(state: Path, index: sqlite3.Connection) -> Iterator[str]:
    """Every chunk once, under its document and its root; nothing else; and the generation of the truth."""
    searcher = open_keyword(state)
    total = searcher.num_docs
    rows = index.execute(
        "SELECT c.id, c.document_id, d.root_id FROM chunk c JOIN document d ON d.id = c.document_id"
    ).fetchall()
    if total != len(rows) + 1:  # and the record that holds the generation
        yield f"keyword: {total - 1} rows for {len(rows)} chunks"
    for column, field in ((1, "document_id"), (2, "root_id")):
        for key, chunk_ids in grouped(rows, column).items():
            shown = rows_of(searcher, field, key)
            if shown != chunk_ids:
                yield f"keyword: {field} {key} has {difference(shown, chunk_ids)}"
    hits = searcher.search(generation_query(SCHEMA), 2, count=False).hits
    held = [searcher.doc(at).get_first("generation") for _, at in hits]
    (generation,) = index.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'feed'").fetchone()
    if held != [generation]:
        yield f"keyword: generations {held}, expected {[generation]}"


def vector_views(state: Path, index: sqlite3.Connection) -> Iterator[str]:
    """One folder for each active space; in it every chunk that should have a vector, with the cache's bits."""
    keys = [key for (key,) in index.execute("SELECT key FROM space WHERE id IN (SELECT space_id FROM root_space)")]
    folders = sorted((state / "vectors").iterdir())
    if len(folders) != len(keys):
        yield f"vectors: folders {[each.name for each in folders]} for the spaces {keys}"
    for folder in folders:
        yield from vector_view(folder, state / "embeddings.db", index)


def vector_view(folder: Path, cache: Path, index: sqlite3.Connection) -> Iterator[str]:
    """The saved rows of one space."""
    header, columns = read_snapshot(folder / "snapshot")
    codes = np.fromfile(folder / header.rows, dtype=np.int8, count=header.count * header.dimension)
    codes = codes.reshape(header.count, header.dimension)
    live = np.flatnonzero(columns.live)
    wanted = {
        chunk_id: (document_id, root_id, text_hash)
        for chunk_id, document_id, root_id, text_hash in index.execute(
            "SELECT c.id, d.id, d.root_id, c.text_hash FROM chunk c JOIN document d ON d.id = c.document_id "
            "WHERE d.embed"
        )
    }
    held = columns.chunk_ids[live].tolist()
    if sorted(held) != sorted(wanted):
        yield f"vectors: {difference(held, list(wanted))}"
        return
    with closing(reader(cache)) as connection:
        kept = {
            text_hash: (codes, scale)
            for text_hash, codes, scale in connection.execute(
                "SELECT v.text_hash, v.codes, v.scale FROM vector v JOIN space s ON s.id = v.space_id WHERE s.key = ?",
                (header.space,),
            )
        }
    for row, chunk_id in zip(live.tolist(), held, strict=True):
        document_id, root_id, text_hash = wanted[chunk_id]
        belongs = (int(columns.document_ids[row]), int(columns.root_ids[row])) == (document_id, root_id)
        if not belongs or (codes[row].tobytes(), columns.scales[row]) != as_float32(kept.get(text_hash)):
            yield f"vectors: chunk {chunk_id} of document {document_id} differs from the cache, or is another's"


def as_float32(vector: tuple[bytes, float] | None) -> tuple[bytes, np.float32] | None:
    """A cached vector, with the scale in the width that views keep."""
    return None if vector is None else (vector[0], np.float32(vector[1]))


def edges(index: sqlite3.Connection) -> list[str]:
    """Edges against those that linking everything anew gives. Changes ``index``."""
    before = links(index)
    forget_links(index)
    drain(index, LINK_LIMIT)
    anew = links(index)
    if before == anew:
        return []
    wrong = [(old, new) for old, new in zip(before, anew, strict=True) if old != new]
    return [f"index.db: {len(wrong)} of {len(anew)} edges lead elsewhere than anew, such as {wrong[0]}"]


def strays(state: Path) -> Iterator[str]:
    """Files that have no business in the state directory."""
    for path in sorted(state.iterdir()):
        if path.is_dir() and path.name in {"keyword", "vectors"}:
            continue
        if path.name not in PLAIN_FILES:
            yield f"{path.name}: a stray file"
    yield from (
        f"keyword/{path.name}: a stray file" for path in leftovers(state / "keyword") if path.name != "view.json"
    )
    for folder in (state / "vectors").glob("*"):
        wanted = {"snapshot", read_snapshot(folder / "snapshot")[0].rows}
        yield from (
            f"vectors/{folder.name}/{path.name}: a stray file" for path in folder.iterdir() if path.name not in wanted
        )


def grouped(rows: Iterable[tuple[int, ...]], column: int) -> dict[int, list[int]]:
    """First members of ``rows``, sorted, by the value in ``column``."""
    groups: dict[int, list[int]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row[0])
    return {key: sorted(members) for key, members in groups.items()}


def difference(found: Iterable[int], wanted: Iterable[int]) -> str:
    """In few words, for the person who reads a failure."""
    have, want = Counter(found), Counter(wanted)
    surplus, missing = have - want, want - have
    return f"{surplus.total()} too many {sorted(surplus)[:5]}, {missing.total()} missing {sorted(missing)[:5]}"
