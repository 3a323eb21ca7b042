"""``python web_daemon.py PORT ...``: agentd, but that every name of the web is a server of the tests on loopback. No
setting leads to that, so the guard is another one here.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from agentd.__main__ import main
from agentd.providers.web import build
from agentd.providers.web.guard import Guard

if TYPE_CHECKING:
    from agentd.providers.web.address import IPAddress

PORT = int(sys.argv.pop(1))


async def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def is_ours(address: IPAddress, port: int) -> bool:
    return str(address) == "127.0.0.1" and port == PORT


if __name__ == "__main__":  # workers import this module, too
    with patch.object(build, "Guard", partial(Guard, resolve=here, exempt=is_ours)):
        main()
