"""Extractive answers to questions whose places are known: a daemon for each package answers without a chat model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.eval.sets import read_questions
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.client import Client
    from benchmarks.eval.sets import JudgedSet, Query
    from benchmarks.harness.workspace import Workspace

QUESTIONS = Path(__file__).parent / "answers" / "questions.jsonl"
MOST_CITATIONS = 5
MOST_LINES = 120
BAR_FILE = 0.85
BAR_SPAN = 0.70


class Outcome(NamedTuple):
    """Of one answer: whether a judged file, and a judged span, is among what it cites, and how many lines it shows."""

    file: bool
    span: bool
    lines: int


def run(workspace: Workspace) -> list[Figure]:
    """Every question, asked of its own package."""
    sets = read_questions(QUESTIONS, workspace.tools)
    outcomes = [outcome for judged in sets for outcome in answered(judged, workspace.tools / "state")]
    what = f"extractive answers to {len(outcomes)} questions"
    lines = sum(outcome.lines for outcome in outcomes) / len(outcomes)
    return [
        share(f"{what}: right file cited", [outcome.file for outcome in outcomes], BAR_FILE),
        share(f"{what}: right span cited", [outcome.span for outcome in outcomes], BAR_SPAN),
        Figure(f"{what}: lines shown", f"{lines:.0f} in the mean"),
    ]


def answered(judged: JudgedSet, states: Path) -> Iterator[Outcome]:
    """The outcome of each question about one package."""
    with Daemon(states / judged.folder.name, judged.folder) as daemon, daemon.connect() as client:
        client.wait("vectors")
        for query in judged.queries:
            yield outcome_of(client, judged.folder, query)


def outcome_of(client: Client, folder: Path, query: Query) -> Outcome:
    """Ask and compare."""
    answer = client.request("ask", question=query.text)
    cited = [
        (os.path.relpath(each["path"], folder), each["start_line"], each["end_line"]) for each in answer["citations"]
    ]
    lines = sum(end - start + 1 for _, start, end in cited)
    assert len(cited) <= MOST_CITATIONS, f"expected {MOST_CITATIONS} citations at most, found {len(cited)}"
    assert lines <= MOST_LINES, f"expected {MOST_LINES} lines at most, found {lines}"
    best = [span for span in query.spans if span.grade == query.best]
    return Outcome(
        any(path == span.path for path, _, _ in cited for span in best),
        any(
            path == span.path and start <= span.end_line and end >= span.start_line
            for path, start, end in cited
            for span in best
        ),
        lines,
    )


def share(what: str, outcomes: list[bool], bar: float) -> Figure:
    """How many of them are true, and the bar."""
    value = sum(outcomes) / len(outcomes)
    return Figure(what, f"{value:.1%} ({sum(outcomes)})", bar=f"{bar:.0%}", met=value >= bar)
