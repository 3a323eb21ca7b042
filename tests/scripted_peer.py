"""A peer on a real Unix socket that answers from a script: what clients are tested against where a daemon would hide
what was sent, or would never answer so badly.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Result:
    """Answer with events, then a result."""

    value: object
    events: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True)
class Failure:
    """Answer with events, then an error."""

    kind: str
    message: str
    data: dict[str, object] | None = None
    events: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True)
class Raw:
    """Answer with bytes that need not be JSON, then close."""

    data: bytes


GREETER = "agentctl"
"""Whose ``hello`` is answered, but not kept: every command begins with it."""


@dataclass(frozen=True)
class Endless:
    """Answer with events, then with an error once it is cancelled, whose data may say more."""

    events: tuple[dict[str, object], ...] = ()
    data: dict[str, object] | None = None


SILENCE = Raw(b"silence")
"""Never answer, and keep the connection open."""

Reply = Result | Failure | Raw | Endless


class ScriptedPeer:
    """Answers each method as its script says; ``received`` holds what was sent, as ``(method, params)``."""

    def __init__(self, path: Path, replies: Mapping[str, Reply] | None = None) -> None:
        self.path = str(path)
        self.replies: dict[str, Reply] = {"hello": Result({"pid": os.getpid(), "version": "9.9"}), **(replies or {})}
        self.received: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(64)
        self._connections: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._accepting.join(5)

    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """What was received since the last call."""
        return [self.received.get_nowait() for _ in range(self.received.qsize())]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as lines:
            endless: dict[int, Endless] = {}
            for line in lines:
                request = json.loads(line)
                if request["params"].get("client") != GREETER:
                    self.received.put((request["method"], request["params"]))
                reply = self.replies.get(request["method"], Failure("method_not_found", "not in the script"))
                if request["method"] == "cancel" and (ended := endless.pop(request["params"]["id"], None)):
                    failure = Failure("cancelled", "cancelled by the client", ended.data)
                    connection.sendall(self._encode(request["params"]["id"], failure))
                    reply = Result({"cancelled": True})
                if isinstance(reply, Endless):
                    endless[request["id"]] = reply
                if reply is not SILENCE:
                    connection.sendall(self._encode(request["id"], reply))
                if isinstance(reply, Raw) and reply is not SILENCE:
                    connection.shutdown(socket.SHUT_RDWR)
                    return

    @staticmethod
    def _encode(request_id: int, reply: Reply) -> bytes:
        if isinstance(reply, Raw):
            return reply.data
        messages: list[dict[str, object]] = []
        messages += [{"method": "event", "params": {**event, "id": request_id}} for event in reply.events]
        if isinstance(reply, Result):
            messages.append({"id": request_id, "result": reply.value})
        elif isinstance(reply, Failure):
            data = {**(reply.data or {}), "kind": reply.kind}
            messages.append({"id": request_id, "error": {"code": -32000, "message": reply.message, "data": data}})
        return b"".join(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n" for message in messages)


if __name__ == "__main__":  # a daemon of its own process, for what is done to processes
    import signal
    from pathlib import Path

    # Blocked before the socket is there: a signal that comes at once waits for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with ScriptedPeer(Path(sys.argv[1]), {"hello": Result({"pid": int(sys.argv[2]) or os.getpid()})}):
        print("ready", flush=True)  # noqa: T201  # whoever started it waits for the line
        signal.sigwait({signal.SIGTERM})
