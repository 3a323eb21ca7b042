"""Roots as resources, and lines of files by a template.

``agentd://roots`` has all of them, ``agentd://root/PATH`` one, ``agentd://file/PATH?start_line=1&end_line=9`` lines.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, Resource, ResourceTemplate, TextResourceContents

if TYPE_CHECKING:
    from agentd.mcp.desk import Desk
    from agentd.protocol import RootInfo

SCHEME = "agentd"
JSON, TEXT = "application/json", "text/plain"
ALL = Resource(
    uri=f"{SCHEME}://roots",
    name="roots",
    title="Indexed folders",
    description="Every folder that agentd keeps indexed, and how far its index is",
    mime_type=JSON,
)
LINES = ResourceTemplate(
    uri_template=f"{SCHEME}://file{{+path}}{{?start_line,end_line}}",
    name="file",
    title="Lines of an indexed file",
    description="Lines of an indexed file as they are on disk now; both ends are included, by default all",
    mime_type=TEXT,
)


async def listed(desk: Desk) -> list[Resource]:
    """All roots together, and each for itself."""
    return [ALL, *map(resource_of, await desk.known())]


def resource_of(root: RootInfo) -> Resource:
    """A root, with its state in its description."""
    about = f"{root['state']}: {root['documents']:,} files, {root['chunks']:,} passages"
    uri = f"{SCHEME}://root{quote(root['path'])}"
    return Resource(uri=uri, name=root["path"], description=about, mime_type=JSON)


async def read(desk: Desk, uri: str) -> TextResourceContents:
    """What ``uri`` stands for.

    Raises:
        MCPError: there is no such resource.
        AgentdClientError: the daemon refuses it.
    """
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if parts.scheme == SCHEME and parts.netloc == "file" and path:
        return TextResourceContents(uri=uri, mime_type=TEXT, text=await lines(desk, path, parts.query))
    roots = await desk.known()
    if uri == ALL.uri:
        return as_json(uri, roots)
    one = next((root for root in roots if parts.netloc == "root" and root["path"] == path), None)
    if one is None:
        raise MCPError(INVALID_PARAMS, f"No such resource: {uri}", {"uri": uri})
    return as_json(uri, one)


async def lines(desk: Desk, path: str, query: str) -> str:
    """The text of a span."""
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    if unknown := [name for name, value in given.items() if name not in NUMBERS or not value.isdecimal()]:
        raise MCPError(INVALID_PARAMS, f"Expected numbers for {' and '.join(NUMBERS)}, found {', '.join(unknown)}")
    span: dict[str, Any] = await desk.daemon.call("read_span", {"path": path} | {n: int(v) for n, v in given.items()})
    return str(span["text"])


NUMBERS = ("start_line", "end_line")


def as_json(uri: str, value: Any) -> TextResourceContents:
    """A value as a resource."""
    return TextResourceContents(uri=uri, mime_type=JSON, text=json.dumps(value))
