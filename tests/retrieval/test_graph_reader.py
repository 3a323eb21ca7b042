from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from agentd.domain import Certainty, EdgeKind, SymbolKind
from agentd.kernels.signature import signature
from agentd.retrieval import entries
from agentd.retrieval.freshness import Disk, Freshness
from agentd.retrieval.graph import level_by_level
from agentd.retrieval.related import beside, overlaps
from agentd.retrieval.verification import OnDisk, Verifier
from agentd.storage.rows import ChainStep, FileGraph, FileRow, GraphRow, GraphRows, SymbolRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

DISK = Disk({})


def symbol(identity: int, name: str, kind: SymbolKind = SymbolKind.FUNCTION, line: int = 1) -> SymbolRow:
    return SymbolRow(identity, 1, 1, "/r", "a.py", "1", "python", kind, name, name, f"def {name}()", "", line, line + 2)


def use(of: int, identity: int | None, path: str = "a.py", certainty: Certainty = Certainty.EXACT) -> GraphRow:
    return GraphRow(
        of, identity, 1, 1, "/r", path, "1", "python", SymbolKind.FUNCTION, f"f{identity}", "", 1, 2, 7,
        EdgeKind.CALLS, certainty,
    )  # fmt: skip


class Callers:
    """A graph in a table: symbol -> its callers."""

    def __init__(self, table: dict[int, list[int | None]]) -> None:
        self.table = table
        self.asked: list[list[int]] = []

    async def __call__(self, symbol_ids: Sequence[int], limit: int) -> GraphRows:
        self.asked.append(list(symbol_ids))
        rows = [use(of, caller) for of in symbol_ids for caller in self.table.get(of, [])]
        return GraphRows(rows[:limit], max(0, len(rows) - limit))


async def test_levels_go_on_from_each_symbol_once_and_never_from_a_file() -> None:
    callers = Callers({1: [2, 3, None], 2: [1, 4], 3: [4], 4: [1]})
    levels, more, cut = await level_by_level(callers, [1], 5, 100)
    assert callers.asked == [[1], [2, 3], [4]]
    assert [[row.symbol_id for row in level] for level in levels] == [[2, 3, None], [1, 4, 4], [1]]
    assert (more, cut) == (0, [])


async def test_what_only_shares_a_name_is_shown_and_not_gone_on_from() -> None:
    asked: list[list[int]] = []

    async def step(symbol_ids: Sequence[int], _limit: int) -> GraphRows:
        asked.append(list(symbol_ids))
        rows = [use(1, 2, certainty=Certainty.NAME), use(1, 3, certainty=Certainty.UNIQUE)]
        return GraphRows(rows if symbol_ids == [1] else [])

    levels, *_ = await level_by_level(step, [1], 5, 100)
    assert asked == [[1], [3]]
    assert [row.symbol_id for row in levels[0]] == [2, 3]


async def test_levels_end_at_the_depth_and_at_the_limit_which_counts_over_all_of_them() -> None:
    table: dict[int, list[int | None]] = {1: [2, 3], 2: [4, 5], 3: [6]}
    levels, _, cut = await level_by_level(Callers(table), [1], 1, 100)
    assert (len(levels), cut) == (1, [])
    levels, more, _ = await level_by_level(Callers(table), [1], 5, 4)
    assert [len(level) for level in levels] == [2, 2]
    assert more == 1


async def test_levels_that_the_limit_left_unseen_are_named() -> None:
    levels, more, cut = await level_by_level(Callers({1: [2, 3], 2: [4], 3: [5]}), [1], 2, 2)
    assert ([len(level) for level in levels], more) == ([2], 0)
    assert cut == ["levels beyond 1, where the limit was reached"]


def test_a_step_of_a_chain_says_where_the_step_before_calls_it() -> None:
    steps = [
        ChainStep(symbol(1, "a"), 12, EdgeKind.CALLS, Certainty.IMPORT),
        ChainStep(symbol(2, "b"), None, None, None),
    ]
    first, second = entries.chain(steps, DISK)
    assert (first["name"], first["edge"], first["line"], first["certainty"]) == ("a", None, None, None)
    assert (second["name"], second["edge"], second["line"], second["certainty"]) == ("b", "calls", 12, "import")


def file(identity: int, depth: int) -> FileRow:
    return FileRow(identity, 1, "/r", f"{identity}.py", "1", "python", 9, depth, 3, Certainty.IMPORT)


@pytest.mark.parametrize("dependents", [False, True])
def test_each_file_stands_below_one_that_is_a_step_nearer(*, dependents: bool) -> None:
    forward = [(1, 2), (2, 3), (1, 4), (4, 3), (3, 1)]
    edges = [(to, start) for start, to in forward] if dependents else forward
    graph = FileGraph([file(2, 1), file(4, 1), file(3, 2)], edges, [])
    found = entries.imports(graph, {1: "/r/1.py"}, DISK, dependents=dependents)
    assert [(each["name"], each["of"], each["depth"]) for each in found] == [
        ("2.py", "/r/1.py", 1),
        ("4.py", "/r/1.py", 1),
        ("3.py", "/r/2.py", 2),
    ]


def test_what_is_gone_is_left_out_and_counted_and_what_changed_is_marked() -> None:
    disk = Disk({"/r/a.py": OnDisk.CHANGED, "/r/b.py": OnDisk.GONE, "/r/c.py": OnDisk.UNKNOWN, "/r/d.py": OnDisk.SAME})
    rows = entries.there([use(1, 2, path) for path in ("a.py", "b.py", "c.py", "d.py")], disk)
    assert [(row.path, entries.call(row, 1, disk)["stale"]) for row in rows] == [
        ("a.py", True),
        ("c.py", True),
        ("d.py", False),
    ]
    assert disk.skipped() == ["1 files are gone from disk; what was of them is left out"]
    assert len(disk.doubts()) == 2


class Reading:
    """An index that reads files again as it is told to."""

    def __init__(self, *, in_time: bool) -> None:
        self.in_time = in_time
        self.asked: list[str] = []

    async def refresh(self, paths: Iterable[str], within: float) -> bool:  # noqa: ARG002  # the signature of the index
        self.asked += paths
        return self.in_time


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    with ThreadPoolExecutor(1) as threads:
        yield Verifier(threads)


@pytest.mark.parametrize("in_time", [True, False])
async def test_an_answer_is_made_once_more_where_its_file_was_read_again(
    tmp_path: Path, verifier: Verifier, *, in_time: bool
) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    noted = ["old", signature(os.lstat(path))]
    index, looks = Reading(in_time=in_time), 0

    async def look() -> str:
        nonlocal looks
        looks += 1
        return noted[looks - 1]

    found, disk = await Freshness(verifier, index).looked_up(look, lambda found: {str(path): found})
    assert index.asked == [str(path)]
    assert (looks, found == "old", disk.stale(str(path))) == ((2, False, False) if in_time else (1, True, True))


async def test_an_answer_whose_files_are_the_same_is_made_once(tmp_path: Path, verifier: Verifier) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    index = Reading(in_time=True)

    async def look() -> str:
        return signature(os.lstat(path))

    _, disk = await Freshness(verifier, index).looked_up(look, lambda found: {str(path): found})
    assert index.asked == []
    assert not disk.doubts()


def test_siblings_are_the_nearest_functions_in_the_order_of_the_file() -> None:
    field = symbol(9, "field", SymbolKind.FIELD, 48)
    others = [symbol(number, f"f{number}", line=number * 10) for number in (1, 3, 4, 6, 9)]
    found = beside(symbol(5, "f5", line=50), [field, *others], 3)
    assert [row.name for row in found] == ["f3", "f4", "f6"]
    assert beside(symbol(5, "f5"), [field], 3) == [field]


def test_a_passage_of_the_definition_itself_is_not_near_to_it() -> None:
    row = symbol(1, "f", line=10)  # has the fields that are looked at
    assert overlaps(row, 1, 12, 20)  # type: ignore[arg-type]  # as above
    assert not overlaps(row, 1, 13, 20)  # type: ignore[arg-type]  # as above
    assert not overlaps(row, 2, 10, 12)  # type: ignore[arg-type]  # as above
