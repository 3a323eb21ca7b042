"""``agentctl agent``: a model works on a task with tools, shown as it happens."""

from __future__ import annotations

import os
import signal
import threading
import time
from argparse import SUPPRESS

from agentd.cli import answers, calls, output
from agentd.cli import command as c
from agentd.cli.failures import Failures
from agentd.cli.open_calls import OpenCalls
from agentd.cli.search import quoted, scope_of
from agentd.client import AgentdClientError
from agentd.config import terminal
from agentd.config.tool_names import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from types import FrameType, TracebackType
    from typing import Protocol, Self

    from agentd.client import Client, Stream
    from agentd.protocol import AgentEvent, AgentOptions, Run

    class View(Protocol):
        """Shows a run while it goes on."""

        def tell(self, event: AgentEvent) -> None:
            """Something happened."""

        def close(self) -> None:
            """Nothing more happens; what was drawn for the moment goes. Does nothing the second time."""

        def answer(self, run: Run) -> None:
            """The run has a result: show what of its answer is not shown yet. After ``close``."""


TIERS = ("small", "medium", "large")

EXIT_CODES = {"answered": c.FOUND, "cancelled": c.INTERRUPTED}


def arguments(parser: ArgumentParser) -> None:
    """What ``agent`` takes."""
    parser.add_argument("task", type=c.words, metavar="TASK", help="in quotes")
    parser.add_argument("unquoted", nargs="*", default=[], help=SUPPRESS)  # without a default it counts as required
    parser.add_argument("--tier", choices=TIERS, help="how much it may take (default: what the model is good for)")
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--root", metavar="DIR", help="work on this root (default: the one you are in, else all)")
    scope.add_argument("--all", action="store_true", help="work on every root")
    parser.add_argument("--web", action="store_true", help="it may use the web, where the configuration allows it")
    parser.add_argument("--tools", metavar="A,B", help=f"with these tools only, of {', '.join(NAMES)}, and your own")
    parser.add_argument("--max-turns", type=c.positive, metavar="N", help="at most N turns of the model")
    parser.add_argument("--max-seconds", type=c.seconds, metavar="S", help="at most S seconds")
    parser.add_argument("--keep", action="store_true", help="go on when this command ends, by Ctrl-C too")
    parser.add_argument("--plain", action="store_true", help="a terminal is told what a pipe would be")
    parser.add_argument("-v", "--verbose", action="store_true", help="show thoughts and results whole")


def run(args: Namespace) -> int:
    """Work on the root that holds the current directory, or what the arguments name."""
    if args.unquoted:
        words = quoted([args.task, *args.unquoted])
        output.note(f"agentctl: expected one task, in quotes: agentctl agent {words}")
        return c.USAGE
    with c.connect(args) as client:
        if (scope := scope_of(args, client.roots())) is None:
            return c.NOTHING_FOUND
        client.timeout = None  # a model may think for long; Ctrl-C is there
        stream = client.stream("agent.run", task=args.task, **options(args, scope))
        return follow(client, stream, args)


def options(args: Namespace, scope: list[str]) -> AgentOptions:
    """The parameters that were given; the others are the daemon's to choose."""
    given = {
        "roots": scope,
        "tier": args.tier,
        "web": args.web,
        "tools": [name.strip() for name in args.tools.split(",") if name.strip()] if args.tools else [],
        "max_turns": args.max_turns,
        "max_seconds": args.max_seconds,
        "keep": args.keep,
    }
    return {name: value for name, value in given.items() if value}  # type: ignore[return-value]


def follow(client: Client, stream: Stream, args: Namespace) -> int:
    """Show a run until it ends, and how it ended.

    Raises:
        AgentdClientError: it failed, or was ended by somebody else.
    """
    screen = output.Screen(is_terminal=False) if args.plain else output.screen()
    tally, interrupts = Tally(), Interrupts(client, stream, keep=args.keep)
    try:
        with interrupts:  # before anything is drawn: whatever happens, the cursor comes back
            view = view_for(args, screen, interrupts, tally.failures)
            show(stream, view, tally, everything=args.json)
    except LeftError:
        if screen.is_terminal:
            output.note("")
        left_behind(tally)
        return c.INTERRUPTED
    except AgentdClientError as error:
        if screen.is_terminal:
            output.note("")
        tally.say_end("cancelled" if error.kind == "cancelled" else "failed", error.data.get("run"))
        if error.kind == "cancelled" and interrupts.happened:
            return c.INTERRUPTED
        raise
    return finish(stream.result, view, args, screen, tally.failures)


def show(stream: Stream, view: View, tally: Tally, *, everything: bool) -> None:
    """Tell of all that happens, until nothing more does."""
    try:
        for event in told(stream, everything=everything):
            tally.add(event)
            view.tell(event)
    finally:
        view.close()


def told(stream: Stream, *, everything: bool) -> Iterator[AgentEvent]:
    """The events of a run; without ``everything`` not that of the error that ends it: the command ends with it too."""
    error: AgentEvent | None = None
    for each in stream:
        event: AgentEvent = each  # type: ignore[assignment]  # those of this method
        if error and event.get("state") != "failed":
            yield error
        error = event if event["event"] == "error" and not everything else None
        if not error:
            yield event


def view_for(args: Namespace, screen: output.Screen, interrupts: Interrupts, failures: Failures) -> View:
    """How a run is shown: drawn where the terminal can, as lines elsewhere."""
    if args.json:
        return JsonView()
    if not screen.is_terminal or not terminal.knows_escapes():
        return PlainView(screen, failures)
    from agentd.cli.agent_view import LiveView  # noqa: PLC0415  # rich is half of the start, and the run has begun

    return LiveView(screen, interrupts, failures, verbose=args.verbose)


def finish(run: Run, view: View, args: Namespace, screen: output.Screen, failures: Failures) -> int:
    """The answer, what it rests on and what it took."""
    view.answer(run)
    if not args.json:
        for line in answers.evidence_lines(run, screen):
            output.say(line)
        say_notes(run, screen, failures)
    if run["state"] == "answered" and calls.is_without_answer(run):
        return c.NOTHING_FOUND
    return EXIT_CODES.get(run["state"], c.FAILED)


def say_notes(run: Run, screen: output.Screen, failures: Failures) -> None:
    """How a run ended and what it took; beside a pipe."""
    doubts = calls.degraded_lines(run["degraded"], failures)
    parts = [*calls.total_parts(run), trace_hint(run["id"])]
    lines = output.joined(parts, calls.line_columns(screen))
    if screen.is_terminal:
        painted = (screen.paint(line, output.YELLOW) for line in doubts)
        output.say("", *painted, *(screen.paint(line, output.DIM) for line in lines))
    else:
        output.note(*doubts, *lines)


def trace_hint(run_id: str) -> str:
    """Where to read what happened."""
    name = output.clean(run_id)
    return f"run {name}: agentctl trace {name}"


def left_behind(tally: Tally) -> None:
    """What to do about a run that goes on."""
    name = output.clean(tally.run)
    output.note(f"The run goes on: agentctl trace {name}", f"To end it: agentctl runs --stop {name}")


class Tally:
    """What was seen of a run: all that can be said of one that ends without a result."""

    def __init__(self) -> None:
        self.run = ""
        self.failures = Failures()
        self._began = time.monotonic()
        self._counts = {"turns": 0, "tool_calls": 0, "tool_errors": 0}

    def add(self, event: AgentEvent) -> None:
        """Count an event; ``done`` counts all of them."""
        self.run = event.get("run", self.run)
        if event["event"] == "error":
            self.failures.add(event)
        self._counts["turns"] = max(self._counts["turns"], event.get("turn", 0))
        self._counts["tool_calls"] += event["event"] == "tool_call"
        self._counts["tool_errors"] += event["event"] == "tool_result" and event["outcome"] != "ok"
        if event["event"] == "done":
            self._counts = event["counts"]

    def say_end(self, state: str, run: object) -> None:
        """How far the run came, beside a pipe; nothing where it never began."""
        if not (name := str(run or self.run)):
            return
        took = output.took(1000 * (time.monotonic() - self._began))
        parts = [f"{state} after {took}", *calls.count_parts(self._counts), trace_hint(name)]
        output.note(*output.joined(parts, output.width()))


class LeftError(Exception):
    """Ctrl-C, where the run is to go on without us."""


class Interrupts:
    """The first Ctrl-C ends the run in the daemon, which still says how far it came; the second leaves at once.

    On the first nothing is raised: an exception in the middle of a read would lose half of a line. And it is a thread
    that cancels, woken by the signal itself: Python's handlers run once the main thread is back from what it waits for,
    which may be the daemon's next word.
    """

    def __init__(self, client: Client, stream: Stream, *, keep: bool) -> None:
        self.happened = False
        self._client, self._stream, self._keep = client, stream, keep

    def __enter__(self) -> Self:
        woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        threading.Thread(target=self._cancel, args=(woken,), daemon=True).start()
        self._handler = signal.signal(signal.SIGINT, self._first)
        self._fd = signal.set_wakeup_fd(self._waker)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.set_wakeup_fd(self._fd)
        signal.signal(signal.SIGINT, self._handler)
        os.close(self._waker)

    def _first(self, _number: int, _frame: FrameType | None) -> None:
        if self._keep:
            raise LeftError
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _cancel(self, woken: int) -> None:
        """Wait for signals, of which the first counts, until the other end is closed."""
        while os.read(woken, 1):
            if self.happened or self._keep:
                continue
            self.happened = True
            try:  # noqa: SIM105  # contextlib would slow the start
                self._client.cancel(self._stream.id)
            except AgentdClientError:  # the daemon is gone, which who reads will say
                pass
        os.close(woken)


class JsonView:
    """Each event as a line of JSON; the result follows as the last one."""

    def tell(self, event: AgentEvent) -> None:
        """Print it as it comes, without the request's id."""
        output.say_json({name: value for name, value in event.items() if name != "id"})
        output.flush()

    def close(self) -> None:
        """Nothing is drawn."""

    def answer(self, run: Run) -> None:
        """All of the result."""
        output.say_json(run)


class PlainView:
    """A line for each call, beside the pipe that takes the answer."""

    def __init__(self, screen: output.Screen, failures: Failures) -> None:
        self._failures = failures
        self._screen = output.Screen(is_terminal=False, columns=screen.columns)
        self._calls = OpenCalls()

    def tell(self, event: AgentEvent) -> None:
        """What a person who waits wants to know."""
        if event["event"] == "tool_call":
            self._calls.begin(event)
        elif event["event"] == "tool_result":
            why = f": {calls.reason(event['kind'], event['message'])}" if event["message"] else ""
            output.note(calls.call_line(self._calls.end(event), self._screen) + why)
        elif event["event"] == "context":
            output.note(*(f"context: {calls.one_line(each)}" for each in event["dropped"]))
        elif event["event"] == "error" and self._failures.is_new(event):
            output.note(calls.reason(event["kind"], event["message"]))

    def close(self) -> None:
        """Say what failed again and again."""
        if again := self._failures.repeated():
            output.note(*map(calls.one_line, again))

    def answer(self, run: Run) -> None:
        """Once it is whole: what a pipe has taken cannot be taken back."""
        answers.say_text(run, self._screen)


COMMANDS = (c.Command("agent", "Have a model work on a task with tools.", run, arguments),)
