"""Tools that are functions: one definition gives name, description, JSON schema, validation and function.

::

    class Waiting(Struct, frozen=True, forbid_unknown_fields=True):
        until: Annotated[str, Meta(description="When to go on")]

    @tool(Waiting, "Wait for a time of day.")
    async def wait(asked: Waiting, scope: Scope) -> ToolResult: ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec import Struct

from agentd.agent.arguments import decode, fitted
from agentd.agent.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentd.agent.contracts import Scope, ToolResult

A = TypeVar("A", bound=Struct)


class FunctionTool:
    """A :class:`~agentd.agent.contracts.Tool` made of a function; see ``tool``."""

    def __init__(
        self,
        name: str,
        description: str,
        arguments: type[A],
        function: Callable[[A, Scope], Awaitable[ToolResult]],
        *,
        seconds: float = 0.0,
        web: bool = False,
    ) -> None:
        self.name = name
        self.description = description
        self.schema = schema_of(arguments)
        self.seconds = seconds
        self.web = web
        self._arguments = arguments
        self._function = cast("Callable[[Any, Scope], Awaitable[ToolResult]]", function)

    def parse(self, arguments: str) -> Struct:
        """See ``Tool``."""
        return fitted(decode(arguments), self._arguments, self.schema)

    async def run(self, arguments: object, scope: Scope) -> ToolResult:
        """See ``Tool``."""
        return await self._function(arguments, scope)


def tool(
    arguments: type[A], description: str, *, seconds: float = 0.0, web: bool = False
) -> Callable[[Callable[[A, Scope], Awaitable[ToolResult]]], FunctionTool]:
    """Make a tool of a function, under the function's name. ``arguments`` forbids unknown fields, and says of each of
    its own what it means (``Meta(description=...)``).

    Raises:
        ValueError: a field lacks its description, or ``arguments`` holds itself.
    """

    def made(function: Callable[[A, Scope], Awaitable[ToolResult]]) -> FunctionTool:
        return FunctionTool(function.__name__, description, arguments, function, seconds=seconds, web=web)

    return made
