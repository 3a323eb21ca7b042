"""A daemon that asks a search server and reads pages, or may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from daemon_harness import KEYWORD_ONLY, Daemon
from search_server import HITS, Searxng

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def searxng() -> Iterator[Searxng]:
    with Searxng() as server:
        yield server


@pytest.mark.parametrize("allowed", [True, False])
def test_the_web_is_asked_where_the_configuration_allows_it(tmp_path: Path, searxng: Searxng, *, allowed: bool) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "gadget.md").write_text("# Gadget\n\nA gadget is frobnicated by hand.\n")
    egress = '["web"]' if allowed else "[]"
    settings = f'[web]\nsearxng = "{searxng.url}"\n\n[[root]]\npath = "{root}"\negress = {egress}\n'
    with Daemon(tmp_path / "place", config=settings, **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=30)
        answer = daemon.client.ask("how is a gadget frobnicated?", web=True)
        status = answer["sources"]["web"]
        if not allowed:
            assert (status["state"], searxng.asked) == ("off", [])
            return
        assert status["state"] == "ok"
        assert "slow timeout" in status["reason"]
        assert status["reason"].count("is not fetched") == 2
        assert len(searxng.asked) == 1
        assert {each["url"] for each in answer["citations"] if each.get("url")} <= {hit["url"] for hit in HITS}
        assert (daemon.state / "web.db").stat().st_mode & 0o777 == 0o600
