from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storage_samples import Index, entry

from agentd.domain import RootOrigin
from agentd.errors import RootNotFoundError, StateUnusableError
from agentd.storage.catalogue import Catalogue
from agentd.storage.root_ledger import RootLedger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def roots_after_reopening(catalogue: Catalogue) -> dict[str, str]:
    path = catalogue.database.path
    await catalogue.close()
    again = await Catalogue.open(path)
    found = {root.path: root.origin.value for root in await again.roots.all()}
    await again.close()
    return found


@given(paths=st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, paths: set[str]) -> None:
    ledger = RootLedger(tmp_path_factory.mktemp("ledger") / "roots.json")
    ledger.write(paths)
    assert ledger.read() == paths


def test_what_a_killed_writer_left_is_removed_and_what_it_would_have_replaced_holds(tmp_path: Path) -> None:
    ledger = RootLedger(tmp_path / "roots.json")
    ledger.write({"/srv/notes"})
    (tmp_path / "roots.json.new").write_bytes(b"half wri")
    assert ledger.read() == {"/srv/notes"}
    assert [path.name for path in tmp_path.iterdir()] == ["roots.json"]


def test_every_flipped_bit_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "roots.json"
    roots = {"/home/ada/engine", "/srv/notes"}
    RootLedger(path).write(roots)
    whole = path.read_bytes()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert RootLedger(path).read() in (None, roots)


def test_a_missing_file_is_none_and_an_empty_one_is_damaged(tmp_path: Path) -> None:
    ledger = RootLedger(tmp_path / "roots.json")
    assert ledger.read() is None
    (tmp_path / "roots.json").touch()
    assert ledger.read() is None
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["roots.json.damaged"]


async def test_a_root_whose_row_was_lost_is_restored_and_a_removed_one_is_not(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    await catalogue.roots.add("/kept", RootOrigin.ADDED)
    await catalogue.roots.add("/named", RootOrigin.FILE)
    removed = await catalogue.roots.add("/removed", RootOrigin.ADDED)
    await catalogue.roots.remove(removed.id)
    await catalogue.database.write(lambda connection: connection.execute("DELETE FROM root"))
    assert await roots_after_reopening(catalogue) == {"/kept": "added"}


async def test_a_root_of_a_state_without_a_ledger_enters_it(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    await catalogue.roots.add("/kept", RootOrigin.ADDED)
    (tmp_path / "roots.json").unlink()
    assert await roots_after_reopening(catalogue) == {"/kept": "added"}
    assert RootLedger(tmp_path / "roots.json").read() == {"/kept"}


async def test_an_added_root_that_a_flag_names_too_leaves_the_ledger(catalogue: Catalogue, tmp_path: Path) -> None:
    await catalogue.roots.add("/root", RootOrigin.ADDED)
    await catalogue.roots.add("/root", RootOrigin.FLAG)
    assert RootLedger(tmp_path / "roots.json").read() == set()


async def test_what_cannot_be_noted_is_refused_and_changes_nothing(
    catalogue: Catalogue, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = await index.root()

    def full(_ledger: RootLedger, _roots: object) -> None:
        raise StateUnusableError("the disk is full")

    monkeypatch.setattr(RootLedger, "write", full)
    with pytest.raises(StateUnusableError):
        await catalogue.roots.add("/other", RootOrigin.ADDED)
    with pytest.raises(StateUnusableError):
        await catalogue.roots.remove(root.id)
    assert await catalogue.roots.all() == [root]
    assert RootLedger(tmp_path / "roots.json").read() == {"/root"}


async def test_what_the_database_refuses_is_taken_back_from_the_ledger(
    catalogue: Catalogue, index: Index, tmp_path: Path
) -> None:
    root = await index.root()
    await catalogue.database._writer.run(lambda connection: connection.execute("PRAGMA query_only = ON"))
    with pytest.raises(StateUnusableError, match="read-only"):
        await catalogue.roots.remove(root.id)
    with pytest.raises(StateUnusableError, match="read-only"):
        await catalogue.roots.add("/other", RootOrigin.ADDED)
    assert RootLedger(tmp_path / "roots.json").read() == {"/root"}
    await catalogue.database._writer.run(lambda connection: connection.execute("PRAGMA query_only = OFF"))
    assert await catalogue.roots.remove(root.id) == 0
    with pytest.raises(RootNotFoundError):
        await catalogue.roots.remove(root.id)


async def test_a_removal_that_the_disk_cuts_short_is_acknowledged_and_finished_later(
    catalogue: Catalogue, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = await index.root()
    await index.scan(root, *[entry(f"f{number}") for number in range(5)])

    async def full() -> int:
        raise StateUnusableError("the disk is full")

    monkeypatch.setattr(catalogue.roots, "finish_removals", full)
    assert await catalogue.roots.remove(root.id) == 5
    assert await catalogue.roots.all() == []
    monkeypatch.undo()
    assert await catalogue.roots.finish_removals() == 5


def test_a_folder_that_cannot_be_written_is_an_error_in_words(
    tmp_path: Path, as_nobody: Callable[[Callable[[], None]], None]
) -> None:
    def check() -> None:
        with pytest.raises(StateUnusableError, match=r"cannot write .*roots\.json: Permission denied"):
            RootLedger(tmp_path / "roots.json").write({"/root"})

    as_nobody(check)
