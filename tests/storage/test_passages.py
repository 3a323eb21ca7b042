from __future__ import annotations

import pytest
from storage_samples import Index, chunk, entry

from agentd.domain import Filter, Kind, RootOrigin, SkipReason
from agentd.errors import RootNotFoundError


async def test_roots_are_remembered_once_and_take_a_new_origin(index: Index) -> None:
    roots = index.catalogue.roots
    first = await roots.add("/b", RootOrigin.ADDED)
    await roots.add("/a", RootOrigin.FLAG)
    again = await roots.add("/b", RootOrigin.FILE)
    assert again.id == first.id
    assert [(root.path, root.origin) for root in await roots.all()] == [
        ("/a", RootOrigin.FLAG),
        ("/b", RootOrigin.FILE),
    ]


async def test_a_removed_root_leaves_nothing_and_its_id_is_not_used_again(index: Index) -> None:
    root, other = await index.root("/root"), await index.root("/other")
    await index.scan(root, *(entry(f"f{number}") for number in range(3)))
    await index.store(other, "kept", chunk("kept"))
    await index.parse_all()
    assert await index.catalogue.roots.remove(root.id) == 3
    assert await index.texts() == ["kept"]
    assert (await index.root("/root")).id > other.id
    with pytest.raises(RootNotFoundError):
        await index.catalogue.roots.remove(root.id)


async def test_a_removed_root_leaves_no_text_in_the_files(index: Index) -> None:
    root = await index.root()
    await index.store(root, "a", chunk("the secret of the house " * 400))
    await index.catalogue.roots.remove(root.id)
    path = index.catalogue.database.path
    for file in path.parent.glob(f"{path.name}*"):
        assert b"secret of the house" not in file.read_bytes(), file


async def test_hits_name_everything_and_leave_out_what_is_gone(index: Index) -> None:
    root = await index.root()
    await index.store(root, "src/a.py", chunk("text", line=3, symbol="f", context="C"))
    (row,) = await index.view()
    hits = await index.catalogue.passages.hits([row.chunk_id, 999])
    hit = hits[row.chunk_id]
    assert list(hits) == [row.chunk_id]
    assert (hit.root_path, hit.path, hit.kind, hit.symbol, hit.context) == ("/root", "src/a.py", Kind.CODE, "f", "C")
    assert (hit.start_line, hit.end_line, hit.text, hit.signature) == (3, 4, "text", "v1")
    assert await index.catalogue.passages.existing([row.chunk_id, 999]) == {row.chunk_id}


async def test_filters_restrict_documents(index: Index) -> None:
    one, two = await index.root("/one"), await index.root("/two")
    await index.scan(one, entry("src/a.py"), entry("src/b.md"), entry("bin", skip=SkipReason.BINARY))
    await index.scan(two, entry("docs/a.py"))
    await index.parse_all()
    passages = index.catalogue.passages
    (taken,) = await passages.documents_page(Filter(roots=(two.id,)), "", 9)

    async def paths(restriction: Filter) -> set[str]:
        ids = await passages.document_ids(restriction)
        assert ids is not None
        assert ids.tolist() == sorted(ids.tolist())
        return {row.path for row in await index.view() if row.document_id in ids}

    assert await passages.document_ids(Filter()) is None
    assert await paths(Filter(roots=(one.id,))) == {"src/a.py", "src/b.md"}
    assert await paths(Filter(paths=("*.py",))) == {"src/a.py", "docs/a.py"}
    assert await paths(Filter(paths=("*.md", "docs/"))) == {"src/b.md", "docs/a.py"}
    assert await paths(Filter(paths=("src",), roots=(two.id,))) == set()
    assert await paths(Filter(languages=("markdown",))) == set()
    assert await paths(Filter(kinds=(Kind.CODE, Kind.DOCS), languages=("python",))) == {
        "src/a.py",
        "src/b.md",
        "docs/a.py",
    }
    await index.store(two, "docs/new.py", chunk("later"))
    assert await paths(Filter(paths=("docs",))) == {"docs/a.py", "docs/new.py"}
    assert taken.root_path == "/two"


async def test_pages_of_files_follow_roots_and_paths_without_gap_or_repeat(index: Index) -> None:
    # "-" sorts before "/": as plain strings, the files of "/a-b" would come before those of "/a".
    for path in ("/a", "/a-b", "/c"):
        root = await index.root(path)
        await index.scan(root, *map(entry, ["x", "y", "z.py"]))
    passages = index.catalogue.passages
    seen: list[str] = []
    after = ""
    while page := await passages.documents_page(Filter(), after, 2):
        seen += [f"{row.root_path}/{row.path}" for row in page]
        after = seen[-1]
    assert seen == [f"{root}/{path}" for root in ("/a", "/a-b", "/c") for path in ("x", "y", "z.py")]
    assert await passages.count(Filter()) == 9
    assert await passages.count(Filter(paths=("*.py",))) == 3


async def test_skipped_files_are_listed_in_place_of_the_others(index: Index) -> None:
    root = await index.root()
    await index.scan(root, entry("a"), entry("b", skip=SkipReason.BAD_NAME))
    passages = index.catalogue.passages
    assert [row.path for row in await passages.documents_page(Filter(), "", 9)] == ["a"]
    (skipped,) = await passages.documents_page(Filter(), "", 9, skipped=True)
    assert (skipped.path, skipped.skip) == ("b", SkipReason.BAD_NAME)
    assert (await passages.count(Filter()), await passages.count(Filter(), skipped=True)) == (1, 1)
    assert await passages.document(root.id, "b") == skipped
    assert await passages.document(root.id, "c") is None
