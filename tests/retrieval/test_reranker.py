"""Reranking in real workers: its answers, its limits, and what is left of it when something goes wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import build_cross_encoder
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.compute.pool import Lane, Pool
from agentd.config.settings import ComputeSettings, RerankSettings
from agentd.kernels.messages import EmbedRequest, RerankRequest
from agentd.kernels.registry import EMBED
from agentd.kernels.rerank import rerank as judge
from agentd.models import builtin_model_directory
from agentd.observability.metrics import Metrics
from agentd.retrieval.reranker import NO_MODEL, Reranker, Reranking, reorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

DEADLINE = 30.0
QUERY = "close the database connection"
TEXTS = ["close a door", "the database connection is closed", "", "cat", *(f"line {n} " * n for n in range(60))]
MANY = [f"number {n} " * 200 for n in range(150)]
"""Work for a second or so."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_cross_encoder.build(tmp_path_factory.mktemp("model") / "tiny"))


@asynccontextmanager
async def reranking(model: str, **settings: float) -> AsyncIterator[tuple[Reranker, Pool]]:
    pool = Pool(ComputeSettings(bulk_workers=1))
    await pool.start()
    try:
        reranker = Reranker(pool, RerankSettings(model=model, **settings), Metrics())  # type: ignore[arg-type]
        await reranker.prepare()
        yield reranker, pool
    finally:
        await pool.stop(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what another process brings about."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.002)


def interactive(pool: Pool) -> int:
    (pid,) = (worker.pid for worker in pool.stats().workers if worker.lane is Lane.INTERACTIVE)
    return pid


def busy(pool: Pool) -> int:
    return pool.stats().lanes[Lane.INTERACTIVE].busy


async def test_texts_keep_their_scores_however_they_are_shared_out(model: str) -> None:
    alone = judge(RerankRequest(model, QUERY, TEXTS, max_tokens=128)).scores
    async with reranking(model, limit_milliseconds=20_000) as (reranker, pool):
        assert reranker.problem == ""
        done = pool.stats().lanes[Lane.INTERACTIVE].done
        found = await reranker.rerank(QUERY, TEXTS, DEADLINE)
        assert found.problem == ""
        assert found.scores == pytest.approx(alone, abs=1e-4)
        assert pool.stats().lanes[Lane.INTERACTIVE].done > done + 5
        assert await reranker.rerank(QUERY, [], DEADLINE) == Reranking([])


async def test_without_a_model_it_says_so() -> None:
    async with reranking("") as (reranker, _):
        assert not reranker.configured
        assert await reranker.rerank(QUERY, TEXTS, DEADLINE) == Reranking([], NO_MODEL)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (shutil.rmtree, "found nothing"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"garbage" * 1000), "expected an ONNX model"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "expected the file tokenizer.json"),
        (lambda folder: shutil.copy(builtin_model_directory() / "model.onnx", folder), "no cross-encoder"),
    ],
)
async def test_a_folder_that_will_not_do_is_a_problem_and_no_crash(
    model: str, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(model, folder)
    damage(folder)
    async with reranking(str(folder)) as (reranker, _):
        assert words in reranker.problem
        assert await reranker.rerank(QUERY, TEXTS, DEADLINE) == Reranking([], reranker.problem)


async def test_a_model_too_slow_leaves_the_order_in_time_and_its_worker_alive(model: str) -> None:
    async with reranking(model) as (reranker, pool):
        pid, began = interactive(pool), time.monotonic()
        late = await reranker.rerank(QUERY, MANY, 0.1)
        assert time.monotonic() - began < 0.5
        assert late == Reranking([], "150 passages were not judged within 50 ms")
        await until(lambda: not busy(pool))
        assert not pool.stats().lanes[Lane.INTERACTIVE].queued
        assert len((await reranker.rerank(QUERY, TEXTS[:3], DEADLINE)).scores) == 3
        assert interactive(pool) == pid


async def test_the_limit_of_the_settings_holds_too(model: str) -> None:
    async with reranking(model, limit_milliseconds=1) as (reranker, _):
        assert (await reranker.rerank(QUERY, MANY, DEADLINE)).problem.endswith("within 1 ms")
        assert (await reranker.rerank(QUERY, MANY, -1.0)).problem.endswith("within 0 ms")


async def test_a_query_that_is_embedded_meanwhile_does_not_wait_for_all_of_it(model: str) -> None:
    async with reranking(model, limit_milliseconds=20_000) as (reranker, pool):
        embedding = EmbedRequest(str(builtin_model_directory()), ["another query"])
        await pool.run(EMBED, embedding, lane=Lane.INTERACTIVE)
        judging = asyncio.create_task(reranker.rerank(QUERY, MANY, DEADLINE))
        await until(lambda: busy(pool))
        await pool.run(EMBED, embedding, lane=Lane.INTERACTIVE)
        assert not judging.done()
        assert (await judging).problem == ""


async def test_a_worker_that_is_killed_is_replaced_and_the_scores_are_the_same(model: str) -> None:
    async with reranking(model, limit_milliseconds=20_000) as (reranker, pool):
        expected = await reranker.rerank(QUERY, MANY, DEADLINE)
        judging = asyncio.create_task(reranker.rerank(QUERY, MANY, DEADLINE))
        await until(lambda: busy(pool))
        os.kill(interactive(pool), signal.SIGKILL)
        assert await judging == expected
        assert pool.stats().lanes[Lane.INTERACTIVE].retried == 1


async def test_workers_that_die_again_cost_this_reranking_alone(model: str) -> None:
    async with reranking(model, limit_milliseconds=20_000) as (reranker, pool):
        judging = asyncio.create_task(reranker.rerank(QUERY, MANY, DEADLINE))
        for _ in range(2):
            await until(lambda: busy(pool))
            pid = interactive(pool)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: judging.done() or (busy(pool) and interactive(pool) != pid))  # noqa: B023  # used at once
        found = await judging
        assert found.scores == []
        assert "at its second try" in found.problem
        assert (await reranker.rerank(QUERY, TEXTS, DEADLINE)).problem == ""


async def test_a_caller_that_goes_away_takes_its_tasks_along(model: str) -> None:
    async with reranking(model, limit_milliseconds=20_000) as (reranker, pool):
        judging = asyncio.create_task(reranker.rerank(QUERY, MANY, DEADLINE))
        await until(lambda: pool.stats().lanes[Lane.INTERACTIVE].queued)
        judging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await judging
        await until(lambda: not busy(pool))
        assert not pool.stats().lanes[Lane.INTERACTIVE].queued


async def test_it_is_measured(model: str) -> None:
    async with reranking(model, limit_milliseconds=20_000) as (reranker, _):
        metrics = Metrics()
        measured = Reranker(reranker._pool, reranker.settings, metrics)
        await measured.prepare()
        await measured.rerank(QUERY, TEXTS[:3], DEADLINE)
        await measured.rerank(QUERY, MANY, 0.01)
        assert metrics.histogram("search_stage_ms", stage="rerank").count == 2
        assert (metrics.counter("rerank_late").value, metrics.counter("rerank_failed").value) == (1, 0)


SCORES = st.lists(st.floats(-20, 20), max_size=40)


@given(SCORES, st.floats(0, 1))
def test_reordering_loses_and_repeats_nothing(scores: list[float], weight: float) -> None:
    ids = list(range(100, 100 + len(scores)))
    assert sorted(reorder(ids, scores, weight)) == ids


@given(SCORES)
def test_the_weight_says_whose_order_counts(scores: list[float]) -> None:
    ids = list(range(100, 100 + len(scores)))
    assert reorder(ids, scores, 0.0) == ids
    assert reorder(ids, scores, 1.0) == sorted(ids, key=lambda each: -scores[each - 100])


def test_between_equals_the_cross_encoder_decides() -> None:
    assert reorder([1, 2, 3], [0.1, 0.9, 0.0], 0.5) == [2, 1, 3]
    assert reorder([1, 2, 3], [0.5, 0.5, 0.5], 0.5) == [1, 2, 3]
