"""A real search server, Debian's searx (whose JSON SearXNG kept), which asks an engine on loopback: nothing leaves."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import web_harness as h

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

PYTHON = "/usr/bin/python3"  # Debian's, which the package is for
START_SECONDS = 60
INSTALL_SECONDS = 300

SETTINGS = """
general: {{debug: false, instance_name: tests, contact_url: false, enable_stats: false}}
brand: {{git_url: "", git_branch: "", issue_url: "", docs_url: "", public_instances: "", wiki_url: "", twitter_url: ""}}
search: {{safe_search: 0, autocomplete: "", default_lang: "", ban_time_on_fail: 0, max_ban_time_on_fail: 0,
         prefer_configured_language: false}}
server: {{port: {port}, bind_address: 127.0.0.1, secret_key: for-tests-alone, base_url: false, image_proxy: false,
         http_protocol_version: "1.0", method: POST, default_http_headers: {{}}}}
ui: {{autofocus: true, archive_today: false, static_path: /usr/share/python3-searx/static,
     templates_path: /usr/share/python3-searx/templates, default_theme: oscar, default_locale: "",
     theme_args: {{oscar_style: logicodev}}}}
outgoing: {{request_timeout: 3.0, useragent_suffix: "", pool_connections: 10, pool_maxsize: 10}}
checker: {{off_when_debug: true}}
engines:
  - &local
    name: local
    engine: json_engine
    shortcut: lo
    enable_http: true
    categories: general
    search_url: "http://127.0.0.1:{engine}/found?q={{query}}"
    results_query: results
    url_query: url
    title_query: title
    content_query: content
    timeout: 3.0
  - {{<<: *local, name: broken, shortcut: br, search_url: "http://127.0.0.1:1/?q={{query}}"}}
locales: {{en: English}}
doi_resolvers: {{doi.org: "https://doi.org/"}}
default_doi_resolver: doi.org
"""


class Engine(BaseHTTPRequestHandler):
    """A search engine with two pages about everything."""

    def do_GET(self) -> None:
        (query,) = parse_qs(urlsplit(self.path).query)["q"]
        found = [
            {"url": f"https://site.example/{n}", "title": f"About {query}", "content": f"Page {n} says {query}."}
            for n in (1, 2)
        ]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"results": found}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server calls it so
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def package() -> None:
    """``python3-searx``: a library, which starts nothing by itself."""
    has = [PYTHON, "-c", "import searx.version"]
    if shutil.which(PYTHON) and subprocess.run(has, capture_output=True, check=False).returncode == 0:
        return
    if shutil.which("apt-get") is None:
        pytest.skip("there is no searx, and no apt-get to fetch it with")
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "python3-searx"]):
        subprocess.run(command, check=True, timeout=INSTALL_SECONDS, capture_output=True)


@pytest.fixture
def searxng(package: None, tmp_path: Path) -> Iterator[str]:
    engine = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    port = free_port()
    path = tmp_path / "settings.yml"
    path.write_text(SETTINGS.format(port=port, engine=engine.server_address[1]))
    log = (tmp_path / "log").open("wb")
    environment = {"SEARX_SETTINGS_PATH": str(path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    server = subprocess.Popen([PYTHON, "-m", "searx.webapp"], stdout=log, stderr=log, env=environment, cwd=tmp_path)
    try:
        url = f"http://127.0.0.1:{port}"
        await_answer(url, server, tmp_path / "log")
        yield url
    finally:
        server.terminate()
        server.wait(10)
        engine.shutdown()
        engine.server_close()
        log.close()


def await_answer(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/config", timeout=5).close()  # noqa: S310  # on loopback
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)  # its socket is all that tells
        else:
            return


async def test_its_results_are_ours_and_the_engine_that_failed_is_named(searxng: str) -> None:
    async with h.site() as site, h.web(site, searxng=searxng, timeout_seconds=30.0) as web:
        assert web.search is not None
        found = await web.search.search("sea otters", 5, h.OPEN)
    assert [(hit.url, hit.extract) for hit in found.hits] == [
        ("https://site.example/1", "Page 1 says sea otters."),
        ("https://site.example/2", "Page 2 says sea otters."),
    ]
    assert "broken" in found.problems[0]
