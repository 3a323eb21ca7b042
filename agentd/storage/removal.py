"""Taking documents out, with all that was made of them, in transactions that are short whatever the amount."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agentd.storage.feed import feed_gone, feed_live
from agentd.storage.structure import forget_structure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

BATCH_WEIGHT = 500
"""A document weighs one, each of its chunks one more; with the symbols and edges of as much text they keep the writer
for some 30 ms.
"""


def batches(documents: Iterable[tuple[int, int]], limit: int = BATCH_WEIGHT) -> Iterator[list[int]]:
    """Split (id, weight less one) into lists of ids that each weigh at most ``limit``, or hold one document."""
    batch: list[int] = []
    weight = 0
    for document_id, rows in documents:
        if batch and weight + rows + 1 > limit:
            yield batch
            batch, weight = [], 0
        batch.append(document_id)
        weight += rows + 1
    if batch:
        yield batch


def remove_documents(connection: sqlite3.Connection, ids: Sequence[int]) -> int:
    """Delete documents with their chunks and tell the views; returns how many there were."""
    found = connection.execute(
        "SELECT d.id FROM json_each(?) j CROSS JOIN document d ON d.id = j.value", (json.dumps(ids),)
    ).fetchall()
    feed_gone(connection, [document_id for (document_id,) in found])
    forget_structure(connection, [document_id for (document_id,) in found])
    connection.executemany("DELETE FROM document WHERE id = ?", found)
    return len(found)


def drop_chunks(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Delete the chunks of documents that stay known but cannot be searched, and tell the views."""
    forget_structure(connection, ids)  # an empty module has a key and no chunk
    found = connection.execute(
        "SELECT d.id FROM json_each(?) j CROSS JOIN document d ON d.id = j.value WHERE d.chunks > 0", (json.dumps(ids),)
    ).fetchall()
    connection.executemany("DELETE FROM chunk WHERE document_id = ?", found)
    connection.executemany(
        "UPDATE document SET chunks = 0, lines = 0, stored_signature = '', content_hash = x'' WHERE id = ?", found
    )
    feed_live(connection, [document_id for (document_id,) in found])
