from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentd.storage.cycles import cycles

nodes = st.integers(0, 7)
graphs = st.lists(st.tuples(nodes, nodes), max_size=24)


def reached(start: int, edges: list[tuple[int, int]]) -> set[int]:
    """What one step or more lead to."""
    found: set[int] = set()
    ahead = [start]
    while ahead:
        here = ahead.pop()
        fresh = {target for source, target in edges if source == here} - found
        found |= fresh
        ahead += fresh
    return found


@given(graphs)
def test_nodes_are_together_exactly_where_each_reaches_the_other(edges: list[tuple[int, int]]) -> None:
    groups = cycles(edges)
    together = {(a, b) for group in groups for a in group for b in group if a != b}
    reach = {node: reached(node, edges) for node in range(8)}
    assert together == {(a, b) for a in range(8) for b in range(8) if a != b and b in reach[a] and a in reach[b]}


@given(graphs)
def test_groups_are_sorted_and_the_largest_comes_first(edges: list[tuple[int, int]]) -> None:
    groups = cycles(edges)
    assert all(group == sorted(set(group)) for group in groups)
    assert [len(group) for group in groups] == sorted((len(group) for group in groups), reverse=True)


def test_a_cycle_of_a_hundred_thousand_nodes_needs_no_recursion() -> None:
    size = 100_000
    (group,) = cycles((node, (node + 1) % size) for node in range(size))
    assert len(group) == size
