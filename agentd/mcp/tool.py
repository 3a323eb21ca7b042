"""What a tool is, and how it is shown to clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mcp_types import Tool as ToolDescription
from mcp_types import ToolAnnotations

from agentd.mcp.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentd.mcp.arguments import Arguments
    from agentd.mcp.call import Call


class Tool(NamedTuple):
    """One tool. ``run`` gives what has the shape ``gives``, and ``text`` writes it down for a language model.

    ``open_world``: it may ask a model or the web, so that two calls may differ, and cost.
    """

    name: str
    title: str
    description: str
    takes: type[Arguments]
    gives: type
    run: Callable[[Call, Any], Awaitable[Any]]
    text: Callable[[Any], str]
    open_world: bool = False

    def described(self) -> ToolDescription:
        """As ``tools/list`` shows it."""
        hints = ToolAnnotations(
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=not self.open_world,
            open_world_hint=self.open_world,
        )
        return ToolDescription(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=schema_of(self.takes),
            output_schema=schema_of(self.gives),
            annotations=hints,
        )
