from __future__ import annotations

import pytest
from storage_samples import Index, chunk, entry, parsed

from agentd.domain import SkipReason
from agentd.errors import RootNotFoundError
from agentd.kernels.messages import WalkPage
from agentd.storage.rows import ScanResult


async def test_new_files_become_pending_and_the_last_edited_comes_first(index: Index) -> None:
    root = await index.root()
    result = await index.scan(root, entry("old", 1), entry("new", 9), entry("middle", 5))
    assert result == ScanResult(new=3, changed=0, removed=0, total=3)
    assert [one.path for one in await index.pending()] == ["new", "middle", "old"]


async def test_pending_files_are_cut_by_bytes_but_one_always_comes(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("a", 3, size=50), entry("b", 2, size=40), entry("c", 1, size=40))
    documents = index.catalogue.documents
    assert [one.path for one in await documents.next_pending(9, 100)] == ["a", "b"]
    assert [one.path for one in await documents.next_pending(9, 1)] == ["a"]
    assert [one.path for one in await documents.next_pending(1, 100)] == ["a"]
    (first,) = await documents.next_pending(1, 1)
    assert [one.path for one in await documents.next_pending(9, 100, {first.id})] == ["b", "c"]


async def test_an_unchanged_tree_writes_nothing(index: Index) -> None:
    root = await index.root()
    files = [entry("a"), entry("b")]
    await index.scan(root, *files, prefixes=("a", "b"))
    commits = index.catalogue.database.commits.value
    assert await index.scan(root, *files, prefixes=("a", "b")) == ScanResult(0, 0, 0, 2)
    assert index.catalogue.database.commits.value == commits


async def test_files_beyond_the_bound_are_left_out_and_counted(index: Index) -> None:
    root = await index.root()
    scans = index.catalogue.scans

    async def scanned(*paths: str) -> ScanResult:
        scan = await scans.begin(root.id, max_documents=3)
        for path in paths:
            await scans.page(scan, WalkPage([entry(path)], [], []))
        return await scans.finish(scan)

    assert await scanned("a", "b") == ScanResult(2, 0, 0, 2)
    assert await scanned("a", "b", "c", "d", "e") == ScanResult(1, 0, 0, 5, left_out=2)
    assert await scanned("b", "c", "d", "e") == ScanResult(0, 0, 1, 4, left_out=2)
    assert await scanned("b", "c", "d", "e") == ScanResult(1, 0, 0, 4, left_out=1)


async def test_a_change_keeps_the_old_text_until_the_new_one_is_parsed(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("old text"))
    assert await index.scan(root, entry("a", 2)) == ScanResult(0, 1, 0, 1)
    (row,) = await index.view()
    hit = (await index.catalogue.passages.hits([row.chunk_id]))[row.chunk_id]
    assert (hit.text, hit.signature) == ("old text", "v1")


async def test_files_not_met_below_the_prefixes_are_removed(index: Index) -> None:
    root = await index.root()
    paths = ["docs/a", "docs/b", "docs2/a", "docs", "x"]
    await index.scan(root, *map(entry, paths))
    await index.parse_all()
    result = await index.scan(root, entry("docs/b"), prefixes=("docs",))
    assert result.removed == 2
    assert await index.texts() == ["docs/b", "docs2/a", "x"]


async def test_missing_paths_go_with_all_below_them(index: Index) -> None:
    root = await index.root()
    await index.scan(root, *map(entry, ["a/b/c", "a/b/d", "a/e"]))
    await index.parse_all()
    result = await index.scan(root, prefixes=(), missing=("a/b",))
    assert (result.removed, await index.texts()) == (2, ["a/e"])


async def test_a_scan_that_is_aborted_removes_nothing(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("kept"))
    scan = await index.catalogue.scans.begin(root.id)
    index.catalogue.scans.abort(scan)
    assert await index.texts() == ["kept"]


async def test_a_root_that_is_not_there_loses_nothing(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("kept"))
    assert (await index.scan(root, root_missing=True)).removed == 0
    assert await index.texts() == ["kept"]


async def test_scans_of_other_roots_do_not_disturb_each_other(index: Index) -> None:
    one, two = await index.root("/one"), await index.root("/two")
    await index.scan(one, entry("a"), entry("gone"))
    await index.scan(two, entry("a"), entry("b"))
    scans = index.catalogue.scans
    first, second = await scans.begin(one.id), await scans.begin(two.id)
    await scans.page(second, WalkPage([entry("a")], [], []))
    await scans.page(first, WalkPage([entry("a")], [], []))
    await scans.page(second, WalkPage([entry("b")], [], []))
    assert (await scans.finish(first)).removed == 1
    assert (await scans.finish(second)).removed == 0


async def test_what_a_later_scan_meets_is_not_removed_by_an_earlier_one(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("old"))
    scans = index.catalogue.scans
    whole = await scans.begin(root.id)
    await index.scan(root, entry("old"), entry("new"), prefixes=("old", "new"))
    assert (await scans.finish(whole)).removed == 0
    assert len(await index.pending()) == 2


async def test_a_file_that_the_walk_leaves_out_is_skipped_and_loses_its_text(index: Index) -> None:
    root = await index.root()
    await index.store(root, "big", chunk("small so far"))
    await index.scan(root, entry("big", 2, skip=SkipReason.TOO_LARGE))
    (progress,) = await index.catalogue.roots.progress()
    assert (progress.skipped, progress.pending, progress.chunks) == ({"too_large": 1}, 0, 0)
    assert await index.texts() == []


async def test_a_file_that_the_walk_no_longer_leaves_out_is_parsed_though_unchanged(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("big", skip=SkipReason.TOO_LARGE))
    assert (await index.scan(root, entry("big"))).changed == 1
    assert [one.path for one in await index.pending()] == ["big"]


async def test_a_parse_does_not_bring_back_what_a_scan_left_out_meanwhile(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("big"))
    (taken,) = await index.pending()
    await index.scan(root, entry("big", skip=SkipReason.TOO_LARGE))
    await index.catalogue.documents.store([(taken, parsed(taken, [chunk("text")]))])
    assert (await index.texts(), await index.pending()) == ([], [])


async def test_a_page_of_a_root_removed_meanwhile_is_refused(index: Index) -> None:
    root = await index.root()
    scan = await index.catalogue.scans.begin(root.id)
    await index.catalogue.roots.remove(root.id)
    with pytest.raises(RootNotFoundError):
        await index.catalogue.scans.page(scan, WalkPage([entry("a")], [], []))
    assert (await index.catalogue.scans.finish(scan)).removed == 0
