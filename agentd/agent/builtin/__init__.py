"""The tools that every agent has. Each is restricted to the roots of the run, and none of them writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.agent.builtin.finding import search_tools
from agentd.agent.builtin.reading import reading_tools
from agentd.agent.builtin.structure import structure_tools
from agentd.agent.builtin.web import web_tools
from agentd.config.tool_names import NAMES

if TYPE_CHECKING:
    from agentd.agent.contracts import Library, Tool

__all__ = ["NAMES", "library_tools", "web_tools"]


def library_tools(library: Library) -> tuple[Tool, ...]:
    """Those that read what is indexed, the most useful first."""
    return (*search_tools(library), *reading_tools(library), *structure_tools(library))
