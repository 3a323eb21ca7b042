"""The units under a real systemd: what only the manager and the kernel can show."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemon_harness import until, write_files
from service_manager import SYSTEMD, ServiceManager

from agentd.cli.units import rendered
from agentd.client import AgentdClientError, Client
from agentd.config.service import why_temporary

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL_SECONDS = 300
KEYWORD_ONLY = "AGENTD_EMBEDDING_ENABLED=false"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may make namespaces"),
]
stays = pytest.mark.skipif(why_temporary(sys.prefix) is not None, reason="no service starts from a temporary place")


@pytest.fixture(scope="module", autouse=True)
def systemd() -> None:
    """That of the machine, or Debian's: installing the package starts nothing."""
    if Path(SYSTEMD).exists():
        return
    if shutil.which("apt-get") is None:
        pytest.skip("there is no systemd, and no apt-get to fetch it with")
    subprocess.run(["apt-get", "update", "-qq"], check=True, timeout=INSTALL_SECONDS)
    packages = ["systemd", "dbus", "procps"]
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(install, env=environ, check=True, timeout=INSTALL_SECONDS)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceManager]:
    with ServiceManager(tmp_path_factory.mktemp("m")) as manager:
        manager.install(Environment=KEYWORD_ONLY)
        manager.systemctl("start", "agentd.socket")
        yield manager


@pytest.fixture
def service(manager: ServiceManager) -> ServiceManager:
    """A daemon that runs, with the usual settings."""
    if manager.dropped_in != (usual := {"Environment": KEYWORD_ONLY}):
        manager.systemctl("stop", "agentd.service")
        manager.drop_in(**usual)
    manager.systemctl("reset-failed", "agentd.service", "agentd.socket", check=False)
    manager.systemctl("start", "agentd.socket", "agentd.service")
    return manager


def test_start_returns_when_the_daemon_is_ready_and_status_says_what_it_does(service: ServiceManager) -> None:
    assert '"ready"' in service.said()  # written before the start returned
    assert service.show("ActiveState") == "active"
    until(lambda: service.show("StatusText").startswith("current: no folders yet"), "the status is shown")


def test_the_first_connection_starts_it(service: ServiceManager) -> None:
    service.systemctl("stop", "agentd.service")
    assert service.show("ActiveState") == "inactive"
    assert service.answers()
    assert service.show("ActiveState") == "active"


def test_reload_reads_the_configuration_again(service: ServiceManager) -> None:
    pid = service.pid()
    root = service.place / "reloaded"
    root.mkdir()
    config = service.home / ".config" / "agentd" / "agentd.toml"
    assert config.parent.is_dir()  # made by the manager
    config.write_text(f'[[root]]\npath = "{root}"\n')
    try:
        service.systemctl("reload", "agentd.service")
        with Client(str(service.socket), timeout=30) as client:
            until(lambda: [root["path"] for root in client.roots()] == [str(root)], "the root is there")
        until(lambda: service.show("ActiveState") == "active", "the reload has ended")
        assert service.pid() == pid
    finally:
        config.unlink()


def test_a_daemon_that_hangs_is_replaced(service: ServiceManager) -> None:
    service.drop_in(Environment=KEYWORD_ONLY, WatchdogSec="2")
    service.systemctl("restart", "agentd.service")
    hung = service.signal(signal.SIGSTOP)
    until(lambda: service.show("NRestarts") == "1", "the watchdog acts")
    assert service.pid() != hung


def test_a_daemon_that_is_killed_is_replaced_and_leaves_no_worker(service: ServiceManager) -> None:
    before = int(service.show("NRestarts"))
    killed = service.signal(signal.SIGKILL)
    until(lambda: int(service.show("NRestarts")) == before + 1, "it is started again")
    assert service.pid() != killed  # the client waited in the socket meanwhile
    tasks = service.run("systemctl", "--user", "status", "--lines=0", "agentd.service").stdout
    assert tasks.count("agentd.compute.worker interactive") == 1


def test_a_wrong_configuration_is_not_tried_again(service: ServiceManager) -> None:
    service.drop_in(Environment="AGENTD_INDEX_NONSENSE=1")
    service.systemctl("restart", "agentd.service", check=False)
    assert service.show("ExecMainStatus") == "2"
    assert service.show("ActiveState") == "failed"
    assert service.show("NRestarts") == "0"


def test_credentials_arrive_and_are_named_only(service: ServiceManager) -> None:
    secret = service.place / "secret"
    secret.write_text("value-of-the-credential\n")
    service.drop_in(Environment=KEYWORD_ONLY, LoadCredential=f"openai:{secret}")
    service.systemctl("restart", "agentd.service")
    assert '"names": ["openai"]' in service.said()
    assert "value-of-the-credential" not in service.said()


def test_stop_while_indexing_at_full_rate_is_clean_and_quick(service: ServiceManager) -> None:
    root = service.place / "many"
    write_files(root, 1000)
    service.drop_in()  # with vectors
    service.systemctl("restart", "agentd.service")
    with Client(str(service.socket), timeout=30) as client:
        client.add_root(str(root))
        until(lambda: client.status()["vectors"] > 0, "both phases run")
        assert client.status()["state"] != "current"
        began = time.monotonic()
        service.systemctl("stop", "agentd.service")
        took = time.monotonic() - began
    assert service.show("Result") == "success"
    assert service.show("ExecMainStatus") == "0"
    assert took < 4.0  # 2 s is the bar on a machine of its own; this one may be shared
    with Client(str(service.socket), timeout=30) as client:
        client.remove_root(str(root))


class Load:
    """Clients that connect, search and leave, as fast as they can."""

    def __init__(self, path: Path, clients: int) -> None:
        self.served = 0
        self.refused: list[str] = []
        self.broken: list[str] = []
        self._path = str(path)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._search) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _search(self) -> None:
        while not self._stop.is_set():
            try:
                client = Client(self._path, timeout=30)
            except AgentdClientError as error:
                self.refused.append(error.message)
                continue
            try:
                client.search("anything", mode="keyword")
                self.served += 1
            except AgentdClientError as error:
                self.broken.append(f"{error.kind}: {error.message}")
            finally:
                client.close()


def test_a_restart_under_load_refuses_nobody(service: ServiceManager) -> None:
    with closing(Load(service.socket, clients=4)) as load:
        for _ in range(3):
            served = load.served
            until(lambda: load.served > served + 50, "clients are served")  # noqa: B023  # called at once
            service.systemctl("restart", "agentd.service")
        served = load.served
        until(lambda: load.served > served + 50, "clients are served again")
    assert load.refused == []
    assert load.broken == []


@stays
def test_install_and_uninstall_from_end_to_end(service: ServiceManager) -> None:
    said = service.agentctl("install").stdout
    assert f"is ready on {service.socket}" in said
    assert service.show("UnitFileState") == service.show("UnitFileState", "agentd.socket") == "enabled"
    assert service.agentctl("install").returncode == 0
    (service.home / ".local" / "state" / "agentd" / "index.db").stat()
    try:
        freed = service.agentctl("uninstall", "--purge", "--yes").stdout
        assert "freed" in freed
        assert not (service.home / ".local" / "state" / "agentd").exists()
        assert not service.socket.exists()
        assert service.agentctl("uninstall", check=False).returncode == 1
    finally:
        service.install(Environment=KEYWORD_ONLY)
        service.systemctl("start", "agentd.socket")


@stays
def test_the_systems_service_reads_homes_writes_its_own_and_is_found(tmp_path: Path) -> None:
    with ServiceManager(tmp_path, system=True) as manager:
        folder = "/etc/systemd/system/agentd@root.service.d"
        manager.run("mkdir", "-p", "/srv/code", folder)
        manager.write("/etc/key", "value-of-the-credential\n")
        manager.write("/srv/code/bird.py", "def heron(): pass\n")
        settings = ("StandardError=append:/srv/log", "LoadCredential=openai:/etc/key", f"Environment={KEYWORD_ONLY}")
        manager.write(f"{folder}/test.conf", "\n".join(["[Service]", *settings, ""]))
        said = manager.agentctl("install", "--system", "root").stdout
        assert "is ready on /run/agentd/root/agentd.sock" in said
        manager.agentctl("add", "/srv/code")  # found below /run without being told
        manager.agentctl("wait", "--for", "keyword")
        assert "bird.py" in manager.agentctl("search", "--all", "heron").stdout
        assert '"names": ["openai"]' in manager.run("cat", "/srv/log").stdout
        nices = manager.run("ps", "-eo", "ni,args").stdout
        assert any(line.split()[0] == "15" for line in nices.splitlines() if "worker bulk" in line)
        modes = manager.run("stat", "-c", "%a", "/run/agentd/root", "/var/lib/agentd/root").stdout.split()
        assert modes == ["700", "700"]
        assert manager.show("Result", "agentd@root.service") == "success"
        freed = manager.agentctl("uninstall", "--system", "root", "--purge", "--yes").stdout
        assert "deleted /var/lib/agentd/root" in freed


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The units on disk, starting a program that every machine has."""
    for name in ("agentd.service", "agentd.socket", "agentd@.service", "agentd@.socket"):
        (tmp_path / name).write_text(rendered(name, ["/bin/true"]))
    return tmp_path


def test_the_systems_service_is_little_exposed(written: Path) -> None:
    threshold = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20"]
    done = subprocess.run([*threshold, written / "agentd@.service"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("scope", ["user", "system"])
def test_the_units_have_no_mistake_that_systemd_knows(written: Path, scope: str) -> None:
    if scope == "system":  # it checks instances alone
        for kind in ("service", "socket"):
            shutil.copy(written / f"agentd@.{kind}", written / f"agentd@root.{kind}")
    names = ("agentd.service", "agentd.socket") if scope == "user" else ("agentd@root.service", "agentd@root.socket")
    done = subprocess.run(
        ["systemd-analyze", f"--{scope}", "--man=no", "verify", *(written / name for name in names)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(written)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == ""  # it ends with 0 whatever it finds
