"""``agentctl runs`` and ``trace``: runs of the agent that are kept, and what happened in one."""

from __future__ import annotations

from agentd.cli import answers, output
from agentd.cli import command as c

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agentd.client import Client
    from agentd.protocol import RunHead

STYLES = {"answered": output.GREEN, "running": output.CYAN, "failed": output.RED}
NO_RUNS = "No run is kept yet. To begin one: agentctl agent TASK"


def runs_arguments(parser: ArgumentParser) -> None:
    """What ``runs`` takes."""
    parser.add_argument("-n", "--limit", type=c.positive, default=20, metavar="N", help="the newest N (default: 20)")
    parser.add_argument("--stop", metavar="ID", help="end a run that goes on")


def trace_arguments(parser: ArgumentParser) -> None:
    """What ``trace`` takes."""
    parser.add_argument("id", metavar="ID", help="of a run; `agentctl runs` lists them")
    parser.add_argument("--full", action="store_true", help="show thoughts and results whole")


def run_runs(args: Namespace) -> int:
    """The runs that are kept, the newest first; or the end of one."""
    with c.connect(args) as client:
        if args.stop:
            return stop(client, args)
        page = client.runs(args.limit)
    if args.json:
        output.say_json(page)
    elif page["runs"]:
        output.say(*run_lines(page["runs"], output.screen()))
        if page["total"] > len(page["runs"]):
            output.note(f"{len(page['runs'])} of {page['total']:,} runs")
    else:
        output.note(NO_RUNS)
    return c.FOUND if page["runs"] else c.NOTHING_FOUND


def run_lines(runs: list[RunHead], screen: output.Screen) -> list[str]:
    """A line for each run; on a terminal its task is cut to fit."""
    widest = max(len(run["state"]) for run in runs)
    lines = []
    for run in runs:
        head = f"{output.clean(run['id'])}  {answers.when(run['at'])}  "
        state, gap = screen.paint(run["state"], STYLES.get(run["state"], output.YELLOW)), widest - len(run["state"]) + 2
        task = output.clean(" ".join(run["task"].split()))
        if screen.is_terminal:
            task = screen.fit(task, len(head) + widest + 2)
        lines.append(f"{head}{state}{' ' * gap}{task}")
    return lines


def stop(client: Client, args: Namespace) -> int:
    """End a run, whoever began it."""
    stopped = client.stop_run(args.stop)
    if args.json:
        output.say_json({"stopped": stopped})
    else:
        name = output.clean(args.stop)
        output.say(f"run {name} was stopped" if stopped else f"no run {name} goes on: it has ended, or there is none")
    return c.FOUND if stopped else c.NOTHING_FOUND


def run_trace(args: Namespace) -> int:
    """What happened in a run; of one that goes on, what has happened by now."""
    with c.connect(args) as client:
        found = client.trace(args.id)
    if args.json:
        output.say_json(found)
        return c.FOUND
    from agentd.cli import trace  # noqa: PLC0415  # a list of runs does not need it

    output.say(*trace.lines(found, output.screen(), full=args.full))
    return c.FOUND


COMMANDS = (
    c.Command("runs", "List the runs of the agent that are kept, or stop one.", run_runs, runs_arguments),
    c.Command("trace", "Show what happened in a run, turn by turn.", run_trace, trace_arguments),
)
