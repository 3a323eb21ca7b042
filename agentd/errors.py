"""Every error that agentd raises on purpose.

::

    AgentdError                   internal
    ├── ConfigError               config_invalid
    ├── ProtocolError
    │   ├── ParseError            parse_error          -32700
    │   ├── InvalidRequestError   invalid_request      -32600
    │   ├── MethodNotFoundError   method_not_found     -32601
    │   ├── InvalidParamsError    invalid_params       -32602
    │   └── ResponseTooLargeError response_too_large
    ├── PeerRefusedError          peer_refused
    ├── RootError
    │   ├── RootNotFoundError     root_not_found
    │   ├── RootInvalidError      root_invalid
    │   └── RootFixedError        root_fixed
    ├── NotFoundError             not_found
    │   └── SymbolNotFoundError   symbol_not_found
    ├── OutsideRootsError         outside_roots
    ├── StateError
    │   ├── StateLockedError      state_locked
    │   ├── StateNewerError       state_newer
    │   └── StateUnusableError    state_unusable
    │       └── StateDamagedError state_damaged
    ├── ModelError                model_invalid
    ├── ComputeError
    │   ├── WorkerDiedError       worker_died
    │   │   └── NoWorkerError     worker_died
    │   ├── TaskTimeoutError      task_timeout
    │   ├── TaskMemoryError       task_memory
    │   └── TaskFailedError       task_failed (or the kind of the error raised in the worker)
    ├── ProviderError             provider_failed
    │   ├── ProviderUnavailableError provider_unavailable
    │   ├── ProviderRefusedError  provider_refused
    │   ├── ProviderAnswerError   provider_invalid
    │   └── NoProviderError       no_provider
    ├── EgressError               egress_refused
    ├── WebError                  web_failed
    │   └── AddressRefusedError   address_refused
    ├── ToolError                 tool_failed
    │   ├── ToolInputError        tool_input
    │   ├── ToolCommandError      tool_command
    │   ├── ToolUnknownError      tool_unknown
    │   └── ToolTimeoutError      tool_timeout
    ├── BusyError                 busy
    ├── DeadlineError             deadline
    ├── CancelledError            cancelled
    └── ShuttingDownError         shutting_down

``kind`` is stable: clients match on it, in ``error.data.kind`` on the wire. The message says what was expected, what
was found and what to do about it.
"""

from __future__ import annotations

from typing import ClassVar


class AgentdError(Exception):
    """Root of the tree. ``details`` travel beside ``kind`` in ``error.data`` and must be JSON values."""

    kind: str = "internal"
    code: ClassVar[int] = -32000
    """JSON-RPC 2.0 error code; -32000 is the first of the range that the standard leaves to servers."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class ConfigError(AgentdError):
    """The configuration cannot be used as it is."""

    kind = "config_invalid"


class ProtocolError(AgentdError):
    """A request that breaks JSON-RPC 2.0 or names what does not exist."""


class ParseError(ProtocolError):
    """A line that is not JSON, not UTF-8 or longer than allowed."""

    kind = "parse_error"
    code = -32700


class InvalidRequestError(ProtocolError):
    """JSON, but no JSON-RPC 2.0 request."""

    kind = "invalid_request"
    code = -32600


class MethodNotFoundError(ProtocolError):
    """No method of that name."""

    kind = "method_not_found"
    code = -32601


class InvalidParamsError(ProtocolError):
    """Parameters of a wrong type, out of bounds, or unknown."""

    kind = "invalid_params"
    code = -32602


class ResponseTooLargeError(ProtocolError):
    """The answer is longer than ``server.max_response_bytes``; ask for less of it."""

    kind = "response_too_large"


class PeerRefusedError(AgentdError):
    """The process at the other end of the socket belongs to another user."""

    kind = "peer_refused"


class RootError(AgentdError):
    """Something about a root folder."""


class RootNotFoundError(RootError):
    """No root of that path is known."""

    kind = "root_not_found"


class RootInvalidError(RootError):
    """A path that cannot be a root: missing, a file, ``/``, or inside another root."""

    kind = "root_invalid"


class RootFixedError(RootError):
    """A root that a flag or the configuration file names cannot be removed over the socket."""

    kind = "root_fixed"


class NotFoundError(AgentdError):
    """A file, chunk, symbol, answer or run that is not there."""

    kind = "not_found"


class FileGoneError(NotFoundError):
    """A file that the index knows and that cannot be read from the disk now."""


class SymbolNotFoundError(NotFoundError):
    """No definition answers to the name; ``nearest`` are some that exist."""

    kind = "symbol_not_found"


class OutsideRootsError(AgentdError):
    """A path that no root holds."""

    kind = "outside_roots"


class StateError(AgentdError):
    """Something about the state directory."""


class StateLockedError(StateError):
    """Another daemon holds the state directory or the socket."""

    kind = "state_locked"


class StateNewerError(StateError):
    """The state was written by a newer agentd."""

    kind = "state_newer"


class StateUnusableError(StateError):
    """The state directory or a file in it cannot be read or written: permissions, a full disk, damage."""

    kind = "state_unusable"


class StateDamagedError(StateUnusableError):
    """What a file of the state holds cannot be right. It is set aside and built again."""

    kind = "state_damaged"


class ModelError(AgentdError):
    """A model folder that cannot be used."""

    kind = "model_invalid"


class ComputeError(AgentdError):
    """A task given to a worker process did not return a result."""


class WorkerDiedError(ComputeError):
    """The worker's process ended while it held the task, also at the second try."""

    kind = "worker_died"


class NoWorkerError(WorkerDiedError):
    """No worker can be started at present. The task was not begun, so it is not to blame: try again later."""


class TaskTimeoutError(ComputeError):
    """The task ran past its time limit; its worker was killed."""

    kind = "task_timeout"


class TaskMemoryError(ComputeError):
    """The task took more memory than a worker may have; its worker was killed, or the kernel was refused more."""

    kind = "task_memory"


class TaskFailedError(ComputeError):
    """The kernel raised; ``kind`` is that error's own where it was one of ours."""

    kind = "task_failed"


class ProviderError(AgentdError):
    """A server that embeds or chats did not do what it was asked; ``provider`` names it."""

    kind = "provider_failed"


class ProviderUnavailableError(ProviderError):
    """It cannot be reached, is overloaded, or was too slow: it may work later."""

    kind = "provider_unavailable"


class ProviderRefusedError(ProviderError):
    """It refused the key, the model or the request: a person must change something."""

    kind = "provider_refused"


class ProviderAnswerError(ProviderError):
    """Its answer is broken, cut short, or not what was asked for."""

    kind = "provider_invalid"


class NoProviderError(ProviderError):
    """Every provider of the chain failed, or there is none; the message names each with its reason."""

    kind = "no_provider"


class EgressError(AgentdError):
    """A root's configuration does not let its text leave the machine for this."""

    kind = "egress_refused"


class WebError(AgentdError):
    """A search of the web or a page could not be had."""

    kind = "web_failed"


class AddressRefusedError(WebError):
    """An address that is not to be fetched: private, link-local, of this machine, or not http."""

    kind = "address_refused"


class ToolError(AgentdError):
    """A tool could not do what a model asked of it; with ``retry`` the model may ask again, in other words."""

    kind = "tool_failed"
    retry: bool = False


class ToolInputError(ToolError):
    """The arguments are no JSON, or do not fit the tool's schema."""

    kind = "tool_input"
    retry = True


class ToolCommandError(ToolError):
    """A command that is a tool ended with an error; the message holds the end of its output."""

    kind = "tool_command"
    retry = True


class ToolUnknownError(ToolError):
    """There is no tool of that name, or this run may not use it (any more)."""

    kind = "tool_unknown"
    retry = True


class ToolTimeoutError(ToolError):
    """A tool ran past its time limit and was stopped; a smaller task may be done in time."""

    kind = "tool_timeout"
    retry = True


class BusyError(AgentdError):
    """A queue or a limit is full; ``retry_after_ms`` says when to try again."""

    kind = "busy"


class DeadlineError(AgentdError):
    """Nothing was ready before the request's deadline."""

    kind = "deadline"


class CancelledError(AgentdError):
    """The client cancelled the request."""

    kind = "cancelled"


class ShuttingDownError(AgentdError):
    """The daemon is draining and takes no new work."""

    kind = "shutting_down"
