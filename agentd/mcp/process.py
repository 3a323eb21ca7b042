"""The process: standard input and output, and its end with its client."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING, NoReturn

from mcp.server.stdio import stdio_server

from agentd.mcp.incoming import standard_input
from agentd.mcp.server import new_server

if TYPE_CHECKING:
    from agentd.mcp.desk import Desk

log = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 0.5
"""For what was answered to leave, once the client sends nothing more."""


def serve(desk: Desk) -> NoReturn:
    """Serve the client at the other end of standard input and output until it closes them, then end the process.

    Signals end it as it stands: it holds nothing, and the daemon drops what was asked on a connection that ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(_serve(desk))
    os._exit(0)


async def _serve(desk: Desk) -> None:
    """``initialize`` is answered at once; meanwhile the daemon is connected to, or started, for the first call.

    At the end the interpreter is not left to wait for its threads: one reads standard input, where the client closed
    the other pipe alone, and one may be connecting to a daemon that hangs.
    """
    server = new_server(desk)
    async with stdio_server(standard_input()) as (incoming, outgoing):
        desk.daemon.prepare()
        try:
            await server.run(incoming, outgoing, server.create_initialization_options())
        except Exception:
            log.exception("the server failed")
        finally:
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, os._exit, 0)
    os._exit(0)
