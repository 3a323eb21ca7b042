"""Fuzz the kernels that read files, in real worker processes, as long as one likes.

``python tools/fuzz_parsers.py --seconds 300 --seed 7`` parses hostile files of every kind first, then mutated samples
until the time is over. It prints the slowest files, those that ran into the limits of a worker (grammars need memory
and time without bound for some texts), and everything that killed one or broke what must hold. It keeps the latter, and
exits with 1 where there were any.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from parser_inputs import SAMPLES, hostile, mutated

from agentd.compute.pool import Lane, Pool
from agentd.config.settings import ComputeSettings
from agentd.errors import ComputeError, TaskMemoryError, TaskTimeoutError
from agentd.kernels.messages import ComplexityRequest, ParsedFile, ParseRequest
from agentd.kernels.registry import COMPLEXITY, PARSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SLOWEST = 10


class Trouble(NamedTuple):
    """A file that a worker did not get through."""

    path: Path
    kernel: str
    error: str


class Fuzzer:
    """Has files read by the workers of ``pool``, from a folder of its own. ``troubles`` are what went wrong,
    ``limited`` what ended as it should where a file asks for too much: it alone is skipped, with the reason.
    """

    def __init__(self, pool: Pool, folder: Path, seconds: float) -> None:
        self.files = 0
        self.troubles: list[Trouble] = []
        self.limited: list[Trouble] = []
        self.times: list[tuple[float, str]] = []
        self._pool = pool
        self._folder = folder
        self._seconds = seconds

    async def read(self, inputs: Iterable[tuple[str, bytes]]) -> None:
        """Parse each file and measure its complexity; files that made no trouble are deleted again."""
        for name, data in inputs:
            path = self._folder / name
            path.write_bytes(data)
            self.files += 1
            clean = await self._parse(path, len(data)) and await self._measure(path)
            if clean:
                path.unlink()
            self._pool.enforce()  # as the daemon does each second: what one file took must not weigh on the next

    async def _parse(self, path: Path, size: int) -> bool:
        began = time.monotonic()
        request = ParseRequest(str(self._folder), (path.name,))
        try:
            async with aclosing(self._pool.stream(PARSE, request, lane=Lane.BULK, timeout=self._seconds)) as parts:
                async for parsed in parts:
                    check(parsed, size)
        except (ComputeError, AssertionError) as error:
            return self._note(path, PARSE.name, error)
        self.times.append((time.monotonic() - began, path.name))
        return True

    def _note(self, path: Path, kernel: str, error: ComputeError | AssertionError) -> bool:
        """Whether what ended the task is a limit."""
        limit = isinstance(error, (TaskMemoryError, TaskTimeoutError))
        (self.limited if limit else self.troubles).append(
            Trouble(path, kernel, f"{type(error).__name__}: {error}"[:300])
        )
        return limit

    async def _measure(self, path: Path) -> bool:
        request = ComplexityRequest(str(self._folder), (path.name,))
        try:
            async with aclosing(self._pool.stream(COMPLEXITY, request, lane=Lane.BULK, timeout=self._seconds)) as parts:
                async for _ in parts:
                    pass
        except ComputeError as error:
            return self._note(path, COMPLEXITY.name, error)
        return True


def check(parsed: ParsedFile, size: int) -> None:
    """What holds of every parsed file, however broken. Raises AssertionError."""
    for chunk in parsed.chunks:
        if not (0 <= chunk.start_byte <= chunk.end_byte <= size and 1 <= chunk.start_line <= chunk.end_line):
            raise AssertionError(f"a chunk at {chunk.start_byte}-{chunk.end_byte} of {size} bytes")
    for symbol in parsed.symbols:
        if not 0 <= symbol.start_byte <= symbol.end_byte <= size:
            raise AssertionError(f"a symbol at {symbol.start_byte}-{symbol.end_byte} of {size} bytes")


def mutations(source: random.Random) -> Iterator[tuple[str, bytes]]:
    """Mutated samples without end."""
    number = 0
    while True:
        extension = source.choice(list(SAMPLES))
        number += 1
        yield f"mutated-{number}.{extension}", mutated(source, SAMPLES[extension].encode())


async def fuzz(folder: Path, seconds: float, seed: int, size: int) -> Fuzzer:
    """Hostile files first, then mutations until the time is over."""
    pool = Pool(ComputeSettings(bulk_workers=1))
    await pool.start()
    fuzzer = Fuzzer(pool, folder, ComputeSettings().task_timeout_seconds)
    deadline = time.monotonic() + seconds
    try:
        await fuzzer.read(each for each in hostile(size) if time.monotonic() < deadline)
        for each in mutations(random.Random(seed)):  # noqa: S311  # the seed is there to run it again
            if time.monotonic() > deadline:
                break
            await fuzzer.read([each])
    finally:
        await pool.stop(0)
    return fuzzer


def main() -> int:
    """Fuzz and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=2_000_000, help="bytes of the hostile files")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-parsers-"))
    fuzzer = asyncio.run(fuzz(folder, args.seconds, args.seed, args.size))
    print(f"{fuzzer.files} files, seed {args.seed}; those that made trouble are in {folder}")
    for took, name in sorted(fuzzer.times, reverse=True)[:SLOWEST]:
        print(f"{took:8.2f} s  {name}")
    for limited in fuzzer.limited:
        print(f"  LIMIT  {limited.path.name}  {limited.kernel}: {limited.error}")
    for trouble in fuzzer.troubles:
        print(f"TROUBLE  {trouble.path.name}  {trouble.kernel}: {trouble.error}")
    return 1 if fuzzer.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
