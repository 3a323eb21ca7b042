"""How complicated the functions of a file or folder are, measured in a worker when somebody asks."""

from __future__ import annotations

import asyncio
import heapq
import math
import os
import time
from collections import Counter
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from agentd.compute.pool import Lane, Priority
from agentd.domain import Filter, Kind, SymbolKind
from agentd.errors import DeadlineError, NotFoundError, TaskMemoryError, TaskTimeoutError, WorkerDiedError
from agentd.kernels.messages import ComplexityRequest
from agentd.kernels.registry import COMPLEXITY
from agentd.kernels.roles import Role, role_of
from agentd.retrieval.patience import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentd.compute.pool import Pool
    from agentd.kernels.messages import FileComplexity, FunctionComplexity
    from agentd.protocol import Complexity, FunctionFigures
    from agentd.retrieval.places import IndexedRoots
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import DocumentRow, SymbolRow

MAX_FILES = 20_000
"""Files of a folder that are listed at most."""
MAX_SECONDS = 10.0
"""How long a folder is measured; at 3.5 MB/s that is some 35 MB a worker."""
FILE_SECONDS = 5.0
"""How long one file may take; lizard's readers can be slow on what is not the language that it seems."""
PAGE_BYTES = 256 * 1024
"""What a worker is given at a time, so that indexing and other folders get their turn."""
INTERACTIVE_BYTES = 128 * 1024
"""A file up to this size is measured beside the queries, within some 40 ms; a larger one would hold them up."""
DOCUMENTS_PAGE = 1000

Measured = tuple[str, "FunctionComplexity"]


class ComplexityReader:
    """Measures files that the index knows, and no others."""

    def __init__(self, catalogue: Catalogue, index: IndexedRoots, pool: Pool, max_bytes: int) -> None:
        self._catalogue = catalogue
        self._index = index
        self._pool = pool
        self.max_bytes = max_bytes

    async def complexity(self, path: str, threshold: int, limit: int, seconds: float = math.inf) -> Complexity:
        """The functions of at least ``threshold`` independent paths, the most complex first, of the files that are
        measured within ``seconds``, or MAX_SECONDS.

        Raises:
            OutsideRootsError: no root holds the path.
            NotFoundError: the index knows no code there.
        """
        began = time.monotonic()
        path = os.path.normpath(path)  # noqa: ASYNC240 pure text, no disk
        root_id, root = self._index.root_of(path)
        measuring = _Measuring(threshold)
        below = path[len(root) + 1 :]
        known, listed_all = await self._documents(root_id, root, below)
        if not known:
            raise NotFoundError(f"{path} has no code that the index knows: it is missing, ignored, skipped, or no code")
        documents = measuring.chosen(known, below)
        limit_seconds = min(seconds, MAX_SECONDS)
        last = began + min(seconds, MAX_SECONDS + FILE_SECONDS)
        await self._measure(root, documents, measuring, began + limit_seconds, last)
        worst = measuring.worst(limit)
        cut = measuring.cut(len(known), limit_seconds) + (
            [] if listed_all else [f"files beyond the first {MAX_FILES:,}"]
        )
        return {
            "path": path,
            "entries": [await self._entry(root_id, root, *each) for each in worst],
            "files": measuring.files,
            "functions": measuring.functions,
            "unmeasured": dict(measuring.unmeasured),
            "total": len(measuring.found),
            "generation": self._catalogue.feed.changed.value,
            "complete": not cut,
            "degraded": [],
            "skipped": [],
            "cut": cut,
            "took_ms": round((time.monotonic() - began) * 1000, 3),
        }

    async def _documents(self, root_id: int, root: str, below: str) -> tuple[list[DocumentRow], bool]:
        """Code at or below a path, the largest files first, because a cut then costs least; and whether it is all."""
        document = await self._catalogue.passages.document(root_id, below)
        if document is not None:
            return [document] if document.skip is None else [], True
        code: list[DocumentRow] = []
        prefix = f"{below}/" if below else ""
        after = f"{root}/{prefix}"
        while len(code) < MAX_FILES:
            page = await self._catalogue.passages.documents_page(
                Filter(roots=(root_id,), kinds=(Kind.CODE,)), after, DOCUMENTS_PAGE
            )
            inside = [row for row in page if row.path.startswith(prefix)]
            code += inside
            if len(inside) < DOCUMENTS_PAGE:
                break
            after = os.path.join(root, inside[-1].path)
        code.sort(key=lambda row: (-row.size, row.path))
        return code[:MAX_FILES], len(code) < MAX_FILES

    async def _measure(
        self, root: str, documents: Sequence[DocumentRow], measuring: _Measuring, deadline: float, last: float
    ) -> None:
        """Page after page until ``deadline``, as many at a time as there are workers for it; what was begun by then has
        until ``last``.

        Raises:
            DeadlineError: nothing was measured.
        """
        pages = pages_of(documents)
        single = len(documents) == 1 and documents[0].size <= INTERACTIVE_BYTES
        lane = Lane.INTERACTIVE if single else Lane.BULK

        async def work() -> None:
            for paths in pages:
                if time.monotonic() > deadline:
                    return
                await self._page(root, paths, lane, measuring)

        # A lane that is held for want of memory runs nothing: what was not measured by then is counted.
        with suppress(TimeoutError):
            async with within(last), asyncio.TaskGroup() as group:
                for _ in range(1 if single else self._pool.bulk_workers):
                    group.create_task(work())
        if documents and not (measuring.files or measuring.unmeasured):
            raise DeadlineError("no file was measured in time; allow more, or ask for a folder below or a file")

    async def _page(self, root: str, paths: Sequence[str], lane: Lane, measuring: _Measuring) -> None:
        """One page; a file that takes too long or kills the worker is counted, and the rest goes on without it."""
        rest = list(paths)
        while rest:
            request = ComplexityRequest(root, tuple(rest), self.max_bytes)
            stream = self._pool.stream(COMPLEXITY, request, lane=lane, priority=Priority.EDIT, timeout=FILE_SECONDS)
            try:
                async with aclosing(stream) as parts:
                    async for file in parts:
                        measuring.take(file)
                        rest.remove(file.path)
            except (TaskTimeoutError, TaskMemoryError, WorkerDiedError) as error:
                measuring.unmeasured[error.kind.removeprefix("task_")] += 1
                del rest[0]
            else:
                return

    async def _entry(self, root_id: int, root: str, path: str, function: FunctionComplexity) -> FunctionFigures:
        """The figures under the name that the rest of agentd has for the function, where the index knows it."""
        around = await self._catalogue.symbols.at(root_id, path, function.end_line)
        symbol = matching(around, function)
        return {
            "name": symbol.qualified if symbol else function.name,
            "kind": symbol.kind if symbol else SymbolKind.FUNCTION,
            "path": os.path.join(root, path),
            "root": root,
            "start_line": function.start_line,
            "end_line": function.end_line,
            "complexity": function.complexity,
            "lines": function.lines,
            "parameters": function.parameters,
            "tokens": function.tokens,
        }


class _Measuring:
    """What has been measured so far."""

    def __init__(self, threshold: int) -> None:
        self.files = 0
        self.functions = 0
        self.unmeasured: Counter[str] = Counter()
        self.found: list[Measured] = []
        self._threshold = threshold

    def chosen(self, known: Sequence[DocumentRow], below: str) -> list[DocumentRow]:
        """What is to be measured of the files at or below a path; others' code and what programs wrote is counted."""
        chosen = []
        for row in known:
            role = role_of(row.path[len(below) :].removeprefix("/"))
            if role in {Role.VENDORED, Role.GENERATED}:
                self.unmeasured[role.value] += 1
            else:
                chosen.append(row)
        return chosen

    def take(self, file: FileComplexity) -> None:
        """Add a file."""
        if file.skip:
            self.unmeasured[file.skip] += 1
            return
        self.files += 1
        self.functions += len(file.functions)
        self.found += [(file.path, each) for each in file.functions if each.complexity >= self._threshold]

    def worst(self, limit: int) -> list[Measured]:
        """The most complex functions; of equals the longer one first."""
        return heapq.nsmallest(
            limit, self.found, key=lambda each: (-each[1].complexity, -each[1].lines, each[0], each[1].start_line)
        )

    def cut(self, files: int, seconds: float = MAX_SECONDS) -> list[str]:
        """What was not measured for want of time."""
        left = files - self.files - self.unmeasured.total()
        return [f"{left:,} smaller files, after {seconds:.2g} s: ask for a folder below"] if left else []


def pages_of(documents: Sequence[DocumentRow]) -> Iterator[list[str]]:
    """Paths in runs of at most PAGE_BYTES; a larger file is a run of its own."""
    page: list[str] = []
    size = 0
    for document in documents:
        if page and size + document.size > PAGE_BYTES:
            yield page
            page, size = [], 0
        page.append(document.path)
        size += document.size
    if page:
        yield page


def matching(around: Sequence[SymbolRow], function: FunctionComplexity) -> SymbolRow | None:
    """The symbol among those around a function's last line that has its name, the innermost first."""
    name = function.name.replace("::", ".").rpartition(".")[2]
    return next((row for row in reversed(around) if row.name == name and row.end_line == function.end_line), None)
