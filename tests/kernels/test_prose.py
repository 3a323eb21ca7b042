from __future__ import annotations

from itertools import pairwise

import pytest
from chunking import chunk_text

from agentd.kernels.chunks import Source

PARAGRAPH = "Some words that make a sentence of a certain length, over and over.\n" * 5
CODE = "".join(f"    line_{number} = {number}\n\n" for number in range(20))

GUIDE = f"""---
title: Guide
---
# The [Guide](https://a.example/) to `it`

{PARAGRAPH}
## Install

{PARAGRAPH}
### Linux

{PARAGRAPH}
```sh
# not a heading

{CODE}```

Use
---

| a | b |
|---|---|
| 1 | 2 |

{PARAGRAPH}
"""


def contexts(text: str, language: str, limit: int = 500) -> list[str]:
    return list(dict.fromkeys(chunk.context for chunk in chunk_text(Source(text), language, limit)[0]))


def test_markdown_sections_carry_the_path_of_their_headings() -> None:
    assert contexts(GUIDE, "markdown") == [
        "The Guide to it",
        "The Guide to it > Install",
        "The Guide to it > Install > Linux",
        "The Guide to it > Use",
    ]


def test_markdown_fences_and_tables_are_whole_where_they_fit() -> None:
    chunks, _ = chunk_text(Source(GUIDE), "markdown", 900)
    fenced = next(chunk for chunk in chunks if "# not a heading" in chunk.text)
    assert "```sh" in fenced.text
    assert fenced.text.rstrip().endswith("```")
    assert any("| a | b |\n|---|---|\n| 1 | 2 |" in chunk.text for chunk in chunks)


def test_markdown_front_matter_is_no_heading() -> None:
    assert "title: Guide" not in " ".join(contexts(GUIDE, "markdown"))


@pytest.mark.parametrize("line", ["#hashtag", "####### seven", "    # indented code", "a | b\n--- | ---"])
def test_markdown_lines_that_look_like_headings_are_none(line: str) -> None:
    assert contexts(f"{line}\n\n{PARAGRAPH * 3}", "markdown") == [""]


def test_small_sections_of_one_parent_share_a_chunk_and_its_context() -> None:
    text = "# Changes\n\n" + "".join(f"## {number}.0\n\nFixed it.\n\n" for number in range(5)) + PARAGRAPH
    chunks, _ = chunk_text(Source(text), "markdown", 400)
    assert chunks[0].context == "Changes"
    assert "## 3.0" in chunks[0].text


REFERENCE = f"""
=====
Title
=====

.. currentmodule:: a.b

{PARAGRAPH}
First :class:`~a.B`
===================

{PARAGRAPH}
``get()``
---------

.. code-block:: python

{CODE}

After the code::

{CODE}

{PARAGRAPH}
Second
======

{PARAGRAPH}
====  ====
a     b
====  ====
1     2
====  ====
"""


def test_rst_levels_follow_the_order_of_adornments() -> None:
    assert contexts(REFERENCE, "restructuredtext") == [
        "Title",
        "Title > First ~a.B",
        "Title > First ~a.B > get()",
        "Title > Second",
    ]


def test_rst_directives_and_literal_blocks_keep_their_bodies() -> None:
    chunks, _ = chunk_text(Source(REFERENCE), "restructuredtext", 700)
    for opening in (".. code-block:: python", "After the code::"):
        chunk = next(chunk for chunk in chunks if opening in chunk.text)
        assert "line_19 = 19" in chunk.text


def test_rst_large_directive_is_cut_inside() -> None:
    text = ".. method:: a\n\n" + "".join(f"    {line}\n" for line in (PARAGRAPH + "\n").split("\n")) * 6
    chunks, _ = chunk_text(Source(text), "restructuredtext", 800)
    assert all(len(chunk.text) <= 1000 for chunk in chunks)
    assert all(chunk.text.count("Some words") % 5 == 0 for chunk in chunks)


PAGE = """<!DOCTYPE html>
<html><head><title>The Guide</title><style>p { color: red }</style></head>
<body>
<nav><a href="/">Home</a></nav>
<h1>The Guide</h1>
<p>Intro &amp; <b>bold</b> text
over lines.</p>
<h2>Install</h2>
<ul><li>one</li><li>two</li></ul>
<pre>
  code &lt;x&gt;
    indented
</pre>
<h3>Linux</h3>
<p>Use apt.
<p>Unclosed <div>x
<h2>Use</h2>
<table><tr><td>a</td><td>b</td></tr></table>
<script>var x = "<p>not text</p>";</script>
tail
"""


def test_html_is_the_text_a_reader_sees() -> None:
    (chunk,), _ = chunk_text(Source(PAGE), "html", 1200)
    assert chunk.text == (
        "The Guide\nIntro & bold text over lines.\nInstall\none\ntwo\n  code <x>\n    indented\nLinux\nUse apt.\n"
        "Unclosed\nx\nUse\na\nb\ntail"
    )
    assert (chunk.start_line, chunk.end_line, chunk.context) == (5, 20, "The Guide")


def test_html_sections_have_their_own_chunks_lines_and_headings() -> None:
    chunks, _ = chunk_text(Source(PAGE), "html", 60)
    data = PAGE.encode()
    install = next(chunk for chunk in chunks if chunk.text.startswith("Install"))
    assert install.context == "The Guide > Install"
    assert (install.start_line, install.end_line) == (8, 12)
    assert data[install.start_byte : install.end_byte].startswith(b"Install</h2>")
    assert [chunk.context for chunk in chunks][-1] == "The Guide > Use"
    assert all(one.end_byte <= two.start_byte for one, two in pairwise(chunks))


def test_html_template_is_searched_as_source() -> None:
    text = '{% extends "base.html" %}\n<ul class="messages">\n<li>{{ message }}</li>\n</ul>\n'
    (chunk,), _ = chunk_text(Source(text), "html", 1200)
    assert chunk.text == text.rstrip("\n")


@pytest.mark.parametrize("text", ["<div", "<p>a</b></i></p", "<!DOCTYPE", "&#xffffffff;", "<a href='x", "<![CDATA[x]]"])
def test_broken_html_raises_nothing_and_loses_no_file(text: str) -> None:
    chunks, _ = chunk_text(Source(f"{text} word"), "html", 1200)
    assert len(chunks) == 1


def test_html_without_text_is_kept_as_source() -> None:
    text = '<html><script src="app.js"></script></html>'
    (chunk,), _ = chunk_text(Source(text), "html", 1200)
    assert chunk.text == text


def test_html_that_takes_too_long_is_cut_by_lines_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentd.kernels.html.PARSE_SECONDS", -1.0)
    chunks, notes = chunk_text(Source("<p>word</p>"), "html", 1200)
    assert notes == ["parse_timeout"]
    assert chunks[0].text == "<p>word</p>"


def test_gettext_entries_are_whole() -> None:
    entry = '#: admin.py:{0}\nmsgid "Some text {0}"\nmsgstr "Etwas Text {0}"\n'
    chunks, _ = chunk_text(Source("\n".join(entry.format(number) for number in range(60))), "gettext", 600)
    assert all(chunk.text.startswith("#: admin.py") for chunk in chunks)
    assert all(chunk.text.rstrip().split("\n")[-1].startswith("msgstr") for chunk in chunks)
