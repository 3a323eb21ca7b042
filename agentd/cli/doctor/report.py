"""How findings are shown: aligned for people, or as JSON. Nothing in it that a person would not paste into an issue."""

from __future__ import annotations

import os
import re
from itertools import groupby
from typing import TYPE_CHECKING

from agentd.cli import output
from agentd.cli.doctor.finding import OK, PROBLEM, SKIPPED, WARNING, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

STYLES = {OK: output.GREEN, WARNING: output.YELLOW, PROBLEM: output.RED, SKIPPED: output.DIM}
RESULT_COLUMNS = max(map(len, STYLES))


def lines(findings: Sequence[Finding], screen: output.Screen, *, verbose: bool) -> list[str]:
    """The report, group by group; what is well takes one line a group, unless ``verbose``."""
    shown = list(map(private, findings))
    width = max((len(finding.name) for finding in shown), default=0)
    told: list[str] = []
    for group, members in groupby(shown, key=lambda finding: finding.group):
        told += group_lines(group, list(members), screen, width, verbose=verbose)
    return [*told, "", total(shown, screen)]


def group_lines(
    group: str, findings: Sequence[Finding], screen: output.Screen, width: int, *, verbose: bool
) -> list[str]:
    """One group: what is well in a line, then the rest."""
    well = [finding for finding in findings if finding.result == OK]
    rest = list(findings) if verbose else [finding for finding in findings if finding.result != OK]
    told = []
    if well and not verbose:
        checks = "1 check" if len(well) == 1 else f"{len(well)} checks"
        told.append(row(OK, group, checks, screen, width))
    for finding in rest:
        told.append(row(finding.result, finding.name, finding.found, screen, width))
        indent = " " * (RESULT_COLUMNS + width + 4)
        told += [f"{indent}{word} {text}" for word, text in explained(finding)]
    return told


def explained(finding: Finding) -> list[tuple[str, str]]:
    """What was expected and how to mend it, where there is anything to mend."""
    both = (("expected:", finding.expected), ("mend:", finding.mend))
    return [(word, output.clean(text)) for word, text in both if text]


def row(result: str, name: str, text: str, screen: output.Screen, width: int) -> str:
    """``result  name  text``, aligned over the whole report."""
    return f"{screen.paint(result.ljust(RESULT_COLUMNS), STYLES[result])}  {name.ljust(width)}  {output.clean(text)}"


def total(findings: Sequence[Finding], screen: output.Screen) -> str:
    """``23 ok, 1 warning, 0 problems, 2 skipped``."""
    counts = {result: sum(finding.result == result for finding in findings) for result in STYLES}
    plural = {result: "" if count == 1 or result in {OK, SKIPPED} else "s" for result, count in counts.items()}
    worst = PROBLEM if counts[PROBLEM] else WARNING if counts[WARNING] else OK
    return screen.paint(", ".join(f"{count} {name}{plural[name]}" for name, count in counts.items()), STYLES[worst])


def as_json(finding: Finding) -> dict[str, str]:
    """One entry of the list."""
    told = private(finding)
    return {
        "name": told.name,
        "group": told.group,
        "result": told.result,
        "found": told.found,
        "expected": told.expected,
        "mend": told.mend,
    }


def private(finding: Finding) -> Finding:
    """With ``~`` for the home directory: its path often is a person's name."""
    return finding._replace(
        found=without_home(finding.found), expected=without_home(finding.expected), mend=without_home(finding.mend)
    )


def without_home(text: str) -> str:
    """``~`` for the home directory, before the quote where there is one, so that a shell reads it."""
    home = os.path.expanduser("~")
    for path in {home, os.path.realpath(home)} - {"/"}:
        text = text.replace(f"'{path}/", "~/'")
        text = re.sub(rf"(?<![\w/.]){re.escape(path)}(?![\w.-])", "~", text)
    return text
