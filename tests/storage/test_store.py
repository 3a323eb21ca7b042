from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from storage_samples import SPACE, Index, chunk, entry, parsed, unsearchable, vanished, want

from agentd.domain import Kind, SkipReason
from agentd.storage.chunk_diff import Place, StoredChunk, diff_chunks

if TYPE_CHECKING:
    from agentd.domain import Chunk


async def chunk_ids(index: Index) -> dict[str, int]:
    return {row.text: row.chunk_id for row in await index.view()}


async def test_unchanged_chunks_keep_their_ids_and_get_their_new_lines(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("one", line=1), chunk("two", line=5))
    before = await chunk_ids(index)
    await index.store(root, "a", chunk("zero", line=1), chunk("one", line=5), chunk("two", line=9), version=2)
    after = await chunk_ids(index)
    assert (after["one"], after["two"]) == (before["one"], before["two"])
    hits = await index.catalogue.passages.hits(list(after.values()))
    assert {hit.text: hit.start_line for hit in hits.values()} == {"zero": 1, "one": 5, "two": 9}
    assert [row.text for row in await index.view()] == ["zero", "one", "two"]


async def test_ids_of_removed_chunks_are_not_used_again(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("one"))
    before = await chunk_ids(index)
    await index.store(root, "a", version=2)
    await index.store(root, "a", chunk("two"), version=3)
    assert (await chunk_ids(index))["two"] > before["one"]


async def test_a_touch_and_a_shift_of_lines_concern_no_view(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("one", line=1))
    generation = index.catalogue.feed.changed.value
    await index.store(root, "a", chunk("one", line=1), version=2)
    await index.store(root, "a", chunk("one", line=7), version=3)
    assert index.catalogue.feed.changed.value == generation
    (row,) = await index.view()
    assert (await index.catalogue.passages.hits([row.chunk_id]))[row.chunk_id].signature == "v3"


async def test_another_language_is_a_change_for_views(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("one"))
    await index.scan(root, entry("a", 2))
    (taken,) = await index.pending()
    result = replace(parsed(taken, [chunk("one")]), language="markdown", kind=Kind.DOCS)
    generation = await index.catalogue.documents.store([(taken, result)])
    assert await index.catalogue.feed.changes(generation - 1, 9) == [(generation, taken.id)]
    assert [row.language for row in await index.view()] == ["markdown"]


async def test_a_file_seen_changed_while_it_was_parsed_stays_pending(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("a", 1))
    (taken,) = await index.pending()
    await index.scan(root, entry("a", 2))
    await index.catalogue.documents.store([(taken, parsed(taken, [chunk("first")]))])
    assert [one.signature for one in await index.pending()] == ["v2"]
    (row,) = await index.view()
    assert (await index.catalogue.passages.hits([row.chunk_id]))[row.chunk_id].signature == "v1"


async def test_a_parse_that_saw_the_newest_change_settles_it(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("a", 1))
    (taken,) = await index.pending()
    await index.scan(root, entry("a", 2))
    newest = replace(parsed(taken, [chunk("second")]), signature="v2")
    await index.catalogue.documents.store([(taken, newest)])
    assert await index.pending() == []


async def test_results_for_documents_removed_meanwhile_are_left_out(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("a"))
    (taken,) = await index.pending()
    await index.scan(root)
    await index.catalogue.documents.store([(taken, parsed(taken, [chunk("ghost")]))])
    assert await index.texts() == []


async def test_vanished_files_go_unless_a_scan_has_seen_them_again(index: Index) -> None:
    root = await index.root()
    await index.store(root, "gone", chunk("gone"))
    await index.store(root, "back", chunk("back"))
    await index.scan(root, entry("gone", 2), entry("back", 2))
    taken = await index.pending()
    await index.scan(root, entry("gone", 2), entry("back", 3))
    await index.catalogue.documents.store([(one, vanished(one)) for one in taken])
    assert await index.texts() == ["back"]
    assert [one.path for one in await index.pending()] == ["back"]


async def test_an_unsearchable_file_loses_its_text_and_is_counted(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("text"))
    await index.scan(root, entry("a", 2))
    (taken,) = await index.pending()
    await index.catalogue.documents.store([(taken, unsearchable(taken, SkipReason.BINARY))])
    (progress,) = await index.catalogue.roots.progress()
    assert (progress.skipped, progress.chunks, await index.texts()) == ({"binary": 1}, 0, [])
    assert (await index.scan(root, entry("a", 2))).changed == 0


async def test_an_unstable_file_is_tried_again_at_the_next_scan(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("log"))
    (taken,) = await index.pending()
    await index.catalogue.documents.store([(taken, unsearchable(taken, SkipReason.UNSTABLE))])
    assert await index.pending() == []
    assert (await index.scan(root, entry("log"))).changed == 1
    assert len(await index.pending()) == 1


async def test_a_file_that_kills_its_worker_is_given_up_after_its_attempts(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("text"))
    await index.scan(root, entry("a", 2))
    documents = index.catalogue.documents
    (taken,) = await index.pending()
    assert not await documents.fail(taken, SkipReason.WORKER_DIED, max_attempts=2)
    assert [one.attempts for one in await index.pending()] == [1]
    assert await documents.fail(taken, SkipReason.WORKER_DIED, max_attempts=2)
    (progress,) = await index.catalogue.roots.progress()
    assert (progress.skipped, await index.texts()) == ({"worker_died": 1}, [])
    await index.scan(root, entry("a", 3))
    assert [one.attempts for one in await index.pending()] == [0]


async def test_a_failure_does_not_count_against_a_newer_version(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("a", 1))
    (taken,) = await index.pending()
    await index.scan(root, entry("a", 2))
    assert not await index.catalogue.documents.fail(taken, SkipReason.TIMEOUT)
    assert len(await index.pending()) == 1


async def test_reindex_takes_what_is_below_a_path_and_not_what_the_walk_leaves_out(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("docs/a"), entry("docs2"), entry("docs/big", skip=SkipReason.TOO_LARGE))
    await index.parse_all()
    assert await index.catalogue.documents.reindex(root.id, "docs") == 1
    assert [one.path for one in await index.pending()] == ["docs/a"]
    assert await index.catalogue.documents.reindex(root.id) == 2


async def test_totals_agree_with_the_rows(index: Index) -> None:
    root = await index.root()
    await want(index.catalogue, SPACE)
    await index.scan(root, *(entry(f"f{number}") for number in range(5)))
    await index.parse_all("one", "two")
    await index.scan(root, entry("f0", 2), entry("f1"), entry("f2"), entry("f3", skip=SkipReason.BINARY))
    (progress,) = await index.catalogue.roots.progress()
    assert (progress.documents, progress.pending, progress.skipped) == (4, 1, {"binary": 1})
    assert (progress.chunks, progress.embeddable, progress.queued) == (6, 6, {SPACE: 6})


TEXTS = st.lists(st.sampled_from("abc").map(chunk), max_size=8)


@given(TEXTS, TEXTS)
def test_a_diff_turns_the_stored_chunks_into_the_parsed_ones(before: list[Chunk], after: list[Chunk]) -> None:
    stored = [
        StoredChunk(
            number,
            Place(number, one.start_line, one.end_line, one.start_byte, one.end_byte, "", "", ""),
            "",
            one.text_hash,
        )
        for number, one in enumerate(before)
    ]
    diff = diff_chunks(stored, after)
    left = {one.id: (one.place.ordinal, one.text_hash) for one in stored if one.id not in diff.removed}
    left |= {chunk_id: (place.ordinal, left[chunk_id][1]) for chunk_id, place in diff.moved}
    result = sorted([*left.values(), *((place.ordinal, one.text_hash) for place, one in diff.added)])
    assert result == [(ordinal, one.text_hash) for ordinal, one in enumerate(after)]
    common = sum(min(before.count(one), after.count(one)) for one in set(before))
    assert len(left) == common
    assert diff.searchable == (len(before) != common or len(after) != common)
