"""What the checks look at, asked for once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agentd.cli.doctor.machine import Machine
from agentd.client import AgentdClientError, Client, ReplyTimeoutError
from agentd.config import paths

if TYPE_CHECKING:
    from agentd.protocol import Hello, RootInfo

HELLO_SECONDS = 1.0
ANSWER_SECONDS = 10.0
CHECK_SECONDS = 30.0
CHECK = ("-P", "-m", "agentd", "--check")


class Configuration:
    """What ``agentd --check`` says of the configuration, in a child that runs beside the other questions."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(  # noqa: S603  # our own daemon
            [sys.executable, *CHECK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self) -> tuple[int, str, str]:
        """Exit code, the effective configuration as TOML, and what is wrong or unlikely."""
        try:
            settings, said = self._child.communicate(timeout=CHECK_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            settings, said = self._child.communicate()
            said += f"agentd --check did not end within {CHECK_SECONDS:g} s"
        return self._child.returncode, settings, said


class Patient:
    """The installation: its configuration, its places, its daemon where one answers, the machine that it is on.

    Without a daemon ``silence`` says why; ``hello``, ``status``, ``stats`` and ``health`` are empty where they were
    not answered.
    """

    def __init__(
        self,
        socket: str | None,
        *,
        root: str | None,
        sample: int,
        deep: bool,
        configuration: Configuration | None = None,
        machine: Machine | None = None,
    ) -> None:
        self._configuration = configuration or Configuration()
        self.machine = machine or Machine()
        self.sample = sample
        self.deep = deep
        self.wanted_root = os.path.realpath(root) if root else None
        self.socket = os.path.abspath(socket or paths.socket_to_connect())
        self.client: Client | None = None
        self.silence: AgentdClientError | None = None
        self.hello: Hello | dict[str, Any] = {}
        self.answered_in = 0.0
        self._greet()
        self.status = self._ask("index.status")
        self.stats = self._ask("stats")
        self.health = self._ask("health")

    @cached_property
    def checked(self) -> tuple[int, str, str]:
        """Exit code, output and errors of ``agentd --check``. The first to ask waits for it."""
        return self._configuration.ended()

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The effective configuration; empty where it cannot be read."""
        try:
            return tomllib.loads(self.checked[1])
        except tomllib.TOMLDecodeError:
            return {}

    @cached_property
    def state(self) -> str:
        """The state directory by the daemon's own word, else where the next one would put it."""
        if told := self.stats.get("process", {}).get("state_directory"):
            return str(told)
        configured = re.search(r"^# state directory: (.*?) +# [^#]*$", self.checked[1], re.MULTILINE)
        return configured[1] if configured else paths.state_directory()

    def close(self) -> None:
        """Let go of the daemon, and of the child that nobody may have asked."""
        self._hang_up()
        self.checked  # noqa: B018  # waits for it

    @property
    def pid(self) -> int:
        """The process that answers; 0 where none does."""
        return int(self.hello.get("pid", 0))

    @property
    def roots(self) -> list[RootInfo]:
        """Those to look at."""
        known: list[RootInfo] = self.status.get("roots", [])
        return [root for root in known if self.wanted_root in {None, root["path"]}]

    def setting(self, section: str, key: str, otherwise: Any) -> Any:
        """An effective setting; where the configuration cannot be read, the default."""
        return self.settings.get(section, {}).get(key, otherwise)

    def request(self, method: str, **params: Any) -> Any:
        """Ask the daemon.

        Raises:
            AgentdClientError: it cannot, or will not, answer.
        """
        if self.client is None:
            raise self.silence or AgentdClientError("no_daemon", "agentd does not answer")
        return self.client.request(method, **params)

    def _greet(self) -> None:
        try:
            self.client = Client(self.socket, timeout=HELLO_SECONDS, retries=1)
            began = time.monotonic()
            self.hello = self.client.hello()
            self.answered_in = time.monotonic() - began
            self.client.timeout = ANSWER_SECONDS
        except AgentdClientError as error:
            self._fall_silent(error)

    def _ask(self, method: str) -> dict[str, Any]:
        if self.client is None:
            return {}
        try:
            answer: dict[str, Any] = self.client.request(method)
        except ReplyTimeoutError as error:
            self._fall_silent(error)
            return {}
        except AgentdClientError:  # a daemon of another version, or one that stops
            return {}
        return answer

    def _fall_silent(self, error: AgentdClientError) -> None:
        self._hang_up()
        self.silence = error

    def _hang_up(self) -> None:
        if self.client:
            self.client.close()
        self.client = None
