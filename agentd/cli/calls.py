"""Calls of tools and what a run took, in lines: for a run that goes on, and for its trace."""

from __future__ import annotations

import json
import re

from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentd.cli.failures import Failures
    from agentd.protocol import AgentEvent, Run, ToolCallRecord, Usage

PIPE_COLUMNS = 120
"""Of a line about a call, where no terminal says how wide it is."""

_MARKER = re.compile(r"[0-9a-f]{16,64} ")
_SOURCE = re.compile(r"source (?P<n>\d+) \| kind: \w+ \| (?P<path>/.*?) lines (?P<start>\d+)-(?P<end>\d+)(?P<rest>.*)")

EVENT_LETTERS = 2000
"""Of a result in an event: one as long as that goes on."""

FOLDED_LINES = 3
"""Of a result, where not all of it was asked for."""

LEAST_INPUT = 8
"""Columns of a call's input that are shown however narrow the terminal is."""

MARKS = {"ok": ("✓", output.GREEN), "retry": ("✗", output.YELLOW)}
FAILED = ("✗", output.RED)

NOT_ENDED: AgentEvent = {"outcome": "cancelled", "kind": "", "message": "", "notes": [], "text": ""}
NOT_ENDED |= {"bytes": 0, "found": 0, "cached": False}
"""What is told of a call that a run never heard of again."""

OUTCOMES = {"ok": "", "retry": "failed", "final": "failed for good", "timed_out": "timed out"}

AS_THEY_STAND = "passages as they stand"
"""What an answer is that no model wrote."""


def call_line(call: ToolCallRecord | AgentEvent, screen: output.Screen, indent: int = 0) -> str:
    """``✓ tool(input)  12 found · 3.4 KiB · 45 ms``; the input is cut so that the line fits."""
    mark, style = MARKS.get(call["outcome"], FAILED)
    name, figures = output.clean(call["tool"]), output.DOT.join(call_figures(call))
    room = line_columns(screen) - indent - output.cells(f"{mark} {name}()  {figures}")
    given = output.shortened(input_text(call["input"]), max(room, LEAST_INPUT))
    return (
        f"{screen.paint(mark, style)} {screen.paint(name, output.BOLD)}({given})  {screen.paint(figures, output.DIM)}"
    )


def line_columns(screen: output.Screen) -> int:
    """How long a line may be."""
    return screen.columns if screen.is_terminal else PIPE_COLUMNS


def input_text(given: object) -> str:
    """Arguments as Python writes them: ``query="retry policy", limit=5``; what is no object as it is."""
    if not isinstance(given, dict):
        return output.clean(json.dumps(given, ensure_ascii=False))
    pairs = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
    return output.clean(", ".join(pairs).replace("\n", " "))


def call_figures(call: ToolCallRecord | AgentEvent) -> Iterator[str]:
    """How a call ended, what it brought and what it took."""
    if word := OUTCOMES.get(call["outcome"], call["outcome"].replace("_", " ")):
        yield output.clean(word)
    if call["found"]:
        yield f"{call['found']:,} found"
    if call["bytes"]:
        yield output.size(call["bytes"])
    if call["cached"]:
        yield "asked before"
    yield output.took(call["milliseconds"])


def call_details(
    call: ToolCallRecord | AgentEvent, screen: output.Screen, indent: int = 0, *, full: bool = False
) -> Iterator[str]:
    """What is told below a call, in lines of the terminal: why it failed, what its result lacks, how that begins."""
    if call["message"]:
        yield from failure_lines(call["kind"], call["message"], screen, indent)
    for note in call["notes"]:
        for line in wrapped(f"! {one_line(note)}", screen, indent):
            yield screen.paint(line, output.YELLOW)
    if call["outcome"] == "ok":
        cut = "turn" in call and len(call["text"]) >= EVENT_LETTERS
        for line in folded("\n".join(result_lines(call)), 0 if full else FOLDED_LINES, cut=cut):
            yield screen.paint(line if full or not screen.is_terminal else screen.fit(line, indent), output.DIM)


def failure_lines(kind: str, message: str, screen: output.Screen, indent: int = 0) -> Iterator[str]:
    """Why a call failed; the kind, which is for programs, stays in the background."""
    lines = wrapped(reason(kind, message), screen, indent)
    head = reason(kind, "") + " "
    if kind and lines[0].startswith(head):
        yield screen.paint(head, output.DIM) + screen.paint(lines.pop(0).removeprefix(head), output.YELLOW)
    yield from (screen.paint(line, output.YELLOW) for line in lines)


def wrapped(line: str, screen: output.Screen, indent: int = 0) -> list[str]:
    """A line as a terminal has room for it; the following ones are indented."""
    if not screen.is_terminal or output.cells(line) <= screen.columns - indent:
        return [line]
    from textwrap import wrap  # noqa: PLC0415  # most lines fit

    return wrap(line, max(screen.columns - indent, 20), subsequent_indent="  ")


def result_lines(call: ToolCallRecord | AgentEvent) -> Iterator[str]:
    """A result as people read it: without the marker and the lines that set it apart for the model (of a source its
    number and place stay), and without the notes, which are told by themselves.
    """
    marker = found[0] if (found := _MARKER.match(call["text"])) else None
    notes = {f"Note: {note}" for note in call["notes"]}
    for line in call["text"].split("\n"):
        if marker is None or not line.startswith(marker):
            if line not in notes:
                yield line
        elif source := _SOURCE.match(line, len(marker)):
            place = f"{output.short_path(source['path'])}:{output.span(int(source['start']), int(source['end']))}"
            yield f"[{source['n']}] {place}{source['rest']}"


def reason(kind: str, message: str) -> str:
    """What went wrong, in a line."""
    return one_line(f"{kind}: {message}" if kind else message)


def one_line(text: str) -> str:
    """Text of others in a line."""
    return output.clean(" ".join(text.split()))


def folded(text: str, count: int = 0, *, cut: bool = False) -> list[str]:
    """The first ``count`` lines (0: all) of text of others that are not empty, and how many more there are, or are at
    least where it was ``cut``.
    """
    lines = [line.expandtabs(4) for line in output.lines_of(text) if line.strip()]
    if not count or len(lines) <= count + 1:  # a line that says "1 more line" would save none
        return lines
    return [*lines[:count], f"… {'over ' if cut else ''}{len(lines) - count:,} more lines"]


def degraded_lines(problems: Iterable[str], failures: Failures | None = None) -> list[str]:
    """What an answer lacks. Those with the same reason share a line, and what ``failures`` told is not told again.

    >>> degraded_lines(["no model wrote this: box is gone", "query expansion: box is gone"])
    ['degraded: no model wrote this, query expansion: box is gone']
    """
    shared: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        what, _, reason = problem.partition(": ")
        shared.setdefault((reason, "" if reason else what), []).append(what)
    lines = []
    for (reason, _), lacking in shared.items():
        known = reason and failures is not None and failures.tell(reason)
        why = " (as said above)" if known else f": {reason}" if reason else ""
        lines.append(f"degraded: {one_line(', '.join(lacking) + why)}")
    return lines


def total_parts(run: Run) -> Iterator[str]:
    """What a run took: time, turns, calls, tokens."""
    took = output.took(run["timings"].get("total", 0.0))
    if run["state"] != "answered":
        yield f"{output.clean(run['state'])} after {took}"
    else:
        yield f"ended after {took}" if is_without_answer(run) else f"answered in {took}"
    if run.get("mode") == "extractive":
        yield AS_THEY_STAND
    yield from count_parts(run["counts"])
    yield from token_parts(run["usage"])


def is_without_answer(run: Run) -> bool:
    """Whether there is no answer; ``answer`` may hold a sentence that says so. An older daemon tells no mode."""
    return run.get("mode") == "nothing" or not run["answer"]


def count_parts(counts: Mapping[str, int]) -> Iterator[str]:
    """Turns and calls."""
    yield output.number_of(counts.get("turns", 0), "turn")
    failed = f" ({counts['tool_errors']:,} failed)" if counts.get("tool_errors") else ""
    yield output.number_of(counts.get("tool_calls", 0), "call") + failed


def token_parts(usage: Usage) -> Iterator[str]:
    """Tokens, where a model was asked."""
    if usage["input_tokens"] or usage["output_tokens"]:
        about = "" if usage["counted"] else "about "
        yield f"{about}{usage['input_tokens']:,} tokens in, {usage['output_tokens']:,} out"
