"""Questions about symbols and edges, asked of a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from link_samples import World, by_name, imports, local, symbols, through
from storage_samples import Index, chunk, entry, parsed

from agentd.domain import Certainty, EdgeKind, Filter, RootOrigin, SymbolKind
from agentd.errors import NotFoundError
from agentd.storage import chains
from agentd.storage.graph import Graph
from agentd.storage.symbols import Symbols, is_meant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from agentd.storage.rows import Chains, FileGraph, GraphRows


class OneConnection:
    """What Graph and Symbols need of a database, over the connection of a World."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def read(self, function: Callable[..., object], *args: object, **kwargs: object) -> object:
        return function(self._connection, *args, **kwargs)

    read_bulk = read


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.connection.close()


@pytest.fixture
def graph(world: World) -> Graph:
    return Graph(OneConnection(world.connection))  # type: ignore[arg-type]


@pytest.fixture
def found(world: World) -> Symbols:
    return Symbols(OneConnection(world.connection))  # type: ignore[arg-type]


def ends(rows: GraphRows) -> list[tuple[str, str, int, Certainty]]:
    return [(row.path, row.name, row.line, row.certainty) for row in rows.rows]


def ways(chains: Chains) -> list[str]:
    return [" > ".join(step.symbol.qualified for step in path) for path in chains.paths]


def paths(files: FileGraph) -> list[tuple[str, int]]:
    return [(row.path, row.depth) for row in files.rows]


async def the(found: Symbols, name: str) -> int:
    (symbol,) = await found.find(name)
    return symbol.id


async def test_callers_are_named_surest_first_with_the_line_of_the_use(
    world: World, graph: Graph, found: Symbols
) -> None:
    world.write("a.py", symbols("f", "g"), [local(1, 0, "f")])
    world.write("b.py", symbols("h"), [through(0, "a/", "f"), through(-1, "a/", "f")])
    world.write("c.py", symbols("k"), [by_name(0, "f")])
    world.link()
    rows = await graph.callers([await the(found, "a.f")])
    assert ends(rows) == [
        ("a.py", "g", 4, Certainty.EXACT),
        ("b.py", "b.py", 2, Certainty.IMPORT),
        ("b.py", "h", 2, Certainty.IMPORT),
        ("c.py", "k", 3, Certainty.UNIQUE),
    ]
    assert [row.symbol_id is None for row in rows.rows] == [False, True, False, False]


async def test_what_the_limit_leaves_out_is_counted(world: World, graph: Graph, found: Symbols) -> None:
    world.write("a.py", symbols("f"))
    for number in range(9):
        world.write(f"m{number}.py", symbols("g"), [through(0, "a/", "f")])
    world.link()
    rows = await graph.callers([await the(found, "f")], 4)
    assert (len(rows.rows), rows.more) == (4, 5)


async def test_who_makes_a_class_calls_its_constructor(world: World, graph: Graph, found: Symbols) -> None:
    world.write("a.py", symbols("A", "A.__init__"))
    world.write("b.py", symbols("f"), [through(0, "a/", "A")])
    world.link()
    constructor = await the(found, "A.__init__")
    assert [(row.name, row.of) for row in (await graph.callers([constructor])).rows] == [("f", constructor)]


async def test_a_call_by_name_leads_to_its_namesakes_in_a_bounded_number(
    world: World, graph: Graph, found: Symbols
) -> None:
    world.write("a.py", symbols("f"), [by_name(0, "save")])
    for number in range(30):
        world.write(f"m{number}.py", symbols("A", "A.save"))
    world.link()
    rows = await graph.callees([await the(found, "a.f")])
    assert {(row.name, row.certainty) for row in rows.rows} == {("A.save", Certainty.NAME)}
    assert (len(rows.rows), rows.cut) == (10, ("definitions beyond the first 10 of a name that is called",))
    saves = await found.find("save")
    callers = await graph.callers([saves[0].id])
    assert [(row.name, row.certainty) for row in callers.rows] == [("f", Certainty.NAME)]
    assert callers.cut == ()


async def test_callers_by_name_beyond_the_bound_are_named(world: World, graph: Graph, found: Symbols) -> None:
    names = [f"f{number}" for number in range(201)]
    world.write("a.py", symbols(*names), [by_name(number, "save") for number in range(201)])
    world.write("b.py", symbols("A", "A.save"))
    world.write("c.py", symbols("A", "A.save"))
    world.link()
    callers = await graph.callers([(await found.find("save"))[0].id], 1000)
    assert (len(callers.rows), callers.cut) == (200, ("uses known by name alone beyond the first 200",))


async def test_bases_and_what_derives(world: World, graph: Graph, found: Symbols) -> None:
    world.write("a.py", symbols("A"))
    world.write("b.py", symbols("B"), [through(0, "a/", "A", EdgeKind.INHERITS)])
    world.link()
    assert ends(await graph.bases([await the(found, "B")])) == [("a.py", "A", 2, Certainty.IMPORT)]
    assert ends(await graph.derived([await the(found, "A")])) == [("b.py", "B", 2, Certainty.IMPORT)]


async def test_chains_are_the_shortest_ways(world: World, graph: Graph, found: Symbols) -> None:
    world.write(
        "a.py",
        symbols("a", "b", "c", "d", "e"),
        [local(0, 1, "b"), local(0, 2, "c"), local(1, 3, "d"), local(2, 3, "d"), local(3, 4, "e"), local(4, 0, "a")],
    )
    start, end = await the(found, "a.a"), await the(found, "a.d")
    assert sorted(ways(await graph.chain([start], [end]))) == ["a > b > d", "a > c > d"]
    assert len((await graph.chain([start], [end], limit=1)).paths) == 1
    assert ways(await graph.chain([start], [start])) == ["a"]
    assert ways(await graph.chain([end], [start])) == ["d > e > a"]


async def test_a_chain_that_may_be_longer_says_so(world: World, graph: Graph, found: Symbols) -> None:
    names = [f"f{number}" for number in range(8)]
    world.write("a.py", symbols(*names), [local(n, n + 1, names[n + 1]) for n in range(7)])
    start, end = await the(found, "f0"), await the(found, "f7")
    assert "longer one may exist" in (await graph.chain([start], [end], 3)).bounded
    assert len((await graph.chain([start], [end], 7)).paths[0]) == 8
    nowhere = await graph.chain([end], [start])
    assert (nowhere.paths, nowhere.bounded) == ([], "")


async def test_a_chain_that_may_lie_among_calls_beyond_the_bound_says_so(
    world: World, graph: Graph, found: Symbols, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "MAX_LINKS", 4)
    wide = [f"w{number}" for number in range(5)]
    world.write("a.py", symbols("start", *wide, "end"), [local(0, n, f"w{n - 1}") for n in range(1, 6)])
    start, end = await the(found, "start"), await the(found, "end")
    assert "only the first 4" in (await graph.chain([start], [end])).bounded
    assert len((await graph.chain([start], [await the(found, "w0")])).paths) == 1


async def test_a_chain_goes_on_in_a_method_that_overrides_alone(world: World, graph: Graph, found: Symbols) -> None:
    world.write("a.py", symbols("f", "A", "A.run", "g"), [local(0, 2, "run")])
    world.write(
        "b.py", symbols("B", "B.run", "B.Run", "run"), [through(0, "a/", "A", EdgeKind.INHERITS), local(1, 3, "run")]
    )
    world.link()
    assert ways(await graph.chain([await the(found, "a.f")], [await the(found, "b.run")])) == [
        "f > A.run > B.run > run"
    ]
    assert ways(await graph.chain([await the(found, "a.f")], [await the(found, "B.Run")])) == []


async def test_a_chain_goes_on_in_the_constructor_of_a_class(world: World, graph: Graph, found: Symbols) -> None:
    world.write("a.py", symbols("A", "A.__init__", "f"), [local(1, 2, "f")])
    world.write("b.py", symbols("g"), [through(0, "a/", "A")])
    world.link()
    chains = await graph.chain([await the(found, "g")], [await the(found, "a.f")])
    assert ways(chains) == ["g > A > A.__init__ > f"]


async def test_files_that_depend_and_their_cycles(world: World, graph: Graph) -> None:
    ids = {
        name: world.write(f"{name}.py", (), [imports(target, f"{target}/") for target in targets])
        for name, targets in {"a": "b", "b": "c", "c": "bd", "d": "", "e": "a"}.items()
    }
    world.link()
    assert paths(await graph.dependencies([ids["a"]])) == [("b.py", 1)]
    everything = await graph.dependencies([ids["a"]], 9)
    assert paths(everything) == [("b.py", 1), ("c.py", 2), ("d.py", 3)]
    assert [[row.path for row in group] for group in everything.cycles] == [["b.py", "c.py"]]
    assert set(everything.edges) == {(ids[x], ids[y]) for x, y in ("ab", "bc", "cb", "cd")}
    assert paths(await graph.dependents([ids["c"]], 9)) == [("b.py", 1), ("a.py", 2), ("e.py", 3)]
    cut = await graph.dependencies([ids["a"]], 9, 1)
    assert (paths(cut), cut.more) == ([("b.py", 1)], 2)


async def test_an_import_of_a_package_of_several_files_means_all_of_them(world: World, graph: Graph) -> None:
    world.write_all([("foo/a.go", (), []), ("foo/b.go", (), [])])
    main = world.write("main.go", (), [imports("foo", "foo/")])
    world.link()
    assert sorted(paths(await graph.dependencies([main]))) == [("foo/a.go", 1), ("foo/b.go", 1)]


async def test_neighbours_are_what_stands_around(world: World, graph: Graph, found: Symbols) -> None:
    world.write("a.py", symbols("A", "A.f", "A.g", "h"), [local(1, 2, "g"), local(3, 1, "f")])
    around = await graph.neighbours(await the(found, "A.f"))
    assert [row.qualified for row in around.parents] == ["A"]
    assert [row.qualified for row in around.siblings] == ["A.g"]
    assert [row.name for row in around.callers.rows] == ["h"]
    assert [row.name for row in around.callees.rows] == ["A.g"]
    inside = await graph.neighbours(await the(found, "A"))
    assert [row.qualified for row in inside.members] == ["A.f", "A.g"]
    with pytest.raises(NotFoundError, match="gone from the index"):
        await graph.neighbours(999)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("get", {"Session.get", "get"}),
        ("Session.get", {"Session.get"}),
        ("sessions.Session.get", {"Session.get"}),
        ("requests::sessions::Session#get()", {"Session.get"}),
        ("GET", {"Session.get", "get"}),
        ("session.GET", {"Session.get"}),
        ("api.get", {"get"}),
        ("other.get", set()),
        ("", set()),
        ("x" * 10_000, set()),
    ],
)
async def test_a_name_is_found_however_it_is_spelled(
    world: World, found: Symbols, asked: str, expected: set[str]
) -> None:
    world.write("src/requests/sessions.py", symbols("Session", "Session.get"))
    world.write("src/requests/api.py", symbols("get"))
    assert {row.qualified for row in await found.find(asked)} == expected


async def test_what_is_spelled_so_hides_what_differs_in_case(world: World, found: Symbols) -> None:
    world.write("a.py", symbols("session", "Session"))
    assert [row.name for row in await found.find("session")] == ["session"]
    assert [row.name for row in await found.find("Session", kinds=[SymbolKind.CLASS])] == ["Session"]
    assert await found.find("session", kinds=[SymbolKind.MACRO]) == []


async def test_filters_restrict_definitions(world: World, found: Symbols) -> None:
    world.write_all([("src/a.py", symbols("f"), []), ("tests/a.py", symbols("f"), [])])
    assert [row.path for row in await found.find("f", Filter(paths=("tests",)))] == ["tests/a.py"]
    assert await found.find("f", Filter(languages=("go",))) == []
    assert await found.find("f", Filter(roots=(7,))) == []


async def test_near_names_are_offered(world: World, found: Symbols) -> None:
    world.write("a.py", symbols("url_has_allowed_host", "url_for", "unrelated"))
    assert (await found.nearest("url_has_alowed_hosts"))[0] == "url_has_allowed_host"
    assert await found.nearest("") == []
    assert await found.nearest("\U0010ffff" * 600) == []


async def test_places_give_the_definitions_around_them(world: World, found: Symbols) -> None:
    world.write("a.py", symbols("A", "A.f"))
    world.connection.execute("UPDATE symbol SET start_line = 1, end_line = 40 WHERE qualified = 'A'")
    assert [row.qualified for row in await found.at(1, "a.py", 25)] == ["A", "A.f"]
    assert [row.qualified for row in await found.at(1, "a.py", 35)] == ["A"]
    assert await found.at(1, "a.py", 99_999) == []
    assert await found.at(1, "nowhere.py", 1) == []
    assert [row.qualified for row in await found.of_document(1, "a.py")] == ["A", "A.f"]


async def test_ranking_gets_names_chunks_and_links(index: Index) -> None:
    root = await index.catalogue.roots.add("/root", RootOrigin.ADDED)
    await index.scan(root, entry("a.py"), entry("b.py"))
    results = []
    for taken in await index.pending():
        file = parsed(taken, [chunk("one", line=10), chunk("two", line=20)])
        file.symbols.extend(symbols("F", "g"))
        results.append((taken, file))
    await index.catalogue.documents.store(results)
    rows = await index.catalogue.symbols.named(["f", "G", "missing"], Filter(roots=(root.id,)))
    assert sorted((row.name, row.kind) for row in rows) == sorted(
        [("F", SymbolKind.CLASS), ("g", SymbolKind.FUNCTION)] * 2
    )
    assert len(await index.catalogue.symbols.named(["f"], limit=1)) == 1
    assert await index.catalogue.symbols.named(["f"], Filter(roots=(root.id + 1,))) == []
    chunks = await index.catalogue.symbols.chunks_of(rows)
    texts = {row.chunk_id: (row.document_id, row.text) for row in await index.view()}
    for row in rows:
        assert texts[chunks[row.id]] == (row.document_id, "one" if row.name == "F" else "two")


async def test_of_a_name_that_many_bear_the_one_that_is_meant_is_found(world: World, found: Symbols) -> None:
    for number in range(30):
        world.write(f"tests/test_{number:02}.py", symbols(f"Case{number}", f"Case{number}.run", "Run"))
    world.write("src/zebra.py", symbols("Zebra", "Zebra.run", "run"))

    async def first(name: str, only: Filter = Filter()) -> str:  # noqa: B008  # frozen
        return (await found.named([name], only, limit=1))[0].qualified

    assert await first("Zebra.run") == await first("zebra.run") == await first("animals.Zebra.run") == "Zebra.run"
    assert await first("run") == "run"
    assert await first("Run") == "Run"
    assert await first("run", Filter(paths=("tests/test_17.py",))) == "Case17.run"
    assert await first("Case3.run", Filter(paths=("src/**",))) == "run"
    assert len(await found.named(["run", "Zebra.run"], limit=100)) == 62


async def test_links_among_files_are_their_imports(world: World, found: Symbols) -> None:
    a = world.write("a.py", (), [imports("b", "b/"), imports("c", "c/")])
    b, c = world.write("b.py"), world.write("c.py", (), [imports("a", "a/")])
    world.link()
    assert await found.import_links([a, b]) == [(a, b)]
    assert sorted(await found.import_links([a, b, c])) == sorted([(a, b), (a, c), (c, a)])


def test_folders_and_the_file_may_stand_before_a_name() -> None:
    assert is_meant(["lib", "A", "f"], "A.f", "lib/src//")
    assert not is_meant(["b", "A", "f"], "A.f", "lib/src//")


async def test_a_word_is_a_name_where_few_are_called_so_letter_for_letter(world: World, found: Symbols) -> None:
    for number in range(4):
        world.write(f"m{number}.py", symbols("save"))
    world.write("one.py", symbols("retry", "Retry"))
    assert [symbol.name for symbol in await found.rare(["retry", "save", "absent"], most=3)] == ["retry"]
    assert len(await found.rare(["save"], most=4)) == 4
    assert len(await found.rare(["save"], Filter(paths=("m1.py", "m2.py")), most=3)) == 2
