"""What ``--explain`` says: how a query was understood, and what each feature gave each hit."""

from __future__ import annotations

from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentd.protocol import Explanation, SearchResult, Why

LEAST_PART = 0.0005
"""Parts below it would print as 0.000."""


def explained(result: SearchResult, columns: int) -> tuple[list[str], Callable[[Why], list[str]]]:
    """Lines about the query, and what makes the lines about a hit; of at most ``columns``."""
    made = result.get("explanation")
    weights = made["weights"] if made else {}
    return of_query(result, columns), lambda why: of_hit(why, weights, columns)


def of_query(result: SearchResult, columns: int) -> list[str]:
    """The type of the query, what it names, and the evidence for its relevance; empty where nothing was explained."""
    made = result.get("explanation")
    if made is not None:
        relevance = result.get("relevance")
        known = "relevance unknown" if relevance is None else f"relevance {relevance:.2f}"
        return of_one("", made, known, columns)
    each = enumerate(result.get("explanations") or (), start=1)
    return [line for number, one in each if one for line in of_one(f"query {number}: ", one, "evidence", columns)]


def of_one(begin: str, made: Explanation, known: str, columns: int) -> list[str]:
    """What was made of one query; ``known`` says what its evidence came to."""
    told = [made["query_type"].replace("_", " "), *named(made)]
    if not made["evidence"]:
        return wrapped(begin, told, columns, separator="; ")
    told = [f"{begin}{told[0]}", *told[1:], known]
    present = [f"{name} {value:.2f}" for name, value in by_size(made["evidence"]) if value]
    return wrapped(f"{'; '.join(told)}: ", [*present, *nothing(made["evidence"])], columns)


def named(made: Explanation) -> list[str]:
    """What the query names, as far as it does."""
    both = (("names", made["names"]), ("paths", made["paths"]))
    return [f"{what} {', '.join(each)}" for what, each in both if each]


def of_hit(why: Why, weights: Mapping[str, float], columns: int) -> list[str]:
    """A hit's ranks, then all its features: what gave most first, and those that gave nothing at the end."""
    features = why.get("features", {})
    ranks = f"  {places(why)}"
    if not features:
        return [ranks]
    if not weights:  # several queries, each with weights of its own
        values = [f"{name} {value:.2f}" for name, value in by_size(features) if value]
        return [ranks, *wrapped("  ", [*values, *nothing(features)], columns)]
    parts = {name: value * weights.get(name, 0.0) for name, value in features.items() if value}
    told = [
        f"{name} {features[name]:.2f} x {weights.get(name, 0.0):.3g} = {part:.3f}"
        for name, part in by_size(parts)
        if abs(part) >= LEAST_PART
    ]
    weightless = [f"{name} {features[name]:.2f}" for name, part in parts.items() if abs(part) < LEAST_PART]
    told += [f"no weight: {', '.join(weightless)}"] if weightless else []
    return [f"{ranks}, ranked by {sum(parts.values()):.3f}:", *wrapped("    ", [*told, *nothing(features)], columns)]


def places(why: Why) -> str:
    """What each retriever thought of a hit."""
    parts = []
    if why["keyword_rank"] is not None:
        parts.append(f"keyword #{why['keyword_rank']} ({why['keyword_score'] or 0:.2f})")
    if why["vector_rank"] is not None:
        parts.append(f"vector #{why['vector_rank']} ({why['vector_score'] or 0:.3f})")
    return ", ".join(parts) or "in no list"


def nothing(values: Mapping[str, float]) -> list[str]:
    """One item for all that are 0."""
    zero = [name for name, value in values.items() if not value]
    return [f"nothing: {', '.join(zero)}"] if zero else []


def by_size(values: Mapping[str, float]) -> list[tuple[str, float]]:
    """The largest first, whatever its sign."""
    return sorted(values.items(), key=lambda item: -abs(item[1]))


def wrapped(begin: str, items: Iterable[str], columns: int, *, separator: str = ", ") -> list[str]:
    """``begin`` and the items on lines of at most ``columns``, indented like the first; an item longer than a line is
    broken between its words.
    """
    indent = " " * (len(begin) - len(begin.lstrip(" ")) + 2)
    lines, line, empty = [], output.clean(begin), True
    for word in output.clean(separator.join(items)).split(" "):
        gap = "" if empty else " "
        if not empty and len(line) + len(gap) + len(word) > columns:
            lines.append(line)
            line, gap = indent, ""
        line, empty = f"{line}{gap}{word}", False
    return [*lines, line]
