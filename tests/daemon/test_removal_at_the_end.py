"""A root that is being removed when the daemon stops."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from daemon_harness import DEADLINE, running, write_files

from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_removal_that_was_begun_is_whole_after_a_stop(tmp_path: Path) -> None:
    """Whoever asked hears that it is done, or that the daemon stops; either way nothing of it is half there later."""
    root = tmp_path / "root"
    write_files(root, 300)
    with running(tmp_path / "place") as daemon:
        daemon.client.add_root(str(root))
        daemon.client.wait("keyword", timeout=DEADLINE)
        stream = daemon.client.stream("roots.remove", path=str(root))
        daemon.signal(signal.SIGTERM)
        with suppress(AgentdClientError):  # either is right
            list(stream)
        assert daemon.exit_code() == 0
        assert "never retrieved" not in daemon.log
        assert "Traceback" not in daemon.log
        daemon.start()
        roots = daemon.client.roots()
        documents = daemon.scalar("SELECT count(*) FROM document")
        assert documents == sum(each["documents"] for each in roots)
