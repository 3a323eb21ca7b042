"""How the daemon does, by its own word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentd.cli import output
from agentd.cli.doctor.finding import Finding, ok, problem, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

BY_CHOICE = "(embedding.enabled)"
"""In the problem that somebody asked for."""
MOST_LAG_MS = 50.0
MOST_BEHIND_SECONDS = 60.0
JOURNAL = "its log says why: journalctl --user -u agentd -p warning"


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    if not patient.stats:
        yield skipped("daemon.health", "no daemon answers")
        return
    yield from health(patient)
    yield services(patient.stats.get("services", {}))
    yield lag(patient.stats.get("loop_lag", {}))
    yield workers(patient.stats.get("compute", {}).get("lanes", {}))
    yield refusals(patient.stats)
    yield views(patient.stats.get("views", {}))
    yield budgets(patient)


def health(patient: Patient) -> Iterator[Finding]:
    """Each of its problems, in its own words, which say what to do; but for those of chat servers, of which
    ``model.servers`` tells more.
    """
    told = tuple(f"{each['name']} is not asked " for each in patient.status.get("providers", []))
    said = [str(sentence) for sentence in patient.health.get("problems", [])]
    problems = [sentence for sentence in said if not sentence.startswith(told)]
    for sentence in problems:
        judge = warning if BY_CHOICE in sentence else problem
        yield judge("daemon.health", sentence, "no problem", "as it says; agentctl status shows when it is over")
    if not problems:
        lived = output.duration(patient.stats.get("process", {}).get("uptime_seconds", 0))
        yield ok("daemon.health", f"no {'other ' if said else ''}problem, up {lived}")


def services(restarts: dict[str, int]) -> Finding:
    """Parts of it that failed and were started again."""
    failed = {name: count for name, count in restarts.items() if count}
    if failed:
        return warning("daemon.services", f"started again: {output.counts(failed)}", "none failed", JOURNAL)
    return ok("daemon.services", "none failed")


def lag(told: dict[str, Any]) -> Finding:
    """By how much it is late with everything."""
    late = told.get("p99_ms", 0.0)
    found = f"p99 {late:.1f} ms, worst {told.get('max_ms', 0.0):.0f} ms"
    if late > MOST_LAG_MS:
        mend = "give it processor time: end what takes all cores, or raise its weight"
        return warning("daemon.lag", found, f"p99 under {MOST_LAG_MS:g} ms", mend)
    return ok("daemon.lag", found)


def workers(lanes: dict[str, dict[str, int]]) -> Finding:
    """Processes that ended unasked, or had to be ended."""
    ended = {name: sum(lane.get(name, 0) for lane in lanes.values()) for name in ("restarts", "killed", "recycled")}
    found = ", ".join(f"{count:,} {name}" for name, count in ended.items())
    if ended["restarts"] or ended["killed"]:
        mend = f"agentctl files --skipped names files that did it; {JOURNAL}"
        return warning("daemon.workers", found, "no worker dies or is killed", mend)
    return ok("daemon.workers", found)


def refusals(stats: dict[str, Any]) -> Finding:
    """Clients that were turned away, or cut off."""
    server = stats.get("server", {})
    refused = {f"connections {kind}": count for kind, count in server.get("refused", {}).items()}
    refused |= {name.replace("_", " "): server.get(name, 0) for name in ("shed", "slow_lines", "aborted_slow")}
    refused["requests busy"] = server.get("errors", {}).get("busy", 0)
    if found := output.counts({name: count for name, count in refused.items() if count}):
        mend = "docs/limits.md (Clients) says which setting each of them is about"
        return warning("daemon.refusals", found, "room for all clients", mend)
    return ok("daemon.refusals", "none since it started")


def views(told: dict[str, dict[str, float]]) -> Finding:
    """How far what is searched is behind what is stored."""
    late = {name: view["behind_seconds"] for name, view in told.items()}
    found = ", ".join(f"{name} {output.duration(seconds)}" for name, seconds in late.items())
    if any(seconds > MOST_BEHIND_SECONDS for seconds in late.values()):
        return warning("daemon.views", f"{found} behind", f"under {MOST_BEHIND_SECONDS:g} s", JOURNAL)
    return ok("daemon.views", f"{found} behind" if found else "none")


def budgets(patient: Patient) -> Finding:
    """What gives way to a budget. One that makes indexing wait is among the problems of health already."""
    limits = patient.status.get("limits", {})
    if pressed := [name.replace("_", " ") for name, limit in limits.items() if limit["state"] != "ok"]:
        mend = "raise what docs/limits.md names, or index less"
        return warning("daemon.budgets", f"reached: {', '.join(pressed)}", "all under their limits", mend)
    return ok("daemon.budgets", ", ".join(name.replace("_", " ") for name in limits))
