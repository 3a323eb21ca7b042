"""The native protocol of the systemd journal: an event with its fields as one datagram, so that
``journalctl AGENTD_EVENT=service_failed`` finds it.

Sources: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ for the wire, systemd.journal-fields(7) for the names.
"""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import json
import os
import re
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET = "/run/systemd/journal/socket"
IDENTIFIER = "agentd"
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""Of syslog(3), by level."""

SEND_BUFFER_BYTES = 8 * 1024 * 1024
"""As sd_journal_send(3) asks for: a burst must fit while the journal is busy, for the loop does not wait for it."""
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL

_CODE = {"pathname": "CODE_FILE", "lineno": "CODE_LINE", "func_name": "CODE_FUNC"}
_APART = {"event", "level", "timestamp", "exception", *_CODE}
_NO_NAME = re.compile(r"[^A-Z0-9_]")
_MOST_NAME_CHARS = 64


class Journal:
    """Sends entries, and never waits: where the journal does not take one, ``send`` says so."""

    def __init__(self, path: str = SOCKET) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def send(self, fields: Mapping[str, str]) -> bool:
        """Whether the journal has it. The address is given each time, for a journal that restarts is another peer."""
        data = encoded(fields)
        try:
            self._socket.sendto(data, self._path)
        except OSError as error:
            return error.errno in {errno.EMSGSIZE, errno.ENOBUFS} and self._send_as_file(data)
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _send_as_file(self, data: bytes) -> bool:
        """What no datagram can hold goes as a sealed file in memory."""
        try:
            file = os.memfd_create("agentd-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except OSError:
            return False
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, SEALS)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))
            self._socket.sendmsg([], [rights], 0, self._path)
        except OSError:
            return False
        finally:
            os.close(file)
        return True


def encoded(fields: Mapping[str, str]) -> bytes:
    """``NAME=value`` and a newline a field; a value that has newlines of its own follows its length instead."""
    parts = []
    for name, value in fields.items():
        data = value.encode(errors="surrogateescape")
        if b"\n" in data:
            parts.append(name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n")
        else:
            parts.append(name.encode() + b"=" + data + b"\n")
    return b"".join(parts)


def fields_of(event: Mapping[str, object]) -> dict[str, str]:
    """The fields of an event: the journal's own, and each of ours as ``AGENTD_KEY``. Its time is the journal's."""
    fields = {
        "MESSAGE": message(event),
        "PRIORITY": str(PRIORITIES.get(str(event.get("level")), PRIORITIES["info"])),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "AGENTD_EVENT": str(event["event"]),
    }
    fields |= {name: str(event[key]) for key, name in _CODE.items() if key in event}
    return fields | {field_name(key): text(value) for key, value in event.items() if key not in _APART}


def message(event: Mapping[str, object]) -> str:
    """What ``journalctl`` shows: ``ready socket=/run/user/1000/agentd/agentd.sock``, then the traceback, if any."""
    shown = [str(event["event"]), *(f"{key}={quoted(value)}" for key, value in event.items() if key not in _APART)]
    lines = [" ".join(shown), *([str(event["exception"])] if event.get("exception") else [])]
    return "\n".join(lines)


def field_name(key: str) -> str:
    """``AGENTD_`` and the key as a name that the journal takes: capitals, digits and underscores.

    >>> field_name("retry-after ms")
    'AGENTD_RETRY_AFTER_MS'
    """
    return f"AGENTD_{_NO_NAME.sub('_', key.upper())}"[:_MOST_NAME_CHARS]


def text(value: object) -> str:
    """A field's value: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def quoted(value: object) -> str:
    """The same for a line: in quotation marks where it would fall apart."""
    shown = text(value)
    return json.dumps(shown, ensure_ascii=False) if not shown or re.search(r"[\s\"=]", shown) else shown
