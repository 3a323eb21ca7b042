"""Who gets the watches where there are too few."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentd.indexing.watch_plan import HOUR_NS, ROOT_SCORE, FolderFacts, choose, score
from agentd.kernels.messages import FileEntry

NOW = 2_000_000_000_000_000_000
DAY = 24 * HOUR_NS

scores = st.dictionaries(st.text("abc/", min_size=1, max_size=4), st.integers(0, 6), max_size=30)


@given(scores, st.sets(st.text("abc/", min_size=1, max_size=4)), st.integers(-2, 40))
def test_as_many_as_fit_are_chosen_and_nothing_better_is_left_out(
    scores: dict[str, int], watched: set[str], budget: int
) -> None:
    chosen = choose(scores, watched, budget)
    assert chosen <= scores.keys()
    assert len(chosen) == min(len(scores), max(budget, 0))
    left = scores.keys() - chosen
    if chosen and left:
        assert min(scores[path] for path in chosen) >= max(scores[path] for path in left)
        least = min(scores[path] for path in chosen)
        equals = {path for path in scores if scores[path] == least}
        if equals & watched & left:  # a watched one lost only to others that were watched
            assert equals & chosen <= watched


@given(scores, st.integers(0, 40))
def test_a_choice_that_is_made_again_stays(scores: dict[str, int], budget: int) -> None:
    chosen = choose(scores, set(), budget)
    assert choose(scores, chosen, budget) == chosen


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 900), st.integers(0, 900))
def test_age_goes_before_number_and_more_files_before_fewer(few: int, many: int, young: int, old: int) -> None:
    few, many = sorted((few, many))
    young, old = sorted((young, old))
    assert score(few, NOW - old * DAY, NOW) <= score(many, NOW - old * DAY, NOW)
    assert score(many, NOW - old * DAY, NOW) <= score(many, NOW - young * DAY, NOW)
    assert 0 <= score(many, NOW - young * DAY, NOW) < ROOT_SCORE


def test_what_was_edited_within_the_hour_beats_a_thousand_old_files() -> None:
    assert score(1, NOW - HOUR_NS // 2, NOW) > score(100_000, NOW - 3 * DAY, NOW)
    assert score(0, 0, NOW) == 0


def test_facts_of_folders_come_from_pages_of_a_walk() -> None:
    facts = FolderFacts()
    facts.add([FileEntry("a/b/new.py", 1, NOW - HOUR_NS // 2, ""), FileEntry("a/b/old.py", 1, NOW - 400 * DAY, "")])
    facts.add([FileEntry("top.py", 1, NOW, ""), FileEntry("c/old.py", 1, NOW - 400 * DAY, "")])
    assert facts.score("", NOW) == ROOT_SCORE
    assert facts.score("a/b", NOW) == score(2, NOW - HOUR_NS // 2, NOW)
    assert facts.score("c", NOW) == score(1, NOW - 400 * DAY, NOW)
    assert facts.score("a", NOW) == 0
