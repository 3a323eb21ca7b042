"""Open files and connections: as many as are needed where the system gives them, else fewer connections."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from agentd.config.settings import ServerSettings, Settings

OWN = 192
"""What the daemon opens for itself: databases 12, view files some 60 while they merge, workers 2 each and 3 more at a
start, and room for what libraries open in between. Measured: 60 at most while it indexes."""
FEWEST_CONNECTIONS = 8
"""Enough for one person and a tool or two; with less, agentd is of no use."""

log = structlog.get_logger(__name__)


class DescriptorPlan(Struct, frozen=True):
    """``limit`` is the soft limit to set, ``connections`` how many clients it leaves room for."""

    limit: int
    connections: int


def plan(asked: int, connections: int, hard: int) -> DescriptorPlan:
    """Share out descriptors. ``asked`` is ``limits.descriptors`` (0: what is needed), ``hard`` the most there can be.

    >>> plan(0, 1024, 524288), plan(0, 1024, 512)
    (DescriptorPlan(limit=1216, connections=1024), DescriptorPlan(limit=512, connections=320))
    """
    limit = min(asked or connections + OWN, hard)
    return DescriptorPlan(limit, min(connections, max(limit - OWN, FEWEST_CONNECTIONS)))


class Descriptors:
    """Sets the limit of this process, and lowers ``server.max_connections`` where it must."""

    def __init__(self) -> None:
        self.plan = DescriptorPlan(0, 0)
        self._problem = ""

    def fit(self, settings: Settings) -> ServerSettings:
        """Raise (or lower) the soft limit, and return the server's settings as they can be kept."""
        wanted = settings.server.max_connections
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.plan = plan(settings.limits.descriptors, wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.plan.limit, hard))
        self._problem = ""
        if self.plan.connections < wanted:
            self._problem = (
                f"at most {self.plan.connections:,} connections are taken instead of {wanted:,} "
                f"(server.max_connections): {self.plan.limit:,} descriptors are too few for more; raise "
                f"{'limits.descriptors' if self.plan.limit < hard else 'the hard limit of open files'}"
            )
            log.warning("connections_lowered", connections=self.plan.connections, descriptors=self.plan.limit)
        return replace(settings.server, max_connections=self.plan.connections)

    def problem(self) -> str:
        """A sentence where connections were lowered, else nothing."""
        return self._problem
