"""The chain of embedding models in a real daemon that is killed, over a server in another thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from chain_harness import impure, write
from daemon_harness import QUICK, Daemon, until
from provider_harness import failure, openai_vectors
from provider_thread import servers

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[[provider]]
name = "box"
kind = "openai"
base_url = "{url}"
embedding_model = "scripted"
batch_texts = 4
retries = 0

[embedding]
chain = ["box", "local"]
"""


def counts(daemon: Daemon) -> dict[str, int]:
    return {each["provider"]: each["vectors"] for each in spaces(daemon)}


def spaces(daemon: Daemon) -> list[Any]:
    return list(daemon.client.status().get("spaces", []))


def test_killed_while_chunks_fall_back_and_converge(tmp_path: Path) -> None:
    write(tmp_path / "root", 30)
    with servers() as served:
        server = served.scripted
        down = partial(failure, "503 Service Unavailable", headers="Retry-After: 1\r\n")
        with Daemon(tmp_path / "place", tmp_path / "root", config=QUICK + CONFIG.format(url=server.url)) as daemon:
            assert daemon.client.wait("vectors")["state"] == "current"
            assert counts(daemon) == {"box": 30, "local": 0}
            server.script = lambda _: down()
            write(tmp_path / "root", 40, first=30)
            until(lambda: counts(daemon)["local"] > 0, "chunks fall back")
            daemon.kill()
            daemon.start()
            until(lambda: counts(daemon) == {"box": 30, "local": 40}, "all that is missing has fallen back")
            daemon.client.wait("vectors")
            state = {each["provider"]: each["state"] for each in spaces(daemon)}
            assert state == {"box": "waiting", "local": "ok"}
            assert any("40 passages use local" in problem for problem in daemon.client.health()["problems"])
            assert len(daemon.client.search("value 45", mode="vector", limit=50)["hits"]) > 0
            server.script = openai_vectors
            until(lambda: counts(daemon)["box"] > 30, "the server is used again")
            daemon.kill()
            daemon.start()
            until(lambda: counts(daemon) == {"box": 70, "local": 0}, "all have converged")
            daemon.client.wait("vectors")
            asked = len(server.asked)
            daemon.restart()
            daemon.client.wait("vectors")
            assert counts(daemon) == {"box": 70, "local": 0}
            assert daemon.client.stats()["embedding"]["computed"] == 0
            assert len(server.asked) <= asked + 2, "the probe alone"
        assert impure(daemon.state) == []
