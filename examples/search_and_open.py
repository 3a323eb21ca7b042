"""Search, and open the best passage in $EDITOR, at its line.

python examples/search_and_open.py where are requests tried again
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from agentd.client import AgentdClientError, Client


def main(query: str) -> int:
    """List five hits and open the first; returns an exit code."""
    with Client() as client:
        result = client.search(query, limit=5)
    for number, hit in enumerate(result["hits"], 1):
        print(f"{number}. {hit['path']}:{hit['start_line']}  {hit['symbol']}")
    for reason in result["degraded"]:  # what could not be searched yet
        print(f"note: {reason}", file=sys.stderr)
    if not result["hits"]:
        return 1
    best = result["hits"][0]
    editor = shlex.split(os.environ.get("EDITOR", "vi"))
    return subprocess.call([*editor, f"+{best['start_line']}", best["path"]])


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("usage: search_and_open.py QUERY")
    try:
        sys.exit(main(" ".join(sys.argv[1:])))
    except AgentdClientError as error:
        sys.exit(error.message)
