"""What both clients share: errors, the way to the socket, and requests and answers as lines.

Errors::

    AgentdClientError         the daemon's own ``kind`` (agentd/errors.py lists them), or ``permission_denied``
    ├── NoDaemonError         no_daemon
    ├── ConnectionLostError   connection_lost
    ├── ReplyTimeoutError     reply_timeout
    └── WireError             wire
"""

from __future__ import annotations

import json
import os
import socket

from agentd import __version__
from agentd.config import paths
from agentd.protocol import EVENT, PROTOCOL_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, BinaryIO

    from agentd import protocol as p

    Message = dict[str, Any]

MAX_LINE_BYTES = 256 * 1024 * 1024
"""The most that a daemon can be configured to answer with; a longer line is garbage."""

MOST_RETRY_SECONDS = 10.0
"""The longest that a client waits before it tries again, whatever the daemon says."""

ADVICE = "Start it with: agentd --root DIR  (or: make run ROOT=DIR)"

RESTART = "restart agentd, so that it runs the version that is installed (agentctl stop, then start it again)"
UPGRADE = "upgrade this agentctl, or use the one that was installed with the daemon"
"""What to do about a daemon that is older than its client, or newer."""


class AgentdClientError(Exception):
    """A request that failed. ``kind`` is stable, ``data`` what the daemon sent beside it."""

    def __init__(self, kind: str, message: str, data: Message | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.data = data or {}


class NoDaemonError(AgentdClientError):
    """Nobody listens on the socket."""

    def __init__(self, path: str, found: str) -> None:
        super().__init__("no_daemon", f"agentd is not running ({found} {path}). {ADVICE}", {"socket": path})


class ConnectionLostError(AgentdClientError):
    """The daemon closed the connection before it answered."""

    def __init__(self, why: str) -> None:
        super().__init__("connection_lost", f"agentd closed the connection before it answered ({why}). Is it stopping?")


class ReplyTimeoutError(AgentdClientError):
    """No answer within the client's time limit. The connection is closed, which cancels the request."""

    def __init__(self, seconds: float) -> None:
        super().__init__("reply_timeout", f"agentd did not answer within {seconds:g} s.")


class WireError(AgentdClientError):
    """The peer does not speak the protocol."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__("wire", f"Expected {expected} from agentd, found {found}. Is this agentd's socket?")


def open_socket(path: str, timeout: float | None = None) -> socket.socket:
    """Connect to the daemon at ``path``, of any length, and see that it is this user's or root's.

    Raises:
        NoDaemonError: there is no socket, or nobody listens on it.
        ReplyTimeoutError: the daemon accepts nobody.
        AgentdClientError: ``permission_denied``.
    """
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(timeout)
    try:
        paths.with_short_path(path, peer.connect)
        _refuse_strangers(path, peer)
    except BaseException as error:
        peer.close()
        if isinstance(error, OSError):
            raise _why_not(path, timeout, error) from None
        raise
    return peer


def _why_not(path: str, timeout: float | None, error: OSError) -> AgentdClientError:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return NoDaemonError(path, "no socket at")
        case ConnectionRefusedError():
            return NoDaemonError(path, "nobody listens on")
        case TimeoutError():
            return ReplyTimeoutError(timeout or 0)
        case PermissionError():
            return AgentdClientError("permission_denied", f"{path} is not for this user: {error}.")
        case _:
            return AgentdClientError("unusable_socket", f"{path} cannot be connected to: {error}.")


def _refuse_strangers(path: str, peer: socket.socket) -> None:
    """In ``/tmp`` another user could have made the socket first, and would be told what is searched for. Elsewhere it
    is another user's daemon that lets us in (``server.allowed_users``).
    """
    owner, user = peer_credentials(peer)[1], os.getuid()
    if user not in {0, owner} and owner != 0 and paths.anybody_could_make(path):
        raise AgentdClientError(
            "permission_denied", f"The daemon at {path} belongs to user {owner}, expected {user}. Set AGENTD_SOCKET."
        )


def peer_credentials(peer: socket.socket) -> tuple[int, int, int]:
    """Process, user and group of the other end: ``struct ucred``, three 32-bit integers."""
    pid, uid, gid = memoryview(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)).cast("I")
    return pid, uid, gid


def encode(request_id: int, method: str, params: Message) -> bytes:
    """One request as one line."""
    message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def received(reader: BinaryIO) -> Message:
    """The next message of a connection. Raises as :func:`decode`."""
    return decode(reader.readline(MAX_LINE_BYTES))


def decode(line: bytes) -> Message:
    """One line as a message.

    Raises:
        ConnectionLostError: the line is empty or ends early.
        WireError: it is no JSON object.
    """
    if not line.endswith(b"\n"):
        if len(line) >= MAX_LINE_BYTES:
            raise WireError(f"a line of at most {MAX_LINE_BYTES} bytes", "a longer one")
        raise ConnectionLostError("in the middle of a line" if line else "no answer")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise WireError("a line of JSON", repr(line[:80])) from None
    if not isinstance(message, dict):
        raise WireError("a JSON object", repr(line[:80]))
    return message


def event_of(message: Message) -> p.Event | None:
    """The event that a message carries, or None where it is an answer.

    Raises:
        WireError: a notification without the id of a request.
    """
    if message.get("method") != EVENT:
        return None
    params = message.get("params")
    if not isinstance(params, dict) or "id" not in params:
        raise WireError("the id of a request in an event", repr(params)[:80])
    return params  # type: ignore[return-value]  # the daemon's word for the rest


def result_of(message: Message) -> Any:
    """The result that an answer carries.

    Raises:
        AgentdClientError: the answer is an error.
        WireError: it is neither.
    """
    if "result" in message:
        return message["result"]
    error = message.get("error")
    if not isinstance(error, dict):
        raise WireError("a result or an error", repr(message)[:80])
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    raise AgentdClientError(str(data.get("kind", "internal")), str(error.get("message", "no message")), data)


def retry_seconds(error: AgentdClientError) -> float | None:
    """How long to wait before another try of a request that the daemon had no room for; None for any other error."""
    milliseconds = error.data.get("retry_after_ms")
    if error.kind != "busy" or not isinstance(milliseconds, int | float) or not milliseconds >= 0:
        return None
    return min(milliseconds / 1000, MOST_RETRY_SECONDS)


def refuse_other_protocol(hello: p.Hello) -> None:
    """Raise AgentdClientError where the daemon speaks another protocol; one that says nothing speaks ours."""
    theirs = hello.get("protocol", PROTOCOL_VERSION)
    if theirs == PROTOCOL_VERSION:
        return
    advice = UPGRADE if theirs > PROTOCOL_VERSION else RESTART
    version = hello.get("version", "of an unknown version")
    raise AgentdClientError(
        "protocol_mismatch",
        f"agentd {version} speaks protocol {theirs}, agentctl {__version__} protocol {PROTOCOL_VERSION}: {advice}",
        {"protocol": theirs},
    )


def path_params(path: str | None) -> Message:
    """Parameters of a call about one folder or, for None, about all. The daemon works elsewhere: paths are absolute."""
    return {} if path is None else {"path": absolute(path)}


def paths_params(paths: Sequence[str]) -> Message:
    """Parameters of a call about several files."""
    return {"paths": [absolute(path) for path in paths]}


def with_absolute_path(options: p.ImportOptions) -> Message:
    """The options, with a ``path`` among them as the daemon needs it."""
    return {**options, **path_params(options.get("path"))}


def absolute(path: str) -> str:
    """``path`` from the root of the file system on, without a look at the disk."""
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise AgentdClientError(
            "no_directory", f"The current directory is gone: expected an absolute path, found {path}"
        ) from None


def span_params(path: str, start_line: int, end_line: int | None) -> Message:
    """Parameters of ``read_span``."""
    params = path_params(path) | {"start_line": start_line}
    return params if end_line is None else params | {"end_line": end_line}


def page_params(limit: int, before: str | None) -> Message:
    """Parameters of ``answer.list`` and ``agent.runs``."""
    return {"limit": limit} if before is None else {"limit": limit, "before": before}


def wait_params(target: str, timeout: float | None) -> Message:
    """Parameters of ``index.wait``."""
    return {"for": target} if timeout is None else {"for": target, "timeout_ms": max(round(timeout * 1000), 1)}
