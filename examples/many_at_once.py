"""Ask what calls each of many functions, all at once on one connection: what a change to them may break.

git diff -U0 | sed -n 's,^[-+] *def ,,p' | cut -d'(' -f1 | sort -u | xargs python examples/many_at_once.py
"""

from __future__ import annotations

import asyncio
import sys

from agentd.aclient import AsyncClient
from agentd.client import AgentdClientError

SECONDS = 10.0


async def callers(client: AsyncClient, name: str) -> list[str]:
    """A line for each call of a function; one that nobody knows has none."""
    try:
        found = await client.callers(name)
    except AgentdClientError as error:
        if error.kind != "symbol_not_found":
            raise
        return [f"{name}: no such function"]
    return [f"{name}: {call['path']}:{call['line']}  in {call['name']}" for call in found["entries"]]


async def main(names: list[str]) -> None:
    """Print the calls of all ``names``, in their order."""
    # Who takes too long is cancelled, in the daemon too. A busy daemon is asked again.
    async with AsyncClient(retries=3) as client, asyncio.timeout(SECONDS):
        for lines in await asyncio.gather(*(callers(client, name) for name in names)):
            print(*lines, sep="\n")


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:]))
    except AgentdClientError as error:
        sys.exit(error.message)
    except TimeoutError:
        sys.exit(f"agentd did not answer within {SECONDS:g} s")
