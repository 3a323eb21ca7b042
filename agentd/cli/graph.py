"""``agentctl graph``, ``symbol`` and ``related``: what is defined where, and how it hangs together."""

from __future__ import annotations

import os

from agentd.cli import command as c
from agentd.cli import diagrams, output, search, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterable
    from typing import Any

    from agentd.client import Client
    from agentd.protocol import Answer, Complexity

    Ask = Callable[[Client, Namespace, dict[str, Any]], Any]

WORDS = {
    "callers": "caller",
    "callees": "callee",
    "chain": "way",
    "deps": "dependency",
    "dependents": "dependent",
    "complexity": "function",
}
"""What is asked -> what one of the answers is called."""

KINDS = (
    "module", "class", "struct", "enum", "interface", "trait", "type", "function", "method", "macro", "constant",
    "variable", "field",
)  # fmt: skip


def graph_arguments(parser: ArgumentParser) -> None:
    """What ``graph`` takes."""
    parser.add_argument("what", choices=tuple(WORDS), metavar="WHAT", help=", ".join(WORDS))
    parser.add_argument(
        "subject", metavar="X", help="a name (get, Session.get), PATH:NAME, PATH:LINE, a file, a folder"
    )
    parser.add_argument("target", metavar="Y", nargs="?", help="for chain: where it shall lead")
    parser.add_argument("--format", choices=("text", "json", "mermaid", "dot"), default="text", help="default: text")
    parser.add_argument("--depth", type=c.positive, metavar="N", help="callers of callers and so on, N times")
    parser.add_argument("--transitive", action="store_true", help="for deps and dependents: to the end")
    parser.add_argument("--threshold", type=c.positive, metavar="N", help="for complexity: functions from N on")
    parser.add_argument("-k", "--limit", type=c.positive, metavar="N", help="at most N")
    scope_arguments(parser)


def symbol_arguments(parser: ArgumentParser) -> None:
    """What ``symbol`` takes."""
    parser.add_argument("name", metavar="NAME", help="a name, qualified to any degree: get, Session.get")
    parser.add_argument("--kind", action="append", choices=KINDS, metavar="KIND", help="only this kind (repeatable)")
    parser.add_argument("-k", "--limit", type=c.positive, metavar="N", help="at most N")
    scope_arguments(parser)


def related_arguments(parser: ArgumentParser) -> None:
    """What ``related`` takes."""
    parser.add_argument("place", metavar="PATH:LINE", help="a line of a file in a root")
    parser.add_argument("-k", "--limit", type=c.positive, metavar="N", help="at most N of each kind")


def scope_arguments(parser: ArgumentParser) -> None:
    """Which roots are looked at."""
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--root", metavar="DIR", help="this root (default: the one you are in, else all)")
    scope.add_argument("--all", action="store_true", help="every root")


def graph(args: Namespace) -> int:
    """Ask the graph, and draw the answer."""
    if problem := wrong_use(args):
        output.note(f"agentctl graph {args.what}: {problem}")
        return c.USAGE
    ask: Ask = {"chain": ask_chain, "deps": ask_imports, "dependents": ask_imports, "complexity": ask_complexity}.get(
        args.what, ask_calls
    )
    with c.connect(args) as client:
        roots = scope(args, client)
        if roots is None:
            return c.NOTHING_FOUND
        result = ask(client, args, given(roots=roots, limit=args.limit))
    found = result["chains" if args.what == "chain" else "entries"]
    if args.json or args.format == "json":
        output.say_json(result)
    else:
        for line in drawn(args, result):
            output.say(line)
        if args.format == "text":
            tell(footer(result, WORDS[args.what], len(found)), result)
    return c.FOUND if found else c.NOTHING_FOUND


def wrong_use(args: Namespace) -> str:
    """What is wrong with arguments that are right by themselves."""
    if (args.what == "chain") != (args.target is not None):
        return "takes two names, where from and where to" if args.what == "chain" else "takes one name"
    if args.what == "complexity" and args.format in {"mermaid", "dot"}:
        return "has no arrows to draw; use --format text or json"
    return ""


def scope(args: Namespace, client: Client) -> list[str] | None:
    """The roots to look at, none for all of them; None where there is none at all."""
    return search.scope_of(args, client.roots(), placed=is_place(getattr(args, "subject", "")))


def is_place(subject: str) -> bool:
    """Whether a subject names a file or folder, which says itself where to look."""
    return os.path.exists(subject) or os.path.isfile(subject.rpartition(":")[0])


def given(**options: Any) -> dict[str, Any]:
    """The options that were given; the others are the daemon's to choose."""
    return {name: value for name, value in options.items() if value}


def ask_calls(client: Client, args: Namespace, options: dict[str, Any]) -> Any:
    """Callers or callees."""
    ask = client.callers if args.what == "callers" else client.callees
    return ask(named(args.subject, options), **given(depth=args.depth), **options)


def ask_chain(client: Client, args: Namespace, options: dict[str, Any]) -> Any:
    """Ways from one to the other."""
    source, target = named(args.subject, options), named(args.target, options)
    return client.call_chain(source, target, **given(max_depth=args.depth), **options)


def ask_imports(client: Client, args: Namespace, options: dict[str, Any]) -> Any:
    """What a file, or the file of a symbol, imports; or what imports it."""
    ask = client.dependencies if args.what == "deps" else client.dependents
    if os.path.isfile(args.subject):
        options.pop("roots", None)
        subject = {"path": args.subject}
    else:
        subject = {"symbol": named(args.subject, options)}
    return ask(**subject, **given(transitive=args.transitive, depth=args.depth), **options)


def ask_complexity(client: Client, args: Namespace, options: dict[str, Any]) -> Any:
    """The figures of a file or folder, which tells its root itself."""
    options.pop("roots", None)
    return client.complexity(args.subject, **given(threshold=args.threshold), **options)


def named(subject: str, options: dict[str, Any]) -> str:
    """A symbol as the daemon takes it: a file before the colon is made absolute, and says in which root to look."""
    path, colon, rest = subject.rpartition(":")
    if not (colon and rest and os.path.isfile(path)):
        return subject
    options.pop("roots", None)
    return f"{os.path.abspath(path)}:{rest}"


def drawn(args: Namespace, result: Any) -> Iterable[str]:
    """The lines of an answer in the format that was asked for."""
    screen = output.screen()
    if args.what == "complexity":
        return trees.complexity_lines(result, screen)
    if args.format != "text":
        diagram = diagram_of(args.what, result)
        return diagram.mermaid() if args.format == "mermaid" else diagram.dot()
    if args.what == "chain":
        return trees.chain_lines(result, screen)
    if args.what in {"deps", "dependents"}:
        return trees.import_lines(result, screen, dependents=args.what == "dependents")
    return trees.call_lines(result, screen, callers=args.what == "callers")


def diagram_of(what: str, result: Any) -> diagrams.Diagram:
    """Nodes and arrows of an answer."""
    if what == "chain":
        return diagrams.of_chains(result)
    if what in {"deps", "dependents"}:
        return diagrams.of_imports(result, dependents=what == "dependents")
    return diagrams.of_calls(result, callers=what == "callers")


def symbol(args: Namespace) -> int:
    """Find definitions by name."""
    with c.connect(args) as client:
        roots = scope(args, client)
        if roots is None:
            return c.NOTHING_FOUND
        result = client.find_symbol(args.name, **given(roots=roots, kinds=args.kind, limit=args.limit))
    if args.json:
        output.say_json(result)
    else:
        for line in trees.symbol_lines(result["symbols"], output.screen()):
            output.say(line)
        tell(footer(result, "definition", len(result["symbols"])), result)
        if result["nearest"]:
            output.note("Near to it: " + ", ".join(map(output.clean, result["nearest"])))
    return c.FOUND if result["symbols"] else c.NOTHING_FOUND


def related(args: Namespace) -> int:
    """Show what belongs to a line."""
    path, colon, line = args.place.rpartition(":")
    # No file has a line of ten digits, and int() refuses one of thousands.
    if not (path and colon and line.isdecimal() and len(line) < 10 and int(line)):
        output.note(f"agentctl related: expected PATH:LINE, found {output.clean(args.place)}")
        return c.USAGE
    with c.connect(args) as client:
        result = client.related(path, int(line), **given(limit=args.limit))
    if args.json:
        output.say_json(result)
    else:
        for text in trees.related_lines(result, output.screen()):
            output.say(text)
        tell("", result)
    return c.FOUND if result["symbol"] or result["similar"] else c.NOTHING_FOUND


def footer(result: Answer, word: str, shown: int) -> str:
    """How many, and how fast."""
    total, time = result["total"], f"({result['took_ms']:.1f} ms)"
    if not total:
        return f"Nothing found {time}"
    plural = "dependencies" if word == "dependency" else f"{word}s"
    of_total = f"{shown:,} of " if shown < total else ""
    return f"{of_total}{total:,} {word if total == 1 else plural} {time}"


def tell(first: str, result: Answer) -> None:
    """Say what should be known about an answer: in a pipe on standard error."""
    said = [*([first] if first else []), *warnings(result), *unmeasured(result)]
    if not said:
        return
    screen = output.screen()
    if screen.is_terminal:
        output.say(*(screen.paint(line, output.DIM) for line in said))
    else:
        output.note(*said)


def warnings(result: Answer) -> list[str]:
    """Everything that is less than it could have been, in the daemon's words."""
    return [
        f"{title}: {output.clean(reason)}"
        for title, reasons in (
            ("degraded", result["degraded"]),
            ("skipped", result["skipped"]),
            ("cut", result["cut"]),
        )
        for reason in reasons
    ]


def unmeasured(result: Answer | Complexity) -> list[str]:
    """How many files have no figures, and why."""
    counts: dict[str, int] = result.get("unmeasured") or {}  # type: ignore[assignment]  # of Complexity alone
    return [f"not measured: {output.counts(counts)}"] if counts else []


COMMANDS = (
    c.Command("symbol", "Find definitions by name.", symbol, symbol_arguments),
    c.Command("graph", "Show callers, callees, chains of calls, imports, complexity.", graph, graph_arguments),
    c.Command("related", "Show what belongs to a line of a file.", related, related_arguments),
)
