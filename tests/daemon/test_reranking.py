"""Search through the socket with a cross-encoder: what it changes, and what is left when it cannot."""

from __future__ import annotations

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import build_cross_encoder
import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, running, until

from agentd.client import Client
from agentd.kernels.messages import RerankRequest
from agentd.kernels.rerank import rerank

QUERY = "close the heron connection"
FILES = 40


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_cross_encoder.build(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Notes with ever more about herons and ever less about connections, all of which keywords find."""
    folder = tmp_path_factory.mktemp("root")
    for number in range(FILES):
        words = "heron " * (number % 7 + 1) + "close the connection " * (number % 3) + f"filler{number} words " * number
        (folder / f"note_{number}.txt").write_text(f"{words}\n")
    return folder


def config(model: Path, **settings: float) -> str:
    lines = [f'model = "{model}"', *(f"{name} = {value}" for name, value in settings.items())]
    return QUICK + "\n[rerank]\n" + "\n".join(lines) + "\n"


def search(daemon: Daemon, **options: Any) -> Any:
    chosen: dict[str, Any] = {"mode": "keyword", "limit": FILES, "rerank": True} | options
    return daemon.client.search(QUERY, **chosen)


def names(result: Any) -> list[str]:
    return [Path(hit["path"]).name for hit in result["hits"]]


def settled(daemon: Daemon) -> Daemon:
    daemon.client.wait("keyword", timeout=DEADLINE)
    return daemon


def test_the_first_candidates_are_in_the_order_of_its_scores_and_the_rest_below(
    tmp_path: Path, model: Path, root: Path
) -> None:
    settings = {"weight": 1.0, "candidates": 25, "limit_milliseconds": 20_000}
    with running(tmp_path, root, config=config(model, **settings)) as daemon:
        settled(daemon)
        plain, judged = search(daemon, rerank=False), search(daemon)
        assert judged["degraded"] == plain["degraded"] == []
        texts = [hit["text"] for hit in plain["hits"][:25]]
        scores = rerank(RerankRequest(str(model), QUERY, texts, max_tokens=128)).scores
        order = sorted(range(25), key=lambda at: -round(scores[at], 4))
        assert names(judged)[:25] == [names(plain)[at] for at in order]
        assert names(judged)[25:] == names(plain)[25:]
        assert names(judged) != names(plain)


def test_a_model_that_is_configured_is_used_by_a_full_search_unless_it_says_no(
    tmp_path: Path, model: Path, root: Path
) -> None:
    def judged() -> int:
        metrics = daemon.client.stats()["metrics"]
        return metrics["search_stage_ms{stage=rerank}"]["count"]  # type: ignore[no-any-return]

    with running(tmp_path, root, config=config(model, limit_milliseconds=20_000)) as daemon:
        settled(daemon)
        asked: list[tuple[dict[str, Any], int]] = [
            ({"mode": "full"}, 1),
            ({"mode": "full", "rerank": False}, 0),
            ({"mode": "fusion"}, 0),
            ({"mode": "fusion", "rerank": True}, 1),
        ]
        for options, more in asked:
            before = judged()
            assert daemon.client.search(QUERY, **options)["hits"]
            assert judged() == before + more, options


def test_without_a_model_only_who_asked_for_it_is_told(tmp_path: Path, root: Path) -> None:
    with running(tmp_path, root) as daemon:
        settled(daemon)
        asked, plain = search(daemon), daemon.client.search(QUERY, mode="keyword", limit=FILES)
        assert asked["degraded"] == ["rerank: no cross-encoder is configured (rerank.model)"]
        assert plain["degraded"] == []
        assert names(asked) == names(plain)
        assert not any("rerank" in problem for problem in daemon.client.health()["problems"])


def test_a_model_that_cannot_be_used_costs_its_order_alone(tmp_path: Path, model: Path, root: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(model, folder)
    (folder / "model.onnx").write_bytes(b"garbage" * 1000)
    with running(tmp_path / "place", root, config=config(folder)) as daemon:
        settled(daemon)
        (problem,) = (each for each in daemon.client.health()["problems"] if "rerank" in each)
        assert problem.startswith("hits are not reranked: ")
        assert "expected an ONNX model" in problem
        found = search(daemon)
        assert found["degraded"] == [problem.replace("hits are not reranked", "rerank")]
        assert names(found) == names(search(daemon, rerank=False))


def test_hits_keep_their_order_where_it_is_too_slow_until_it_is_given_more_time(
    tmp_path: Path, model: Path, root: Path
) -> None:
    with running(tmp_path, root, config=config(model, candidates=200, limit_milliseconds=1)) as daemon:
        settled(daemon)
        late, plain = search(daemon), search(daemon, rerank=False)
        assert late["degraded"] == [f"rerank: {FILES} passages were not judged within 1 ms"]
        assert names(late) == names(plain)
        assert not late["complete"]
        assert late["took_ms"] < 1000
        assert daemon.client.stats()["metrics"]["rerank_late"] == 1
        daemon.config.write_text(config(model, candidates=200, limit_milliseconds=20_000))
        daemon.signal(signal.SIGHUP)
        until(lambda: names(search(daemon)) != names(plain), "it has time from now on")


def test_a_worker_that_is_killed_meanwhile_costs_nobody_an_answer(tmp_path: Path, model: Path, root: Path) -> None:
    with (
        running(tmp_path, root, config=config(model, candidates=200, limit_milliseconds=20_000)) as daemon,
        ThreadPoolExecutor(1) as thread,
    ):
        expected = names(search(settled(daemon)))

        def ask() -> list[Any]:
            with Client(str(daemon.socket), timeout=DEADLINE) as client:
                return [client.search(QUERY, mode="keyword", limit=FILES, rerank=True) for _ in range(20)]

        asking = thread.submit(ask)
        killed = 0
        while not asking.done():
            for pid in daemon.workers("interactive"):
                os.kill(pid, signal.SIGKILL)
                killed += 1
            until(lambda: asking.done() or daemon.workers("interactive"), "a worker takes over")
        answers = asking.result(DEADLINE)
        assert killed
        assert all(sorted(names(answer)) == sorted(expected) for answer in answers)
        assert all(names(answer) == expected or answer["degraded"] for answer in answers)
        until(lambda: names(search(daemon)) == expected, "it judges as before")
