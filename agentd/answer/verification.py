"""Whether what an answer cites still stands where it did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import UNSET

from agentd.answer.contracts import Ground, Standing

if TYPE_CHECKING:
    from agentd import protocol as p
    from agentd.answer.grounding import Grounder
    from agentd.answer.records import Answer, Citation


async def verify(answer: Answer, grounder: Grounder) -> p.Verification:
    """Every citation of ``answer`` compared with the disk as it is now."""
    grounds = await asyncio.gather(*(ground(citation, grounder) for citation in answer.citations))
    compared = [verified(*each) for each in zip(answer.citations, grounds, strict=True)]
    return {
        "id": answer.id,
        "question": answer.question,
        "at": answer.at,
        "current": all(each["state"] in {"current", "unchecked"} for each in compared),
        "citations": compared,
    }


async def ground(citation: Citation, grounder: Grounder) -> Ground:
    """Where the cited text stands now."""
    if citation.path is UNSET:
        return Ground(Standing.UNCHECKED, citation.start_line, citation.end_line)
    return await grounder.look(citation.path, citation.start_line, citation.end_line, citation.text)


def verified(citation: Citation, found: Ground) -> p.Verified:
    """A citation and what was found, as the protocol shows it."""
    state = Standing.CURRENT if found.standing is Standing.MOVED else found.standing
    shown: p.Verified = {
        "n": citation.n,
        "state": state.value,  # type: ignore[typeddict-item]  # MOVED is gone by now
        "moved": found.standing is Standing.MOVED,
        "start_line": found.start_line,
        "end_line": found.end_line,
        "hash": citation.hash,
    }
    if citation.path is not UNSET:
        shown["path"] = citation.path
    if citation.url is not UNSET:
        shown["url"] = citation.url
    return shown
