"""Bash: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
#!/usr/bin/env bash
# Builds everything.
set -euo pipefail

source ./lib/common.sh
. "$HERE/other.sh"
. "${BASE}"/tools/log.bash

readonly LIMIT=10
export TARGET="all"
declare -A SEEN
NAME=value
NAME+=more

# Compiles one file.
#
# It is kept.
compile() {
  local source="$1"
  log_info "compiling $source"
  "$CC" -c "$source" | tee "$(out_name "$source")"
}

function run_all {
  cleanup() { rm -f tmp; }
  trap cleanup EXIT
  for file in *.c; do
    compile "$file" && log_info done || fail "no"
  done
  VERBOSE=1 report
}

function in_subshell() (
  cd /tmp
  compile x.c
)

größe() { :; }

run_all "$@"
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("bash", "build/make.sh", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
constant LIMIT 9-9
constant TARGET 10-10
constant NAME 12-12
function compile 15-22
function run_all 24-31
function run_all.cleanup 25-25
function in_subshell 33-36
function größe 38-38
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["compile"].signature == "compile()"
    assert found.symbols["run_all"].signature == "function run_all"
    assert found.symbols["in_subshell"].signature == "function in_subshell()"
    assert found.symbols["LIMIT"].signature == "readonly LIMIT=10"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["compile"].doc == "Compiles one file.\n\nIt is kept."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
set
source
.
.
log_info
tee
out_name
rm
trap
cleanup
compile
log_info
fail
report
cd
compile
:
run_all
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
./lib/common.sh *
/other.sh *
/tools/log.bash *
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports * common/lib/build//",
        "run_all calls cleanup = run_all.cleanup",
        "run_all calls compile = compile",
        "- calls run_all = run_all",
    } <= set(found.edges.splitlines())
