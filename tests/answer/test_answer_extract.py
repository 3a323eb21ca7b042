"""Extractive answers: what is cited, how it is narrowed, and that the text says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from answer_harness import passage
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.answer.extract import MOST_CITATIONS, MOST_LINES, OPENING, Excerpts, choose, narrowed, written
from agentd.answer.support import TOO_FAR, EmbeddingSupport
from agentd.compute.pool import Pool
from agentd.config.settings import ComputeSettings
from agentd.kernels.excerpt import best_windows, narrow
from agentd.kernels.messages import Excerpt, ExcerptRequest
from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = str(builtin_model_directory())
FILLER = "\n".join(f"    counter_{number} = {number}" for number in range(40))
RETRY = "def retry(call, tries):\n    # Wait longer after each failure.\n    return call\n"
CODE = f"def setup():\n{FILLER}\n\n{RETRY}\n{FILLER}"


class Named:
    """Calls lines by the place where they begin."""

    async def name_of(self, path: str, start_line: int, end_line: int) -> str:
        assert start_line <= end_line
        return f"{path.rpartition('/')[2]}:{start_line}"


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    running = Pool(ComputeSettings())
    await running.start()
    yield running
    await running.stop(1)


def test_the_lines_that_answer_begin_at_the_definition_they_belong_to() -> None:
    request = ExcerptRequest(MODEL, "how long does retry wait after a failure", [CODE], 10, ("retry",))
    (excerpt,) = narrow(request).excerpts
    lines = CODE.splitlines()
    assert lines[excerpt.start].startswith("def retry")
    assert excerpt.end - excerpt.start <= 10


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["", "def f():", "    x = 1", "text about it", "# Head", ")"]), min_size=1, max_size=60)
)
def test_windows_lie_within_the_passage_and_are_short_enough(lines: list[str]) -> None:
    for window in best_windows(lines, 12, {"text": 1.0}, set()):
        assert 0 <= window.start < window.end <= len(lines)
        assert window.end - window.start <= 12


def test_several_places_are_cited_before_more_of_one() -> None:
    found = [passage("a.py", line, line, "x") for line in range(1, 6)] + [passage("b.py", 1, 1, "y")]
    chosen = choose(found)
    assert len(chosen) == MOST_CITATIONS
    assert [each.path for each in chosen[:3]] == ["/r/a.py", "/r/a.py", "/r/b.py"]


def test_a_narrowed_passage_keeps_the_numbers_of_its_lines() -> None:
    whole = passage("a.py", 11, 14, "one\ntwo\nthree\nfour\n")
    part = narrowed(whole, Excerpt(1, 3, 0.5))
    assert (part.start_line, part.end_line, part.text) == (12, 13, "two\nthree\n")
    assert narrowed(whole, Excerpt(0, 4, 0.5)) is whole


def test_text_that_is_not_the_lines_of_its_span_keeps_the_span() -> None:
    page = passage("a.pdf", 2, 2, "one\ntwo\nthree")
    part = narrowed(page, Excerpt(0, 1, 0.5))
    assert (part.start_line, part.end_line, part.text) == (2, 2, "one\n")


def test_the_answer_says_what_it_is_and_what_each_part_belongs_to() -> None:
    text = written([passage("a.py", 1, 1, "x = 1\n", symbol="setup"), passage("b.py", 1, 1, "y", about="calls setup")])
    assert text.startswith(OPENING)
    assert "setup [1]\n\n    x = 1" in text
    assert "\n\nb.py (calls setup) [2]\n\n    y" in text


async def test_an_extract_is_short_whatever_is_found(pool: Pool) -> None:
    found = [passage(f"f{number}.py", 1, len(CODE.splitlines()), CODE) for number in range(10)]
    extract = await Excerpts(pool, MODEL, 256, Named()).extract("how does retry wait", found)
    assert len(extract.passages) == MOST_CITATIONS
    assert sum(each.end_line - each.start_line + 1 for each in extract.passages) <= MOST_LINES
    assert all(each.text in CODE for each in extract.passages)


async def test_lines_of_a_later_definition_stand_under_its_name(pool: Pool) -> None:
    found = [passage("a.py", 1, len(CODE.splitlines()), CODE, symbol="setup")]
    (part,) = (await Excerpts(pool, MODEL, 256, Named()).extract("how long does retry wait", found)).passages
    first = CODE.splitlines()[part.start_line - 1 :]
    assert part.symbol == f"a.py:{part.start_line + next(at for at, line in enumerate(first) if line.strip())}"
    assert part.start_line > 1


async def test_the_first_lines_of_a_passage_do_not_keep_the_name_of_a_later_definition(pool: Pool) -> None:
    text = f"{RETRY}\ndef teardown():\n{FILLER}\n"
    found = [passage("a.py", 1, len(text.splitlines()), text, symbol="teardown")]
    (part,) = (await Excerpts(pool, MODEL, 256, Named()).extract("how long does retry wait", found)).passages
    assert (part.start_line, part.symbol) == (1, "a.py:1")


async def test_a_passage_that_is_cited_whole_keeps_its_name(pool: Pool) -> None:
    found = [passage("a.py", 1, 3, RETRY, symbol="retry")]
    (part,) = (await Excerpts(pool, MODEL, 256, Named()).extract("how long does retry wait", found)).passages
    assert part.symbol == "retry"


async def test_the_floor_decides_and_is_told(pool: Pool) -> None:
    checker = EmbeddingSupport(pool, MODEL, 256, least=0.5)
    near = await checker.check("It waits longer after each failure.", ["# Wait longer after each failure."])
    far = await checker.check("Templates are rendered lazily.", ["# Wait longer after each failure."])
    assert near.supported
    assert (far.supported, far.reasons) == (False, (TOO_FAR,))
