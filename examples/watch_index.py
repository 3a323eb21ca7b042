"""Keep a folder indexed, wait until all of it can be found, then tell of each change as it is indexed.

python examples/watch_index.py ~/src/shop          # until Ctrl-C
python examples/watch_index.py ~/src/shop 3        # until three changes
"""

from __future__ import annotations

import sys
from itertools import islice

from agentd.client import AgentdClientError, Client


def main(folder: str, most: int | None = None) -> None:
    """Follow the index of ``folder``, for ``most`` changes."""
    with Client(timeout=None) as client:  # nothing may change for hours
        root = client.add_root(folder)["path"]
        waiting = client.stream("index.wait", events=True)
        for event in waiting:
            status = event["status"]
            print(f"{status['pending']:,} files to read, {status['vectors_pending']:,} passages to embed")
        print(f"{waiting.result['documents']:,} files can be found", flush=True)
        indexed = (event for event in client.stream("index.events") if event["event"] == "indexed")
        for event in islice(indexed, most):
            for path in event["paths"]:  # type: ignore[typeddict-item]  # of these events alone
                if path.startswith(root):
                    print(f"indexed {path}", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
    except AgentdClientError as error:
        sys.exit(error.message)
    except KeyboardInterrupt:
        pass
