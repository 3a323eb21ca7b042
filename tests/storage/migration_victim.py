"""A child process that brings a database to the newest version, and says so before and after.

python migration_victim.py INDEX_DB
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from agentd.storage.database import Database


async def main() -> None:
    print("begins", flush=True)  # noqa: T201 - the parent reads it
    database = await Database.open(Path(sys.argv[1]))
    print("done", flush=True)  # noqa: T201 - the parent reads it
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
