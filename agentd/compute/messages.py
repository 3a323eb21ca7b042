"""What daemon and worker say to each other.

::

    daemon                            worker
    Setup            -------------->                     once, at once
                     <--------------  Hello              its registry is imported: ready for tasks
    Run              -------------->                     one at a time
    Cancel           -------------->                     nobody waits for the task any more, if it still runs
                     <--------------  Part ...           one from a plain kernel, any number from a streaming one
                     <--------------  Done | Failed      ready for the next
"""

from __future__ import annotations

from msgspec import Raw, Struct


class Setup(Struct, frozen=True, array_like=True, tag=True):
    """How the worker shall live. ``registry`` is the module whose ``KERNELS`` are all that it runs; past ``data_bytes``
    of memory of its own (RLIMIT_DATA) it gets no more.
    """

    registry: str
    nice: int
    oom_score_adjust: int
    data_bytes: int


class Run(Struct, frozen=True, array_like=True, tag=True):
    """A task. ``request`` is the kernel's request, and travels as its msgpack."""

    kernel: str
    request: Raw


class Cancel(Struct, frozen=True, array_like=True, tag=True):
    """Give the present task up as soon as its kernel pauses. It may have ended meanwhile: then this means nothing."""


class Hello(Struct, frozen=True, array_like=True, tag=True):
    """The worker is ready."""


class Part(Struct, frozen=True, array_like=True, tag=True):
    """One result or several, in order; each travels as its msgpack."""

    values: list[Raw]


class Done(Struct, frozen=True, array_like=True, tag=True):
    """The task is complete."""


class Failed(Struct, frozen=True, array_like=True, tag=True):
    """The kernel raised.

    ``kind``, ``message`` and ``details`` are those of an AgentdError; any other exception comes as ``task_failed`` with
    its type and message. ``trace`` holds files, lines and source of the code alone, never values: those would carry
    text of documents into the log.
    """

    kind: str
    message: str
    details: dict[str, object]
    trace: str


FromDaemon = Setup | Run | Cancel
FromWorker = Hello | Part | Done | Failed
