from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.compute.fleet import LAST_DELAY_SECONDS, start_delay
from agentd.compute.task import Priority, Task, TaskQueue


def _task(priority: Priority) -> Task:
    return Task("echo", b"", priority, 1.0, 1.0)


@given(st.lists(st.tuples(st.sampled_from(Priority), st.sampled_from(["push", "front", "pop", "remove"])), max_size=40))
def test_the_queue_behaves_like_a_stably_sorted_list(steps: list[tuple[Priority, str]]) -> None:
    queue = TaskQueue()
    model: list[Task] = []
    for priority, action in steps:
        if action == "pop":
            if model:
                expected = min(model, key=lambda task: task.priority)
                assert queue.pop() is expected
                model.remove(expected)
        elif action == "remove":
            if model:
                assert queue.remove(model[0])
                assert not queue.remove(model.pop(0))
        else:
            task = _task(priority)
            queue.push(task, front=action == "front")
            model.insert(0 if action == "front" else len(model), task)
        assert len(queue) == len(model)


def test_an_empty_queue_has_no_next_task() -> None:
    with pytest.raises(IndexError):
        TaskQueue().pop()


def test_the_wait_after_failed_starts_doubles_up_to_a_bound() -> None:
    delays = [start_delay(failures) for failures in range(1, 200)]
    assert delays[:3] == [0.1, 0.2, 0.4]
    assert delays[-1] == LAST_DELAY_SECONDS
    assert delays == sorted(delays)
