"""From the parameters of a search to the query, with what the daemon chooses where they say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.retrieval.results import Mode, SearchQuery

if TYPE_CHECKING:
    from agentd.config.settings import SearchSettings
    from agentd.domain import Filter
    from agentd.server.params import SelectionParams


def search_query(
    text: str, params: SelectionParams, only: Filter, settings: SearchSettings, deadline_seconds: float | None
) -> SearchQuery:
    """The query for ``text``; ``deadline_seconds`` from now, None for the daemon's own.

    Hits of full mode are merged and shared among files unasked; the other modes show the ranking of chunks as it is.
    """
    mode = Mode(params.mode)
    default_share = settings.max_per_file if mode.ranks else 0
    default_seconds = settings.default_deadline_milliseconds / 1000
    return SearchQuery(
        text=text,
        limit=min(params.limit or settings.default_limit, settings.max_limit),
        filter=only,
        mode=mode,
        min_score=params.min_score,
        rerank=params.rerank,
        max_per_file=default_share if params.max_per_file is None else params.max_per_file,
        max_tokens=params.max_tokens or 0,
        merge=mode.ranks if params.merge is None else params.merge,
        signatures=params.signatures,
        explain=params.explain,
        deadline_seconds=default_seconds if deadline_seconds is None else deadline_seconds,
    )
