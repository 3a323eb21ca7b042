"""Tools that search: what is found is shown as it stands, with its place, and may be cited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from agentd.agent.builtin import reach
from agentd.agent.builtin.arguments import Query, Selecting
from agentd.agent.contracts import ToolResult
from agentd.agent.tools import tool
from agentd.answer.contracts import Passage, SourceName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd import protocol as p
    from agentd.agent.contracts import Library, Scope, Tool

PASSAGE_TOKENS = 80
"""Of the lines around a passage; what a search gives leaves room for them."""

NOTHING = "Nothing relevant was found. Try other words, or names as the code would have them; or list_files."

HitLimit = Annotated[int, Meta(ge=1, le=30, description="Hits at most")] | None


class SemanticSearch(Selecting, frozen=True, kw_only=True):
    """Parameters of ``semantic_search``."""

    query: Annotated[Query, Meta(description="A question, a description or names, in a few words")]
    limit: HitLimit = None


class MultiSearch(Selecting, frozen=True, kw_only=True):
    """Parameters of ``multi_search``."""

    queries: Annotated[
        tuple[Query, ...],
        Meta(min_length=2, max_length=8, description="The same in other words; the first counts most"),
    ]
    limit: HitLimit = None


def search_tools(library: Library) -> tuple[Tool, ...]:
    """Search for one query, and for several as one."""

    @tool(SemanticSearch, "Search code and documents by words and by meaning. Gives the passages that fit best.")
    async def semantic_search(asked: SemanticSearch, scope: Scope) -> ToolResult:
        return await search(library, [asked.query], asked, asked.limit, scope)

    @tool(
        MultiSearch, "Search for several wordings of one thing at once. Gives one list of the passages that fit best."
    )
    async def multi_search(asked: MultiSearch, scope: Scope) -> ToolResult:
        return await search(library, asked.queries, asked, asked.limit, scope)

    return semantic_search, multi_search


async def search(
    library: Library, queries: Sequence[str], where: Selecting, limit: int | None, scope: Scope
) -> ToolResult:
    """What is found for ``queries``, as much of it as one result may show."""
    limit = limit or scope.limits.hits
    tokens = scope.limits.result_tokens
    options: dict[str, object] = {
        "roots": reach.asked(scope),
        "paths": [reach.glob(each, scope) for each in where.paths],
        "languages": list(where.languages),
        "limit": limit,
        "max_tokens": max(tokens // 2, tokens - limit * PASSAGE_TOKENS),
    }
    found = await library.search(list(queries), **options, **({"kind": where.kind} if where.kind else {}))
    hits = reach.sifted(found["hits"], scope)
    return ToolResult(
        text="" if hits else NOTHING,
        passages=tuple(map(from_hit, hits)),
        found=len(hits),
        notes=tuple(notes(found, hits)),
        problems=(*found["degraded"], *found["skipped"]),
        roots=reach.roots_of(hits),
    )


def from_hit(hit: p.Hit) -> Passage:
    """A hit as a passage."""
    return Passage(
        source=SourceName.DOCUMENTS,
        text=hit["text"],
        start_line=hit["start_line"],
        end_line=hit["end_line"],
        path=hit["path"],
        root=hit["root"],
        language=hit["language"],
        symbol=hit["symbol"],
        context=hit["context"],
        about="may not be relevant" if hit.get("confidence") == "low" else "",
        score=hit["score"],
        stale=hit["stale"],
    )


def notes(found: p.SearchResult, hits: Sequence[p.Hit]) -> list[str]:
    """What was missing in a search."""
    stale = sum(hit["stale"] for hit in hits)
    changed = [f"{stale} of these passages changed on disk since; read_span shows what stands there"] if stale else []
    return [*found["degraded"], *found["skipped"], *changed, *found["cut"]]
