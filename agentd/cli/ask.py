"""``agentctl ask``: a question answered, its text shown as it is written."""

from __future__ import annotations

from argparse import SUPPRESS

from agentd.cli import answers, output
from agentd.cli import command as c
from agentd.cli.search import quoted, scope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agentd.client import Client, Stream
    from agentd.protocol import Answered, AskOptions

GRACE_SECONDS = 5.0
"""Beyond ``--timeout``, for the daemon to say itself that the time is over."""


def arguments(parser: ArgumentParser) -> None:
    """What ``ask`` takes."""
    parser.add_argument("question", type=c.words, metavar="QUESTION", help="in quotes")
    parser.add_argument("unquoted", nargs="*", default=[], help=SUPPRESS)  # without a default it counts as required
    parser.add_argument("--web", action="store_true", help="search the web too, where the configuration allows it")
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--root", metavar="DIR", help="ask about this root (default: the one you are in, else all)")
    scope.add_argument("--all", action="store_true", help="ask about every root")
    parser.add_argument("-k", "--limit", type=c.positive, metavar="N", help="answer from at most N passages")
    parser.add_argument("--max-tokens", type=c.positive, metavar="N", help="an answer of at most N tokens")
    parser.add_argument("--timeout", type=c.seconds, metavar="S", help="answer with what there is after S seconds")
    parser.add_argument("--events", action="store_true", help="with --json: each event as a line, then the answer")


def run(args: Namespace) -> int:
    """Ask about the root that holds the current directory, or what the arguments name."""
    if args.unquoted:
        words = quoted([args.question, *args.unquoted])
        output.note(f"agentctl: expected one question, in quotes: agentctl ask {words}")
        return c.USAGE
    with c.connect(args) as client:
        if (scope := scope_of(args, client.roots())) is None:
            return c.NOTHING_FOUND
        answer = ask(client, args, scope)
    return c.FOUND if answer["citations"] else c.NOTHING_FOUND


def ask(client: Client, args: Namespace, scope: list[str]) -> Answered:
    """The answer, shown."""
    client.timeout = None if args.timeout is None else args.timeout + GRACE_SECONDS
    stream = client.stream("ask", question=args.question, **options(args, scope))
    if args.json:
        return as_json(stream, events=args.events)
    return as_text(stream)


def options(args: Namespace, scope: list[str]) -> AskOptions:
    """The parameters that were given; the others are the daemon's to choose."""
    given = {
        "roots": scope,
        "web": args.web,
        "limit": args.limit,
        "max_tokens": args.max_tokens,
        "deadline_ms": None if args.timeout is None else max(1, round(1000 * args.timeout)),
    }
    return {name: value for name, value in given.items() if value}  # type: ignore[return-value]


def as_json(stream: Stream, *, events: bool) -> Answered:
    """The answer as one line, after the events as lines of their own where they are wanted."""
    for event in stream:
        if events:
            output.say_json({name: value for name, value in event.items() if name != "id"})
            output.flush()
    output.say_json(stream.result)
    answer: Answered = stream.result
    return answer


def as_text(stream: Stream) -> Answered:
    """On a terminal the text as it comes, then what it rests on; in a pipe all of it once it is whole."""
    screen = output.screen()
    writer = answers.Writer(screen)
    for event in stream:
        if not screen.is_terminal:
            continue
        if event["event"] == "chunk":
            writer.write(str(event["text"]))
        elif event["event"] == "discarded":
            writer.discard()
    answer: Answered = stream.result
    writer.end()
    if not screen.is_terminal or writer.said != answer["answer"]:
        answers.say_text(answer, screen)
    answers.say_sources(answer, screen)
    return answer


COMMANDS = (c.Command("ask", "Answer a question, with citations.", run, arguments),)
