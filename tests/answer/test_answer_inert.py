"""Whatever a model writes, a reader of Markdown with raw HTML finds nothing in it to load and nowhere to go. A renderer
that others wrote is the judge, for its opinion of what is code and what a link is what counts.
"""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agentd.answer.cleaning import Cleaner
from agentd.answer.contracts import Passage, SourceName
from agentd.answer.extract import written
from agentd.answer.inert import inert_code
from agentd.answer.marks import cited

PAGE = "https://docs.example.org/page"
READER = "https://reader.example/answers/"
RENDERERS = (MarkdownIt("commonmark", {"html": True}), MarkdownIt("js-default", {"html": True}))
for each in RENDERERS:
    each.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005  # others let any scheme through
PLACES = {"href", "src", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href"}


class Places(HTMLParser):
    """Addresses that a page of HTML loads or leads to, and elements that run or hide what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in PLACES and value]
        if tag in {"script", "style", "iframe", "base"}:
            self.found.append(f"{tag}:")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment:{data}")


def elsewhere(text: str) -> list[str]:
    """Where ``text``, rendered, leads: every address of another host or scheme than the reader's own."""
    found = []
    for renderer in RENDERERS:
        places = Places()
        places.feed(renderer.render(text))
        places.close()
        found += places.found
    bare = ("".join(each.split("\n")).replace("\t", "").replace("\r", "").replace("\\", "/").strip() for each in found)
    return [each for each in bare if each != PAGE and urlsplit(urljoin(READER, each))[:2] != urlsplit(READER)[:2]]


def cleaned(text: str, cuts: list[int]) -> str:
    cleaner = Cleaner(3, {PAGE})
    ends = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    return "".join(cleaner.feed(text[start:end]) for start, end in pairwise(ends)) + cleaner.end()


KNOWN = [
    "![x](//evil.example/a)",
    "[a [b] c](https&#58;//evil.example/a) and ![a [b] c](https&#58;//evil.example/a)",
    "[1](https://evil.example)(//evil.example)",
    "[x[9]](//evil.example)",
    "[x]: //evil.example/a\n\n![x]",
    "[my\nlabel]: //evil.example/a\n\n[my label]",
    "[x]:\n//evil.example/a\n\n![x]",
    "> [1]: //evil.example/a\n\nAs [1] says.",
    "    ```\n![x](//evil.example/a)",
    "- a\n  ```\n![x](//evil.example/a)\n",
    "```\n~~~\n```\n![x](//evil.example/a)\n",
    "\\`![x](//evil.example/a)`",
    "a ` b\nc ` ![x](//evil.example/a) ` d",
    "``` a ` b ` ![x](//evil.example/a) `",
    "`x`\n<div>\n```\n<img src='https&#x3a;//evil.example/a'>\n```\n",
    "<img\nsrc=//evil.example/a>",
    "<div>\n<img/src=//evil.example/a>",
    "a<script>fetch('//evil.example')</script>",
    "<style>@import '//evil.example';</style>",
    "`a`\n\n<!-- nobody reads this -->",
    "<base href=//evil.example>",
    "[x](\n//evil.example/a)",
    "[x](<//evil.example/a>)",
    "[x](\\/\\/evil.example/a)",
    "[x](javascript&colon;void)",
    "\\`[x](data:text/html,hello)`",
    "<javascript:alert(1)>",
    "<a@evil.example>",
]
FRAGMENTS = [
    *"[]()!`\\:<>/ \n\t&-",
    *("](", "]:", "![", "[x]", "[x]: ", "[1]", "[9]", "``", "```", "~~~", "\n\n", "    ", "\n> ", "\n- ", "\n1. "),
    *("//evil.example/a", "https://evil.example", "https&#58;//evil.example", "javascript:x", "&#47;", "&Tab;"),
    *("<img src=", "<a href='", "<div>", "<!--", "-->", "word", "\u200b", PAGE, f"[page]({PAGE})"),
]


@pytest.mark.parametrize("text", KNOWN)
def test_what_is_written_to_reach_out_does_not(text: str) -> None:
    assert elsewhere(text), "nothing to clean: the renderer sees no harm in it"
    for step in (1, 7, len(text)):
        assert not elsewhere(cleaned(text, list(range(0, len(text), step))))


@settings(deadline=None)
@given(parts=st.lists(st.sampled_from(FRAGMENTS), max_size=24), cuts=st.lists(st.integers(0, 120), max_size=8))
@example(parts=["`", "[x]", "\n", "(", "//evil.example/a", ")", "`"], cuts=[])
def test_no_mixture_of_marks_leads_anywhere(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    assert not elsewhere(cleaned(text, cuts)), cleaned(text, cuts)


@pytest.mark.parametrize(
    "title",
    [
        "![pixel](//evil.example/p)",
        "- item",
        "1. item",
        "> quoted <img src=//evil.example/p>",
        "Proven [2][9]",
        "[1]: //evil.example/p",
        "\x1b]8;;//evil.example\x07here",
        "```",
        "<!-- ",
    ],
)
def test_the_title_of_a_file_is_a_line_of_an_extract_and_nothing_else(title: str) -> None:
    hostile = "![x](//evil.example/q)\n<img src=//evil.example/q>\x1b[2J\u202e\n"
    shown = Passage(
        source=SourceName.DOCUMENTS, path="/r/x.md", root="/r", title=title, text=hostile, start_line=1, end_line=2
    )
    text = written([shown, shown])
    assert not elsewhere(text)
    assert cited(text) == [1, 2]
    assert text.isprintable() or set(filter(lambda sign: not sign.isprintable(), text)) == {"\n"}
    assert RENDERERS[0].render(text).count("<code>") == 2


@pytest.mark.parametrize(
    "code",
    [
        "for x in rows[1:]:\n    handlers[name](x)\n",
        'if kinds[0]: <div class="a">{% url "x" %}</div>\n',
        "def f(x: list[int], y: Generic[T]) -> dict[str, int]: ...\n",
        "std::vector<int> a; // comment\nb = c[0](d)\n",
        "a[0]: int = 3 & mask\n",
    ],
)
def test_code_that_leads_nowhere_is_left_as_it_is(code: str) -> None:
    assert inert_code(code) == code
    assert cleaned(f"So [1]:\n\n```\n{code}```\n", [9, 30]) == f"So [1] :\n\n```\n{code}```\n"
