from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentd.config.settings import SearchSettings
from agentd.daemon import queries
from agentd.domain import Filter
from agentd.server.params import SearchParams

if TYPE_CHECKING:
    from agentd.retrieval.results import SearchQuery

SETTINGS = SearchSettings(default_limit=7, max_limit=20, max_per_file=2)


def asked(**params: Any) -> SearchQuery:
    decoded = msgspec.convert({"query": "retry", **params}, SearchParams)
    return queries.search_query(decoded.query, decoded, Filter(languages=("go",)), SETTINGS, None)


def test_the_daemon_chooses_what_is_not_said() -> None:
    query = asked(mode="fusion")
    assert (query.limit, query.max_per_file, query.max_tokens, query.merge) == (7, 0, 0, False)
    assert (query.filter, query.deadline_seconds) == (Filter(languages=("go",)), 5.0)


def test_what_is_said_stands_within_the_daemons_bounds() -> None:
    query = asked(mode="fusion", limit=500, max_per_file=4, max_tokens=900, merge=True, signatures=True)
    assert (query.limit, query.max_per_file, query.max_tokens) == (20, 4, 900)
    assert query.merge
    assert query.signatures


def test_full_mode_shares_and_merges_unless_it_is_told_otherwise() -> None:
    assert (asked(mode="full").max_per_file, asked(mode="full").merge) == (2, True)
    query = asked(mode="full", max_per_file=0, merge=False)
    assert (query.max_per_file, query.merge) == (0, False)
