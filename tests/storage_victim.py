"""A child process that indexes until it is killed. It prints a line for all that has been acknowledged.

python storage_victim.py INDEX_DB SEED
"""

from __future__ import annotations

import asyncio
import random
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from link_samples import by_name, imports, symbols, through
from msgspec.structs import replace
from storage_samples import SPACE, Index, chunk, entry, parsed, want

from agentd.domain import EdgeKind, RootOrigin
from agentd.storage.catalogue import Catalogue

if TYPE_CHECKING:
    from agentd.kernels.messages import ParsedFile
    from agentd.storage.rows import PendingDocument


async def work(path: Path, seed: int) -> None:
    catalogue = await Catalogue.open(path)
    index = Index(catalogue)
    tell("opened")
    generator = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for round_number in count():
        version = seed * 100_000 + round_number
        root = await catalogue.roots.add(f"/root{generator.randrange(3)}", RootOrigin.ADDED)
        await want(catalogue, SPACE)
        tell("root", root.id)
        files = [entry(f"f{number}", version) for number in generator.sample(range(60), 40)]
        await index.scan(root, *files)
        while taken := await catalogue.documents.next_pending(10, 1 << 30):
            results = [(one, code(one, version, generator)) for one in taken]
            tell("generation", await catalogue.documents.store(results))
            await catalogue.links.step(generator.randrange(1, 200))
        if generator.random() < 0.3:
            tell("removing", root.id)
            await catalogue.roots.remove(root.id)
            tell("removed", root.id)


def code(taken: PendingDocument, version: int, generator: random.Random) -> ParsedFile:
    """A file that defines something, and uses what other files define, or do not."""
    names = generator.sample(["A", "A.m", "B", "f", "g"], 3)
    other = f"f{generator.randrange(60)}"
    edges = [
        imports("A", f"{other}/", "A"),
        through(-1, f"{other}/", "A.m"),
        through(0, f"{other}/", "B", EdgeKind.INHERITS),
        by_name(1, "f"),
    ]
    text = [chunk(f"{taken.path} {version} {n}") for n in range(5)]
    return replace(parsed(taken, text), module=f"{taken.path}//", symbols=symbols(*sorted(names)), edges=edges)


def tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
