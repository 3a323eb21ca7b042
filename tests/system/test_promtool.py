"""Prometheus' own tool on what we give to Prometheus: the figures, the rules, and when the rules fire."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from daemon_harness import running, until, write_files

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache" / "prometheus"
INSTALL_SECONDS = 300

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def promtool() -> str:
    """That of the machine, or the one of Debian's package ``prometheus``, unpacked and not installed: an installed
    one would start a server.
    """
    if found := shutil.which("promtool"):
        return found
    binary = CACHE / "usr" / "bin" / "promtool"
    if not binary.exists():
        if shutil.which("apt-get") is None:
            pytest.skip("there is no promtool, and no apt-get to fetch it with")
        CACHE.mkdir(parents=True, exist_ok=True)
        for command in (["apt-get", "update", "-qq"], ["apt-get", "download", "-qq", "prometheus"]):
            subprocess.run(command, cwd=CACHE, check=True, timeout=INSTALL_SECONDS)
        (package,) = CACHE.glob("prometheus_*.deb")
        subprocess.run(["dpkg", "-x", str(package), str(CACHE)], check=True, timeout=INSTALL_SECONDS)
        package.unlink()
    return str(binary)


def quiet(command: list[str], text: str | None = None) -> None:
    """Run it; neither its exit code nor its output may complain (a linting remark alone ends with 3)."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_the_rules_are_valid(promtool: str) -> None:
    quiet([promtool, "check", "rules", "--lint-fatal", str(PROJECT / "config" / "alerts.yml")])


def test_the_rules_fire_when_they_should_and_only_then(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "test", "rules", str(PROJECT / "tests" / "system" / "alerts_test.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_figures_of_a_daemon_that_was_used_are_valid(promtool: str, tmp_path: Path) -> None:
    root, textfile = tmp_path / "root", tmp_path / "agentd.prom"
    write_files(root, 20)
    every_second = {"AGENTD_METRICS_TEXTFILE": str(textfile), "AGENTD_METRICS_INTERVAL_SECONDS": "1"}
    with running(tmp_path / "place", root, **every_second) as daemon:
        daemon.client.wait("keyword")
        daemon.client.search("common task", mode="full")
        quiet([promtool, "check", "metrics"], daemon.client.metrics())
        until(lambda: 'agentd_requests_total{method="search"' in textfile.read_text(), "the search is in the file")
        quiet([promtool, "check", "metrics"], textfile.read_text())
