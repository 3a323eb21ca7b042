"""All checks, in the order of their groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.cli.doctor import (
    configuration,
    daemon,
    index,
    limits,
    model,
    roots,
    service,
    sockets,
    state,
    versions,
)
from agentd.cli.doctor.finding import Finding, skipped
from agentd.cli.doctor.patient import Patient
from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Group = Callable[[Patient], Iterator[Finding]]

GROUPS: dict[str, Group] = {
    "versions": versions.check,
    "configuration": configuration.check,
    "socket": sockets.check,
    "service": service.check,
    "state": state.check,
    "limits": limits.check,
    "model": model.check,
    "roots": roots.check,
    "daemon": daemon.check,
    "index": index.check,
}
"""In the order of the report."""
EARLY = ("versions", "roots", "daemon", "index")
"""Groups that ask nothing of the configuration: they are looked at while a child still reads it."""


def examine(socket: str | None, *, root: str | None, sample: int, deep: bool) -> list[Finding]:
    """Make every check. Changes nothing, and takes nothing of a daemon that it would not give to any client."""
    patient = Patient(socket, root=root, sample=sample, deep=deep)
    try:
        order = sorted(GROUPS, key=lambda name: name not in EARLY)
        found = {name: list(guarded(name, GROUPS[name], patient)) for name in order}
    finally:
        patient.close()
    return [finding for name in GROUPS for finding in found[name]]


def guarded(name: str, group: Group, patient: Patient) -> Iterator[Finding]:
    """The findings of a group; one that cannot go on does not keep the others from being looked at."""
    try:
        yield from group(patient)
    except (OSError, AgentdClientError, KeyError, TypeError) as error:  # the last two: a daemon of another version
        yield skipped(f"{name}.rest", f"the other checks of this group were not possible: {error}")
