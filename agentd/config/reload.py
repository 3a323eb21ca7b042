"""What a running daemon can take over from a configuration that changed, and what waits for the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentd.config.load import as_values
from agentd.config.schema import FIELDS, SECTIONS

if TYPE_CHECKING:
    from agentd.config.settings import Settings

LIVE = frozenset(
    {
        "log.level",
        "index.exclude",
        "index.max_file_bytes",
        "index.quiet_milliseconds",
        "index.rescan_seconds",
        "index.poll_seconds",
        "server.max_in_flight",
        "server.max_running",
        "server.max_waiting",
        "server.max_buffered_megabytes",
        "server.write_timeout_seconds",
        "server.line_timeout_seconds",
        "server.drain_seconds",
        "server.idle_exit_seconds",
        "rerank.candidates",
        "rerank.weight",
        "rerank.limit_milliseconds",
        *(key for key in FIELDS if key.startswith(("search.", "limits.", "chat.", "answer.", "agent.", "web."))),
    }
)
"""Keys that take effect on SIGHUP; so do the roots and tools of the file. All else is built into processes and open
files. A chain of chat models does where it names servers that were there at the start.
"""

PLACES = ("socket", "state_directory", "config_file", "flag_roots")


def reload_difference(old: Settings, new: Settings) -> tuple[list[str], list[str]]:
    """Names of what differs: first what can change live (with ``roots``, ``tools``), then what needs a restart."""
    before, after, may_change = as_values(old), as_values(new), _live(old, new)
    changed = [key for key in FIELDS if before[key] != after[key]]
    live = [key for key in changed if key in may_change]
    restart = [key for key in changed if key not in may_change]
    if (old.roots, old.rules) != (new.roots, new.rules):
        live.append("roots")
    if old.tools != new.tools:
        live.append("tools")
    if old.providers != new.providers:
        restart.append("providers")
    restart += [name for name in PLACES if getattr(old, name) != getattr(new, name)]
    return live, restart


def take_live(old: Settings, new: Settings) -> Settings:
    """``old`` with the live part of ``new``: the settings in force after a reload."""
    changes: dict[str, Any] = {"roots": new.roots, "rules": new.rules, "tools": new.tools}
    may_change = _live(old, new)
    for section in SECTIONS:
        wanted = getattr(new, section)
        names = [FIELDS[key].name for key in may_change if FIELDS[key].section == section]
        values = {name: getattr(wanted, name) for name in names}
        changes[section] = msgspec.structs.replace(getattr(old, section), **values)
    return msgspec.structs.replace(old, **changes)


def _live(old: Settings, new: Settings) -> frozenset[str]:
    """The keys of ``LIVE`` that can change from ``old`` to ``new``."""
    built = {provider.name for provider in old.providers if provider.chat_model}
    return LIVE if built.issuperset(new.chat.chain) else LIVE - {"chat.chain"}
