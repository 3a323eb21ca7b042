"""Examinations of a home of their own, and of parts of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentd.cli.doctor.machine import Machine
from agentd.cli.doctor.patient import Configuration, Patient

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agentd.cli.doctor.finding import Finding


class Told(Configuration):
    """In the place of the child that reads the configuration: most checks need but its defaults, which are none."""

    def __init__(self, text: str) -> None:
        self._text = text

    def ended(self) -> tuple[int, str, str]:
        return 0, self._text, ""


class QuickPatient(Patient):
    """A patient whose configuration is ``text``, on a machine that may be made up."""

    def __init__(self, socket: Path, text: str = "", machine: Machine | None = None, **options: Any) -> None:
        usual: dict[str, Any] = {"root": None, "sample": 200, "deep": False}
        super().__init__(str(socket), **(usual | options), configuration=Told(text), machine=machine)

    def __del__(self) -> None:
        self._hang_up()  # tests ask one after the other and forget them


def results(findings: Iterable[Finding], name: str = "") -> dict[str, str]:
    """Result by name, the last where one name comes more than once; of those that begin with ``name``."""
    return {finding.name: finding.result for finding in findings if finding.name.startswith(name)}


def one(findings: Iterable[Finding], name: str) -> Finding:
    (found,) = [finding for finding in findings if finding.name == name]
    return found


def made_up(place: Path, files: dict[str, str]) -> Machine:
    """A machine whose kernel says what ``files`` hold; names begin with ``proc/`` or ``groups/``."""
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(str(place / "proc"), str(place / "groups"))
