"""A daemon that asks a search server and reads pages, or may not."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from daemon_harness import KEYWORD_ONLY, Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HITS = [
    {"url": "http://169.254.169.254/latest/meta-data/", "title": "Keys", "content": "gadget frobnication keys"},
    {"url": "http://127.0.0.1:1/private", "title": "Frobnication", "content": "How a gadget is frobnicated: twice."},
]


class SearchServer(BaseHTTPRequestHandler):
    """Answers like SearXNG, and remembers."""

    asked: list[str] = []  # noqa: RUF012  # one server a test

    def do_POST(self) -> None:
        self.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = json.dumps({"results": HITS, "unresponsive_engines": [["slow", "timeout"]]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server calls it so
        pass


@pytest.fixture
def searxng() -> Iterator[str]:
    SearchServer.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), SearchServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("allowed", [True, False])
def test_the_web_is_asked_where_the_configuration_allows_it(tmp_path: Path, searxng: str, *, allowed: bool) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "gadget.md").write_text("# Gadget\n\nA gadget is frobnicated by hand.\n")
    egress = '["web"]' if allowed else "[]"
    settings = f'[web]\nsearxng = "{searxng}"\n\n[[root]]\npath = "{root}"\negress = {egress}\n'
    with Daemon(tmp_path / "place", config=settings, **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=30)
        answer = daemon.client.ask("how is a gadget frobnicated?", web=True)
        status = answer["sources"]["web"]
        if not allowed:
            assert (status["state"], SearchServer.asked) == ("off", [])
            return
        assert status["state"] == "ok"
        assert "slow timeout" in status["reason"]
        assert status["reason"].count("is not fetched") == 2
        assert len(SearchServer.asked) == 1
        assert {each["url"] for each in answer["citations"] if each.get("url")} <= {hit["url"] for hit in HITS}
        assert (daemon.state / "web.db").stat().st_mode & 0o777 == 0o600
