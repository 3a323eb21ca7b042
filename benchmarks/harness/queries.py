"""Queries that a Django developer could type, taken from Django itself: headings, identifiers, docstring sentences."""

from __future__ import annotations

import random
import re
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SEED = 20240807
"""The day that Django 5.1 came out: every run asks the same."""

HEADING = re.compile(r"^(\w[^\n]{8,80})\n[=\-~]{8,}$", re.MULTILINE)
IDENTIFIER = re.compile(r"^\s*(?:def|class) +([A-Za-z]\w{7,60})", re.MULTILINE)
SENTENCE = re.compile(r'"""\s*([A-Z][^"\n]{20,150}\.)(?=["\s])')


def make_queries(tree: Path, count: int) -> list[str]:
    """``count`` distinct queries, a third of each sort, in an order of their own.

    Raises:
        ValueError: the tree does not hold that many.
    """
    sorts = [
        _sample(tree, "*.txt", HEADING),
        _sample(tree, "*.py", IDENTIFIER),
        _sample(tree, "*.py", SENTENCE),
    ]
    mixed = dict.fromkeys(query for query in chain.from_iterable(zip_longest(*sorts)) if query)
    if len(mixed) < count:
        raise ValueError(f"expected {count} queries from headings, names and docstrings of {tree}, found {len(mixed)}")
    return list(mixed)[:count]


def _sample(tree: Path, names: str, pattern: re.Pattern[str]) -> Iterable[str]:
    found = {match for path in tree.rglob(names) for match in pattern.findall(path.read_text(errors="replace"))}
    ordered = sorted(found)
    random.Random(SEED).shuffle(ordered)  # noqa: S311  # a sample, not a secret
    return ordered
