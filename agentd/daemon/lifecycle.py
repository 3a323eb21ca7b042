"""Startup, serve, shutdown: the life of the daemon in the order in which it happens."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import structlog

from agentd.config import terminal
from agentd.config.manager import ServiceManager
from agentd.daemon.bootstrap import build
from agentd.daemon.locks import BoundSocket, FileLock, private_directory
from agentd.daemon.maintenance import share_heaps
from agentd.daemon.renewal import Renewal, ending, hurry
from agentd.daemon.stores import INDEX_NAME
from agentd.daemon.systemd.activation import adopted_socket
from agentd.daemon.systemd.notify import Notifier
from agentd.daemon.systemd.reporter import Reporter
from agentd.errors import StateDamagedError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from agentd.config.settings import ServerSettings, Settings
    from agentd.daemon.bootstrap import Daemon
    from agentd.storage.database import Database

log = structlog.get_logger(__name__)

SWITCH_SECONDS = 0.0005
"""How long another thread may keep the interpreter from the loop. The default of 5 ms let two busy threads delay it by
66 ms at p99, this by 9 ms."""
YOUNG_OBJECTS = 50_000
"""Rows and messages die by reference count; at the default of 700 the collector would look for cycles all the time."""

NOBODY = ServiceManager()
"""Started by hand."""
NO_CREDENTIALS: Mapping[str, str] = MappingProxyType({})
ROOTS_SECONDS = 2.0
"""The longest that the first client waits until all roots are known."""


async def run(
    settings: Settings,
    reload: Callable[[], Settings],
    manager: ServiceManager = NOBODY,
    credentials: Mapping[str, str] = NO_CREDENTIALS,
) -> None:
    """Run until a signal says stop.

    The first SIGTERM or SIGINT drains, the second ends at once; SIGHUP reads the configuration again. A ``manager``
    that started the daemon may have made the socket, and is told how things are; it may have handed over
    ``credentials``, values by name.

    Raises:
        ConfigError: the manager handed over no socket that can be used.
        AgentdError: the state or the socket cannot be used.
    """
    stop, reload_asked = asyncio.Event(), asyncio.Event()
    sys.setswitchinterval(SWITCH_SECONDS)
    share_heaps()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(stopping_signals(stop))
        stack.enter_context(reloading_signal(reload_asked, stop))
        reporter = Reporter(stack.enter_context(Notifier(manager.notify_socket)), manager.watchdog_seconds)
        private_directory(settings.state_directory)
        lock = FileLock(settings.state_directory / "lock", f"the state in {settings.state_directory}")
        stack.enter_context(lock)
        # Bound before anything is open: clients that come early wait in the backlog and are served a moment later.
        listening = stack.enter_context(
            adopted_socket(manager) if manager.descriptors else bound_socket(settings.socket, settings.server)
        )
        around = Surroundings(listening, lock, stop, reporter, reload_asked, reload, credentials)
        renewal = Renewal(settings.state_directory / INDEX_NAME)
        while (lost := await live(settings, around, renewal.lost)) is not None:
            await renewal.after(lost.damage)
            settings = lost.settings
        log.info("stopping")
    log.info("stopped")


class Surroundings(NamedTuple):
    """What outlives an index that is lost."""

    listening: socket.socket
    lock: FileLock
    stop: asyncio.Event
    reporter: Reporter
    reload_asked: asyncio.Event
    reload: Callable[[], Settings]
    credentials: Mapping[str, str]


class Lost(NamedTuple):
    """Why the index cannot be gone on with, and the settings that were in force."""

    damage: StateDamagedError
    settings: Settings


async def live(settings: Settings, around: Surroundings, lost: str) -> Lost | None:
    """Open everything, serve, close everything; None when it was told to stop. ``lost`` is what was wrong with an index
    given up just before, ``""`` for none.
    """
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        try:
            async with around.reporter.opening():
                daemon = await build(settings, stack, around.credentials)
        except StateDamagedError as error:
            return Lost(error, settings)
        database = daemon.stores.catalogue.database
        database.renewed = database.renewed or lost
        daemon.reloader.listen(around.reload_asked, around.reload, around.reporter.reloading)
        daemon.guard(lambda: in_place(around.lock, database))
        calm_collector()
        name = around.listening.getsockname()
        log.info("ready", socket=name, milliseconds=round((time.monotonic() - began) * 1000, 1))
        database.damage.add_done_callback(lambda _: hurry(daemon))
        async with ending(around.stop, database.damage, around.listening) as end:
            await serve(daemon, around, end)
    return Lost(database.damage.result(), daemon.settings) if damaged(database, around.stop) else None


async def in_place(lock: FileLock, database: Database) -> None:
    """See that what is written is kept. A lock that is gone comes first: without it, no new index may be made here.

    Raises:
        StateUnusableError: the state directory was deleted, or the index in it, which is then made anew.
    """
    await asyncio.to_thread(lock.check)
    try:
        await asyncio.to_thread(database.check_in_place)
    except StateDamagedError as error:
        database.note_damage(error)
        raise


def damaged(database: Database, stop: asyncio.Event) -> bool:
    """Whether the daemon is to go on with a new index."""
    return database.damage.done() and not stop.is_set()


def bound_socket(path: Path, server: ServerSettings) -> BoundSocket:
    """A socket of our own, which others can reach where some of them may connect."""
    return BoundSocket(path, server.backlog, shared=bool(server.allowed_users))


async def serve(daemon: Daemon, around: Surroundings, end: asyncio.Event) -> None:
    """Run the services and serve clients until ``end`` is set and the last answer is out.

    The server drains first, because running requests still need the services; these end next, so that nothing new
    reaches workers and stores, which the caller closes last.
    """
    listening = around.listening.dup()  # the server closes its own, at its end
    services = asyncio.create_task(daemon.run_services())
    # They end by themselves only when the state fails them all, and then there is nothing left to serve.
    services.add_done_callback(lambda _: end.set())
    reports = asyncio.create_task(report(daemon, around.stop, around.reporter))
    idle = asyncio.create_task(leave_when_idle(daemon, around.stop))
    try:
        await roots_known(daemon, end)
        if not end.is_set():
            around.reporter.ready()
        await daemon.server.serve(listening, end)
    finally:
        listening.close()
        for task in (services, reports, idle):
            task.cancel()
        await asyncio.wait([services, reports, idle])
    if not services.cancelled() and (error := services.exception()):
        raise error


async def leave_when_idle(daemon: Daemon, stop: asyncio.Event) -> None:
    """Stop as a signal would once nobody needs the daemon. A client that comes in this moment is heard, or finds nobody
    and starts the next one.
    """
    await daemon.idle.wait()
    stop.set()


async def report(daemon: Daemon, stop: asyncio.Event, reporter: Reporter) -> None:
    """Keep the service manager informed, until cancelled: signs of life have to come while clients are drained too."""
    keep, database = daemon.supervisor.keep, daemon.stores.catalogue.database
    async with asyncio.TaskGroup() as group:
        group.create_task(keep("watchdog", lambda: reporter.feed_watchdog(database.answers)))
        group.create_task(keep("service status", lambda: reporter.show_status(daemon.status.index, database.commits)))
        await stop.wait()
        reporter.stopping(daemon.settings.server.drain_seconds)


async def roots_known(daemon: Daemon, stop: asyncio.Event) -> None:
    """Wait for the roots of flags, file and state, so that the first client finds them; not for long on a dead disk."""
    waiting = [asyncio.create_task(event.wait()) for event in (daemon.index.complete, stop)]
    await asyncio.wait(waiting, timeout=ROOTS_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


@contextlib.contextmanager
def stopping_signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set ``stop``; a second one cancels whatever the daemon is doing."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def ask(name: str) -> None:
        if stop.is_set() and main is not None:
            log.warning("stopping_now", signal=name)
            main.cancel()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number.name)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def reloading_signal(asked: asyncio.Event, stop: asyncio.Event) -> Iterator[None]:
    """SIGHUP sets the event that the reload service waits for; before that runs, it must not end the process.

    One that comes because the terminal was closed stops the daemon: whoever started it there has gone.
    """
    loop = asyncio.get_running_loop()
    attached = terminal.is_attached()

    def hung_up() -> None:
        gone = attached and not terminal.is_attached()
        (stop if gone else asked).set()

    loop.add_signal_handler(signal.SIGHUP, hung_up)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def calm_collector() -> None:
    """Take what the start allocated out of the garbage collector's sight, and let it look less often."""
    gc.unfreeze()  # what was open before a lost index was given up
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
