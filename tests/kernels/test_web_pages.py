"""Pages as text: what surrounds it is dropped, lines can be cited, and hostile pages cost their time and no more."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.kernels import web_html
from agentd.kernels.web_messages import WebPage, WebPageRequest, WebRankRequest
from agentd.kernels.web_page import read_page
from agentd.kernels.web_rank import score_texts

LONG = "This sentence is here to be read by somebody. " * 8


def read(html: str, **more: int) -> WebPage:
    return read_page(WebPageRequest(html.encode(), "text/html; charset=utf-8", **more))


def test_navigation_scripts_and_footers_are_dropped() -> None:
    page = read(
        "<title> A  title </title><header>Site head</header><nav><a href=/>Home</a></nav>"
        f"<div class='sidebar'>Side</div><div id=content><h1>Head</h1><p>{LONG}</p><script>bad()</script>"
        "<div hidden>unseen</div><span aria-hidden=true>icon</span><pre>x = 1\n  y = 2</pre>"
        "<table><tr><th>k<td>v</table><ul><li>one<li>two</ul></div><footer>Imprint</footer>"
    )
    assert page.title == "A title"
    assert page.text.split("\n")[0] == "# Head"
    for dropped in ("Site head", "Home", "Side", "bad()", "unseen", "icon", "Imprint"):
        assert dropped not in page.text
    for kept in ("x = 1\n  y = 2", "k | v", "- one\n- two"):
        assert kept in page.text


def test_main_is_preferred_where_it_says_enough() -> None:
    around = "<div>Around the page</div>"
    assert "Around" not in read(f"{around}<main><p>{LONG}</p></main>").text
    assert "Around" in read(f"{around}<main></main><p>{LONG}</p>").text


def test_a_page_that_is_all_frame_is_read_all_the_same() -> None:
    assert "read by somebody" in read(f"<nav><p>{LONG}</p></nav>").text
    assert "read by somebody" in read(f"<nav>never closed <p>{LONG}</p>").text


def test_lists_of_links_are_menus() -> None:
    links = "".join(f"<li><a href={n}>Other page {n}</a></li>" for n in range(5))
    page = read(f"<p>{LONG}</p><ul>{links}</ul><ul><li>See <a href=x>this</a> for the whole reason</ul>")
    assert "Other page" not in page.text
    assert "See this for the whole reason" in page.text


def test_headings_lead_to_their_passages_and_lines_are_those_of_the_text() -> None:
    page = read(f"<h1>A</h1><p>{LONG}</p><h2>B</h2><p>{LONG * 3}</p><h2>C</h2><p>{LONG}</p>", passage_chars=400)
    assert page.passages[0].context == "A"
    assert {passage.context for passage in page.passages} == {"A", "A > B", "A > C"}
    lines = page.text.split("\n")
    for passage in page.passages:
        text = "\n".join(lines[passage.start_line - 1 : passage.end_line])
        assert text.strip()
        assert len(text) <= 800
    covered = {line for each in page.passages for line in range(each.start_line, each.end_line + 1)}
    assert all(number in covered for number, line in enumerate(lines, 1) if line)


def test_long_text_is_cut_and_said_to_be() -> None:
    page = read(f"<p>{LONG * 100}</p>", max_chars=5000)
    assert page.notes == ["text_cut"]
    assert len(page.text) <= 5100


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 150_000, "<b><a><i>" * 50_000, "<!--" * 100_000, "<" * 300_000, "<a " * 100_000, "&amp" * 200_000,
        "<ul><li><a href=x>" * 30_000, f"<p a='{'x' * 2_000_000}'>hi", f"<div class='{'a ' * 500_000}'>hi",
        "<main><article>" * 50_000, "</div>" * 100_000, "<pre>" * 50_000 + "x",
    ],
)  # fmt: skip
def test_hostile_pages_end_in_time(html: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_html, "PARSE_SECONDS", 0.2)
    began = time.thread_time()
    read(html)
    assert time.thread_time() - began < 1


PARTS = [
    *("<p>", "</p>", "<main>", "</main>", "<nav>", "</nav>", "<div class=nav>", "</div>", "<pre>", "</pre>", "<h1>"),
    *("</h1>", "<li>", "<a href=x>", "</a>", "words ", "\n", "<td>", "<br>", "<script>", "</script>", "&#0;", "\ud800"),
    *("<title>", "</title>"),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=40))
def test_any_nesting_gives_text_whose_lines_hold_every_passage(parts: list[str]) -> None:
    page = read_page(WebPageRequest("".join(parts).encode(errors="replace"), "text/html"))
    lines = page.text.split("\n")
    assert all(1 <= each.start_line <= each.end_line <= len(lines) for each in page.passages)
    assert bool(page.problem) is not bool(page.passages)


@given(st.binary(max_size=400), st.sampled_from(["text/html", "text/plain; charset=gbk", "application/pdf", "", "x/y"]))
def test_any_bytes_are_a_page_or_a_problem(body: bytes, kind: str) -> None:
    page = read_page(WebPageRequest(body, kind))
    page.text.encode()
    assert bool(page.problem) is not bool(page.passages)


def test_words_of_the_question_rank_passages() -> None:
    texts = [
        "Cats purr at night.",
        "Otters sleep holding hands.",
        "How is it that they are so?",
        "getUserName of otters",
    ]
    scores = score_texts(WebRankRequest("How do otters sleep?", texts)).scores
    assert max(scores) == scores[1]
    assert scores[0] == scores[2] == 0
    assert score_texts(WebRankRequest("user", texts)).scores[3] > 0
    assert score_texts(WebRankRequest("", [])).scores == []
