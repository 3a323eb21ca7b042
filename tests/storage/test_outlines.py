from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from storage_samples import Index, chunk, entry, parsed

from agentd.domain import Symbol, SymbolKind
from agentd.storage.outlines import MOST, OutlineRow

if TYPE_CHECKING:
    from collections.abc import Sequence


def symbol(qualified: str, start_line: int, end_line: int, parent: int = -1) -> Symbol:
    name = qualified.rpartition(".")[2]
    at = start_line * 10, end_line * 10
    return Symbol(SymbolKind.FUNCTION, name, qualified, parent, f"def {name}()", "", start_line, end_line, *at)


async def stored(index: Index, path: str, symbols: Sequence[Symbol]) -> int:
    """The id of a document that defines ``symbols``."""
    root = await index.root()
    await index.scan(root, entry(path), prefixes=(path,))
    (taken,) = await index.pending()
    await index.catalogue.documents.store([(taken, replace(parsed(taken, [chunk(path)]), symbols=list(symbols)))])
    return taken.id


async def test_each_span_gets_what_shares_a_line_with_it_outer_definitions_first(index: Index) -> None:
    session = [symbol("Session", 1, 60), symbol("Session.get", 12, 30, 0), symbol("Session.close", 31, 40, 0)]
    one = await stored(index, "session.py", session)
    other = await stored(index, "api.py", [symbol("get", 1, 5)])
    around, between, after, elsewhere, gone = await index.catalogue.outlines.overlapping(
        [(one, 20, 31), (one, 41, 50), (one, 61, 99), (other, 5, 9), (9999, 1, 9)]
    )
    assert [row.qualified for row in around] == ["Session", "Session.get", "Session.close"]
    assert [row.qualified for row in between] == ["Session"]
    assert elsewhere == [OutlineRow("get", "def get()", 1, 5)]
    assert (after, gone) == ([], [])


async def test_a_span_in_which_everything_is_defined_is_bounded(index: Index) -> None:
    document = await stored(index, "generated.py", [symbol(f"f{number}", number, number) for number in range(1, 400)])
    (rows,) = await index.catalogue.outlines.overlapping([(document, 1, 400)])
    assert len(rows) == MOST
    assert rows[0].qualified == "f1"
