"""Models and servers in ``agentctl status``: a row each, with what they did and what keeps them from it."""

from __future__ import annotations

from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentd.protocol import IndexStatus, ProviderInfo, SpaceInfo

COLOURS = {"ok": output.GREEN, "untried": output.DIM, "waiting": output.YELLOW, "refused": output.RED}


def model_rows(status: IndexStatus, screen: output.Screen) -> list[tuple[str, str]]:
    """A row a model of the embedding chains, in their order; one that has always been there needs no state."""
    spaces = status.get("spaces", [])
    if not spaces or (len(spaces) == 1 and spaces[0]["provider"] == "local"):
        return [("model", output.clean(status["space"] or "none: keyword search only"))]
    return [("model", f"{model_name(each)}: {standing(each, screen)}; {progress(each, spaces)}") for each in spaces]


def server_rows(status: IndexStatus, screen: output.Screen, now: float) -> list[tuple[str, str]]:
    """A row a server of the configuration, and one more for its last failure. ``now`` is since the epoch."""
    rows = []
    for each in status.get("providers", []):
        purposes = " and ".join(each["purposes"])
        about = f"{output.clean(each['name'])} ({output.clean(each['kind'])}, {purposes}): {standing(each, screen)}"
        rows.append(("server", f"{about}; {requests(each)}"))
        if failure := last_failure(each, now):
            rows.append(("", failure))
    return rows


def model_name(space: SpaceInfo) -> str:
    """``local (onnx/all-MiniLM-L6-v2/384/1)``."""
    return output.clean(f"{space['provider']} ({space['space'] or 'not seen yet'})")


def standing(each: SpaceInfo | ProviderInfo, screen: output.Screen) -> str:
    """``ok``, or ``waiting (reason)``."""
    state = screen.paint(output.clean(each["state"]), COLOURS.get(each["state"], output.YELLOW))
    return f"{state} ({output.clean(each['reason'])})" if each["reason"] else state


def progress(space: SpaceInfo, spaces: list[SpaceInfo]) -> str:
    """``30 vectors (43 %), 40 to compute``; the share is that of all vectors."""
    total = sum(each["vectors"] for each in spaces)
    share = f" ({100 * space['vectors'] / total:.0f} %)" if total else ""
    left = f", {space['pending']:,} to compute" if space["pending"] else ""
    return f"{space['vectors']:,} vectors{share}{left}"


def requests(server: ProviderInfo) -> str:
    """``120 requests, 3 failed``."""
    counts = server["counts"]
    failed = f", {counts['failures']:,} failed" if counts.get("failures") else ""
    return f"{counts.get('requests', 0):,} requests{failed}"


def last_failure(server: ProviderInfo, now: float) -> str:
    """``last failed 3 min ago: reason``; the reason only where the state does not say it."""
    if server["last_failure_at"] is None:
        return ""
    ago = output.duration(max(now - server["last_failure_at"], 0))
    known = server["last_failure"] == server["reason"]
    return f"last failed {ago} ago" + ("" if known else f": {output.clean(server['last_failure'])}")
