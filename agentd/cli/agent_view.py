"""A run of the agent drawn as it happens, with rich.

What is certain is printed, and stays: thoughts, calls with their results in the order of the calls, blocks of the
answer. Below it a few lines are drawn again and again: the text that is not a whole block yet, calls that go on, and
where the run is. So nothing flickers, and nothing that was printed is ever taken back.
"""

from __future__ import annotations

import threading
import time
from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from agentd.cli import calls, drawing, output
from agentd.cli.blocks import Blocks
from agentd.cli.open_calls import OpenCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from agentd.cli.agent import Interrupts
    from agentd.cli.failures import Failures
    from agentd.protocol import AgentEvent, Run

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_A_SECOND = 10
THOUGHT_LINES = 4
"""Of a thought, where not all of it was asked for."""

TAIL_LINES = 12
TAIL_LETTERS = 4000
"""Of text that is still being written: more is not drawn again for every word."""

INDENT = 4


class LiveView:
    """Shows a run: events are told by one thread, and another one draws, in turn."""

    def __init__(self, screen: output.Screen, interrupts: Interrupts, failures: Failures, *, verbose: bool) -> None:
        self._screen = screen
        self._failures = failures
        self._interrupts = interrupts
        self._verbose = verbose
        self._console = drawing.console_on(screen)
        self._began = time.monotonic()
        self._calls = OpenCalls()
        self._calls_began: dict[str, float] = {}
        self._count = self._turn = 0
        self._model = ""
        self._thought = ""
        self._blocks = Blocks()
        self._shown = ""  # of the answer, in whole blocks
        self._void: tuple[str, str, str] | None = None  # shown and said before it was discarded, and why it was
        self._last = ""  # what kind of thing was printed last
        self._live = Live(
            Frame(self),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        # Rich's own refreshing does not wait for a print to be written, and then erases lines that are not its own.
        self._drawing, self._ended = threading.Lock(), threading.Event()
        self._tellers: dict[str, Callable[[AgentEvent], None]] = {
            "started": self._tell_start,
            "thinking": self._tell_thought,
            "chunk": self._tell_chunk,
            "discarded": self._tell_discarded,
            "tool_call": self._tell_call,
            "tool_result": self._tell_result,
            "context": self._tell_context,
            "error": self._tell_error,
        }
        self._live.start(refresh=True)
        threading.Thread(target=self._draw, daemon=True).start()

    def tell(self, event: AgentEvent) -> None:
        """Something happened."""
        with self._drawing:
            self._tell(event)

    def _draw(self) -> None:
        while not self._ended.wait(1 / FRAMES_A_SECOND):
            with self._drawing:
                if not self._ended.is_set():
                    self._live.refresh()

    def _tell(self, event: AgentEvent) -> None:
        self._turn = max(self._turn, event.get("turn", 0))
        name = event["event"]
        if name != "thinking":
            self._say_void(at_end=event.get("state") == "failed")
            self._end_thought()
        if name not in {"chunk", "discarded"}:  # which alone say more of the same text
            self._end_answer()
        if teller := self._tellers.get(name):
            teller(event)

    def close(self) -> None:
        """Print what was not a whole block; the lines that are drawn again and again go."""
        with self._drawing:
            if self._ended.is_set():
                return
            self._ended.set()
            self._say_void()
            self._end_thought()
            for call in self._calls:
                self._say_call(call)
            self._end_answer()
            for again in self._failures.repeated():
                self._say("note", self._styled(f"! {calls.one_line(again)}", "yellow"))
            self._live.stop()

    def answer(self, run: Run) -> None:
        """The answer, unless it stands there as it was streamed."""
        if self._shown.split() == run["answer"].split():
            return
        if self._shown:
            self._say("note", self._styled("(the answer, after what it cites was checked)", "yellow"))
        self._say_block(run["answer"])

    def _tell_start(self, event: AgentEvent) -> None:
        self._model = output.clean(event["model"])
        limits = event["limits"]
        parts = [output.clean(event["tier"]), self._model, output.number_of(len(event["tools"]), "tool")]
        parts += [f"up to {limits['turns']:.0f} turns"] if "turns" in limits else []
        for line in output.joined(parts, self._console.width):
            self._say("start", self._styled(line, "dim"))

    def _tell_thought(self, event: AgentEvent) -> None:
        text = event["text"]
        if self._void:
            shown, said, _ = self._void
            if said.strip() == text.strip():  # it was no answer: what of it has been read is not told again
                text = text.removeprefix(shown)
                self._void = None
            else:
                self._say_void()
        self._thought += text

    def _tell_chunk(self, event: AgentEvent) -> None:
        for block in self._blocks.write(event["text"]):
            self._say_block(block)

    def _tell_discarded(self, event: AgentEvent) -> None:
        self._void = (self._shown, self._shown + "".join(self._blocks.end()), event["reason"])
        self._shown = ""

    def _tell_call(self, event: AgentEvent) -> None:
        self._count += 1
        self._calls_began[event["call"]] = time.monotonic()
        self._calls.begin(event)

    def _tell_result(self, event: AgentEvent) -> None:
        self._calls.end(event)
        for call in self._calls.take_ended():
            self._say_call(call)

    def _say_call(self, call: AgentEvent) -> None:
        if "outcome" not in call:
            call |= calls.NOT_ENDED | {"milliseconds": self._running_for(call)}
        self._say("call", self._ansi(calls.call_line(call, self._now())))
        for line in calls.call_details(call, self._now(), INDENT, full=self._verbose):
            self._say("call", Padding(self._ansi(line), (0, 0, 0, INDENT)))

    def _running_for(self, call: AgentEvent) -> float:
        """Milliseconds since a call was made."""
        return 1000 * (time.monotonic() - self._calls_began.get(call["call"], self._began))

    def _tell_context(self, event: AgentEvent) -> None:
        for dropped in event["dropped"]:
            self._say("call", self._styled(f"context: {calls.one_line(dropped)}", "dim"))

    def _tell_error(self, event: AgentEvent) -> None:
        if self._failures.is_new(event):
            self._say("note", self._styled(f"! {calls.reason(event['kind'], event['message'])}", "yellow"))

    def _say_void(self, *, at_end: bool = False) -> None:
        """That what was shown of the answer does not count, where any of it was; and why, unless that is told as the
        failure that it was. ``at_end``: of that failure the run has ended.
        """
        printed, said, why = self._void or ("", "", "")
        known = at_end or self._failures.tell(why)
        if printed if known else said:
            what = "(this does not count)" if known else f"(begun anew: {calls.one_line(why)})"
            self._say("note", self._styled(what, "yellow"))
        self._void = None

    def _end_thought(self) -> None:
        thought, self._thought = self._thought, ""
        if not thought.strip():
            return
        lines = self._lines(self._thought_text(thought))
        if not self._verbose and len(lines) > THOUGHT_LINES + 1:
            more = self._styled(f"  … {len(lines) - THOUGHT_LINES:,} more lines", "dim")
            self._say("thought", Group(*lines[:THOUGHT_LINES], more))
        else:
            self._say("thought", Group(*lines))

    def _end_answer(self) -> None:
        for block in self._blocks.end():
            self._say_block(block)

    def _say_block(self, block: str) -> None:
        self._shown += block
        if block.strip():
            self._say("answer", Group(*self._lines(drawing.drawn(block))))

    def _say(self, kind: str, what: RenderableType) -> None:
        """Print above what is drawn; an empty line sets off what is of another kind, and blocks from each other."""
        apart = self._last and (kind != self._last or kind == "answer")
        self._last = kind
        width = min(self._console.width, drawing.WIDEST) if kind in {"answer", "thought"} else None
        self._console.print(Group("", what) if apart else what, width=width)

    def frame(self) -> RenderableType:
        """What is drawn below what is printed: at most the rows of the terminal less one."""
        rows = self._console.height - 2
        going = list(self._call_lines(max(rows - 3, 1)))
        room = min(rows - len(going) - 1, TAIL_LINES)
        return Group(*self._tail(room), *going, self._status())

    def _tail(self, room: int) -> list[RenderableType]:
        """The end of what is being thought or written."""
        if room < 1:
            return []
        if rest := self._blocks.rest[-TAIL_LETTERS:]:
            return ["", *self._lines(drawing.drawn(rest))[-room:]]
        return ["", *self._lines(self._thought_text(self._thought[-TAIL_LETTERS:]))[-room:]] if self._thought else []

    def _call_lines(self, room: int) -> Iterator[RenderableType]:
        """Calls that go on, and those that wait to be told after them."""
        open_calls = list(self._calls)
        shown = len(open_calls) if len(open_calls) <= room else room - 1
        for call in islice(open_calls, shown):
            yield self._ansi(calls.call_line(call, self._now())) if "outcome" in call else self._going(call)
        if more := len(open_calls) - shown:
            yield self._styled(f"  … {more:,} more calls", "dim")

    def _going(self, call: AgentEvent) -> Text:
        """``⠋ tool(input)  1.2 s``."""
        name = output.clean(call["tool"])
        took = output.took(self._running_for(call))
        room = self._console.width - output.cells(f"{SPINNER[0]} {name}()  {took}")
        given = output.shortened(calls.input_text(call["input"]), max(room, calls.LEAST_INPUT))
        return Text.assemble((self._spin(), "cyan"), " ", (name, "bold"), f"({given})  ", (took, "dim"), no_wrap=True)

    def _status(self) -> Text:
        """Where the run is, in a line."""
        took = output.took(1000 * (time.monotonic() - self._began))
        if self._interrupts.happened:
            what = ["stopping", "Ctrl-C again leaves at once"]
        else:
            what = [f"turn {self._turn}"] if self._turn else ["starting"]
            what += [output.number_of(self._count, "call")] if self._count else []
        return Text(f"{self._spin()} {output.DOT.join([*what, took])}", style="dim", no_wrap=True, overflow="ellipsis")

    def _spin(self) -> str:
        return SPINNER[int(time.monotonic() * FRAMES_A_SECOND) % len(SPINNER)]

    def _thought_text(self, thought: str) -> RenderableType:
        return Padding(Text(output.clean(thought).strip(), style="dim italic"), (0, 0, 0, 2))

    def _lines(self, what: RenderableType) -> list[drawing.Line]:
        return drawing.lines_of(what, self._console)

    def _now(self) -> output.Screen:
        """The terminal as it is now: a person may have made it narrower."""
        self._screen.columns = self._console.width
        return self._screen

    @staticmethod
    def _styled(text: str, style: str) -> Text:
        return Text(text, style=style)

    @staticmethod
    def _ansi(line: str) -> Text:
        """A line of ours, painted for a terminal, as rich takes it."""
        return Text.from_ansi(line)


class Frame:
    """What is drawn below, as it is at the moment in which rich draws it: also with every print above it."""

    def __init__(self, view: LiveView) -> None:
        self._view = view

    def __rich__(self) -> RenderableType:
        return self._view.frame()
