"""``agentctl doctor``: everything that support would ask, each with what was found and how to mend it.

Looks from outside, so that it also says why there is no daemon to ask. A module for each group of checks; they are
imported when the command runs, because the help imports this one.
"""

from __future__ import annotations

from agentd.cli import command as c
from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

DEFAULT_SAMPLE = 200


def arguments(parser: ArgumentParser) -> None:
    """What ``doctor`` takes."""
    parser.add_argument("--root", metavar="DIR", help="look at this root only")
    parser.add_argument(
        "--sample", type=c.count, default=DEFAULT_SAMPLE, metavar="N", help="files to compare (default: 200)"
    )
    parser.add_argument(
        "--deep", action="store_true", help="also load the model, check databases, search for what is indexed"
    )
    parser.add_argument("--verbose", action="store_true", help="show every check, also those that found all well")


def run(args: Namespace) -> int:
    """Examine, report, and fail where there is a problem."""
    from agentd.cli.doctor import report  # noqa: PLC0415  # only this command pays for them
    from agentd.cli.doctor.examination import examine  # noqa: PLC0415  # the same
    from agentd.cli.doctor.finding import PROBLEM  # noqa: PLC0415  # the same

    findings = examine(args.socket, root=args.root, sample=args.sample, deep=args.deep)
    if args.json:
        output.say_json([report.as_json(finding) for finding in findings])
    else:
        output.say(*report.lines(findings, output.screen(), verbose=args.verbose))
    return c.FAILED if any(finding.result == PROBLEM for finding in findings) else c.FOUND


COMMANDS = (c.Command("doctor", "Check all that agentd needs, and say how to mend what is wrong.", run, arguments),)
