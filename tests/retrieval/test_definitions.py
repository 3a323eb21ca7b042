from __future__ import annotations

import pytest

from agentd.domain import Filter, SymbolKind
from agentd.retrieval.analysis import analyse
from agentd.retrieval.definitions import FEW, DefinitionFinder, strength_of, tails
from agentd.storage.rows import NamedSymbol


def symbol(qualified: str, kind: SymbolKind = SymbolKind.FUNCTION, identity: int = 1) -> NamedSymbol:
    return NamedSymbol(identity, 1, qualified.rpartition(".")[2], qualified, kind, 1, 9)


def strength(query: str, qualified: str, kind: SymbolKind = SymbolKind.FUNCTION) -> float:
    return strength_of(analyse(query), [symbol(qualified, kind)]).get(1, 0.0)


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("Session.get", "Session.get", "Adapter.get"),
        ("get_user", "get_user", "GET_USER"),
        ("where is get_user called", "Store.get_user", "Store.Get_User"),
        ("session.get", "Session.get", "Adapter.get"),
        ("requests.get", "get", "Session.get"),
        ("sessions.Session.get", "Session.get", "Cache.get"),
        ("std::vector::push", "vector.push", "queue.push"),
    ],
)
def test_what_is_named_more_exactly_is_surer(query: str, better: str, worse: str) -> None:
    assert strength(query, better) == 1.0
    assert 0.0 < strength(query, worse) < 1.0


def test_a_field_is_less_likely_meant_than_what_does_something() -> None:
    for kind in (SymbolKind.FIELD, SymbolKind.VARIABLE):
        assert 0.0 < strength("timeout", "Session.timeout", kind) < strength("timeout", "Session.timeout")


def test_other_names_are_not_meant() -> None:
    assert strength("get_user", "get_users") == 0.0
    assert strength("where does it connect", "disconnect") == 0.0


def test_an_ordinary_word_is_a_name_where_few_definitions_bear_it() -> None:
    few = [symbol(f"scope{number}.retry", identity=number) for number in range(FEW)]
    many = [symbol(f"scope{number}.retry", identity=number) for number in range(FEW + 1)]
    found = strength_of(analyse("how does retry work"), few)
    assert set(found) == {each.id for each in few}
    assert all(0.0 < each < 0.5 for each in found.values())
    assert strength_of(analyse("how does retry work"), many) == {}
    assert strength_of(analyse("how does Retry work"), few) == {}


def test_short_words_are_no_names() -> None:
    assert strength_of(analyse("can it be run at all"), [symbol("run")]) == {}


def test_nothing_is_meant_by_no_names() -> None:
    assert strength_of(analyse(""), [symbol("run")]) == {}
    assert strength_of(analyse("get_user"), []) == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("retry.py", ["retry.py"]),
        ("engine/retry.py", ["engine/retry.py", "retry.py"]),
        ("/home/ada/engine/retry.py", ["/home/ada/engine/retry.py", "engine/retry.py", "retry.py"]),
        ("src/engine/rules", ["src/engine/rules", "engine/rules"]),
        ("docs/", ["docs/"]),
        ("/", ["/"]),
    ],
)
def test_a_path_that_is_not_there_is_looked_for_by_its_end(path: str, expected: list[str]) -> None:
    found = tails(path)
    assert [tail for tail, _ in found] == expected
    assert [trust for _, trust in found] == sorted((trust for _, trust in found), reverse=True)


class NoSymbols:
    """Stands where the catalogue and its symbols do; knows none, and what it was asked."""

    def __init__(self) -> None:
        self.symbols = self
        self.asked: list[str] = []

    async def named(self, *_asked: object) -> list[NamedSymbol]:
        self.asked.append("named")
        return []

    async def rare(self, *_asked: object) -> list[NamedSymbol]:
        self.asked.append("rare")
        return []


async def test_nothing_is_looked_up_that_is_not_asked_for() -> None:
    known = NoSymbols()
    assert await DefinitionFinder(known).find(analyse("how does it retry"), Filter()) == {}  # type: ignore[arg-type]
    assert known.asked == ["rare"]
