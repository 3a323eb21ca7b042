"""Who may connect: the daemon's own user, root, and those whom the configuration names."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import QUICK, running

from agentd.config.users import user_ids
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

ALLOWED, STRANGER = 65533, 65534
REFUSED = {"peer_refused", "connection_lost"}  # a client that writes into a closed connection may not see why

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be several users")

ASK = """
import sys
from agentd.wire import AgentdClientError
from agentd.client import Client
import os, json
path, user = sys.argv[1], int(sys.argv[2])
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
try:
    with Client(path, timeout=20) as client:
        print(json.dumps(client.hello()))
except AgentdClientError as error:
    print(json.dumps({"kind": error.kind}))
"""


@contextmanager
def reachable_place() -> Iterator[Path]:
    """A directory that every user may enter and only root may write; pytest's own are closed, and ``/tmp`` is open."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as directory:
        place = Path(directory)
        place.chmod(0o755)
        yield place


def ask(socket: Path, user: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(socket), str(user)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_named_user_is_served_and_a_stranger_is_refused() -> None:
    allowed = f'[server]\nallowed_users = ["{ALLOWED}"]\n'
    config = QUICK.replace("[server]\n", allowed)
    with reachable_place() as place, running(place / "agentd", config=config) as daemon:
        (place / "agentd").chmod(0o755)
        assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o666
        assert stat.S_IMODE(daemon.socket.parent.stat().st_mode) == 0o711
        assert stat.S_IMODE(daemon.state.stat().st_mode) == 0o700
        assert ask(daemon.socket, ALLOWED)["name"] == "agentd"
        assert ask(daemon.socket, STRANGER)["kind"] in REFUSED
        assert ask(daemon.socket, 0)["name"] == "agentd"


def test_without_names_others_do_not_even_reach_the_socket() -> None:
    with reachable_place() as place, running(place / "agentd") as daemon:
        (place / "agentd").chmod(0o755)
        assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(daemon.socket.parent.stat().st_mode) == 0o700
        assert ask(daemon.socket, STRANGER) == {"kind": "permission_denied"}
        daemon.socket.parent.chmod(0o755)
        daemon.socket.chmod(0o666)  # as a careless owner might: the peer is looked at all the same
        assert ask(daemon.socket, STRANGER)["kind"] in REFUSED
        assert '"peer_refused"' in daemon.log


def test_users_are_named_or_numbered_and_nobody_else_is_taken() -> None:
    assert user_ids(["root", "1234"]) == {0, 1234}
    for name in ("no-such-user", "", "1 2", "a\0b", "-1"):
        with pytest.raises(ConfigError, match=r"server\.allowed_users: expected the names or numbers of users"):
            user_ids([name])
