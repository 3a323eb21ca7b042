"""search and multi_search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.mcp import arguments as a
from agentd.mcp import shapes as s
from agentd.mcp import text as t
from agentd.mcp.tool import Tool

if TYPE_CHECKING:
    from agentd.mcp.call import Call
    from agentd.protocol import Hit, SearchResult

ABOUT_A_HIT = 40
"""Tokens of a hit beside its text: the path, the lines, the symbol."""


async def search(call: Call, given: a.Search) -> s.Passages:
    """One query."""
    return passages(call, await call.ask("search", max_tokens=for_texts(given)))


async def multi_search(call: Call, given: a.MultiSearch) -> s.Passages:
    """Several queries."""
    return passages(call, await call.ask("multi_search", max_tokens=for_texts(given)))


def for_texts(given: a.Selection) -> int:
    """What the daemon, which cuts passages where it hurts least, may spend on their text."""
    return max(given.max_tokens - ABOUT_A_HIT * given.limit, given.max_tokens // 2)


def passages(call: Call, found: SearchResult) -> s.Passages:
    """Without what only people and tests look at."""
    return {
        "hits": [passage(hit) for hit in found["hits"]],
        "total": found["total"],
        "relevance": found["relevance"],
        "notes": call.notes(found),
    }


def passage(hit: Hit) -> s.Found:
    """One hit."""
    shown: s.Found = {
        "path": hit["path"],
        "start_line": hit["start_line"],
        "end_line": hit["end_line"],
        "text": hit["text"],
        "score": round(hit["score"], 3),
    }
    if hit["symbol"]:
        shown["symbol"] = hit["symbol"]
    if hit["stale"]:
        shown["stale"] = True
    if "queries" in hit:
        shown["queries"] = [each["query"] for each in hit["queries"]]
    return shown


def text(found: s.Passages) -> str:
    """Each passage under its place."""
    lines = [] if found["hits"] else ["Nothing found."]
    for hit in found["hits"]:
        symbol = f"  {hit['symbol']}" if "symbol" in hit else ""
        lines += [f"{t.place(hit)}{symbol}{t.changed(hit)}", hit["text"], ""]
    return t.text_of(lines, found["notes"])


TOOLS = (
    Tool(
        "search",
        "Search code and documents",
        "Find passages of the indexed code and documents by meaning, words and names at once, the best first, with "
        "their text. Takes a question in plain language, identifiers, or both. Better than grep where you do not know "
        "the exact words; results are checked against the files on disk.",
        a.Search,
        s.Passages,
        search,
        text,
    ),
    Tool(
        "multi_search",
        "Search in several wordings",
        "As search, with up to 8 wordings of one question at once; their results are merged into one ranking.",
        a.MultiSearch,
        s.Passages,
        multi_search,
        text,
    ),
)
