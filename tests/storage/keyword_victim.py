"""A child process that applies and commits until it is killed; prints each generation that was acknowledged.

python keyword_victim.py DIRECTORY
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from agentd.storage.keyword_view import KeywordView
from agentd.storage.rows import ViewRow

DOCUMENTS = 7
ROWS = 5


def word(generation: int) -> str:
    """A word that is one term: no digits, at which identifiers are split, and nothing that is taken for an ending."""
    return "gen" + "".join("bcdfghjkmp"[int(digit)] for digit in str(generation))


def rows_at(generation: int) -> list[ViewRow]:
    """What the generation gives its document: every row names the generation."""
    document = generation % DOCUMENTS
    return [
        ViewRow(document, 1, f"d{document}.py", "python", "code", generation * ROWS + row, "", "", word(generation), "")
        for row in range(ROWS)
    ]


def main() -> None:
    view = KeywordView.open(Path(sys.argv[1]), "epoch")
    print("opened", flush=True)  # noqa: T201 - the parent reads it
    for generation in count(view.generation + 1):
        view.apply([generation % DOCUMENTS], rows_at(generation))
        view.commit(generation)
        print(generation, flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
