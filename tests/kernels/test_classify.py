from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.domain import Kind
from agentd.kernels import languages
from agentd.kernels.classify import FileClass, classify, is_pdf

REST = "Title\n=====\n\n.. note:: mind\n"
CODE = "x = 1\n"


def language(path: str, head: str = "") -> str:
    return classify(path, head, len(head)).language


@pytest.mark.parametrize(("extension", "expected"), languages.EXTENSIONS.items())
def test_each_extension_gives_its_language_in_any_case(extension: str, expected: str) -> None:
    head = ".TH X\n" if expected == "roff" else ""
    assert language(f"some/file.{extension}", head) == expected
    assert language(f"some/FILE.{extension.upper()}", head) == expected


@pytest.mark.parametrize(("name", "expected"), languages.NAMES.items())
def test_each_known_name_gives_its_language(name: str, expected: str) -> None:
    assert language(f"some/{name}") == expected
    assert language(name.upper()) == expected


@pytest.mark.parametrize(("interpreter", "expected"), languages.INTERPRETERS.items())
def test_each_interpreter_gives_its_language(interpreter: str, expected: str) -> None:
    assert language("bin/tool", f"#!/usr/bin/{interpreter}\n") == expected
    assert language("bin/tool", f"#!/usr/bin/env {interpreter}\nrest") == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("#!/usr/bin/python3.11 -u\n", "python"),
        ("#! /usr/bin/env -S VAR=1 node --harmony\n", "javascript"),
        ("#!/usr/bin/env -S deno run --allow-net\n", "typescript"),
        ("#!/bin/sh", "bash"),
        ("#!/opt/unheard-of\n", "text"),
        ("#!", "text"),
        ("#!/usr/bin/env\n", "text"),
        ('<?xml version="1.0"?>\n', "xml"),
        ("\n<!DOCTYPE html>\n", "html"),
        ("plain words", "text"),
    ],
)
def test_a_file_without_extension_is_known_by_its_first_line(head: str, expected: str) -> None:
    assert language("bin/tool", head) == expected


@pytest.mark.parametrize(
    ("path", "head", "expected"),
    [
        ("docs/intro.txt", REST, "restructuredtext"),
        ("docs/intro.txt", "See :ref:`there`.\n", "restructuredtext"),
        ("docs/intro.txt", "Release 1.2\n===========\n\nFixes.\n", "restructuredtext"),
        ("README", "Words\n\n.. _target: https://example.org\n", "restructuredtext"),
        ("notes.txt", "Words first.\n\nname  age\n----\n", "text"),
        ("notes.txt", "Nothing special ... at all\n", "text"),
        ("docs/requirements.txt", "django\n", "requirements"),
        ("requirements/dev.txt", "pytest\n", "requirements"),
        ("docs/requirements.txt", REST, "restructuredtext"),
        ("docs/ref/constraints.txt", REST, "restructuredtext"),
        ("CMakeLists.txt", "project(x)\n", "cmake"),
        ("a.h", "int f(void);\n", "c"),
        ("a.h", "namespace x {\n", "cpp"),
        ("a.h", "#include <vector>\n", "cpp"),
        ("a.h", "@interface X\n", "objective-c"),
        ("a.m", "@implementation X\n", "objective-c"),
        ("a.m", "x = [1 2];\n", "matlab"),
        ("a.ts", "let x = 1;\n", "typescript"),
        ("a.ts", '<?xml version="1.0"?>\n<!DOCTYPE TS>\n', "xliff"),
        ("a.pl", "use strict;\n", "perl"),
        ("a.pl", "parent(a, b) :- child(b, a).\n", "prolog"),
        ("man/agentd.1", ".TH AGENTD 1\n", "roff"),
        ("NEWS.1", "1.1 is out\n", "text"),
        ("settings.py.example", CODE, "python"),
        ("project_name/settings.py-tpl", CODE, "python"),
        ("Dockerfile.dev", "FROM x\n", "dockerfile"),
        (".env.local", "A=1\n", "ini"),
        ("report.pdf", "%PDF-1.4", "pdf"),
        ("report.pdf", "version https://git-lfs.github.com/spec/v1\n", "text"),
    ],
)
def test_content_and_affixes_decide_where_the_name_does_not(path: str, head: str, expected: str) -> None:
    assert language(path, head) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", Kind.CODE),
        ("a.css", Kind.CODE),
        ("Makefile", Kind.CODE),
        ("a.md", Kind.DOCS),
        ("a.rst", Kind.DOCS),
        ("a.ipynb", Kind.DOCS),
        ("a.pdf", Kind.DOCS),
        ("a.txt", Kind.DOCS),
        ("LICENSE", Kind.DOCS),
        ("README.unknown", Kind.DOCS),
        ("COPYING.LESSER", Kind.DOCS),
        ("no-extension", Kind.DOCS),
        ("a.json", Kind.DATA),
        ("a.yaml", Kind.DATA),
        ("a.xml", Kind.DATA),
        ("a.unheardof", Kind.DATA),
    ],
)
def test_a_kind_is_code_docs_or_data(path: str, expected: Kind) -> None:
    assert classify(path, "", 0).kind is expected


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("a.pdf", b"%PDF-1.7", True),
        ("a.PDF", b"junk\n%PDF-1.7", True),
        ("a", b"%PDF-1.7", True),
        ("a.txt", b"about %PDF-1.7", False),
        ("a.pdf", b"<html>not found", False),
        ("a.pdf", b"", False),
    ],
)
def test_a_pdf_is_known_by_its_header(path: str, data: bytes, *, expected: bool) -> None:
    assert is_pdf(path, data) is expected


@given(st.text(), st.text(), st.integers(0, 2**40))
def test_every_name_and_text_has_a_class(path: str, head: str, size: int) -> None:
    assert isinstance(classify(path, head, size), FileClass)
