"""Inputs that try to break parsers: real ones that were mutated, and ones made to be deep, long or endless."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

SAMPLES: dict[str, str] = {
    "sh": (
        'greet() {\n  local name="$1"\n  for f in *.txt; do echo "${name%%.*} $(wc -l < "$f")"; done\n}\ngreet "$@"\n'
    ),
    "c": "#include <stdio.h>\nstruct point { int x, y; };\nstatic int add(int a, int b) { return a + b; }\n",
    "cpp": (
        "namespace a { template <class T> class Box : public Base<T> { public: T get() const { return v_; "
        "} T v_; }; }\n"
    ),
    "cs": "namespace A { public class B : C { [Obsolete] public int D(int e) => e switch { 1 => 2, _ => 3 }; } }\n",
    "go": 'package main\n\nimport "fmt"\n\ntype T struct{ A int }\n\nfunc (t *T) Run() { fmt.Println(t.A) }\n',
    "java": (
        "package a;\n"
        "import b.C;\n/** Doc. */\npublic class D extends C { @Override int e() { return f(x -> x + 1); } }\n"
    ),
    "js": (
        "import {a} from './a';\n"
        "export class B extends C { m(x) { return `t${x}` ?? a(x); } }\nconst f = async () => 1;\n"
    ),
    "kt": "package a\nimport b.C\nobject D : C() { fun e(x: Int): Int = when (x) { 1 -> 2 else -> x } }\n",
    "lua": "local M = {}\nfunction M.run(a, ...)\n  return a and M.go(...) or [[long]]\nend\nreturn M\n",
    "php": (
        "<?php\nnamespace A;\n"
        'use B\\C;\nclass D extends C { public function e(int $f): ?string { return "$f"; } } ?>\n<p>\n'
    ),
    "py": (
        'import os\n\n\nclass A(B):\n    """Doc."""\n\n    @property\n    def f(self) -> int:\n    '
        '    return g(f"{self.x!r:>{w}}")\n'
    ),
    "rb": 'module A\n  class B < C\n    def d(e, *f, &g) = e.map { |h| "#{h}" }\n  end\nend\n',
    "rs": (
        "use a::b;\n/// Doc.\npub trait C { fn d(&self) -> u8; }\nimpl C for E { fn d(&self) -> u8 { m!(1, 'a) } }\n"
    ),
    "scala": (
        "package a\nimport b._\ncase class C(d: Int) extends E { def f[G](g: G): G = g match { case h => h } }\n"
    ),
    "swift": (
        'import A\nclass B: C { @objc func d(_ e: Int) -> String { "\\(e)" } }\nextension B { var f: Int { 1 } }\n'
    ),
    "tsx": "import A from 'a';\nexport const B = (p: P) => <A x={p.y}>{p.z?.map(q => <i key={q}/>)}</A>;\n",
    "ts": (
        "export interface A<T> extends B { c(d?: T): Promise<E> }\n"
        "abstract class F implements A<1> { declare g: 'h' }\n"
    ),
    "md": (
        "# A\n\nText with `code` and [link](x).\n\n- one\n  - two\n\n```py\nprint(1)\n```\n\n| a | b |\n|---|---|\n"
    ),
    "rst": (
        "Title\n=====\n\n.. code-block:: python\n\n   print(1)\n\n.. _target:\n\nSub\n---\n\n* item :ref:`target`\n"
    ),
    "html": (
        "<!doctype html><html><body><h1>A</h1><p>Text &amp; "
        "<b>bold</b></p><script>1 < 2</script><ul><li>x</ul></body>\n"
    ),
    "ipynb": json.dumps(
        {
            "nbformat": 4,
            "metadata": {"kernelspec": {"language": "python"}},
            "cells": [
                {"cell_type": "markdown", "source": ["# Title\n", "text"]},
                {"cell_type": "code", "source": "def f():\n    return 1\n", "outputs": [{"text": ["1\n"]}]},
            ],
        }
    ),
    "json": '{"a": [1, 2.5e3, null, "x\\u00e9"], "b": {"c": true}}\n',
    "toml": '[a]\nb = """x\ny"""\nc = [1, 2]\n',
    "txt": "Some text.\n\nAnother paragraph, with more of it.\n",
}
"""Extension -> a text in that language, with as much of its grammar as fits."""

PIECES = [
    "(",
    "[",
    "{",
    "<div>",
    '"',
    "'",
    "`",
    "/*",
    "#",
    "\\",
    "$(",
    "${",
    "<<",
    "f'{",
    "if x:",
    "\n",
    "\t",
    "\0",
    "é",
    "\u2028",
]
"""What is put in at random places."""

NESTED = {
    "brackets": "(",
    "squares": "[",
    "braces": "{",
    "pointed": "<a>",
    "quotes": "> ",
    "items": "- ",
    "angles": "<",
    "negations": "!",
    "minuses": "-",
    "stars": "*",
    "pluses": "a+",
    "dots": "a.",
    "calls": "f(",
    "arrows": "x=>",
    "lambdas": "lambda:",
    "templates": "`${",
    "strings": "f'{",
    "substitutions": "$(",
    "conditions": "if a:\n ",
    "elses": "else if(a){",
    "generics": "A<",
    "pointers": "int (*",
    "hashes": "#",
    "underscores": "_a_",
    "backticks": "`",
    "links": "![[a](",
    "references": "[a]: ",
    "tables": "|",
    "comments": "/*",
    "docs": "/** ",
    "entities": "&amp;",
    "backslashes": "\\",
}
"""Repeated without end: what opens is never closed."""

LINES = {
    "headings": "# h\n",
    "titles": "t\n=\n\n",
    "directives": ".. a::\n\n   b\n\n",
    "items": "* a\n",
    "functions": "def f(): pass\n",
    "braced": "void f(){}\n",
    "imports": "import a\n",
    "includes": "#include <a>\n",
    "empty": "\n",
    "carriage": "\r",
    "crlf": "\r\n",
    "tags": "<p>\n",
    "fences": "```\n",
    "indents": "  \n",
    "rows": "| a | b |\n",
    "decorated": "@a\n",
}
"""Repeated as lines."""


def mutated(source: random.Random, data: bytes) -> bytes:
    """``data`` after a few random changes: bytes flipped, parts cut, doubled, repeated, swapped or put in."""
    out = bytearray(data)
    for _ in range(source.randint(1, 6)):
        start = source.randrange(len(out) + 1)
        end = min(len(out), start + source.randint(0, 40))
        match source.randrange(7):
            case 0 if start < len(out):
                out[start] = source.randrange(256)
            case 1:
                del out[start:end]
            case 2:
                out[start:start] = out[start:end] * source.randint(1, 50)
            case 3:
                out[start:start] = source.choice(PIECES).encode() * source.randint(1, 200)
            case 4:
                out[start:start] = source.randbytes(source.randint(1, 30))
            case 5:
                out = out[:start]
            case _:
                other = source.choice(list(SAMPLES.values())).encode()
                out[start:start] = other[: source.randrange(len(other) + 1)]
    return bytes(out)


def hostile(size: int) -> Iterator[tuple[str, bytes]]:
    """(name of a file, content) of at most some ``size`` bytes, for every kind of file."""
    for extension in SAMPLES:
        for name, unit in NESTED.items():
            yield f"nested-{name}.{extension}", (unit * (size // len(unit))).encode()
        for name, unit in LINES.items():
            yield f"lines-{name}.{extension}", (unit * (size // len(unit))).encode()
        yield f"identifier.{extension}", b"a" * size
        yield f"string.{extension}", b'x = "' + b"a" * size
        yield f"bytes.{extension}", bytes(range(1, 256)) * (size // 255)
        yield f"spaces.{extension}", b" " * size
    yield from archives(size)


def archives(size: int) -> Iterator[tuple[str, bytes]]:
    """Formats with a structure of their own: notebooks and PDFs."""
    deep = min(size // 2, 100_000)
    yield "deep.ipynb", b'{"cells":' + b"[" * deep + b"]" * deep + b"}"
    yield "objects.ipynb", b'{"a":' * deep + b"1" + b"}" * deep
    yield "numbers.ipynb", b'{"nbformat": ' + b"9" * size + b"}"
    cell = b'{"cell_type": "code", "source": "x = 1", "outputs": []},'
    yield "cells.ipynb", b'{"nbformat": 4, "cells": [' + (cell * (size // len(cell)))[:-1] + b"]}"
    yield "bomb.pdf", pdf(b"<< /Length %d /Filter /FlateDecode >>", zlib.compress(b"(a) Tj " * (size * 20), 9))
    chain = b"[" + b"/FlateDecode " * 200 + b"]"
    yield "filters.pdf", pdf(b"<< /Length %d /Filter " + chain + b" >>", zlib.compress(b"x" * 1000))
    yield "loop.pdf", pdf(b"<< /Length %d >>", b"BT ET").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    yield "count.pdf", pdf(b"<< /Length %d >>", b"BT ET").replace(b"/Count 1", b"/Count 999999999")
    yield "nested.pdf", pdf(b"<< /Length %d >>", b"[" * size)
    yield "dictionaries.pdf", b"%PDF-1.4\n1 0 obj\n" + b"<< /A " * (size // 6)


def pdf(stream_head: bytes, stream: bytes) -> bytes:
    """A PDF of one page, whose content stream has this dictionary (with a place for its length). Without a table of
    objects, which readers make up for.
    """
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>",
        stream_head.replace(b"%d", b"%d" % len(stream)) + b"\nstream\n" + stream + b"\nendstream",
    ]
    body = b"".join(b"%d 0 obj\n%b\nendobj\n" % (number, content) for number, content in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R /Size 6 >>\nstartxref\n0\n%%EOF\n"
