from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.tokens import parts_of, words_of


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("HTTPResponse", "HTTP Response"),
        ("get_user_by_id", "get user by id"),
        ("camelCase2Words", "camel Case 2 Words"),
        ("__init__", "init"),
        ("getURLsFor", "get URLs For"),
        ("MAX_CHUNKS", "MAX CHUNKS"),
        ("sha256", "sha 256"),
        ("größteZahl", "größte Zahl"),
        ("ÉcoleNormale", "École Normale"),
        ("имяПользователя", "имя Пользователя"),
        ("中文搜索", "中文搜索 中文 文搜 搜索"),
        ("word", ""),
        ("Word", ""),
        ("WORD", ""),
        ("2024", ""),
        ("_", ""),
        ("", ""),
    ],
)
def test_identifiers_fall_into_their_parts(word: str, parts: str) -> None:
    assert " ".join(parts_of(word)) == parts


def test_words_are_runs_of_letters_digits_and_underscores() -> None:
    assert words_of("os.path.joinAll kebab-case v1.2 get_x(1)") == [
        "os", "path", "joinAll", "kebab", "case", "v1", "2", "get_x", "1",
    ]  # fmt: skip
    assert words_of("“fooBar”—naïveWord") == ["fooBar", "naïveWord"]


@given(st.text())
def test_words_are_those_of_the_regular_expression_and_every_part_is_in_its_word(text: str) -> None:
    words = words_of(text)
    assert words == re.findall(r"\w+", text)
    assert all(part in word for word in words for part in parts_of(word))


@given(st.from_regex(r"[A-Za-z0-9_]{1,40}", fullmatch=True))
def test_parts_lose_nothing_but_underscores(word: str) -> None:
    parts = parts_of(word)
    assert not parts or "".join(parts) == word.replace("_", "")


@pytest.mark.parametrize(
    "text",
    [
        "aA" * 500_000,
        "_" * 1_000_000,
        "a1" * 500_000,
        "A" * 1_000_000 + "a",
        "Àa" * 500_000,
        "中" * 500_000,
        "a_ " * 300_000,
    ],
    ids=lambda text: text[:3],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    began = time.process_time()
    for word in words_of(text):
        parts_of(word)
    assert time.process_time() - began < 2
