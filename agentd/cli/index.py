"""``agentctl status``, ``wait`` and ``reindex``: how far the index is."""

from __future__ import annotations

import time

from agentd.cli import command as c
from agentd.cli import models, output
from agentd.cli.roots import ORIGINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agentd.protocol import IndexStatus, RootInfo


def status_arguments(parser: ArgumentParser) -> None:
    """What ``status`` takes."""
    parser.add_argument("--watch", action="store_true", help="draw it live, until Ctrl-C; in a pipe a line a change")


def status(args: Namespace) -> int:
    """Say how far the index is."""
    if args.watch:
        from agentd.cli import watch  # noqa: PLC0415  # it draws with rich, which takes as long as six searches

        return watch.run(args)
    with c.connect(args) as client:
        now = client.status()
    if args.json:
        output.say_json(now)
    else:
        output.say(*report(now, client.socket_path, output.screen(), time.time()))
    return c.FOUND


def report(status: IndexStatus, socket_path: str, screen: output.Screen, now: float) -> list[str]:
    """The whole status for people. ``now`` is in seconds since the epoch."""
    lines = [f"{screen.paint(status['state'], output.BOLD)}{lag(status)}"]
    for root in status["roots"]:
        lines += ["", *root_report(root, screen, now)]
    if not status["roots"]:
        lines += ["", "No roots. To index this directory: agentctl add ."]
    lines += ["", *totals(status, socket_path, screen, now)]
    lines += [screen.paint(f"degraded: {output.clean(reason)}", output.YELLOW) for reason in status["degraded"]]
    return lines + [f"notice: {output.clean(notice)}" for notice in status.get("notices", ())]


def lag(status: IndexStatus) -> str:
    """Which view is behind the newest generation, if one is."""
    views = [("keyword", status["keyword_generation"])]
    if status["space"]:  # with embedding switched off there is no vector view
        views.append(("vector", status["vector_generation"]))
    newest = status["generation"]
    behind = [f"{name} view {newest - at:,} behind" for name, at in views if at < newest]
    return f" ({', '.join(behind)})" if behind else ""


def root_report(root: RootInfo, screen: output.Screen, now: float) -> list[str]:
    """One root: a heading, and what was found below it."""
    colour = output.GREEN if root["state"] == "current" else output.YELLOW
    scanned = "never" if root["scanned_at"] is None else output.duration(max(now - root["scanned_at"], 0)) + " ago"
    rows = [
        ("  files", f"{root['documents']:,}{pending(root['pending'], 'to read')}"),
        ("  passages", f"{root['chunks']:,}"),
        ("  vectors", f"{root['vectors']:,}{pending(root['vectors_pending'], 'to compute')}"),
        ("  scanned", scanned),
    ]
    if followed := watched(root):
        rows.append(("  watched", followed))
    if root["skipped"]:
        rows.append(("  skipped", f"{output.counts(root['skipped'])} (agentctl files --skipped)"))
    heading = f"{screen.paint(output.clean(root['path']), output.BOLD)}  {screen.paint(root['state'], colour)}"
    return [f"{heading}  ({ORIGINS[root['origin']]})", *output.table(rows)]


def watched(root: RootInfo) -> str:
    """How much of a root is watched, where that is not all of it. The reason stands under ``degraded``."""
    if root["watched"] or not root.get("directories"):
        return ""
    kind = f", {output.clean(root['filesystem'])}" if root["filesystem"] else ""
    return f"{root['coverage']:g} % of {root['directories']:,} directories, {root['polled_directories']:,} polled{kind}"


def totals(status: IndexStatus, socket_path: str, screen: output.Screen, now: float) -> list[str]:
    """What concerns all roots together."""
    rows = [*models.model_rows(status, screen), *models.server_rows(status, screen, now)]
    if speed := rates(status):
        rows.append(("rate", speed))
    if status["disk_bytes"]:
        rows.append(("disk", disk(status["disk_bytes"])))
    rows += [("limit", text) for text in limits(status)]
    rows.append(("socket", output.clean(socket_path)))
    return output.table(rows)


def disk(sizes: dict[str, int]) -> str:
    """The total, and what it is made of, largest first."""
    parts = sorted((item for item in sizes.items() if item[0] != "total"), key=lambda item: -item[1])
    total = sizes.get("total", sum(sizes.values()))
    return f"{output.size(total)} ({', '.join(f'{output.clean(name)} {output.size(size)}' for name, size in parts)})"


def limits(status: IndexStatus) -> list[str]:
    """Budgets that something gives way to; an older daemon has none."""
    return [
        f"{output.clean(name.replace('_', ' '))} {amount(name, each['used'])} of {amount(name, each['limit'])}: "
        f"{output.clean(each['state'])}"
        for name, each in status.get("limits", {}).items()
        if each["state"] != "ok"
    ]


def amount(limit: str, value: int) -> str:
    """What a budget counts: bytes, or things."""
    return f"{value:,}" if limit in {"descriptors", "watches"} else output.size(value)


def rates(status: IndexStatus) -> str:
    """Speed and time left, while there is work."""
    parts = [
        f"{status[key]:,.1f} {unit}/s"  # type: ignore[literal-required]  # both keys are rates
        for key, unit in (("files_per_second", "files"), ("vectors_per_second", "vectors"))
        if status[key]  # type: ignore[literal-required]  # the same
    ]
    if status["eta_seconds"] is not None and (status["pending"] or status["vectors_pending"]):
        parts.append(f"about {output.duration(status['eta_seconds'])} left")
    return ", ".join(parts)


def pending(count: int, what: str) -> str:
    """``(12 to read)``, or nothing where nothing is left."""
    return f" ({count:,} {what})" if count else ""


def wait_arguments(parser: ArgumentParser) -> None:
    """What ``wait`` takes."""
    parser.add_argument(
        "--for", dest="target", choices=("keyword", "vectors"), default="vectors", help="default: vectors"
    )
    parser.add_argument("--timeout", type=c.seconds, metavar="S", help="give up after S seconds with exit code 5")


def wait(args: Namespace) -> int:
    """Return when the index is current."""
    with c.connect(args) as client:
        if output.screen().is_terminal and not args.json:
            from agentd.cli import watch  # noqa: PLC0415  # as above

            now = watch.progress(client, args.target, args.timeout)
        else:
            now = client.wait(args.target, args.timeout)
    if args.json:
        output.say_json(now)
    else:
        output.say(f"Current: {now['documents']:,} files, {now['vectors']:,} vectors")
    return c.FOUND


def reindex_arguments(parser: ArgumentParser) -> None:
    """What ``reindex`` takes."""
    parser.add_argument("directory", metavar="DIR", nargs="?", help="only this folder")


def reindex(args: Namespace) -> int:
    """Have every file read again; what has not changed is not embedded again."""
    with c.connect(args) as client:
        done = client.reindex(args.directory)
    if args.json:
        output.say_json(done)
    else:
        output.say(f"Reading {done['scheduled']:,} files again; see: agentctl status")
    return c.FOUND


COMMANDS = (
    c.Command("status", "Say how far the index is.", status, status_arguments),
    c.Command("wait", "Return when the index is current.", wait, wait_arguments),
    c.Command("reindex", "Read every file again.", reindex, reindex_arguments),
)
