"""The state of the index in one line, for ``systemctl status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentd.protocol import IndexStatus


def summary(status: IndexStatus) -> str:
    """``indexing: 1,204 files left``, ``current: 3,310 files``; with how much is wrong, where something is."""
    line = f"{status['state']}: {_left(status)}"
    if problems := len(status["degraded"]):
        line += f"; {_counted(problems, 'problem')}, see agentctl status"
    return line


def _left(status: IndexStatus) -> str:
    if not status["roots"]:
        return "no folders yet, see agentctl add"
    if status["pending"]:
        return f"{_counted(status['pending'], 'file')} left"
    if status["vectors_pending"]:
        return f"{_counted(status['vectors_pending'], 'passage')} left"
    return _counted(status["documents"], "file")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
