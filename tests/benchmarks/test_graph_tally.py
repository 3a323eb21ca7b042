from __future__ import annotations

import json

import pytest

from benchmarks.graph import JUDGEMENTS, Tally


def test_precision_is_of_the_sure_edges_and_recall_of_all() -> None:
    tally = Tally()
    tally.add({"a": "exact", "b": "import", "c": "name", "x": "import", "y": "name"}, ["a", "b", "c", "d"])
    assert tally.precision == pytest.approx(2 / 3)
    assert tally.recall == pytest.approx(3 / 4)


def test_judgements_name_each_function_and_each_edge_once_below_their_source() -> None:
    files = [json.loads(path.read_text()) for path in JUDGEMENTS.glob("*.json")]
    assert {file["package"] for file in files} == {"flask==3.1.0", "requests==2.32.3"}
    for file in files:
        functions = [entry["function"] for entry in file["functions"]]
        assert len(functions) == len(set(functions)) == 20
        for entry in file["functions"]:
            for names in ([entry["function"]], entry["callers"], entry["callees"]):
                assert len(names) == len(set(names))
                assert all(name.startswith(f"{file['source']}/") and ".py:" in name for name in names)
