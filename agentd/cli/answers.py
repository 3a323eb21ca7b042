"""``agentctl answer``, ``answers`` and ``verify``: answers that were given, and whether what they cite still stands."""

from __future__ import annotations

import re
import time
from itertools import chain

from agentd.cli import calls, output
from agentd.cli import command as c

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from agentd.protocol import Answered, Citation, Claim, Run, Verified

_STYLED = re.compile(r"`([^`\n]+)`|\*\*([^*\n]+)\*\*|(\[[\d, ]+\])")
_HEADING = re.compile(r"^#{1,6}\s+(.+)$")
UNSUPPORTED = "✗"
QUESTION_COLUMNS = 60
NOT_ASKED = "not asked for"
"""Why the web is off where nobody wanted it: nothing to tell."""

STATES = {
    "current": ("current", output.GREEN),
    "changed": ("changed", output.RED),
    "gone": ("gone", output.RED),
    "unchecked": ("not checked", output.DIM),
}


class Writer:
    """Text on a terminal as it comes, whole lines styled as Markdown. ``said`` is all of it so far."""

    def __init__(self, screen: output.Screen) -> None:
        self.said = ""
        self._screen = screen
        self._line = ""
        self._begun = False

    def write(self, text: str) -> None:
        """More of it: what ends a line is shown, the beginning of a line waits for its end or for a word's."""
        self.said += text
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._print(line, "\n")
            self._begun = False
        if ready := whole_words(self._line, begun=self._begun):
            self._print(self._line[:ready], "")
            self._line, self._begun = self._line[ready:], True
        output.flush()

    def discard(self) -> None:
        """What was shown is void. Why, what the answer lacks says in the end."""
        if self.said:
            self._line, self._begun = "", False
            output.say("", self._screen.paint("(begun anew, for a reason that is told below)", output.YELLOW), "")
        self.said = ""

    def end(self) -> None:
        """The last line."""
        if self._line or self._begun:
            self._print(self._line, "\n")
            self._line, self._begun = "", False

    def _print(self, text: str, end: str) -> None:
        print(styled(text, self._screen, begun=self._begun), end=end)


def whole_words(line: str, *, begun: bool) -> int:
    """Characters of the beginning of a line that can be shown before its end: words, not within a style or mark.

    A heading waits for the end of its line; ``begun`` says that ``line`` goes on after what was shown.
    """
    ready = line.rfind(" ") + 1
    if not begun and line.startswith("#"):
        return 0
    head = line[:ready]
    for mark in ("`", "**"):
        if head.count(mark) % 2:
            head = head[: head.rfind(mark)]
    return head.rfind("[") if head.rfind("[") > head.rfind("]") else len(head)


def styled(line: str, screen: output.Screen, *, begun: bool = False) -> str:
    """A line of Markdown for a terminal, or where it has ``begun`` a later part of one: code, strong words, headings
    and citation marks in their styles.
    """
    line = output.clean(line)
    if not screen.colour:
        return line
    if not begun and (heading := _HEADING.match(line)):
        return screen.paint(heading[1], output.BOLD)

    def style(match: re.Match[str]) -> str:
        code, strong, mark = match.groups()
        return screen.paint(*((code, output.CYAN) if code else (strong, output.BOLD) if strong else (mark, output.DIM)))

    return _STYLED.sub(style, line)


def say_text(answer: Answered | Run, screen: output.Screen) -> None:
    """The text of an answer, whole."""
    output.say(*(styled(line, screen) for line in answer["answer"].strip("\n").split("\n")))


def say_sources(answer: Answered, screen: output.Screen) -> None:
    """What an answer rests on, what is not supported, and how the sources fared; notes go beside a pipe."""
    for line in evidence_lines(answer, screen):
        output.say(line)
    notes = list(footer(answer))
    if screen.is_terminal:
        output.say("", *(screen.paint(line, output.DIM) for line in notes))
    else:
        output.note(*notes)


def evidence_lines(answer: Answered | Run, screen: output.Screen) -> Iterator[str]:
    """What an answer rests on, and what is not supported, each after an empty line.

    Where a model cited nothing at all ``degraded`` says so, and not every sentence needs to.
    """
    if answer["citations"]:
        yield from ("", *(citation_line(each, screen) for each in answer["citations"]))
    doubts = [tuple(claim_lines(claim, screen)) for claim in answer["claims"] if claim["supported"] is False]
    if doubts and any(claim["citations"] for claim in answer["claims"]):
        yield from ("", *chain.from_iterable(dict.fromkeys(doubts)))  # small models repeat themselves


def citation_line(citation: Citation, screen: output.Screen) -> str:
    """``[1] path:start-end  symbol``, a link on a terminal."""
    number = f"[{citation['n']}]"
    lines = output.span(citation["start_line"], citation["end_line"])
    if path := citation.get("path"):
        place = screen.link(screen.paint(f"{output.short_path(path)}:{lines}", output.MAGENTA), path)
    else:
        place = screen.paint(output.clean(citation.get("url", "")), output.MAGENTA)
    what = output.clean(" ".join((citation.get("symbol") or citation.get("title", "")).split()))
    mark = screen.paint(f"{UNSUPPORTED} unsupported", output.YELLOW) if citation.get("supported") is False else ""
    return "  ".join(part for part in (f"{number} {place}", what, mark) if part)


def claim_lines(claim: Claim, screen: output.Screen) -> Iterator[str]:
    """A sentence that what it cites does not support, and why."""
    reasons = output.clean("; ".join(claim["reasons"]))
    mark = f"{UNSUPPORTED} unsupported"
    first, *others = calls.wrapped(f"{mark}: {output.clean(claim['text'])} ({reasons})", screen)
    yield screen.paint(mark, output.YELLOW) + first.removeprefix(mark)
    yield from others


def footer(answer: Answered) -> Iterator[str]:
    """How the answer came about."""
    generated, cited = answer["mode"] == "generated", bool(answer["citations"])
    how = (
        f"written by {output.clean(answer['model'])}" if generated else calls.AS_THEY_STAND if cited else "no citation"
    )
    seconds = answer["timings"].get("total", 0.0) / 1000
    check = f". Check it later: agentctl verify {answer['id']}" if cited else ""
    yield f"answer {answer['id']}: {how} ({seconds:.1f} s){check}"
    for name, status in answer["sources"].items():
        if status["reason"] == NOT_ASKED:
            continue
        told = status["state"] in {"ok", "empty"}  # all that it lacked is degraded, below
        reason = f": {output.clean(status['reason'])}" if status["reason"] and not told else ""
        state, took = status["state"].replace("_", " "), f"{status['milliseconds']:.0f} ms"
        yield f"{name}: {state}, {status['found']} found ({took}){reason}"
    said = {f"{name}: {status['reason']}" for name, status in answer["sources"].items()}
    yield from calls.degraded_lines(problem for problem in answer["degraded"] if problem not in said)


def one(parser: ArgumentParser) -> None:
    """What ``answer`` and ``verify`` take."""
    parser.add_argument("id", metavar="ID", help="of an answer; `agentctl answers` lists them")


def several(parser: ArgumentParser) -> None:
    """What ``answers`` takes."""
    parser.add_argument("-n", "--limit", type=c.positive, default=20, metavar="N", help="the newest N (default: 20)")


def show(args: Namespace) -> int:
    """An answer again."""
    with c.connect(args) as client:
        answer = client.answer(args.id)
    if args.json:
        output.say_json(answer)
    else:
        screen = output.screen()
        output.say(screen.paint(output.clean(answer["question"]), output.BOLD), "")
        say_text(answer, screen)
        say_sources(answer, screen)
    return c.FOUND


def listing(args: Namespace) -> int:
    """The answers that are kept, the newest first."""
    with c.connect(args) as client:
        page = client.answers(limit=args.limit)
    if args.json:
        output.say_json(page)
    elif page["answers"]:
        rows = [(each["id"], when(each["at"]), each["mode"], shortened(each["question"])) for each in page["answers"]]
        output.say(*output.table(rows))
        if page["total"] > len(rows):
            output.note(f"{len(rows)} of {page['total']:,} answers")
    else:
        output.note("No answer is kept yet. To ask: agentctl ask QUESTION")
    return c.FOUND if page["answers"] else c.NOTHING_FOUND


def when(at: float) -> str:
    """A time for people, in their own zone."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def shortened(question: str) -> str:
    """A question in one line."""
    return output.shortened(output.clean(" ".join(question.split())), QUESTION_COLUMNS)


def verify(args: Namespace) -> int:
    """Whether what an answer cites still stands."""
    with c.connect(args) as client:
        found = client.verify(args.id)
    if args.json:
        output.say_json(found)
        return c.FOUND if found["current"] else c.NOTHING_FOUND
    screen = output.screen()
    for each in found["citations"]:
        output.say(verified_line(each, screen))
    changed = sum(each["state"] in {"changed", "gone"} for each in found["citations"])
    if changed:
        output.note(f"{changed} of {len(found['citations'])} citations no longer stand: ask again")
    return c.FOUND if found["current"] else c.NOTHING_FOUND


def verified_line(citation: Verified, screen: output.Screen) -> str:
    """``[1] current  path:start-end``."""
    word, style = STATES.get(citation["state"], (citation["state"], output.YELLOW))
    moved = "  (moved)" if citation["moved"] else ""
    place = output.clean(citation.get("url", ""))
    if path := citation.get("path"):
        lines = output.span(citation["start_line"], citation["end_line"])
        place = screen.link(f"{output.short_path(path)}:{lines}", path)
    return f"[{citation['n']}] {screen.paint(word, style)}  {place}{moved}"


COMMANDS = (
    c.Command("answer", "Show an answer again.", show, one),
    c.Command("answers", "List the answers that are kept.", listing, several),
    c.Command("verify", "Say whether what an answer cites still stands.", verify, one),
)
