"""``agentctl add``, ``remove`` and ``roots``: which folders are kept indexed."""

from __future__ import annotations

import os

from agentd.cli import command as c
from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

ORIGINS = {"flag": "from --root", "file": "from the configuration", "added": "added"}
"""Who named a root, in words."""


def directory(parser: ArgumentParser) -> None:
    """What ``add`` and ``remove`` take."""
    parser.add_argument("directory", metavar="DIR", help="a folder")


def add(args: Namespace) -> int:
    """Add a root; the daemon begins to index it."""
    with c.connect(args) as client:
        root = client.add_root(args.directory)
    if args.json:
        output.say_json(root)
    else:
        output.say(f"Added {output.clean(root['path'])}. Search works while it is indexed; see: agentctl status")
    return c.FOUND


def remove(args: Namespace) -> int:
    """Remove a root, and its text from the index."""
    with c.connect(args) as client:
        # A folder that is gone, or a link to it, must still be removable by the name that it was added under.
        known = {root["path"] for root in client.roots()}
        real = os.path.realpath(args.directory)
        removed = client.remove_root(real if real in known else args.directory)
    if args.json:
        output.say_json(removed)
    else:
        output.say(f"Removed {output.clean(removed['removed'])}. Its {removed['documents']:,} files leave the index.")
    return c.FOUND


def roots(args: Namespace) -> int:
    """List the roots."""
    with c.connect(args) as client:
        known = client.roots()
    if args.json:
        output.say_json({"roots": known})
    elif known:
        rows = (
            (output.clean(root["path"]), root["state"], f"{root['documents']:,} files", ORIGINS[root["origin"]])
            for root in known
        )
        output.say(*output.table(rows))
    else:
        output.note("No roots. To index this directory: agentctl add .")
    return c.FOUND if known else c.NOTHING_FOUND


COMMANDS = (
    c.Command("add", "Keep a folder indexed from now on.", add, directory),
    c.Command("remove", "Forget a folder and delete its text from the index.", remove, directory),
    c.Command("roots", "List the folders that are kept indexed.", roots),
)
