"""Strongly connected components: the groups of nodes that all reach each other. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def cycles(edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Components with more than one node, each sorted, the largest first; an edge from a node to itself makes none.

    R. Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of its own in place of recursion.
    Linear in the edges.
    """
    successors: dict[int, list[int]] = {}
    for source, target in edges:
        successors.setdefault(source, []).append(target)
    search = _Search(successors)
    for node in successors:
        if node not in search.index:
            search.from_node(node)
    return sorted((sorted(group) for group in search.groups if len(group) > 1), key=lambda group: (-len(group), group))


class _Search:
    """``index`` is the order in which nodes were met, ``low`` the earliest node on the path that each reaches."""

    def __init__(self, successors: dict[int, list[int]]) -> None:
        self.index: dict[int, int] = {}
        self.groups: list[list[int]] = []
        self._low: dict[int, int] = {}
        self._successors = successors
        self._open: list[int] = []
        self._is_open: set[int] = set()

    def from_node(self, start: int) -> None:
        """Visit everything that ``start`` reaches and that was not visited before."""
        work = [self._enter(start)]
        while work:
            node, ahead = work[-1]
            for successor in ahead:
                if successor not in self.index:
                    work.append(self._enter(successor))
                    break
                if successor in self._is_open:
                    self._low[node] = min(self._low[node], self.index[successor])
            else:
                work.pop()
                self._leave(node)
                if work:
                    parent = work[-1][0]
                    self._low[parent] = min(self._low[parent], self._low[node])

    def _enter(self, node: int) -> tuple[int, Iterator[int]]:
        self.index[node] = self._low[node] = len(self.index)
        self._open.append(node)
        self._is_open.add(node)
        return node, iter(self._successors.get(node, ()))

    def _leave(self, node: int) -> None:
        if self._low[node] != self.index[node]:
            return
        start = _last_index(self._open, node)
        group = self._open[start:]
        del self._open[start:]
        self._is_open.difference_update(group)
        self.groups.append(group)


def _last_index(items: list[int], item: int) -> int:
    position = len(items) - 1
    while items[position] != item:
        position -= 1
    return position
