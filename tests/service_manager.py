"""A real systemd in namespaces of its own: it sees the same files, and none of the machine's processes and cgroups."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil
from daemon_harness import until

from agentd.cli.units import command_here, rendered
from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    import signal
    from types import TracebackType

SYSTEMD = "/lib/systemd/systemd"
NAMESPACES = ("--mount", "--pid", "--cgroup", "--uts", "--ipc")
COMMAND_SECONDS = 60.0

PREPARE = """
set -e
mount -t cgroup2 cgroup2 /mnt
mkdir /mnt/$1
echo 0 > /mnt/$1/cgroup.procs
umount /mnt
mount -t tmpfs tmpfs /run
exec unshare --cgroup --mount bash -ec "$2"
"""
"""``$1`` is a cgroup of its own, which the second namespace takes for the root of all."""
MOUNT = """
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --make-rshared /  # within: what the manager mounts for a service from a namespace of its own must show here
"""
USER = """
mkdir -p /run/systemd/system  # what a manager of a user takes for a machine that systemd runs (sd_booted(3))
/lib/systemd/systemd --user &
wait $!
"""
SYSTEM = """
mount -t tmpfs tmpfs /srv
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /mnt
cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache /etc/localtime /mnt/
mkdir -p /mnt/systemd/system
mount --bind /mnt /etc
for unit in sysinit basic shutdown sockets multi-user paths timers slices; do
    printf '[Unit]\\nDefaultDependencies=no\\n' > /etc/systemd/system/$unit.target
done
export container=test SYSTEMD_UNIT_PATH=/etc/systemd/system
exec /lib/systemd/systemd --system --unit=basic.target
"""
"""A machine with no unit but those that every service depends on, and with directories of its own to write to."""


class ServiceManager:
    """Runs below ``place``. ``system`` makes it process 1, with the machine's own paths; else it is a user's."""

    def __init__(self, place: Path, *, system: bool = False) -> None:
        self.place = place
        self.home = place / "home"
        self.runtime = place / "run"
        self.units = self.home / ".config" / "systemd" / "user"
        self.socket = self.runtime / "agentd" / "agentd.sock"
        self.log = place / "log"
        self.dropped_in: dict[str, str] = {}
        self._system = system
        self._cgroup = f"agentd-test-{os.getpid()}-{'system' if system else 'user'}"
        self._process: subprocess.Popen[bytes] | None = None
        self._inside = 0

    def __enter__(self) -> Self:
        for folder in (self.units, self.runtime):
            folder.mkdir(mode=0o700, parents=True)
        unshare = ["unshare", *NAMESPACES, "--fork", "--mount-proc", "--kill-child", "--propagation", "private"]
        prepare = ["bash", "-c", PREPARE, "bash", self._cgroup, MOUNT + (SYSTEM if self._system else USER)]
        with (self.place / "systemd.log").open("wb") as log:
            process = subprocess.Popen(
                [*unshare, *prepare],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
            )
        self._process = process
        until(lambda: psutil.Process(process.pid).children(), "the namespaces are made")
        self._inside = psutil.Process(process.pid).children()[0].pid
        try:
            until(lambda: self.run("systemctl", *self.scope, "show", check=False).returncode == 0, "systemd answers")
        except AssertionError:
            self.__exit__(None, None, None)
            raise AssertionError((self.place / "systemd.log").read_text()) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The end of process 1 of the namespace is that of all others in it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(COMMAND_SECONDS)
        until(self._removed_cgroup, "its processes are gone")

    def _removed_cgroup(self) -> bool:
        remove = f"mount -t cgroup2 cgroup2 /mnt; find /mnt/{self._cgroup} -depth -type d -exec rmdir {{}} +"
        own_mounts = ["unshare", "--mount", "--propagation", "private", "bash", "-ec", remove]
        return subprocess.run(own_mounts, capture_output=True, check=False).returncode == 0

    @property
    def environment(self) -> dict[str, str]:
        named = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime)}
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
        return kept | ({} if self._system else named)

    @property
    def scope(self) -> list[str]:
        return [] if self._system else ["--user"]

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        done = subprocess.run(
            ["nsenter", "--target", str(self._inside), *NAMESPACES, *command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n{self.said()}"
        return done

    def write(self, path: str, text: str) -> None:
        """Write a file inside, where this test has none of that name."""
        Path(f"/proc/{self._inside}/root{path}").write_text(text)

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        return self.run("systemctl", *self.scope, *arguments, check=check).stdout.strip()

    def agentctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "agentd.cli.main", *arguments, check=check)

    def show(self, name: str, unit: str = "agentd.service") -> str:
        """A property of a unit."""
        return self.systemctl("show", "--value", f"--property={name}", unit)

    def install(self, **settings: str) -> None:
        """Write the units as ``agentctl install`` does, and start nothing. ``settings`` go into a drop-in."""
        for name in ("agentd.service", "agentd.socket"):
            (self.units / name).write_text(rendered(name, command_here("agentd", "agentd")))
        self.drop_in(**settings)

    def drop_in(self, **settings: str) -> None:
        """Settings of the service beside those that every test here has; what runs keeps its own until a restart."""
        lines = [f"StandardError=append:{self.log}", *(f"{name}={value}" for name, value in settings.items())]
        folder = self.units / "agentd.service.d"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "test.conf").write_text("\n".join(["[Service]", *lines, ""]))
        self.systemctl("daemon-reload")
        self.dropped_in = settings

    def said(self) -> str:
        """What the daemon has logged."""
        return self.log.read_text() if self.log.exists() else ""

    def pid(self) -> int:
        """The daemon's process as the machine numbers it."""
        with Client(str(self.socket), timeout=COMMAND_SECONDS) as client:
            inside = client.hello()["pid"]
        return next(
            each.pid
            for each in psutil.Process(self._inside).children(recursive=True)
            if f"NSpid:\t{each.pid}\t{inside}\n" in Path(f"/proc/{each.pid}/status").read_text()
        )

    def signal(self, number: signal.Signals) -> int:
        """Send the daemon a signal; the process that had it."""
        pid = self.pid()
        os.kill(pid, number)
        return pid

    def answers(self) -> bool:
        """Whether a daemon answers at once."""
        try:
            with Client(str(self.socket), timeout=COMMAND_SECONDS) as client:
                return bool(client.hello())
        except AgentdClientError:
            return False
