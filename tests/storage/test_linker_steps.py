"""Linking bit by bit, whatever comes between, ends where linking everything from scratch ends."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from link_samples import World, by_name, imports, local, member, symbols, through

from agentd.domain import Edge, EdgeKind, Symbol

PATHS = ("a.py", "b.py", "pkg/__init__.py", "pkg/a.py", "pkg/b.py", "pkg/sub/__init__.py", "lib/a.py", "a.js", "b.js")
MODULES = ("a/", "b/", "pkg/", "a/pkg/", "a/pkg//", "b/pkg//", "pkg//", "sub/pkg/", "a//", "json/", "lib/")
PATH_IN_MODULE = ("f", "g", "A", "B", "A.m", "A.f", "B.m", "a.f", "a.A.m", "b.B", "sub.f")
QUALIFIED = ("A", "A.m", "A.f", "B", "B.m", "f", "g", "m")

defined = st.lists(st.sampled_from(QUALIFIED), max_size=6, unique=True).map(lambda names: symbols(*sorted(names)))


def edges_of(symbols_there: list[Symbol]) -> st.SearchStrategy[list[Edge]]:
    anywhere = st.integers(-1, len(symbols_there) - 1)
    classes = [n for n, symbol in enumerate(symbols_there) if symbol.name[0].isupper()]
    kinds = st.sampled_from([EdgeKind.CALLS, EdgeKind.INHERITS])
    some = [
        st.builds(
            imports,
            st.sampled_from("fgABab*"),
            st.sampled_from(MODULES),
            st.sampled_from(("", "f", "g", "A", "B", "a")),
        ),
        st.builds(through, anywhere, st.sampled_from(MODULES), st.sampled_from(PATH_IN_MODULE)),
        st.builds(by_name, anywhere, st.sampled_from("fgmABz"), kinds),
    ]
    if classes:
        owners = st.sampled_from(classes)
        bases = st.sampled_from(("A", "B", "a.A"))
        some += [
            st.builds(member, anywhere, owners, st.sampled_from("mfg")),
            st.builds(through, owners, st.sampled_from(MODULES), bases, st.just(EdgeKind.INHERITS)),
            st.builds(local, owners, owners, st.sampled_from("AB"), st.just(EdgeKind.INHERITS)),
        ]
    return st.lists(st.one_of(some), max_size=6)


contents = defined.flatmap(lambda there: st.tuples(st.just(there), edges_of(there)))
edits = st.tuples(st.sampled_from(PATHS), st.one_of(st.none(), contents, contents), st.integers(0, 30))


@settings(max_examples=40, deadline=None)
@given(st.lists(edits, min_size=1, max_size=12), st.integers(1, 8))
def test_bit_by_bit_ends_where_from_scratch_ends(
    steps: list[tuple[str, tuple[list[Symbol], list[Edge]] | None, int]], limit: int
) -> None:
    world = World()
    for path, content, links in steps:
        if content is None:
            world.remove(path)
        else:
            world.write(path, *content)
        world.link(limit, links)
    world.link(limit)
    bit_by_bit = world.links()
    world.forget_links()
    world.link()
    assert bit_by_bit == world.links()
    world.connection.close()
