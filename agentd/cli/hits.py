"""Hits, for a person at a terminal and for a pipe."""

from __future__ import annotations

import re

from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agentd.protocol import Hit, Why

MOST_LINES, FEWEST_LINES = 12, 3
"""Lines of a hit that a terminal shows: as many as let all hits stand on it at once, within these bounds."""

LINES_AROUND = 3
"""A hit's header, how many lines are hidden, and the empty line after it."""

PIPE_COLUMNS = 500
"""Characters of a line that a pipe carries: minified files have lines of megabytes."""

MARK = "# "
"""Begins the lines of an explanation in a pipe, where all others are ``path:line: text``."""

SHORTEST_TERM = 3
"""Letters of the shortest word of a query that is worth highlighting."""

BEFORE_NAME = r"^\s*(?!(?:return|await|yield|raise|throw|new|if|while|for|not|assert)\b)[\w\s(),<>*&:~\[\]]*\b"
AFTER_NAME = r"\b\s*(?:[(<:={]|$|\s(?:extends|implements|where)\b)"
"""What stands around a name where it is defined, in most languages: ``pub fn NAME<``, ``func (s *Session) NAME(``."""


class View:
    """How hits are shown: on which screen, the words to highlight, ``lines`` of each, as text or as signatures;
    ``because`` explains one in lines.
    """

    def __init__(
        self,
        screen: output.Screen,
        terms: re.Pattern[str] | None = None,
        *,
        lines: int = MOST_LINES,
        signatures: bool = False,
        because: Callable[[Why], list[str]] | None = None,
    ) -> None:
        self.screen = screen
        self.terms = terms
        self.lines = lines
        self.signatures = signatures
        self.because = because


def lines_each(rows: int, hits: int) -> int:
    """How many lines of each hit a terminal of ``rows`` shows."""
    room = rows // max(hits, 1) - LINES_AROUND
    return min(max(room, FEWEST_LINES), MOST_LINES)


def numbered(hit: Hit, *, signatures: bool) -> list[tuple[int, str]]:
    """(line of the file, what to show of it); signatures say their lines themselves."""
    lines = output.lines_of(hit["text"])
    if not signatures:
        return list(enumerate(lines, hit["start_line"]))
    parts = (line.partition(": ") for line in lines)
    return [(int(number), text) for number, _, text in parts if number.isdecimal()]


def pipe_lines(hits: list[Hit], view: View) -> Iterator[str]:
    """``path:line: text`` for each line of each hit, ``--`` between hits, as grep prints context; explanations begin
    with ``#``.
    """
    for place, hit in enumerate(hits):
        if place:
            yield "--"
        if "why" in hit and view.because:
            yield MARK + header(hit, view.screen)
            yield from (MARK + line for line in view.because(hit["why"]))
        path = output.short_path(hit["path"])
        for at, line in numbered(hit, signatures=view.signatures):
            cut = line if len(line) <= PIPE_COLUMNS else line[:PIPE_COLUMNS] + "…"
            yield f"{path}:{at}: {cut}"


def terminal_lines(hit: Hit, view: View) -> Iterator[str]:
    """A header, and the part of the text that holds most terms of the query, with line numbers."""
    screen = view.screen
    yield header(hit, screen)
    if "why" in hit and view.because:
        yield from (screen.paint(line, output.DIM) for line in view.because(hit["why"]))
    lines = numbered(hit, signatures=view.signatures)
    first = best_window([text for _, text in lines], view, hit["symbol"])
    shown = lines[first : first + view.lines]
    gutter = len(str(lines[-1][0])) if lines else 1
    for at, line in shown:
        text = highlight(screen.fit(line.expandtabs(4), gutter + 2), view)
        yield f"{screen.paint(str(at).rjust(gutter), output.GREEN)}  {text}"
    if hidden := len(lines) - len(shown):
        yield screen.paint(f"{'…'.rjust(gutter)}  {hidden} more lines", output.DIM)


def header(hit: Hit, screen: output.Screen) -> str:
    """``path:start-end  symbol  (language, score)``."""
    place = f"{output.short_path(hit['path'])}:{output.span(hit['start_line'], hit['end_line'])}"
    parts = [screen.link(screen.paint(place, output.MAGENTA), hit["path"])]
    if name := hit["symbol"] or hit["context"]:
        parts.append(screen.paint(output.clean(name.replace("\n", " ")), output.BOLD))
    about = [output.clean(hit["language"]), f"{hit['score']:.3f}", *found_by(hit)]
    parts.append(screen.paint(f"({', '.join(about)})", output.DIM))
    if hit.get("confidence") == "low":
        parts.append(screen.paint("confidence low", output.YELLOW))
    if hit["stale"]:
        parts.append(screen.paint("changed since it was indexed", output.YELLOW))
    if hit.get("cut"):
        parts.append(screen.paint("cut short", output.YELLOW))
    return "  ".join(parts)


def found_by(hit: Hit) -> list[str]:
    """``query 1``, ``queries 1 and 3``: which of several found it, as people count; nothing where there was one."""
    numbers = [str(found["query"] + 1) for found in hit.get("queries", ())]
    if len(numbers) < 2:
        return [f"query {number}" for number in numbers]
    return [f"queries {', '.join(numbers[:-1])} and {numbers[-1]}"]


def pattern(queries: Iterable[str]) -> re.Pattern[str] | None:
    """Matches the words of the queries, also inside of names."""
    words = {word for query in queries for word in re.findall(r"\w+", query) if len(word) >= SHORTEST_TERM}
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if words else None


def best_window(lines: list[str], view: View, symbol: str = "") -> int:
    """Index of the first line to show: the definition of ``symbol`` where the query names it, else just above the line
    that holds the most different terms.
    """
    if view.terms is None or len(lines) <= view.lines:
        return 0
    found = [len({match.lower() for match in view.terms.findall(line)}) for line in lines]
    best = definition(lines, view.terms, symbol)
    above = min(2, view.lines // 3) if best is None else 0
    return max(0, min((found.index(max(found)) if best is None else best) - above, len(lines) - view.lines))


def definition(lines: list[str], terms: re.Pattern[str], symbol: str) -> int | None:
    """Index of the line that seems to define ``symbol``; None where none does, or the query does not name it.

    Neighbours that were merged stand before it, so that the first line is often another definition.
    """
    name = re.split(r"\W+", symbol)[-1]
    if not terms.fullmatch(name):
        return None
    defines = re.compile(BEFORE_NAME + re.escape(name) + AFTER_NAME)
    return next((at for at, line in enumerate(lines) if defines.search(line)), None)


def highlight(line: str, view: View) -> str:
    """``line`` with the terms of the query painted."""
    if view.terms is None or not view.screen.colour:
        return line
    return view.terms.sub(lambda match: view.screen.paint(match[0], output.RED), line)
