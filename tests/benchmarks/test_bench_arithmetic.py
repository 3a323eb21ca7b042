from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.bare import RUN_TOKENS, capped_runs, flops
from benchmarks.harness.figures import percentile
from benchmarks.harness.processes import cpu_seconds, family, pss_bytes
from benchmarks.harness.queries import make_queries

if TYPE_CHECKING:
    from pathlib import Path

ROWS = st.lists(st.integers(1, 256).map(lambda length: [7] * length), max_size=60)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_is_a_value_that_the_share_lies_at_or_below(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_the_formula_agrees_with_the_operations_of_one_layer_counted_by_hand() -> None:
    projections = 2 * 10 * 384 * 384 * 4
    feed_forward = 2 * 10 * 384 * 1536 * 2
    attention = 2 * 10 * 10 * 384 * 2
    assert flops(10) == 6 * (projections + feed_forward + attention)


@given(ROWS)
def test_capped_runs_hold_every_row_once_and_stay_under_the_cap(rows: list[list[int]]) -> None:
    runs = capped_runs(rows)
    assert sorted(len(row) for run in runs for row in run) == sorted(map(len, rows))
    assert all(len(run) * len(run[-1]) <= RUN_TOKENS for run in runs)


def test_queries_are_distinct_and_the_same_in_every_run(tmp_path: Path) -> None:
    names = "\n".join(f"def fetch_row_{number}(): ..." for number in range(50))
    (tmp_path / "a.py").write_text(f'{names}\n\n\ndef last():\n    """Close whatever is still open."""\n')
    queries = make_queries(tmp_path, 51)
    assert len(set(queries)) == 51
    assert "Close whatever is still open." in queries
    assert queries == make_queries(tmp_path, 51)


def test_too_few_queries_are_an_error_and_not_a_short_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 3 queries"):
        make_queries(tmp_path, 3)


def test_a_family_holds_grandchildren_with_their_memory_and_time() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()  # the grandchild runs
        members = family(parent.pid)
        assert len(members) == 2
        assert all(pss_bytes(pid) > 1_000_000 for pid in members)
        assert cpu_seconds(parent.pid) > 0
        parent.communicate(b"\n")


def test_the_command_line_names_the_benches_it_has() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "serch"], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 2
    assert "no bench serch; there are embedding," in run.stderr
    assert "keyword," in run.stderr


def test_a_closed_loop_client_fails_when_nobody_listens(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.harness.closed_loop", str(tmp_path / "none.sock")],
        input=json.dumps(["query"]) + "\n", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert run.returncode != 0
    assert "NoDaemonError" in run.stderr
