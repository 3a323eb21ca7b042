"""``agentctl search``: find passages, and show them."""

from __future__ import annotations

import os
from argparse import SUPPRESS, BooleanOptionalAction

from agentd.cli import command as c
from agentd.cli import hits, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agentd.client import Client
    from agentd.protocol import RootInfo, SearchOptions, SearchResult

PIPE_COLUMNS = 120
"""Of the lines of an explanation, where no terminal says how wide it is."""

MODES = ("keyword", "vector", "fusion", "full")

OUTSIDE = "This directory is in no root: searching all of them. To index it: agentctl add ."
NOTHING_RELEVANT = "nothing relevant: "
"""What the daemon says in ``cut`` where it has hits and shows none."""

UNFINISHED = ("folders are still being scanned", "files are still being read", "vectors are still being computed")
"""What the daemon says in ``degraded`` of an index that is being built."""

NO_ROOTS = "Nothing is indexed yet. To index this directory: agentctl add ."


def arguments(parser: ArgumentParser) -> None:
    """What ``search`` takes."""
    parser.add_argument(
        "query", type=c.words, metavar="QUERY", help="in quotes: words, a name, a path, an error or a question"
    )
    parser.add_argument("unquoted", nargs="*", default=[], help=SUPPRESS)  # without a default it counts as required
    parser.add_argument("--also", action="append", metavar="QUERY", help="the same in other words (up to 7 times)")
    parser.add_argument("-k", "--limit", type=c.positive, metavar="N", help="at most N hits")
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--root", metavar="DIR", help="search this root (default: the one you are in, else all)")
    scope.add_argument("--all", action="store_true", help="search every root")
    parser.add_argument("--path", action="append", metavar="GLOB", help="only files like 'src/**/*.py' (repeatable)")
    parser.add_argument("--lang", action="append", metavar="L", help="only this language (repeatable)")
    parser.add_argument("--kind", choices=("code", "docs", "data"), help="only this kind of file")
    parser.add_argument("--mode", choices=MODES, help="how to search (default: full)")
    parser.add_argument(
        "--min-score", type=float, metavar="S", help="hits that score S (0 to 1) or more; 0: all there are"
    )
    parser.add_argument(
        "--rerank",
        action=BooleanOptionalAction,
        help="have the first hits judged by a cross-encoder (default: where one is configured)",
    )
    parser.add_argument("--max-per-file", type=c.count, metavar="N", help="at most N hits from one file (0: any)")
    parser.add_argument("--max-tokens", type=c.positive, metavar="N", help="hits that cost a model at most N tokens")
    parser.add_argument("--signatures", action="store_true", help="show what is defined, not the text")
    parser.add_argument("--deadline", type=c.positive, metavar="MS", help="take what is ready after MS milliseconds")
    parser.add_argument("--explain", action="store_true", help="say what put each hit where it is")


def run(args: Namespace) -> int:
    """Search the root that holds the current directory, or what the arguments name."""
    if args.unquoted:
        output.note(f"agentctl: expected one query, in quotes: agentctl search {quoted([args.query, *args.unquoted])}")
        return c.USAGE
    with c.connect(args) as client:
        known = client.roots()
        if (scope := scope_of(args, known)) is None:
            return c.NOTHING_FOUND
        result = ask(client, args, scope)
    if args.json:
        output.say_json(result)
    else:
        searched = [root for root in known if not scope or root["path"] in scope]
        show(result, args, searched)
    return c.FOUND if result["hits"] else c.NOTHING_FOUND


def ask(client: Client, args: Namespace, scope: list[str]) -> SearchResult:
    """The answer to the query, or to the queries."""
    asked = options(args, scope)
    if args.also:
        return client.multi_search([args.query, *args.also], **asked)
    return client.search(args.query, **asked)


def quoted(words: list[str]) -> str:
    """Words as one argument of a shell."""
    from shlex import quote  # noqa: PLC0415  # only a typing error pays for it

    return output.clean(quote(" ".join(words)))


def scope_of(args: Namespace, known: list[RootInfo], *, placed: bool = False) -> list[str] | None:
    """The root to search, none for all, or None where nothing is indexed; says so where that may surprise. ``placed``:
    what is asked says itself where to look.
    """
    if not known:
        output.note(NO_ROOTS)
        return None
    scope = roots_to_search(args, known)
    if not (scope or args.all or placed):
        output.note(OUTSIDE)
    return scope


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
        "min_score": args.min_score,
        "max_per_file": args.max_per_file,
        "max_tokens": args.max_tokens,
        "signatures": args.signatures,
        "deadline_ms": args.deadline,
        "explain": args.explain,
    }
    chosen = {} if args.rerank is None else {"rerank": args.rerank}
    return chosen | {name: value for name, value in given.items() if value or (value == 0 and value is not False)}  # type: ignore[return-value]


def show(result: SearchResult, args: Namespace, searched: list[RootInfo]) -> None:
    """Print the hits, then what should be known about them: in a pipe that goes to standard error."""
    screen = output.screen()
    found = result["hits"]
    building = progress(searched)
    notes = [footer(result), *advice(result, args), *warnings(result, building), *building]
    view = hits.View(
        screen,
        hits.pattern([args.query, *(args.also or ())]),
        lines=hits.lines_each(screen.rows - len(notes) - 1, len(found)),  # the prompt comes back below them
        signatures=args.signatures,
    )
    explanation: list[str] = []
    if args.explain:
        from agentd.cli import explain  # noqa: PLC0415  # only who asks for it pays for it

        explanation, view.because = explain.explained(result, screen.columns if screen.is_terminal else PIPE_COLUMNS)
    if not screen.is_terminal:
        for line in explanation:
            output.say(hits.MARK + line)
        for line in hits.pipe_lines(found, view):
            output.say(line)
        output.note(*notes)
        return
    for line in explanation:
        output.say(screen.paint(line, output.DIM))
    for hit in found:
        output.say(*hits.terminal_lines(hit, view), "")
    output.say(screen.paint(notes[0], output.DIM), *(screen.paint(line, output.YELLOW) for line in notes[1:]))


def footer(result: SearchResult) -> str:
    """How many, and how fast."""
    shown, total = len(result["hits"]), result["total"]
    if not shown and is_nothing_relevant(result):
        return f"Nothing relevant among {total:,} passages ({result['took_ms']:.1f} ms)"
    if not shown:
        return f"Nothing found ({result['took_ms']:.1f} ms)"
    of_total = f" of {total:,}" if total > shown else ""
    return f"{shown}{of_total} hit{'s' if max(shown, total) > 1 else ''} ({result['took_ms']:.1f} ms)"


def is_nothing_relevant(result: SearchResult) -> bool:
    """Whether the daemon left out everything, since nothing seems to answer."""
    return not result["hits"] and any(NOTHING_RELEVANT in reason for reason in result["cut"])


def advice(result: SearchResult, args: Namespace) -> list[str]:
    """What a person can do where nothing is relevant, or all is doubtful."""
    relevance = result.get("relevance")
    if is_nothing_relevant(result):
        return [
            "Ask in other words, or with a name from the code.",
            f"What comes nearest all the same: agentctl search --min-score 0 {quoted([args.query])}",
            "Whether everything is indexed that you expect: agentctl status",
        ]
    if result["hits"] and relevance is not None and all(hit.get("confidence") == "low" for hit in result["hits"]):
        return [f"These may not be what you asked for (relevance {relevance:.2f})"]
    return []


def warnings(result: SearchResult, building: list[str]) -> list[str]:
    """Everything that is less than it could have been, in the daemon's words, less what ``building`` says."""
    reasons = [reason for reason in result["degraded"] if not (building and reason in UNFINISHED)]
    found = [f"degraded: {output.clean(reason)}" for reason in reasons]
    found += [f"skipped: {output.clean(reason)}" for reason in result["skipped"]]
    found += [f"cut: {output.clean(reason)}" for reason in result["cut"] if NOTHING_RELEVANT not in reason]
    return found if found or building or result["complete"] else ["incomplete"]


def progress(searched: list[RootInfo]) -> list[str]:
    """One line while the index of what was searched is being built, and one for each root that is gone."""
    gone = [f"{output.clean(root['path'])} is missing" for root in searched if root["state"] == "missing"]
    files = sum(root["pending"] for root in searched)
    vectors = sum(root["vectors_pending"] for root in searched)
    if any(root["state"] == "scanning" for root in searched):
        so_far = f", {files:,} to read so far" if files else ""
        return [*gone, f"The index is being built: still looking for files{so_far}"]
    if files or vectors:
        return [*gone, f"The index is being built: {output.left_to_do(files, vectors)}"]
    return gone


COMMANDS = (c.Command("search", "Find passages by words, names and meaning.", run, arguments),)
