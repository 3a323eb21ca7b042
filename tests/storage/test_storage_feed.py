from __future__ import annotations

import asyncio

from storage_samples import SPACE, Index, chunk, entry, want

from agentd.storage.purge import feed_again
from agentd.storage.root_spaces import Stage


async def test_each_document_is_in_the_feed_once_at_its_last_change(index: Index) -> None:
    root = await index.root()
    first = await index.store(root, "a", chunk("one"))
    second = await index.store(root, "b", chunk("one"))
    await index.store(root, "a", chunk("two"), version=2)
    assert await index.catalogue.feed.changes(0, 9) == [(2, second), (3, first)]
    assert await index.catalogue.feed.changes(2, 9) == [(3, first)]
    assert await index.catalogue.feed.changes(0, 1) == [(2, second)]


async def test_followers_wake_at_a_change_and_not_before(index: Index) -> None:
    root = await index.root()
    changed = index.catalogue.feed.changed
    waiting = asyncio.create_task(changed.wait(changed.value))
    await index.scan(root, entry("a"))
    assert not waiting.done()
    await index.parse_all()
    async with asyncio.timeout(5):
        assert await waiting == 1


async def test_a_follower_from_any_generation_ends_with_the_truth(index: Index) -> None:
    root = await index.root()
    held: dict[int, list[str]] = {}
    position = 0
    for step in range(12):
        await index.store(root, f"f{step % 5}", chunk(f"text {step}"), version=step + 1)
        if step % 4 == 3:
            await index.scan(root, prefixes=(f"f{step % 5}",))
        if step % 3 == 2:
            changes = await index.catalogue.feed.changes(position, 9)
            for _, document_id in changes:
                rows = await index.catalogue.feed.view_rows([document_id])
                held[document_id] = [row.text for row in rows]
            position = changes[-1][0]
    assert sorted(text for texts in held.values() for text in texts) == await index.texts()


async def test_trimming_forgets_removals_alone_and_raises_the_floor(index: Index) -> None:
    root = await index.root()
    await index.store(root, "gone", chunk("gone"))
    await index.store(root, "kept", chunk("kept"))
    await index.scan(root, entry("kept"))
    feed = index.catalogue.feed
    newest = feed.changed.value
    assert await feed.trim(newest - 1) == 0
    assert await feed.trim(newest) == 1
    assert (feed.changed.value, await index.texts()) == (newest, ["kept"])


async def test_vector_views_see_only_chunks_that_should_have_a_vector(index: Index) -> None:
    root = await index.root()
    document = await index.store(root, "a", chunk("one"), chunk("two"))
    rows = await index.catalogue.feed.view_rows([document])
    assert await index.catalogue.feed.chunk_ids([document]) == [(document, row.chunk_id) for row in rows]
    await index.catalogue.database.write(lambda connection: connection.execute("UPDATE document SET embed = 0"))
    assert await index.catalogue.feed.chunk_ids([document]) == []


async def test_chunks_wait_for_a_vector_until_they_have_it(index: Index) -> None:
    vectors = index.catalogue.vectors
    root = await index.root()
    await want(index.catalogue, SPACE)
    await index.store(root, "old", chunk("old", context="Title"), version=1)
    await index.store(root, "new", chunk("new 1"), chunk("new 2"), version=2)
    waiting = await vectors.next_unembedded(SPACE, 9)
    assert [one.text for one in waiting] == ["new 1", "new 2", "old"]
    assert (waiting[2].context, waiting[2].text_hash) == ("Title", chunk("old", context="Title").text_hash)
    rest = await vectors.next_unembedded(SPACE, 9, {waiting[0].chunk_id})
    assert [one.text for one in rest] == ["new 2", "old"]
    await vectors.embedded(SPACE, [one.chunk_id for one in rest])
    assert [one.text for one in await vectors.next_unembedded(SPACE, 9)] == ["new 1"]
    must, may = await vectors.embeddable_ids(SPACE)
    assert must.tolist() == sorted(one.chunk_id for one in rest)
    assert may.tolist() == sorted(one.chunk_id for one in waiting)
    await vectors.enqueue(SPACE, [rest[0].chunk_id, 10_000])
    assert [one.text for one in await vectors.next_unembedded(SPACE, 9)] == ["new 1", "new 2"]


async def test_a_new_space_queues_what_is_there_and_one_that_stays_costs_nothing(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("one"), chunk("two"))
    vectors = index.catalogue.vectors
    await want(index.catalogue, SPACE)
    waiting = [one.chunk_id for one in await vectors.next_unembedded(SPACE, 9)]
    assert len(waiting) == 2
    await vectors.embedded(SPACE, waiting)
    await want(index.catalogue, SPACE)
    assert await vectors.next_unembedded(SPACE, 9) == []
    assert await index.catalogue.spaces.set({root.id: (Stage("other"), Stage(SPACE))}) == {"other", SPACE}
    assert await index.catalogue.spaces.in_use() == (SPACE, "other")
    assert [one.chunk_id for one in await vectors.next_unembedded("other", 9)] == waiting
    await want(index.catalogue, SPACE)
    assert (await index.catalogue.spaces.in_use(), await vectors.next_unembedded("other", 9)) == ((SPACE,), [])
    await index.store(root, "b", chunk("three"))
    (progress,) = await index.catalogue.roots.progress()
    assert progress.queued == {SPACE: 3}  # all, where it counts again: what it had comes from the cache


async def test_chunks_that_go_leave_the_queue(index: Index) -> None:
    vectors = index.catalogue.vectors
    root = await index.root()
    await want(index.catalogue, SPACE)
    await index.store(root, "a", chunk("one"))
    await index.scan(root)
    assert await vectors.next_unembedded(SPACE, 9) == []
    (progress,) = await index.catalogue.roots.progress()
    assert progress.queued == {SPACE: 0}


async def test_text_hashes_name_every_chunk(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("one"), chunk("two"))
    pages = [page async for page in index.catalogue.vectors.all_text_hashes()]
    assert pages == [[chunk("one").text_hash, chunk("two").text_hash]]


async def test_what_was_removed_while_all_is_fed_again_stays_gone(index: Index) -> None:
    root = await index.root()
    removed = await index.store(root, "a", chunk("one"))
    kept = await index.store(root, "b", chunk("one"))
    await index.scan(root, entry("b"))
    await index.catalogue.database.write(feed_again, [removed, kept])
    assert await index.catalogue.feed.trim(index.catalogue.feed.changed.value) == 1
    assert [document_id for _, document_id in await index.catalogue.feed.changes(0, 9)] == [kept]
