"""The views against what is stored: a passage must be found by its own words, by its meaning, and on the disk."""

from __future__ import annotations

import os
import random
import re
from typing import TYPE_CHECKING

from agentd.cli.doctor.finding import Finding, ok, problem, skipped, some
from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient
    from agentd.protocol import Hit, InspectedFile, Passage, SearchResult

    Stored = tuple[InspectedFile, Passage]

MOST = 50
"""Passages that are searched for: two searches each."""
QUERY_CHARS = 500
HITS = 100
_WORD = re.compile(r"[^\W\d_]{4}")
_WILD = re.compile(r"[*?\[]")


def check(patient: Patient, sample: list[InspectedFile]) -> Iterator[Finding]:
    """What the deeper look adds to the index group."""
    worthy = [(file, passage) for file in sample if (passage := worth(file))]
    passages = random.sample(worthy, min(MOST, len(worthy)))
    hits = [find(patient, *each, "keyword") for each in passages]
    yield judged("index.keyword", "found by its words", passages, hits)
    embedded = [each for each in passages if each[1]["embedded"]]
    if patient.status.get("space") is None or patient.status.get("vectors_pending"):
        yield skipped("index.vectors", "vectors are switched off, or not all are there yet")
    else:
        near = [find(patient, *each, "vector") for each in embedded]
        yield judged("index.vectors", "found by its meaning", embedded, near)
    code = [each for each, hit in zip(passages, hits, strict=True) if hit and hit["kind"] == "code"]
    yield on_disk(patient, code)


def worth(file: InspectedFile) -> Passage | None:
    """The passage of an indexed file, where it has words to search for."""
    passage = file["passage"]
    return passage if passage and file["state"] == "indexed" and _WORD.search(passage["text"][:QUERY_CHARS]) else None


def judged(name: str, how: str, passages: list[Stored], hits: list[Hit | None]) -> Finding:
    """Whether every passage is among the hits for its own text in its own file."""
    wrong = [file["path"] for (file, _), hit in zip(passages, hits, strict=True) if hit is None]
    if not wrong:
        return ok(name, f"{len(passages):,} passages, each {how}")
    found = f"{len(wrong):,} of {len(passages):,} passages are not {how}: {some(wrong)}"
    mend = "agentctl status says how far views are behind; if they are current: agentctl reindex"
    return problem(name, found, "each is", mend)


def find(patient: Patient, file: InspectedFile, passage: Passage, mode: str) -> Hit | None:
    """The hit that shows the passage."""
    inside = os.path.relpath(file["path"], file["root"])
    answer: SearchResult = patient.request(
        "search",
        query=passage["text"][:QUERY_CHARS],
        mode=mode,
        roots=[file["root"]],
        paths=[_WILD.sub(lambda wild: f"[{wild[0]}]", inside)],
        limit=HITS,
        max_per_file=0,
    )
    hits = (hit for hit in answer["hits"] if hit["path"] == file["path"])
    return next((hit for hit in hits if overlap(hit, passage)), None)


def overlap(hit: Hit, passage: Passage) -> bool:
    """Whether they have lines in common."""
    return hit["start_line"] <= passage["end_line"] and passage["start_line"] <= hit["end_line"]


def on_disk(patient: Patient, passages: list[Stored]) -> Finding:
    """Whether the lines of the file hold the text that is stored. Of documents the text alone is stored, without what
    it is marked up with, so this is about code.
    """
    wrong, compared = [], 0
    for file, passage in passages:
        try:
            span = patient.request(
                "read_span", path=file["path"], start_line=passage["start_line"], end_line=passage["end_line"]
            )
        except AgentdClientError:  # the file has just gone
            continue
        compared += 1
        if not span["cut"] and passage["text"].strip() not in span["text"]:
            wrong.append(file["path"])
    if wrong:
        found = f"{len(wrong):,} of {compared:,} passages are not what their files hold: {some(wrong)}"
        return problem("index.text", found, "the text of the disk", "agentctl reindex, then look again")
    return ok("index.text", f"{compared:,} passages of code are what their files hold")
