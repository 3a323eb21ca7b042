"""``agentctl files`` and ``show``: what the index knows, and what a file holds."""

from __future__ import annotations

import os
import sys

from agentd.cli import command as c
from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from agentd.client import Client
    from agentd.protocol import FileInfo, ListOptions


def files_arguments(parser: ArgumentParser) -> None:
    """What ``files`` takes."""
    parser.add_argument("--root", metavar="DIR", help="only this root")
    parser.add_argument("--path", action="append", metavar="GLOB", help="only files like 'src/**/*.py' (repeatable)")
    parser.add_argument("--lang", action="append", metavar="L", help="only this language (repeatable)")
    parser.add_argument("--kind", choices=("code", "docs", "data"), help="only this kind of file")
    parser.add_argument("--skipped", action="store_true", help="only files that cannot be searched, with the reason")


def files(args: Namespace) -> int:
    """List files in the order of their paths."""
    terminal = output.screen().is_terminal
    found = False
    with c.connect(args) as client:
        for file in pages(client, options(args)):
            found = True
            if args.json:
                output.say_json(file)
            else:
                output.say(line(file, terminal=terminal))
    return c.FOUND if found else c.NOTHING_FOUND


def options(args: Namespace) -> ListOptions:
    """The parameters that were given."""
    given = {
        "roots": [os.path.realpath(args.root)] if args.root else None,
        "paths": args.path,
        "languages": args.lang,
        "kind": args.kind,
        "skipped": args.skipped,
    }
    return {name: value for name, value in given.items() if value}  # type: ignore[return-value]


def pages(client: Client, asked: ListOptions) -> Iterator[FileInfo]:
    """The files of every page."""
    while True:
        page = client.list_files(**asked)
        yield from page["files"]
        if page["next"] is None:
            return
        asked["after"] = page["next"]


def line(file: FileInfo, *, terminal: bool) -> str:
    """The path alone in a pipe, with a tab and the reason where the file is skipped; more on a terminal."""
    path = output.short_path(file["path"])
    reason = output.clean(file["skip"].replace("_", " ")) if file["skip"] else ""
    if not terminal:
        return f"{path}\t{file['skip']}" if file["skip"] else path
    about = reason or f"{file['language']}, {file['chunks']} passages"
    return f"{path}  ({output.clean(about)}, {output.size(file['size'])})"


def show_arguments(parser: ArgumentParser) -> None:
    """What ``show`` takes."""
    parser.add_argument("place", metavar="PATH[:START[-END]]", help="a file in a root, and the lines wanted")


def show(args: Namespace) -> int:
    """Print lines of a file: numbered and made safe on a terminal, exactly as they are in a pipe."""
    path, start, end = parse_place(args.place)
    with c.connect(args) as client:
        span = client.read_span(path, start, end)
    screen = output.screen()
    if args.json:
        output.say_json(span)
    elif screen.is_terminal:
        gutter = len(str(span["end_line"]))
        for at, text in enumerate(output.lines_of(span["text"]), span["start_line"]):
            output.say(f"{screen.paint(str(at).rjust(gutter), output.GREEN)}  {text.expandtabs(4)}")
    else:
        sys.stdout.write(span["text"] if span["text"].endswith("\n") else span["text"] + "\n")
    if span["cut"]:
        output.note(f"cut: lines {span['start_line']} to {span['end_line']} of {span['total_lines']} are shown")
    return c.FOUND


def parse_place(place: str) -> tuple[str, int, int | None]:
    """``path:start-end`` -> path, first and last line; a name that itself ends in ``:3`` needs ``./name:3:1``."""
    path, colon, lines = place.rpartition(":")
    first, dash, last = lines.partition("-")
    if not (colon and first.isdecimal() and (last.isdecimal() or not last)):
        return place, 1, None
    if not dash:
        return path, int(first), int(first)
    return path, int(first), int(last) if last else None


COMMANDS = (
    c.Command("show", "Print lines of a file as they are on disk now.", show, show_arguments),
    c.Command("files", "List the files that the index knows.", files, files_arguments),
)
