from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.compute.pool import Lane
from agentd.domain import SymbolKind
from agentd.errors import AgentdError, TaskTimeoutError, WorkerDiedError
from agentd.kernels.messages import ComplexityRequest, FileComplexity, FunctionComplexity
from agentd.retrieval.complexity import PAGE_BYTES, ComplexityReader, _Measuring, matching, pages_of
from agentd.storage.rows import DocumentRow, SymbolRow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def document(path: str, size: int = 10) -> DocumentRow:
    return DocumentRow(1, 1, "/r", path, size, "python", "code", 1, None)


def function(name: str, complexity: int = 1, end_line: int = 3) -> FunctionComplexity:
    return FunctionComplexity(name, 1, end_line, end_line, complexity, 0, 10)


class BreakingPool:
    """Measures files, but ``bad.py`` ends the task as an endless or a deadly file does."""

    def __init__(self, error: AgentdError) -> None:
        self.error = error
        self.asked: list[tuple[str, ...]] = []

    async def stream(
        self, _kernel: object, request: ComplexityRequest, **_options: object
    ) -> AsyncGenerator[FileComplexity, None]:
        self.asked.append(request.paths)
        for path in request.paths:
            if path == "bad.py":
                raise self.error
            yield FileComplexity(path, [function("f")])


@pytest.mark.parametrize(
    ("error", "reason"), [(TaskTimeoutError("too long"), "timeout"), (WorkerDiedError("killed"), "worker_died")]
)
async def test_a_file_that_breaks_its_worker_is_counted_and_the_rest_of_the_page_is_measured(
    error: AgentdError, reason: str
) -> None:
    pool: Any = BreakingPool(error)
    nothing: Any = None
    measuring = _Measuring(1)
    await ComplexityReader(nothing, nothing, pool, 1)._page("/r", ["a.py", "bad.py", "b.py"], Lane.BULK, measuring)
    assert pool.asked == [("a.py", "bad.py", "b.py"), ("b.py",)]
    assert [path for path, _ in measuring.found] == ["a.py", "b.py"]
    assert measuring.unmeasured == {reason: 1}
    assert measuring.cut(3) == []
    assert measuring.cut(5) == ["2 smaller files, after 10 s: ask for a folder below"]


@given(st.lists(st.integers(0, PAGE_BYTES * 2), max_size=30))
def test_pages_hold_every_file_once_and_no_more_than_a_worker_is_given_at_a_time(sizes: list[int]) -> None:
    documents = [document(f"{number}.py", size) for number, size in enumerate(sizes)]
    pages = list(pages_of(documents))
    assert [path for page in pages for path in page] == [each.path for each in documents]
    by_path = {each.path: each.size for each in documents}
    assert all(len(page) == 1 or sum(by_path[path] for path in page) <= PAGE_BYTES for page in pages)


def test_the_most_complex_come_first_and_of_equals_the_longer() -> None:
    measuring = _Measuring(2)
    functions = [function("simple"), function("short", 5, 2), function("long", 5, 9), function("worst", 8)]
    measuring.take(FileComplexity("a.py", functions))
    assert [each.name for _, each in measuring.worst(2)] == ["worst", "long"]
    assert (measuring.functions, len(measuring.found)) == (4, 3)


def test_vendored_code_is_left_out_unless_it_is_asked_for() -> None:
    known = [document("vendor/a.py"), document("src/b.py"), document("src/b.min.js")]
    measuring = _Measuring(1)
    assert [row.path for row in measuring.chosen(known, "")] == ["src/b.py"]
    assert measuring.unmeasured == {"vendored": 1, "generated": 1}
    assert _Measuring(1).chosen(known[:1], "vendor") == known[:1]
    assert _Measuring(1).chosen(known[:1], "vendor/a.py") == known[:1]


def test_figures_get_the_name_of_the_symbol_that_ends_with_them() -> None:
    def symbol(identity: int, name: str, qualified: str, end_line: int) -> SymbolRow:
        return SymbolRow(
            identity, 1, 1, "/r", "a.cc", "1", "cpp", SymbolKind.METHOD, name, qualified, "", "", 1, end_line
        )

    around = [symbol(1, "Shop", "Shop", 9), symbol(2, "f", "Shop.f", 3)]
    found = matching(around, function("n::Shop::f"))
    assert found is not None
    assert found.qualified == "Shop.f"
    assert matching(around, function("g")) is None
