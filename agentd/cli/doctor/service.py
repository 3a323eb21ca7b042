"""The service manager: whether it runs agentd, and what came of that."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

from agentd.cli.doctor.finding import Finding, ok, problem, skipped, warning
from agentd.cli.steps import read
from agentd.cli.units import Units
from agentd.config import service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

SYSTEMCTL_SECONDS = 2.0
PROPERTIES = ("ActiveState", "Result", "NRestarts", "UnitFileState", "ExecMainStatus", "MainPID")
STATUS_MEANS = {
    "2": "the configuration is wrong: agentd --check",
    "3": "another agentd uses the state directory or the socket: agentctl stop",
    "4": "the state directory or the socket cannot be used",
    "5": "a newer agentd wrote the state: upgrade agentd",
}
"""Exit codes of agentd."""


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    installed = [units for units in (Units(), *of_system()) if units.installed()]
    if not installed:
        yield skipped("service.installed", "agentd is not installed as a service", "agentctl install")
        return
    yield installation(installed)
    for units in installed:
        yield command(units)
        yield from state(units, patient)
    if any(units.account is None for units in installed):
        yield lingering()


def of_system() -> list[Units]:
    """The system's service for this user, who may have no name."""
    try:
        return [Units(pwd.getpwuid(os.getuid()))]
    except KeyError:
        return []


def installation(installed: list[Units]) -> Finding:
    """Both services would be two daemons with two indexes."""
    found = ", ".join(units.service for units in installed)
    if len(installed) == 1:
        return ok("service.installed", f"{found} in {installed[0].directory}")
    mend = "agentctl uninstall, or: sudo agentctl uninstall --system"
    return warning("service.installed", f"{found}: two daemons with two indexes", "one service", mend)


def command(units: Units) -> Finding:
    """An environment that was moved or deleted takes the service with it."""
    text = read(units.paths()[0]) or ""
    started = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    words = shlex.split(started[1].replace("%%", "%")) if started else []
    again = "sudo agentctl install --system" if units.account else "agentctl install"
    if not words:
        found = f"{units.paths()[0]} has no ExecStart="
        return problem("service.command", found, "a unit that starts agentd", again)
    if not os.access(words[0], os.X_OK):
        return problem("service.command", f"{words[0]} is not there any more", "a program that can be started", again)
    return ok("service.command", words[0])


def state(units: Units, patient: Patient) -> Iterator[Finding]:
    """What the manager knows of the service."""
    told = shown(units)
    if not told:
        yield skipped("service.state", f"no service manager answers {shlex.join(units.systemctl)}")
        return
    manage, journal = " ".join(units.systemctl), " ".join(["journalctl", *units.systemctl[1:], "-u", units.service])
    active = told.get("ActiveState", "")
    if active == "failed":
        found = f"{units.service} failed: {told['Result']}, exit status {told['ExecMainStatus']}"
        why = STATUS_MEANS.get(told["ExecMainStatus"], f"{journal} -n 50 says why")
        mend = f"{why}; then: {manage} reset-failed {units.service} {units.socket} && {manage} start {units.service}"
        yield problem("service.state", found, "active", mend)
    elif active != "active" and not patient.hello:
        yield problem("service.state", f"{units.service} is {active}", "active", f"{manage} start {units.service}")
    else:
        yield ok("service.state", f"{units.service} is {active}")
    if told.get("UnitFileState") == "disabled":
        found = f"{units.service} does not start by itself"
        yield warning("service.enabled", found, "enabled", f"{manage} enable {units.socket} {units.service}")
    if (restarts := told.get("NRestarts", "0")) != "0":
        found = f"{units.service} was restarted {restarts} times after failures"
        yield warning("service.restarts", found, "none since it was started", f"{journal} -p warning says why")
    main = told.get("MainPID", "0")
    if patient.pid and main not in {"0", str(patient.pid)}:
        found = f"process {patient.pid} answers, {units.service} is process {main}"
        yield warning(
            "service.process", found, "the service's agentd answers", "agentctl stop ends the one that answers"
        )


def shown(units: Units) -> dict[str, str]:
    """Properties of the service; none where nobody tells."""
    question = [*units.systemctl, "show", f"--property={','.join(PROPERTIES)}", units.service]
    try:
        ended = subprocess.run(  # noqa: S603  # the system's own command
            question, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SYSTEMCTL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    pairs = (line.partition("=") for line in ended.stdout.splitlines()) if ended.returncode == 0 else ()
    return {name: value for name, _, value in pairs}


def lingering() -> Finding:
    """Whether the user's manager, and agentd with it, outlives the log-out."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return skipped("service.lingering", "this user has no name")
    if os.path.exists(os.path.join(service.LINGERING, name)):
        return ok("service.lingering", "agentd keeps running after you log out")
    return warning(
        "service.lingering", "agentd ends when you log out", "lingering, where it is to go on", "loginctl enable-linger"
    )
