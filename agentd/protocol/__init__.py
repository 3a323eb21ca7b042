"""The wire: JSON-RPC 2.0, one JSON message a line, on a Unix stream socket (docs/protocol.md is the reference).

Standard library only and next to no imports, because ``agentctl`` pays for each of them at every start. The shapes
that clients and server agree on exist for the type checker alone, and are not imported.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentd.protocol.agent import *  # noqa: F403  # whoever uses a shape finds it here
    from agentd.protocol.answer import *  # noqa: F403  # the same
    from agentd.protocol.graph import *  # noqa: F403  # the same
    from agentd.protocol.index import *  # noqa: F403  # the same
    from agentd.protocol.search import *  # noqa: F403  # the same

PROTOCOL_VERSION = 1

METHODS = (
    "hello",
    "search",
    "multi_search",
    "read_span",
    "list_files",
    "find_symbol",
    "related",
    "graph.callers",
    "graph.callees",
    "graph.call_chain",
    "graph.dependencies",
    "graph.dependents",
    "graph.complexity",
    "ask",
    "answer.get",
    "answer.verify",
    "answer.list",
    "agent.run",
    "agent.runs",
    "agent.trace",
    "agent.stop",
    "roots.add",
    "roots.remove",
    "roots.list",
    "index.status",
    "index.wait",
    "index.reindex",
    "index.inspect",
    "index.events",
    "stats",
    "metrics",
    "health",
    "cancel",
)

EVENT = "event"
"""Method of the notifications that a long call streams; ``params.id`` is the id of the request."""
