"""The protocol's side: what clients may ask of the server, and how results and errors reach them."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    NotificationParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
)

from agentd import __version__
from agentd.mcp import resources
from agentd.mcp.misfits import explained
from agentd.mcp.tools import TOOLS
from agentd.wire import AgentdClientError

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from agentd.mcp.desk import Desk
    from agentd.mcp.tool import Tool

log = logging.getLogger(__name__)

INSTRUCTIONS = (
    "agentd keeps the folders of this machine indexed that its user chose, code and documents alike. Use search to "
    "find where something is or how it works, multi_search where words may differ, find_symbol for definitions, "
    "related, callers, callees, call_chain, dependencies and dependents before changing code, read_span to read on, "
    "ask for an answer with citations. Tools look into the current project unless root names another folder. Results "
    "say in notes what is missing or was cut."
)
ADVICE = {
    "no_daemon": "Ask the user to run: agentctl doctor",
    "cannot_start": "Ask the user to run: agentctl doctor",
    "busy": "Try again in a moment.",
    "connection_lost": "agentd ended in the middle of this call; it is started again for the next one.",
    "outside_roots": "Only indexed folders can be read: status lists them, `agentctl add DIR` adds one.",
    "root_not_found": "status lists the folders that are indexed; `agentctl add DIR` adds one.",
    "method_not_found": "The agentd that runs is older than this server: agentctl stop, then call again.",
}
"""What to do about errors whose message does not say it, by kind."""


def new_server(desk: Desk) -> Server[Any]:
    """The server for one client, which has a seat at ``desk``."""
    server: Server[Any] = Server(
        "agentd",
        version=__version__,
        title="agentd: local search over code and documents",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=Caller(desk).call,
        **resource_handlers(desk),
    )

    async def folders_changed(_context: ServerRequestContext[Any], _params: NotificationParams) -> None:
        desk.forget_folders()

    server.add_notification_handler("notifications/roots/list_changed", NotificationParams, folders_changed)
    return server


async def list_tools(_context: ServerRequestContext[Any], _params: Any) -> ListToolsResult:
    """All tools, on one page."""
    return described()


@cache
def described() -> ListToolsResult:
    """Made when a client asks: `initialize` does not wait for it."""
    return ListToolsResult(tools=[tool.described() for tool in TOOLS])


class Caller:
    """Calls tools."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tools = {tool.name: tool for tool in TOOLS}

    async def call(self, context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        """Call a tool. What fails is a result too, so that the model sees it and can do better.

        Raises:
            MCPError: there is no such tool.
        """
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name}")
        try:
            return await self._result(tool, context, params.arguments or {})
        except msgspec.ValidationError as error:
            return failed("invalid_params", explained(str(error), tool.takes, params.arguments or {}))
        except AgentdClientError as error:
            return failed(error.kind, error.message)
        except KeyError as error:  # an answer of another shape than this version knows
            log.exception("answer of another shape")
            return failed("version_skew", f"the answer of agentd lacks {error}: is it older? agentctl stop restarts it")
        except Exception as error:
            log.exception("tool %s broke", tool.name)
            return failed("internal", f"{tool.name} broke ({type(error).__name__}); a log of this server says more")

    async def _result(self, tool: Tool, context: ServerRequestContext[Any], given: dict[str, Any]) -> CallToolResult:
        arguments = msgspec.convert(given, tool.takes, strict=False)  # models like to write numbers as strings
        try:
            found = await tool.run(await self._desk.call(context.session, arguments), arguments)
        except AgentdClientError as error:
            if error.kind != "root_not_found" or not self._desk.forget_roots():
                raise
            found = await tool.run(await self._desk.call(context.session, arguments), arguments)
        return CallToolResult(content=[TextContent(type="text", text=tool.text(found))], structured_content=found)


def failed(kind: str, message: str) -> CallToolResult:
    """An error as the result of a tool."""
    advice = f"\n{ADVICE[kind]}" if kind in ADVICE else ""
    text = TextContent(type="text", text=f"{kind}: {message}{advice}")
    return CallToolResult(content=[text], is_error=True)


def resource_handlers(desk: Desk) -> dict[str, Any]:
    """What answers about resources."""

    async def listed(_context: ServerRequestContext[Any], _params: Any) -> ListResourcesResult:
        try:
            return ListResourcesResult(resources=await resources.listed(desk))
        except AgentdClientError as error:
            raise as_protocol_error(error) from None

    async def templates(_context: ServerRequestContext[Any], _params: Any) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=[resources.LINES])

    async def read(_context: ServerRequestContext[Any], params: ReadResourceRequestParams) -> ReadResourceResult:
        try:
            return ReadResourceResult(contents=[await resources.read(desk, params.uri)])
        except AgentdClientError as error:
            raise as_protocol_error(error) from None

    return {"on_list_resources": listed, "on_list_resource_templates": templates, "on_read_resource": read}


def as_protocol_error(error: AgentdClientError) -> MCPError:
    """An error where there is no result that could carry it."""
    return MCPError(INTERNAL_ERROR, f"{error.kind}: {error.message}", {"kind": error.kind})
