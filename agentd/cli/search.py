"""``agentctl search``: find passages, and show them."""

from __future__ import annotations

import os
import re
from argparse import BooleanOptionalAction

from agentd.cli import command as c
from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from agentd.protocol import Hit, RootInfo, SearchOptions, SearchResult, Why

SNIPPET_LINES = 12
"""Lines of a hit that a terminal shows."""

PIPE_COLUMNS = 500
"""Characters of a line that a pipe carries: minified files have lines of megabytes."""

SHORTEST_TERM = 3
"""Letters of the shortest word of a query that is worth highlighting."""

OUTSIDE = "This directory is in no root: searching all of them. To index it: agentctl add ."
NO_ROOTS = "Nothing is indexed yet. To index this directory: agentctl add ."


def arguments(parser: ArgumentParser) -> None:
    """What ``search`` takes."""
    parser.add_argument("query", metavar="QUERY", help="in quotes: words, a name, a path, an error or a question")
    parser.add_argument("-k", "--limit", type=c.positive, metavar="N", help="at most N hits")
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--root", metavar="DIR", help="search this root (default: the one you are in, else all)")
    scope.add_argument("--all", action="store_true", help="search every root")
    parser.add_argument("--path", action="append", metavar="GLOB", help="only files like 'src/**/*.py' (repeatable)")
    parser.add_argument("--lang", action="append", metavar="L", help="only this language (repeatable)")
    parser.add_argument("--kind", choices=("code", "docs", "data"), help="only this kind of file")
    parser.add_argument("--mode", choices=("keyword", "vector", "fusion"), help="how to search (default: fusion)")
    parser.add_argument(
        "--rerank",
        action=BooleanOptionalAction,
        help="have the first hits judged by a cross-encoder (default: where one is configured)",
    )
    parser.add_argument("--max-per-file", type=c.positive, metavar="N", help="at most N hits from one file")
    parser.add_argument("--deadline", type=c.positive, metavar="MS", help="take what is ready after MS milliseconds")
    parser.add_argument("--explain", action="store_true", help="say what put each hit where it is")


def run(args: Namespace) -> int:
    """Search the root that holds the current directory, or what the arguments name."""
    with c.connect(args) as client:
        known = client.roots()
        if not known:
            output.note(NO_ROOTS)
            return c.NOTHING_FOUND
        scope = roots_to_search(args, known)
        if not (scope or args.all):
            output.note(OUTSIDE)
        result = client.search(args.query, **options(args, scope))
    if args.json:
        output.say_json(result)
    else:
        searched = [root for root in known if not scope or root["path"] in scope]
        show(result, args.query, searched)
    return c.FOUND if result["hits"] else c.NOTHING_FOUND


def roots_to_search(args: Namespace, known: list[RootInfo]) -> list[str]:
    """The root to search; none stands for all."""
    if args.all:
        return []
    if args.root:
        return [os.path.realpath(args.root)]
    try:
        here = os.getcwd()
    except FileNotFoundError:
        return []
    holding = [root["path"] for root in known if (here + "/").startswith(root["path"].rstrip("/") + "/")]
    return [max(holding, key=len)] if holding else []


def options(args: Namespace, scope: list[str]) -> SearchOptions:
    """The parameters that were given; the others are the daemon's to choose."""
    given = {
        "limit": args.limit,
        "roots": scope,
        "paths": args.path,
        "languages": args.lang,
        "kind": args.kind,
        "mode": args.mode,
        "max_per_file": args.max_per_file,
        "deadline_ms": args.deadline,
        "explain": args.explain,
    }
    chosen = {} if args.rerank is None else {"rerank": args.rerank}
    return chosen | {name: value for name, value in given.items() if value}  # type: ignore[return-value]


def show(result: SearchResult, query: str, searched: list[RootInfo]) -> None:
    """Print the hits, then what should be known about them: in a pipe that goes to standard error."""
    screen = output.screen()
    notes = [footer(result), *warnings(result), *progress(searched)]
    if not screen.is_terminal:
        for line in pipe_lines(result["hits"]):
            output.say(line)
        output.note(*notes)
        return
    terms = pattern(query)
    for hit in result["hits"]:
        output.say(*terminal_lines(hit, terms, screen), "")
    output.say(screen.paint(notes[0], output.DIM), *(screen.paint(line, output.YELLOW) for line in notes[1:]))


def footer(result: SearchResult) -> str:
    """How many, and how fast."""
    shown, total = len(result["hits"]), result["total"]
    if not shown:
        return f"Nothing found ({result['took_ms']:.1f} ms)"
    of_total = f" of {total:,}" if total > shown else ""
    return f"{shown}{of_total} hit{'s' if max(shown, total) > 1 else ''} ({result['took_ms']:.1f} ms)"


def warnings(result: SearchResult) -> list[str]:
    """Everything that is less than it could have been, in the daemon's words."""
    found = [f"degraded: {output.clean(reason)}" for reason in result["degraded"]]
    found += [f"skipped: {output.clean(reason)}" for reason in result["skipped"]]
    found += [f"cut: {output.clean(reason)}" for reason in result["cut"]]
    return found if found or result["complete"] else ["incomplete"]


def progress(searched: list[RootInfo]) -> list[str]:
    """One line while the index of what was searched is being built, and one for each root that is gone."""
    gone = [f"{output.clean(root['path'])} is missing" for root in searched if root["state"] == "missing"]
    files = sum(root["pending"] for root in searched)
    vectors = sum(root["vectors_pending"] for root in searched)
    if any(root["state"] == "scanning" for root in searched):
        return [*gone, f"The index is being built: still looking for files, {files:,} to read so far"]
    if files or vectors:
        return [*gone, f"The index is being built: {files:,} files to read, {vectors:,} vectors to compute"]
    return gone


def pipe_lines(hits: list[Hit]) -> Iterator[str]:
    """``path:line: text`` for each line of each hit, ``--`` between hits, as grep prints context."""
    for number, hit in enumerate(hits):
        if number:
            yield "--"
        path = output.short_path(hit["path"])
        for at, line in enumerate(output.lines_of(hit["text"]), hit["start_line"]):
            cut = line if len(line) <= PIPE_COLUMNS else line[:PIPE_COLUMNS] + "…"
            yield f"{path}:{at}: {cut}"


def terminal_lines(hit: Hit, terms: re.Pattern[str] | None, screen: output.Screen) -> Iterator[str]:
    """A header, and the part of the text that holds most terms of the query, with line numbers."""
    yield header(hit, screen)
    if "why" in hit:
        yield screen.paint("  " + because(hit["why"]), output.DIM)
    lines = output.lines_of(hit["text"])
    first = best_window(lines, terms)
    shown = lines[first : first + SNIPPET_LINES]
    gutter = len(str(hit["start_line"] + len(lines)))
    for at, line in enumerate(shown, hit["start_line"] + first):
        text = highlight(screen.fit(line.expandtabs(4), gutter + 2), terms, screen)
        yield f"{screen.paint(str(at).rjust(gutter), output.GREEN)}  {text}"
    if hidden := len(lines) - len(shown):
        yield screen.paint(f"{'…'.rjust(gutter)}  {hidden} more lines", output.DIM)


def header(hit: Hit, screen: output.Screen) -> str:
    """``path:start-end  symbol  (language, score)``."""
    place = f"{output.short_path(hit['path'])}:{hit['start_line']}-{hit['end_line']}"
    parts = [screen.link(screen.paint(place, output.MAGENTA), hit["path"])]
    if name := hit["symbol"] or hit["context"]:
        parts.append(screen.paint(output.clean(name.replace("\n", " ")), output.BOLD))
    parts.append(screen.paint(f"({output.clean(hit['language'])}, {hit['score']:.3f})", output.DIM))
    if hit["stale"]:
        parts.append(screen.paint("changed since it was indexed", output.YELLOW))
    return "  ".join(parts)


def because(why: Why) -> str:
    """What each retriever thought of a hit."""
    parts = []
    if why["keyword_rank"] is not None:
        parts.append(f"keyword #{why['keyword_rank']} ({why['keyword_score'] or 0:.2f})")
    if why["vector_rank"] is not None:
        parts.append(f"vector #{why['vector_rank']} ({why['vector_score'] or 0:.3f})")
    return ", ".join(parts) or "in no list"


def pattern(query: str) -> re.Pattern[str] | None:
    """Matches the words of the query, also inside of names."""
    words = {word for word in re.findall(r"\w+", query) if len(word) >= SHORTEST_TERM}
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if words else None


def best_window(lines: list[str], terms: re.Pattern[str] | None) -> int:
    """Index of the first line to show: two above the one that holds the most different terms."""
    if terms is None or len(lines) <= SNIPPET_LINES:
        return 0
    found = [len({match.lower() for match in terms.findall(line)}) for line in lines]
    return max(0, min(found.index(max(found)) - 2, len(lines) - SNIPPET_LINES))


def highlight(line: str, terms: re.Pattern[str] | None, screen: output.Screen) -> str:
    """``line`` with the terms of the query painted."""
    if terms is None or not screen.colour:
        return line
    return terms.sub(lambda match: screen.paint(match[0], output.RED), line)


COMMANDS = (c.Command("search", "Find passages by words, names and meaning.", run, arguments),)
