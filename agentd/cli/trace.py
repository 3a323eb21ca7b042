"""A trace as a tree: the run, its turns with their place in time, what each thought and called, the answer, totals."""

from __future__ import annotations

from agentd.cli import answers, calls, output, runs
from agentd.config import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.protocol import Run, ToolCallRecord, Trace, Turn

BAR_COLUMNS = 20
BAR_NEEDS_COLUMNS = 80
"""Of the terminal: a narrower one has no room for bars."""

WORDS_COLUMNS = 17
"""Of when something began, and how long it took."""

BRANCH_COLUMNS = 3
BEGAN_COLUMNS = 10
"""Of what is left of a call, and of when it began, to its right."""

FOLDED_THOUGHT = 2

TIMES = {"model": "model", "tools": "tools", "first text after": "first_text"}
"""What a run's time went into -> its name in the timings."""


def lines(trace: Trace, screen: output.Screen, *, full: bool) -> Iterator[str]:
    """All of it; ``full`` shows thoughts and results whole."""
    run = trace["run"]
    yield from head_lines(run, screen)
    scale = Scale(trace, screen)
    for turn in trace["turns"]:
        yield from ("", turn_line(turn, scale, screen))
        yield from branches(list(turn_items(turn, run, screen, full=full)), screen)
    yield from end_lines(run, screen)
    yield from progress(trace) if run["state"] == "running" else totals(run, screen)


class Scale:
    """Where in a run things lie: as a bar, where the terminal has room for it, and in words."""

    def __init__(self, trace: Trace, screen: output.Screen) -> None:
        ends = [turn["began"] + turn["milliseconds"] for turn in trace["turns"]]
        ends += [call["began"] + call["milliseconds"] for turn in trace["turns"] for call in turn["calls"]]
        self._total = max([trace["run"]["timings"].get("total", 0.0), *ends, 1.0])
        self._bars = screen.is_terminal and screen.columns >= BAR_NEEDS_COLUMNS
        self._screen = screen

    @property
    def empty(self) -> str:
        """As many columns as a place takes."""
        return " " * (BAR_COLUMNS * self._bars + 2 * self._bars + WORDS_COLUMNS)

    def place(self, began: float, milliseconds: float) -> str:
        """``──━━━─────  +1.2 s  340 ms``."""
        words = f"{'+' + output.took(began):>8}  {output.took(milliseconds):>7}"  # WORDS_COLUMNS
        return f"{self._bar(began, milliseconds)}  {words}" if self._bars else words

    def _bar(self, began: float, milliseconds: float) -> str:
        before = min(int(BAR_COLUMNS * began / self._total), BAR_COLUMNS - 1)
        wide = min(max(round(BAR_COLUMNS * milliseconds / self._total), 1), BAR_COLUMNS - before)
        ground = [self._screen.paint("─" * count, output.DIM) for count in (before, BAR_COLUMNS - before - wide)]
        return ground[0] + self._screen.paint("━" * wide, output.CYAN) + ground[1]


def head_lines(run: Run, screen: output.Screen) -> Iterator[str]:
    """What run it is, and of what task."""
    state = screen.paint(run["state"], runs.STYLES.get(run["state"], output.YELLOW))
    rest = [answers.when(run["at"]), *map(output.clean, filter(None, (run["tier"], run["model"])))]
    yield output.DOT.join([f"run {output.clean(run['id'])} {state}", *rest])
    yield from (screen.paint(line, output.BOLD) for line in output.lines_of(run["task"]))


def turn_line(turn: Turn, scale: Scale, screen: output.Screen) -> str:
    """``turn 2  ──━━─  +1.2 s  900 ms  1,234 tokens in, 56 out · stopped for tools``."""
    parts = [*calls.token_parts(turn["usage"])]
    parts += [output.clean(turn["stop"])] if turn["stop"] else []
    if turn["first_token"] is not None:
        parts.append(f"first word after {output.took(turn['first_token'])}")
    name, place = f"turn {turn['n']}", scale.place(turn["began"], turn["milliseconds"])
    room = calls.line_columns(screen) - output.cells(f"{name}  {scale.empty}  ")
    figures = (output.joined(parts, room) or [""])[0]  # of a narrow terminal the last ones are left out
    return f"{screen.paint(name, output.BOLD)}  {place}  {screen.paint(figures, output.DIM)}".rstrip()


def turn_items(turn: Turn, run: Run, screen: output.Screen, *, full: bool) -> Iterator[list[str]]:
    """What belongs to a turn, in its order: the lines of each."""
    thoughts = [turn["thinking"], turn["text"] if turn["text"].strip() != run["answer"].strip() else ""]
    for thought in thoughts:
        if thought.strip():
            yield [screen.paint(line, output.DIM) for line in calls.folded(thought, 0 if full else FOLDED_THOUGHT)]
    for dropped in turn["context"]:
        yield [screen.paint(f"context: {calls.one_line(dropped)}", output.YELLOW)]
    for problem in turn["problems"]:
        yield [screen.paint(f"! {calls.one_line(problem)}", output.YELLOW)]
    for call in turn["calls"]:
        yield list(call_item(call, screen, full=full))


def call_item(call: ToolCallRecord, screen: output.Screen, *, full: bool) -> Iterator[str]:
    """A call, when it was made, and what came of it."""
    began = screen.paint(f"+{output.took(call['began'])}", output.DIM)
    yield f"{calls.call_line(call, screen, indent=BRANCH_COLUMNS + BEGAN_COLUMNS)}  {began}"
    for line in calls.call_details(call, screen, BRANCH_COLUMNS + 2, full=full):
        yield f"  {line}"


def branches(items: list[list[str]], screen: output.Screen) -> Iterator[str]:
    """Items as branches of a tree."""
    for number, (first, *others) in enumerate(items, 1):
        last = number == len(items)
        yield screen.paint("└─ " if last else "├─ ", output.DIM) + first
        stem = screen.paint("   " if last else "│  ", output.DIM)
        yield from (stem + line for line in others)


def end_lines(run: Run, screen: output.Screen) -> Iterator[str]:
    """The answer, what it rests on and how the run ended."""
    if run["answer"]:
        yield from ("", *answer_lines(run["answer"], screen))
        yield from answers.evidence_lines(run, screen)
    yield ""
    if run["error"]:
        yield screen.paint(calls.reason(run["error"]["kind"], run["error"]["message"]), output.RED)
    yield from (screen.paint(line, output.YELLOW) for line in calls.degraded_lines(run["degraded"]))


def answer_lines(answer: str, screen: output.Screen) -> list[str]:
    """The answer as ``agentctl agent`` shows it; where nothing can be drawn as the model wrote it."""
    if not screen.is_terminal or not terminal.knows_escapes():
        return output.lines_of(answer.strip("\n"))
    from agentd.cli import drawing  # noqa: PLC0415  # rich, which a pipe does not need

    return drawing.text_lines(answer, screen)


def totals(run: Run, screen: output.Screen) -> Iterator[str]:
    """What the run took, where its time went, and how often each tool was called."""
    columns = calls.line_columns(screen)
    yield from output.joined(calls.total_parts(run), columns)
    spent = [(what, run["timings"].get(name)) for what, name in TIMES.items()]
    yield from output.joined([f"{what} {output.took(took)}" for what, took in spent if took], columns)
    if run["tools"]:
        often = sorted(run["tools"].items(), key=lambda tool: (-tool[1], tool[0]))
        yield from output.joined([f"{output.clean(name)} {count:,}" for name, count in often], columns)


def progress(trace: Trace) -> Iterator[str]:
    """How far a run is that goes on: its own counts come when it ends."""
    turns = trace["turns"]
    made = [output.number_of(len(turns), "turn"), output.number_of(sum(len(turn["calls"]) for turn in turns), "call")]
    name = output.clean(trace["run"]["id"])
    yield f"It goes on: {output.DOT.join(made)} so far. To end it: agentctl runs --stop {name}"
