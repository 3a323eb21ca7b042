"""The configuration, by the word of ``agentd --check``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.cli.doctor.finding import Finding, ok, problem, warning
from agentd.cli.units import Units
from agentd.config import paths, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

_WARNING = "agentd: warning: "
_VALUE = re.compile(r"(?<=, found ).*", re.DOTALL)
"""What an error says of a variable's value: a report is pasted where others read it."""


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    code, text, said = patient.checked
    lines = said.splitlines()
    path = paths.config_file()[0]
    if code:
        last = lines[-1].removeprefix("agentd: ") if lines else "it says nothing"
        yield problem(
            "configuration.valid", without_values(last), "a configuration that agentd takes", "agentd --check"
        )
    else:
        where = re.search(r"^# configuration file: (.*)$", text, re.MULTILINE)
        file = where[1] if where else path
        yield ok("configuration.valid", "no file: every setting has its default" if file == "none" else file)
    for line in lines:
        if line.startswith(_WARNING):
            found = without_values(line.removeprefix(_WARNING))
            yield warning("configuration.likely", found, "settings that work", f"edit {path}, or make what it names")
    yield environment()


def without_values(sentence: str) -> str:
    """The sentence without the value of an environment variable."""
    about_environment = "environment variable" in sentence or sentence.startswith("AGENTD_")
    return _VALUE.sub("another value", sentence) if about_environment else sentence


def environment() -> Finding:
    """A service does not see what the shell sets, so clients of this shell may look elsewhere than where it is."""
    unseen = service.unseen()
    if unseen and Units().installed():
        return warning(
            "configuration.environment",
            f"{', '.join(unseen)} set in this shell",
            "none of them, since the service is installed and does not see them",
            f"unset {' '.join(unseen)}",
        )
    return ok("configuration.environment", f"{', '.join(unseen) or 'nothing'} set in this shell")
