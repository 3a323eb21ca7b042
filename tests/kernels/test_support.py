"""What counts as supported: letters, direction and nearness, each alone and with the real model."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.claims import missing, names
from agentd.kernels.messages import SupportRequest
from agentd.kernels.misplaced import misplaced
from agentd.kernels.polarity import opposed
from agentd.kernels.support import MOST_WINDOWS, best_windows, judge
from agentd.kernels.synonyms import RELATIVE, SYNONYM, covered, meaning_words
from agentd.kernels.words import stem
from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from collections.abc import Callable

SPAN = "The cache keeps entries for 300 seconds (`TIMEOUT`). With `TIMEOUT=None` they never expire. See docs/cache.rst."


@pytest.mark.parametrize(
    ("sentence", "reasons"),
    [
        ("Entries live for 300 seconds.", 0),
        ("Entries live for 300.0 seconds.", 0),
        ("Entries live for 600 seconds.", 1),
        ("Entries live for 300 minutes.", 1),
        ("`TIMEOUT` says how long.", 0),
        ("`MAX_ENTRIES` says how many.", 1),
        ("With `TIMEOUT=None` they stay.", 0),
        ("With `TIMEOUT=300` they stay.", 0),
        ("It is told in docs/cache.rst.", 0),
        ("It is told in docs/sessions.rst.", 1),
        ('It says "they never  expire".', 0),
        ('It says "they always expire".', 1),
        ("This is how Redis keeps entries.", 1),
    ],
)
def test_numbers_units_names_paths_and_quotations_must_stand_there(sentence: str, reasons: int) -> None:
    assert len(missing(sentence, SPAN)) == reasons, missing(sentence, SPAN)


def test_a_unit_within_a_name_is_a_unit() -> None:
    assert missing("It is done every 300 seconds.", "`rescan_seconds` (300); once an hour at least") == []


def test_separators_and_words_of_numbers_do_not_matter() -> None:
    assert missing("It reads 10,000 rows two times.", "rows = 10_000; do it twice") == []
    assert missing("It reads 0x10 bytes.", "read 16 bytes") == []


def test_a_literal_that_belongs_to_something_else_there_is_told() -> None:
    span = "Returns True if a receiver was found and False if the signal is dead."
    assert missing("It returns `True` if a receiver was found.", span) == []
    assert missing("It returns `False` if a receiver was found.", span) != []


def test_names_are_code_identifiers_paths_and_capitals_within_a_sentence() -> None:
    found = names("When `a.b()` runs, get_user and HTTPAdapter read /etc/hosts on Windows.")
    assert found == ["a.b()", "/etc/hosts", "get_user", "HTTPAdapter", "Windows"]


@pytest.mark.parametrize(
    ("sentence", "window", "found"),
    [
        ("It is not copied.", "A copy is not made; it is not copied.", False),
        ("It is copied.", "It is not copied.", True),
        ("It is never closed.", "It is closed at the end.", True),
        ("It is enabled by default.", "It is disabled by default.", True),
        ("It is enabled by default.", "By default it is enabled.", False),
        ("Hooks run before the tests.", "Hooks run after the tests.", True),
        ("The limit increases.", "The limit decreases.", True),
        ("It is the maximum.", "It is the minimum.", True),
        ("Warnings are turned into errors.", "Errors are turned into warnings.", True),
        ("It happens when a user logs out.", "It happens when a user logs in.", True),
        ("Only lists are taken.", "Lists and tuples are taken.", True),
        ("You must call it.", "You may call it.", True),
        ("It fails.", "It succeeds.", True),
        ("Every file is read.", "It does not happen that every file is read.", True),
        ("Blank lines count towards the limit.", "Blank lines are excluded from the limit.", True),
        ("Blank lines do not count towards the limit.", "Blank lines are excluded from the limit.", False),
        ("Without a key the default is used.", "If no key is given, the default is used.", False),
        ("Only a list is taken.", "It never takes anything other than a list.", False),
        ("The heap is slower than the tree.", "The tree, which is sorted, is slower\nthan the heap.", True),
        ("`old` is deprecated in favor of `new`.", "Since 2.0 `new` is deprecated in favor of `old`.", True),
    ],
)
def test_the_opposite_is_told(sentence: str, window: str, found: bool) -> None:  # noqa: FBT001  # a table's column
    assert bool(opposed(sentence, window)) is found, opposed(sentence, window)


@pytest.mark.parametrize(
    ("sentence", "span", "found"),
    [
        ("Level 1 gives the best compression.", "1 gives best speed, 9 gives best compression.", True),
        ("Level 9 gives the best compression.", "1 gives best speed, 9 gives best compression.", False),
        ("`strict` is `True` by default.", "`strict` (default: False) and `True` for `lenient`.", True),
        ("The view is meant for production.", "Production needs a server. This view is meant for development.", True),
        ("The cache grows.", "The queue shrinks. The cache grows.", False),
    ],
)
def test_what_is_said_of_another_value_is_told(sentence: str, span: str, found: bool) -> None:  # noqa: FBT001  # a table's column
    assert bool(misplaced(sentence, span)) is found, misplaced(sentence, span)


def test_synonyms_and_families_of_words_count_and_others_do_not() -> None:
    assert covered({"delet"}, {"remov"}) == SYNONYM
    assert covered({stem("verify")}, {stem("verification")}) == RELATIVE
    assert covered({"delet"}, {"parser"}) == 0
    assert covered(set(), {"parser"}) == 0


@given(st.text(max_size=200))
def test_no_sentence_contradicts_itself(text: str) -> None:
    assert missing("plain words", text) == []
    assert isinstance(opposed(text, text), list)
    assert misplaced(text, text) == []


def verdict(sentence: str, *spans: str) -> tuple[float, list[str]]:
    result = judge(SupportRequest(str(builtin_model_directory()), sentence, list(spans)))
    return result.score, result.reasons


def test_a_paraphrase_is_near_and_something_else_is_far() -> None:
    near, reasons = verdict("Cache entries stay for 300 seconds.", SPAN)
    far, _ = verdict("The parser builds a syntax tree.", SPAN)
    assert reasons == []
    assert near > 0.6
    assert far < 0.3


def test_several_spans_support_together() -> None:
    assert verdict("`retry` tries 3 times.", "def retry(call): ...", "TRIES = 3  # times to try")[1] == []


@pytest.mark.parametrize("spans", [(), ("",), ("\n \n",)])
def test_nothing_supports_nothing(spans: tuple[str, ...]) -> None:
    score, reasons = verdict("It is so.", *spans)
    assert score == 0
    assert reasons


def test_a_long_span_is_compared_in_a_few_places() -> None:
    span = "\n\n".join(f"def f{number}(x):\n    return x + {number}" for number in range(500))
    words = set(meaning_words("f7 adds 7 to x"))
    assert len(best_windows(words, [span])) <= MOST_WINDOWS


ORDERED = " ".join(f"w{number} before" for number in range(1400))


@pytest.mark.parametrize(
    "hostile",
    ["before a after b ", "into than to ", "first a then b ", "a", " ", "\n \t", "-", "a-", "aB", "1 ", ORDERED],
)
def test_hostile_text_is_judged_in_time_that_grows_with_its_length(hostile: str) -> None:
    text = (hostile * 16_000)[:16_000]

    def seconds(function: Callable[[str, str], object], sentence: str) -> float:
        began = process_time()
        function(sentence, text)
        return process_time() - began

    def twisted(sentence: str, span: str) -> object:
        return opposed(sentence, span, span)

    for sentence in (text, "A cache is kept before the first time, after a second, rather than to be true or false."):
        assert seconds(twisted, sentence) < 0.5
        assert seconds(misplaced, sentence[:2000]) < 0.5
        assert seconds(missing, sentence[:2000]) < 0.5


def test_a_key_in_hexadecimal_is_compared_as_it_is_written() -> None:
    key = "0x" + "F" * 512
    assert missing(f"The key is {key}.", f"key = {key}") == []
    assert missing(f"The key is {key}.", "key = 0xFF") == [f"the number {key} is not there"]
