"""The index drawn live with rich: ``agentctl status --watch``, and ``wait`` on a terminal."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque

from rich.console import Console
from rich.live import Live

from agentd.cli import command as c
from agentd.cli import dashboard, output
from agentd.cli.bars import bars
from agentd.cli.history import History
from agentd.client import AgentdClientError, Client, ConnectionLostError, NoDaemonError, ReplyTimeoutError
from agentd.config import terminal
from agentd.wire import wait_params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from agentd.protocol import IndexStatus

REFRESH_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
"""A daemon that takes longer for a status is not there, as far as a live view is concerned."""

EVENTS_KEPT = 100

AWAY = (NoDaemonError, ConnectionLostError, ReplyTimeoutError)
"""What a daemon that restarts looks like."""


def run(args: Namespace) -> int:
    """Show the status until Ctrl-C. Once a daemon has answered, one that goes away is waited for."""
    with c.connect(args) as client:
        now = client.status()
    screen = output.screen()
    if args.json or not screen.is_terminal or not terminal.knows_escapes():
        follow(args, now)
    else:
        with contextlib.suppress(KeyboardInterrupt):  # how a person leaves it
            live_view(args, screen)
    return c.FOUND


def live_view(args: Namespace, screen: output.Screen) -> None:
    """Draw on the whole terminal, which is as it was before in the end."""
    view = View(args)
    with Live(console=console(screen), screen=True, auto_refresh=False) as live:
        while True:
            view.look()
            columns, rows = live.console.size = output.dimensions()
            drawn = dashboard.screen(view.history, [*view.events], columns, rows, away=view.away)
            live.update(drawn, refresh=True)
            time.sleep(REFRESH_SECONDS)


class View:
    """What is shown: a connection for figures, and another one, in a thread, for events."""

    def __init__(self, args: Namespace) -> None:
        self.history = History()
        self.events: deque[str] = deque(maxlen=EVENTS_KEPT)
        self._args = args
        self._client: Client | None = None
        self._lost_before = False

    @property
    def away(self) -> bool:
        """Whether the daemon does not answer."""
        return self._client is None

    def look(self) -> None:
        """Take a sample; without a daemon the last one stays, and the newest event says so."""
        try:
            client = self._client or Client(self._args.socket, timeout=PATIENCE_SECONDS)
            self.history.add(time.monotonic(), client.status(), client.stats())
        except AWAY:
            self._lost()
            return
        if self._client is None:
            self._found(client)

    def _found(self, client: Client) -> None:
        """From the first sample on, which names the roots, events are of interest too."""
        if self._lost_before:
            self._tell("agentd is back")
        self._client = client
        threading.Thread(target=self._listen, daemon=True).start()

    def _lost(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            self._lost_before = True
            self._tell("agentd does not answer")

    def _listen(self) -> None:
        """Note events until the connection ends; the next one has a thread of its own."""
        try:
            with Client(self._args.socket, timeout=None) as client:
                for event in client.stream("index.events"):
                    if text := dashboard.told(dict(event), self._roots()):
                        self.events.append(text)
        except AgentdClientError:  # gone, or too old to tell
            pass

    def _roots(self) -> list[str]:
        status = self.history.status
        return [root["path"] for root in status["roots"]] if status is not None else []

    def _tell(self, text: str) -> None:
        self.events.append(f"{time.strftime('%H:%M:%S')}  {text}")


def follow(args: Namespace, first: IndexStatus) -> None:
    """Print a line for each change, for pipes and logs, until Ctrl-C."""
    before = None
    for status in statuses(args, first):
        line = one_line(status) if status is not None else "waiting for the daemon"
        if line != before:
            before = line
            if not args.json:
                output.say(line)
            elif status is not None:
                output.say_json(status)
            output.flush()
        time.sleep(REFRESH_SECONDS)


def statuses(args: Namespace, first: IndexStatus) -> Iterator[IndexStatus | None]:
    """The status, again and again; None while there is no daemon."""
    yield first
    while True:
        try:
            with Client(args.socket, timeout=PATIENCE_SECONDS) as client:
                while True:
                    yield client.status()
        except AWAY:
            yield None


def progress(client: Client, target: str, timeout: float | None) -> IndexStatus:
    """Wait for the index, and draw the events on the way."""
    client.timeout = None
    stream = client.stream("index.wait", events=True, **wait_params(target, timeout))
    with Live(console=console(output.screen()), auto_refresh=False, transient=True) as live:
        for event in stream:
            if "status" in event:
                live.update(bars(event["status"]), refresh=True)
    return stream.result  # type: ignore[no-any-return]


def one_line(status: IndexStatus) -> str:
    """The status without what changes while nothing happens: rates and times."""
    reasons = "".join(f"; degraded: {output.clean(reason)}" for reason in status["degraded"])
    return (
        f"{status['state']}: {status['documents']:,} files, {status['pending']:,} to read, "
        f"{status['vectors']:,} vectors, {status['vectors_pending']:,} to compute{reasons}"
    )


def console(screen: output.Screen) -> Console:
    """Rich's console, told what ours knows."""
    return Console(no_color=not screen.colour, highlight=False, markup=False, width=screen.columns)
