from __future__ import annotations

import asyncio

import pytest

from agentd.daemon import supervisor as module
from agentd.daemon.supervisor import Supervisor


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(module, "HEALTHY_SECONDS", 0.05)


async def test_a_service_that_fails_is_named_and_started_again() -> None:
    supervisor = Supervisor()
    runs = 0

    async def service() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise OSError("no space left")

    await supervisor.keep("ingest", service)
    assert runs == 3
    assert supervisor.restarts["ingest"] == 2
    assert "no space left" in supervisor.problems["ingest"]


async def test_the_first_cause_inside_groups_is_named() -> None:
    supervisor = Supervisor()
    failed = False

    async def service() -> None:
        nonlocal failed
        if not failed:
            failed = True
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())

    async def fail() -> None:
        raise ValueError("the real one")

    await supervisor.keep("x", service)
    assert supervisor.problems["x"] == "ValueError: the real one"


async def test_the_problem_of_a_service_that_is_given_up_goes_with_it() -> None:
    supervisor = Supervisor()
    failed = asyncio.Event()

    async def service() -> None:
        failed.set()
        raise OSError("no space left")

    task = asyncio.create_task(supervisor.keep("root /gone", service))
    await failed.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert supervisor.restarts["root /gone"]
    assert supervisor.problems == {}


async def test_a_problem_is_struck_off_once_the_service_has_recovered() -> None:
    supervisor = Supervisor()
    started = asyncio.Event()
    failed = False

    async def service() -> None:
        nonlocal failed
        if not failed:
            failed = True
            raise OSError("passing")
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervisor.keep("x", service))
    await started.wait()
    assert supervisor.problems
    async with asyncio.timeout(5):
        while supervisor.problems:  # noqa: ASYNC110 a timer of the loop brings it about
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
