"""Passages of files made up for a test, chunked as the splitter would: whole lines, in order, disjoint."""

from __future__ import annotations

from agentd.retrieval.passages import Found, Passage
from agentd.retrieval.results import Hit


def passage(
    lines: tuple[int, int],
    *,
    text: str | None = None,
    span: tuple[int, int] | None = None,
    chunk: int = 0,
    document: int = 1,
    score: float = 1.0,
    symbol: str = "",
    context: str = "",
    stale: bool = False,
) -> Passage:
    """A passage of ``lines``; without ``span`` its bytes lie as in a file whose lines have ten bytes each."""
    start, end = lines
    body = "\n".join(f"line {line:04}" for line in range(start, end + 1)) if text is None else text
    hit = Hit(
        path=f"/root/{document}.py",
        root="/root",
        start_line=start,
        end_line=end,
        language="python",
        kind="code",
        symbol=symbol,
        context=context,
        score=score,
        text=body,
        stale=stale,
    )
    at = span or (10 * (start - 1), 10 * end - 1)
    return Passage(hit, (chunk or 10_000 * document + start,), document, *at)


def found(*passages: Passage, degraded: tuple[str, ...] = ()) -> Found:
    """What a search that found these would say."""
    return Found(list(passages), len(passages), 7, complete=not degraded, degraded=list(degraded), skipped=[], cut=[])
