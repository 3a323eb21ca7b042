"""agentctl and a daemon of another version: what still works together, and which of the two to renew where it does not.

One installation holds both, so the daemon that runs is older after an upgrade until it is restarted, and newer where
another installation's agentctl is found first.
"""

from __future__ import annotations

from agentd import __version__
from agentd.client import AgentdClientError, Client
from agentd.protocol import PROTOCOL_VERSION
from agentd.wire import RESTART, UPGRADE, refuse_other_protocol


def greet(client: Client) -> None:
    """Say who calls, and see that both sides speak the same protocol.

    Raises:
        AgentdClientError: ``protocol_mismatch``; the message says which side to renew.
    """
    refuse_other_protocol(client.hello(client="agentctl", version=__version__, protocol=PROTOCOL_VERSION))


def explanation(socket_path: str | None) -> str | None:
    """Why a daemon may not know what was asked of it, or answer it otherwise; None where both have the same version."""
    try:
        with Client(socket_path, timeout=2.0) as client:
            theirs = client.hello().get("version", "")
    except AgentdClientError:
        return None
    if parts(theirs) == parts(__version__):
        return None
    older = parts(theirs) < parts(__version__)
    relation, advice = ("older", RESTART) if older else ("newer", UPGRADE)
    return f"the daemon is {relation} ({theirs or 'unknown'}) than agentctl ({__version__}): {advice}"


def parts(version: str) -> list[int]:
    """The numbers of a version, to be compared: ``0.10.1`` is [0, 10, 1]; what follows the numbers does not count."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return numbers
