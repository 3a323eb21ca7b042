"""``python web_daemon.py PORT ...``: agentd, but that every name of the web is a server of the tests on loopback. No
setting leads to that, so the guard is another one here.
"""

from __future__ import annotations

import sys
from functools import partial

from agentd.__main__ import main
from agentd.providers.web import build
from agentd.providers.web.guard import Guard

PORT = int(sys.argv.pop(1))


async def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


if __name__ == "__main__":  # workers import this module, too
    build.Guard = partial(Guard, resolve=here, exempt=lambda address, port: str(address) == "127.0.0.1" and port == PORT)  # type: ignore[misc,assignment]
    main()
