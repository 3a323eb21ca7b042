"""No file, however broken, ends more than its own task: in real workers, because grammars and PDFs are read by C."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from fuzz_parsers import Fuzzer, mutations
from parser_inputs import archives, hostile

from agentd.compute.pool import Pool
from agentd.config.settings import ComputeSettings
from agentd.kernels.gitignore import Patterns
from agentd.kernels.messages import WalkRequest
from agentd.kernels.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SIZE = 3000
"""Bytes. Longer ones are for ``tools/fuzz_parsers.py``: some grammars are quadratic in them."""
SECONDS = 30.0


async def troubles(folder: Path, inputs: Iterable[tuple[str, bytes]]) -> list[str]:
    pool = Pool(ComputeSettings(bulk_workers=1))
    await pool.start()
    try:
        fuzzer = Fuzzer(pool, folder, SECONDS)
        await fuzzer.read(inputs)
    finally:
        await pool.stop(0)
    return [f"{path.name}: {error}" for path, _, error in [*fuzzer.troubles, *fuzzer.limited]]


async def test_a_sample_of_hostile_files_ends_no_worker(tmp_path: Path) -> None:
    every = list(hostile(SIZE))
    assert await troubles(tmp_path, random.Random(5).sample(every, 250)) == []  # noqa: S311


async def test_notebooks_and_pdfs_made_to_be_deep_or_endless_end_no_worker(tmp_path: Path) -> None:
    assert await troubles(tmp_path, archives(100_000)) == []


async def test_mutated_samples_of_every_language_end_no_worker(tmp_path: Path) -> None:
    source = mutations(random.Random(7))  # noqa: S311
    assert await troubles(tmp_path, [next(source) for _ in range(250)]) == []


def test_any_bytes_are_patterns_and_any_names_are_walked(tmp_path: Path) -> None:
    source = random.Random(9)  # noqa: S311
    alphabet = [bytes([byte]) for byte in range(1, 256) if byte != ord("/")] + [b"*", b"**", b"[", b"!", b"\\"] * 20
    for number in range(60):
        name = b"".join(source.choices(alphabet, k=source.randint(1, 40)))
        folder = bytes(tmp_path) + b"/" + name + b"-%d" % number
        with open(folder, "wb") as file:  # noqa: PTH123  # names are bytes here
            file.write(name)
        patterns = Patterns(b"\n".join(b"".join(source.choices([*alphabet, b"/"], k=30)) for _ in range(20)))
        patterns.verdict(name, name, is_dir=bool(number % 2))
        (tmp_path / ".gitignore").write_bytes(source.randbytes(200) + b"\n!*\n")
    entries = [entry for page in walk(WalkRequest(str(tmp_path))) for entry in page.entries]
    assert len(entries) >= 50
