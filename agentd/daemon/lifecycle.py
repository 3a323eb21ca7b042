"""Startup, serve, shutdown: the life of the daemon in the order in which it happens."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import time
from typing import TYPE_CHECKING

import structlog

from agentd.config.manager import ServiceManager
from agentd.daemon.bootstrap import build
from agentd.daemon.locks import BoundSocket, FileLock, private_directory
from agentd.daemon.systemd.activation import adopted_socket
from agentd.daemon.systemd.notify import Notifier
from agentd.daemon.systemd.reporter import Reporter

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agentd.config.settings import ServerSettings, Settings
    from agentd.daemon.bootstrap import Daemon

log = structlog.get_logger(__name__)

SWITCH_SECONDS = 0.0005
"""How long another thread may keep the interpreter from the loop. The default of 5 ms let two busy threads delay it by
66 ms at p99, this by 9 ms."""
YOUNG_OBJECTS = 50_000
"""Rows and messages die by reference count; at the default of 700 the collector would look for cycles all the time."""

NOBODY = ServiceManager()
"""Started by hand."""
ROOTS_SECONDS = 2.0
"""The longest that the first client waits until all roots are known."""


async def run(settings: Settings, reload: Callable[[], Settings], manager: ServiceManager = NOBODY) -> None:
    """Run until a signal says stop.

    The first SIGTERM or SIGINT drains, the second ends at once; SIGHUP reads the configuration again. A ``manager``
    that started the daemon may have made the socket, and is told how things are.

    Raises:
        ConfigError: the manager handed over no socket that can be used.
        AgentdError: the state or the socket cannot be used.
    """
    began = time.monotonic()
    stop, reload_asked = asyncio.Event(), asyncio.Event()
    sys.setswitchinterval(SWITCH_SECONDS)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(stopping_signals(stop))
        stack.enter_context(reloading_signal(reload_asked))
        reporter = Reporter(stack.enter_context(Notifier(manager.notify_socket)), manager.watchdog_seconds)
        private_directory(settings.state_directory)
        lock = FileLock(settings.state_directory / "lock", f"the state in {settings.state_directory}")
        stack.enter_context(lock)
        # Bound before anything is open: clients that come early wait in the backlog and are served a moment later.
        listening = stack.enter_context(
            adopted_socket(manager) if manager.descriptors else bound_socket(settings.socket, settings.server)
        )
        async with reporter.opening():
            daemon = await build(settings, stack)
        daemon.reloader.listen(reload_asked, reload, reporter.reloading)
        daemon.maintenance.add("state", lambda: asyncio.to_thread(lock.check))
        calm_collector()
        log.info("ready", socket=listening.getsockname(), milliseconds=round((time.monotonic() - began) * 1000, 1))
        await serve(daemon, listening, stop, reporter)
        log.info("stopping")
    log.info("stopped")


def bound_socket(path: Path, server: ServerSettings) -> BoundSocket:
    """A socket of our own, which others can reach where some of them may connect."""
    return BoundSocket(path, server.backlog, shared=bool(server.allowed_users))


async def serve(daemon: Daemon, listening: socket.socket, stop: asyncio.Event, reporter: Reporter) -> None:
    """Run the services and serve clients until ``stop`` is set and the last answer is out.

    The server drains first, because running requests still need the services; these end next, so that nothing new
    reaches workers and stores, which the caller closes last.
    """
    services = asyncio.create_task(daemon.run_services())
    # They end by themselves only when the state fails them all, and then there is nothing left to serve.
    services.add_done_callback(lambda _: stop.set())
    reports = asyncio.create_task(report(daemon, stop, reporter))
    try:
        await roots_known(daemon, stop)
        if not stop.is_set():
            reporter.ready()
        await daemon.server.serve(listening, stop)
    finally:
        for task in (services, reports):
            task.cancel()
        await asyncio.wait([services, reports])
    if not services.cancelled() and (error := services.exception()):
        raise error


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
def reloading_signal(asked: asyncio.Event) -> Iterator[None]:
    """SIGHUP sets the event that the reload service waits for; before that runs, it must not end the process."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def calm_collector() -> None:
    """Take what the start allocated out of the garbage collector's sight, and let it look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
