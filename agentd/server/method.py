"""What the entries of the method table are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentd.server.call import Call
    from agentd.server.params import Params
    from agentd.server.services import Services
    from agentd.server.stats import ServerStats


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler works with."""

    call: Call
    services: Services
    stats: ServerStats


class Load(Enum):
    """What a method costs while it runs, and so whose turns it takes."""

    NONE = auto()  # answers from memory, or waits: it runs at once
    LIGHT = auto()
    HEAVY = auto()  # as much work as several light ones


@dataclass(frozen=True, slots=True)
class Method:
    """A method and how the dispatcher treats it."""

    params: type[Params]
    handle: Callable[[Context, Any], Awaitable[object]]
    grace_seconds: float = 0.0  # past the deadline, for methods that end by themselves at it
    own_deadline: bool = False  # the handler keeps the deadline itself
    endless: bool = False  # ends only with the daemon, so that draining must not wait for it
    unlimited: bool = False  # allowed at the limit of requests in flight
    load: Load = Load.LIGHT
