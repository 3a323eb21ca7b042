"""Members of the class around a call are found however the language lets them be called."""

from __future__ import annotations

import pytest
from language_report import report

SAMPLES = {
    "ruby": (
        "lib/tool.rb",
        "module Tool\n  def self.a\n    self.b\n    b(1)\n    Tool.c\n  end\n  def self.b; end\n  def self.c; end\nend\n",
        "Tool.a calls b = Tool.b\nTool.a calls c = Tool.c\n",
    ),
    "swift": (
        "Sources/App/Extension.swift",
        "extension Store {\n  func open() { close(); self.flush(); helper() }\n  func close() {}\n  func flush() {}\n}\n"
        "func helper() {}\n",
        "Store.open calls close = Store.close\nStore.open calls flush = Store.flush\nStore.open calls helper = helper\n",
    ),
    "kotlin": (
        "src/A.kt",
        "class A {\n  fun a() { b(); helper(); c(); A.d() }\n  fun b() {}\n"
        "  companion object { fun c() {}\n    fun d() {} }\n}\nfun helper() {}\n",
        "A.a calls b = A.b\nA.a calls helper = helper\nA.a calls c = A.c\nA.a calls d = A.d\n",
    ),
    "csharp": (
        "src/A.cs",
        "class A {\n  A() {}\n  void F() { G(); this.K(); A.S(); new B().H(); }\n  void G() {}\n  void K() {}\n"
        "  static void S() {}\n}\nclass B { public void H() {} }\n",
        "A.F calls G = A.G\nA.F calls K = A.K\nA.F calls S = A.S\nA.F calls B = B\nA.F calls H = B.H\n",
    ),
}


@pytest.mark.parametrize("language", SAMPLES)
def test_calls_of_own_members_are_exact(language: str) -> None:
    path, source, expected = SAMPLES[language]
    assert report(language, path, source).edges == expected
