"""aimock, a mock of OpenAI and Ollama that others wrote, and the clients that both publish: got once, kept outside of
the checkout, and run on loopback.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

AIMOCK = "@copilotkit/aimock@1.43.0"
CLIENTS = ("openai==3.54.0", "ollama==0.6.3")
INSTALL_SECONDS = 240
START_SECONDS = 30.0
ASK_SECONDS = 60.0

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentd-tests"
LISTENING = re.compile(r"listening on (http://[\d.]+:\d+)")
Json = dict[str, Any]


def missing(reason: str) -> None:
    """Skip where a person has no network; in CI, where there is one, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def kept(name: str, install: Callable[[Path], None]) -> Path:
    """The folder ``name`` of the cache, made by ``install``. It gets its name once it is whole."""
    folder = CACHE / name
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    making = CACHE / f".{name}.{os.getpid()}"
    try:
        install(making)
        making.rename(folder)
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-3:]
        missing(f"{name} cannot be installed: {' '.join(last)}")
    except OSError:
        if not folder.exists():  # another run was first
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)


def node_package() -> Path:
    """aimock, with everything that it needs; no script of it runs while it is installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("aimock needs node and npm; found none in PATH")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    return kept(AIMOCK.rpartition("/")[2], lambda folder: run("npm", "install", "--prefix", folder, *options, AIMOCK))


def clients() -> Path:
    """A folder of packages, for this version of Python: a virtual environment could not be renamed."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target")
    return kept(f"{sys.implementation.cache_tag}-{'-'.join(CLIENTS)}", lambda folder: run(*pip, folder, *CLIENTS))


class Mock:
    """A running aimock."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask its control interface."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/__aimock{path}", data, method=method)  # noqa: S310  # on loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # the same
            return json.load(answer)

    @contextmanager
    def chaos(self, **rates: float) -> Iterator[None]:
        """Let every request fare so."""
        self.control("POST", "/chaos", rates)
        try:
            yield
        finally:
            self.control("DELETE", "/chaos")

    def asked(self, path: str) -> list[Json]:
        """The bodies that came to ``path``."""
        return [entry["body"] for entry in self.control("GET", "/journal") if entry["path"] == path]

    def official(self, kind: str, questions: Sequence[Json]) -> list[Json]:
        """What the official client of ``kind`` makes of ``questions``."""
        command = [sys.executable, str(Path(__file__).with_name("official_clients.py")), kind, self.url]
        done = subprocess.run(
            command,
            input=json.dumps(questions),
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(clients())},
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[Json] = json.loads(done.stdout)
        return found


@contextmanager
def aimock(folder: Path, fixtures: Sequence[Json]) -> Iterator[Mock]:
    """One that answers by ``fixtures``, on a free port of loopback."""
    script = node_package() / "node_modules" / ".bin" / "llmock"
    path = folder / "fixtures.json"
    path.write_text(json.dumps({"fixtures": fixtures}))
    with (folder / "aimock.log").open("wb") as log:
        server = subprocess.Popen(
            ["node", str(script), "--port", "0", "--fixtures", str(path), "--validate-on-load"], stdout=log, stderr=log
        )
        try:
            yield Mock(address(server, folder / "aimock.log"))
        finally:
            server.terminate()
            server.wait(10)


def address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, as it says itself."""
    deadline = time.monotonic() + START_SECONDS
    while not (said := LISTENING.search(log.read_text())):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)  # its log is all that tells
    return said[1]
