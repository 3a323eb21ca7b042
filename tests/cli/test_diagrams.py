"""Diagrams are held against the grammars that their readers publish: the part that is used, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.cli import diagrams

if TYPE_CHECKING:
    from agentd.protocol import Call, Calls, SymbolInfo

QUOTED = r'"(?:[^"\\\x00-\x1f]|\\["\\])*"'
DOT = re.compile(
    r"digraph \{\n  rankdir=LR; node \[shape=box\];\n"
    rf"(?:  n\d+ \[label={QUOTED}\];\n)*(?:  n\d+ -> n\d+ \[style=(?:bold|solid|dashed|dotted)\];\n)*\}}"
)
MERMAID = re.compile(
    r"flowchart LR(?:\n  n\d+\[\"(?:[^\"<>&;`{}\[\]|\\%#\x00-\x1f]|#\d+;)*\"\])*"
    r"(?:\n  n\d+ (?:==>|-->|-\.->|-\. \"\?\" \.->) n\d+)*"
)
CERTAINTIES = ("exact", "import", "unique_name", "name")


def symbol(identity: int, name: str, path: str = "/r/a.py") -> SymbolInfo:
    return {
        "id": identity,
        "name": name,
        "kind": "function",
        "path": path,
        "root": "/r",
        "start_line": identity,
        "end_line": identity,
        "signature": "",
        "stale": False,
    }


def calls(names: list[tuple[str, str]]) -> Calls:
    entries: list[Call] = [
        {**symbol(number, name), "line": 1, "certainty": certainty, "of": 1, "depth": 1}
        for number, (name, certainty) in enumerate(names, 2)
    ]
    return {
        "symbols": [symbol(1, "subject")],
        "entries": entries,
        "total": len(entries),
        "generation": 1,
        "complete": True,
        "degraded": [],
        "skipped": [],
        "cut": [],
        "took_ms": 0.0,
    }


@given(st.lists(st.tuples(st.text(), st.sampled_from(CERTAINTIES)), max_size=5), st.booleans())
def test_any_name_is_a_label_and_no_more(names: list[tuple[str, str]], callers: bool) -> None:  # noqa: FBT001
    diagram = diagrams.of_calls(calls(names), callers=callers)
    dot, mermaid = "\n".join(diagram.dot()), "\n".join(diagram.mermaid())
    assert DOT.fullmatch(dot)
    assert MERMAID.fullmatch(mermaid)
    assert dot.count("[label=") == mermaid.count('["') == len(names) + 1
    assert len(diagram.arrows) == len(names)


@pytest.mark.parametrize("name", ['"];evil', "a\\", "x\ny", "<script>", "end", "#35;", "%%{init}%%", "operator[]"])
def test_a_label_says_the_name_again_when_it_is_read(name: str) -> None:
    read = diagrams.dot_text(name)[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    assert read == name.replace("\n", "\ufffd")
    decoded = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), diagrams.mermaid_text(name))
    assert decoded == name.replace("\n", "\ufffd")


def test_the_surest_of_several_calls_is_drawn() -> None:
    again = calls([("same", "exact"), ("other", "name")])
    again["entries"].append({**again["entries"][0], "certainty": "name", "line": 9})
    assert list(diagrams.of_calls(again, callers=True).arrows.values()) == ["exact", "name"]


def test_a_call_whose_caller_is_gone_from_disk_is_drawn_without_an_arrow() -> None:
    gone = calls([("near", "exact"), ("far", "exact")])
    gone["entries"][1]["of"] = 99
    diagram = diagrams.of_calls(gone, callers=True)
    assert (len(diagram.labels), list(diagram.arrows)) == (3, [(1, 0)])


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_graphviz_reads_it() -> None:
    lines = "\n".join(diagrams.of_calls(calls([('"\\"];', "exact"), ("<b>", "name")]), callers=True).dot())
    subprocess.run(["dot", "-Tsvg"], input=lines.encode(), stdout=subprocess.DEVNULL, check=True)
