"""Messages to the service manager: one datagram of ``NAME=VALUE`` lines each (sd_notify(3))."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Self

import structlog

if TYPE_CHECKING:
    from types import TracebackType

log = structlog.get_logger(__name__)


class Notifier:
    """Tells the manager that listens at ``address``; without one, tells nobody.

    ``address`` is a path, or ``@NAME`` for the abstract namespace. Nothing here waits or fails: a message that the
    manager has no room for is dropped, since the next one of its kind comes soon.
    """

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        self._failed = False

    def __enter__(self) -> Self:
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)  # noqa: FBT003 the socket's own signature
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def listened_to(self) -> bool:
        """Whether there is a manager at all."""
        return self._socket is not None

    def ready(self) -> None:
        """Clients are served; also the end of a reload."""
        self._send("READY=1")

    def status(self, line: str) -> None:
        """What ``systemctl status`` shows."""
        self._send(f"STATUS={line}")

    def reloading(self) -> None:
        """A reload has begun. The time lets the manager tell this one from the reload before."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, seconds: float) -> None:
        """The end has begun, and may take that long."""
        self._send("STOPPING=1", "STATUS=stopping", _extended(seconds))

    def alive(self) -> None:
        """A sign of life for the watchdog."""
        self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """Starting goes on, and takes up to ``seconds`` more."""
        self._send(_extended(seconds))

    def _send(self, *lines: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except BlockingIOError:
            pass
        except OSError as error:
            if not self._failed:  # once: the next message meets the same fate
                log.warning("notify_failed", socket=self._address.replace("\0", "@"), error=error.strerror)
            self._failed = True


def _extended(seconds: float) -> str:
    return f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}"
