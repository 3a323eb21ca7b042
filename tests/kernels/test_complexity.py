from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.kernels.complexity import READERS, complexity, measure
from agentd.kernels.messages import ComplexityRequest

if TYPE_CHECKING:
    from pathlib import Path

BRANCHING = {
    "c": "int pick(int a, int b) {\n  if (a && b) return 1;\n  return 2;\n}\n",
    "cpp": "namespace n {\nint pick(int a, int b) {\n  if (a && b) return 1;\n  return 2;\n}\n}\n",
    "csharp": "class A {\n  int pick(int a, int b) {\n    if (a > 0 && b > 0) return 1;\n    return 2;\n  }\n}\n",
    "go": "func pick(a, b bool) int {\n  if a && b {\n    return 1\n  }\n  return 2\n}\n",
    "java": "class A {\n  int pick(boolean a, boolean b) {\n    if (a && b) return 1;\n    return 2;\n  }\n}\n",
    "javascript": "function pick(a, b) {\n  if (a && b) { return 1 }\n  return 2\n}\n",
    "kotlin": "fun pick(a: Boolean, b: Boolean): Int {\n  if (a && b) return 1\n  return 2\n}\n",
    "lua": "function pick(a, b)\n  if a and b then return 1 end\n  return 2\nend\n",
    "php": "<?php\nfunction pick($a, $b) {\n  if ($a && $b) { return 1; }\n  return 2;\n}\n",
    "python": "def pick(a, b):\n    if a and b:\n        return 1\n    return 2\n",
    "ruby": "def pick(a, b)\n  if a && b then return 1 end\n  2\nend\n",
    "rust": "fn pick(a: bool, b: bool) -> i32 {\n  if a && b { return 1 }\n  2\n}\n",
    "scala": "def pick(a: Boolean, b: Boolean): Int = {\n  if (a && b) 1 else 2\n}\n",
    "swift": "func pick(a: Bool, b: Bool) -> Int {\n  if a && b { return 1 }\n  return 2\n}\n",
    "typescript": "function pick(a: boolean, b: boolean): number {\n  if (a && b) { return 1 }\n  return 2\n}\n",
}
"""One decision of two conditions: three independent paths."""


@pytest.mark.parametrize("language", sorted(BRANCHING))
def test_independent_paths_and_parameters_are_counted(language: str) -> None:
    text = BRANCHING[language]
    (found,) = [function for function in measure(language, "x", text) if function.name.split("::")[-1] == "pick"]
    first = next(number for number, line in enumerate(text.split("\n"), 1) if "pick" in line)
    assert (found.complexity, found.start_line) == (3, first)
    assert found.parameters == 2 or language == "php"  # where lizard 1.24 takes the list for one parameter
    assert first < found.end_line <= text.count("\n")
    assert found.tokens > 10


def test_a_nested_function_has_figures_of_its_own() -> None:
    text = "class A:\n def outer(self):\n  def inner(x):\n   return 1 if x else 2\n  return inner\n"
    inner, outer = measure("python", "x.py", text)
    assert (inner.name, inner.complexity, inner.start_line) == ("outer.inner", 2, 3)
    assert (outer.name, outer.start_line, outer.end_line) == ("outer", 2, 5)


def test_each_reason_why_a_file_is_not_measured_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BRANCHING["python"])
    (tmp_path / "tool").write_text("#!/usr/bin/env python3\n" + BRANCHING["python"])
    (tmp_path / "run.sh").write_text("f() { true; }\n")
    (tmp_path / "odd.c").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "big.c").write_text("int x;\n" * 1000)
    (tmp_path / "link.py").symlink_to("a.py")
    paths = ("a.py", "tool", "run.sh", "odd.c", "big.c", "link.py", "none.py", "../out.py")
    found = {file.path: file for file in complexity(ComplexityRequest(str(tmp_path), paths, max_file_bytes=5000))}
    assert {path: file.skip for path, file in found.items()} == {
        "a.py": "",
        "tool": "",
        "run.sh": "language",
        "odd.c": "binary",
        "big.c": "too_large",
        "link.py": "gone",
        "none.py": "gone",
        "../out.py": "outside_root",
    }
    assert [len(file.functions) for file in found.values()] == [1, 1, 0, 0, 0, 0, 0, 0]


@settings(max_examples=60, deadline=None)
@given(
    language=st.sampled_from(sorted(READERS)),
    text=st.text(alphabet="def(){}[];:,.'\"/*#<>=&|?\n\t if a\\$é", max_size=200),
)
def test_no_text_breaks_a_file_of_the_request(
    language: str, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    name = {"python": "x.py", "c": "x.c", "javascript": "x.js", "ruby": "x.rb", "rust": "x.rs"}.get(language, "x.go")
    (folder / name).write_text(text)
    (file,) = complexity(ComplexityRequest(str(folder), (name,)))
    assert file.skip in {"", "damaged"}
    assert all(0 < function.start_line <= function.end_line for function in file.functions)
