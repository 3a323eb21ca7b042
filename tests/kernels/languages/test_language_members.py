"""Members of the class around a call are found however the language lets them be called."""

from __future__ import annotations

import pytest
from language_report import report

RUBY = """\
module Tool
  def self.a
    self.b
    b(1)
    Tool.c
  end
  def self.b; end
  def self.c; end
end
"""

SWIFT = """\
extension Store {
  func open() { close(); self.flush(); helper() }
  func close() {}
  func flush() {}
}
func helper() {}
"""

KOTLIN = """\
class A {
  fun a() { b(); helper(); c(); A.d() }
  fun b() {}
  companion object {
    fun c() {}
    fun d() {}
  }
}
fun helper() {}
"""

CSHARP = """\
class A {
  A() {}
  void F() { G(); this.K(); A.S(); new B().H(); }
  void G() {}
  void K() {}
  static void S() {}
}
class B { public void H() {} }
"""


@pytest.mark.parametrize(
    ("language", "path", "source", "edges"),
    [
        ("ruby", "lib/tool.rb", RUBY, ["Tool.a calls b = Tool.b", "Tool.a calls c = Tool.c"]),
        (
            "swift",
            "Sources/App/Extension.swift",
            SWIFT,
            [
                "Store.open calls close = Store.close",
                "Store.open calls flush = Store.flush",
                "Store.open calls helper = helper",
            ],
        ),
        (
            "kotlin",
            "src/A.kt",
            KOTLIN,
            ["A.a calls b = A.b", "A.a calls helper = helper", "A.a calls c = A.c", "A.a calls d = A.d"],
        ),
        (
            "csharp",
            "src/A.cs",
            CSHARP,
            [
                "A.F calls G = A.G",
                "A.F calls K = A.K",
                "A.F calls S = A.S",
                "A.F calls B = B",
                "A.F calls H = B.H",
            ],
        ),
    ],
)
def test_calls_of_own_members_lead_to_them(language: str, path: str, source: str, edges: list[str]) -> None:
    assert report(language, path, source).edges.splitlines() == edges
