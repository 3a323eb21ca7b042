from __future__ import annotations

import pytest

from agentd.domain import MAX_NAME, embedding_text, name_parts, spoken


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a::b->c.d#e()", ["a", "b", "c", "d", "e"]),
        ("App\\Http\\Kernel", ["App", "Http", "Kernel"]),
        (" get ", ["get"]),
        ("..", [""]),
        ("", [""]),
    ],
)
def test_a_name_has_the_same_parts_in_every_spelling(name: str, parts: list[str]) -> None:
    assert name_parts(name) == parts


def test_a_name_of_any_length_costs_no_more_than_the_longest_that_counts() -> None:
    assert len(name_parts("a." * MAX_NAME)) == MAX_NAME // 2


def test_names_are_spoken_in_words_each_once() -> None:
    assert spoken("Session.get_adapter HTTPAdapter Other.get_adapter") == "get adapter, http adapter"


def test_what_is_embedded_says_what_is_defined_before_the_text() -> None:
    assert embedding_text("class Session", "def f(): ...", "Session.merge_cookies") == (
        "merge cookies\nclass Session\ndef f(): ..."
    )
    assert embedding_text("", "plain") == "plain"
