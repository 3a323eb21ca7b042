from __future__ import annotations

from typing import TYPE_CHECKING

from found_passages import passage
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from agentd.kernels.chunks import Block, Source, split
from agentd.retrieval.packing import (
    MERGED_BYTES,
    MERGED_LINES,
    fit_tokens,
    hit_tokens,
    merge_neighbours,
    pack,
    select,
    share_files,
)
from agentd.retrieval.results import FoundBy, SearchQuery, Totals

if TYPE_CHECKING:
    import random

    from agentd.retrieval.passages import Passage

LINE = st.sampled_from(["", "", "   ", "x = 1", "    return x", "für = 'ß'", "word " * 30])


def asked(limit: int = 10, **options: int) -> SearchQuery:
    return SearchQuery("query", limit, **options)  # type: ignore[arg-type]  # flags are bools


def chunked(text: str, document: int) -> list[Passage]:
    """The passages of a file, as the splitter makes them of lines."""
    source = Source(text)
    chunks = split(source, Block(0, len(source.lines)), 40)
    return [
        passage(
            (chunk.start_line, chunk.end_line),
            text=chunk.text,
            span=(chunk.start_byte, chunk.end_byte),
            chunk=1000 * document + number,
            document=document,
        )
        for number, chunk in enumerate(chunks, start=1)
    ]


@given(
    st.lists(st.tuples(st.lists(LINE, max_size=30), st.sampled_from(["\n", "\r\n"])), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_merged_text_is_what_stands_in_the_file_and_no_chunk_is_lost(
    files: list[tuple[list[str], str]], dice: random.Random
) -> None:
    texts = {number: line_end.join(lines) for number, (lines, line_end) in enumerate(files)}
    known = [each for number, text in texts.items() for each in chunked(text, number)]
    ranked = dice.sample(known, dice.randint(0, len(known)))
    merged = merge_neighbours(ranked)
    for each in merged:
        raw = texts[each.document_id].encode()
        assert raw[each.start_byte : each.end_byte].decode() == each.hit.text
        assert each.hit.end_line - each.hit.start_line == each.hit.text.count("\n")
    chunk_ids = [chunk_id for each in merged for chunk_id in each.chunk_ids]
    assert sorted(chunk_ids) == sorted(each.chunk_ids[0] for each in ranked)
    places = [min(index for index, one in enumerate(ranked) if one.chunk_ids[0] in each.chunk_ids) for each in merged]
    assert places == sorted(places)


def test_neighbours_become_one_hit_in_the_place_of_the_best() -> None:
    ranked = [
        passage((40, 44), score=0.9, document=2),
        passage((11, 14), score=0.8, symbol="Session.get"),
        passage((1, 10), score=0.2, symbol="Session"),
        passage((15, 20), score=0.1, symbol="Session.get"),
    ]
    first, second = merge_neighbours(ranked)
    assert first == ranked[0]
    assert (second.hit.start_line, second.hit.end_line, second.hit.score) == (1, 20, 0.8)
    assert (second.hit.symbol, second.hit.symbols) == ("Session.get", ["Session", "Session.get"])
    assert second.hit.text == "\n".join(f"line {line:04}" for line in range(1, 21))


def test_two_blank_lines_may_lie_between_and_no_line_that_holds_something() -> None:
    blank = [passage((1, 2), text="a\nb", span=(0, 3)), passage((5, 5), text="c", span=(6, 7))]
    assert [each.hit.text for each in merge_neighbours(blank)] == ["a\nb\n\n\nc"]
    full = [blank[0], passage((5, 5), text="c", span=(9, 10))]
    assert len(merge_neighbours(full)) == 2
    far = [blank[0], passage((6, 6), text="c", span=(7, 8))]
    assert len(merge_neighbours(far)) == 2


def test_pieces_of_one_long_line_are_put_together() -> None:
    pieces = [passage((1, 1), text="b b", span=(4, 7), chunk=2), passage((1, 1), text="a a ", span=(0, 4), chunk=1)]
    assert [each.hit.text for each in merge_neighbours(pieces)] == ["a a b b"]


def test_pages_of_a_pdf_share_their_span_and_stay_apart() -> None:
    pages = [passage((number, number), text="page", span=(0, 900), chunk=number) for number in (1, 2, 2 + 1)]
    pages.append(passage((3, 3), text="more of it", span=(0, 900), chunk=9))
    assert merge_neighbours(pages) == pages


def test_a_merged_hit_stays_within_bounds() -> None:
    long = [passage((start, start + 49)) for start in range(1, 500, 50)]
    assert all(each.hit.end_line - each.hit.start_line < MERGED_LINES for each in merge_neighbours(long))
    wide = [passage((n, n), text="x" * 1999, span=(2000 * n, 2000 * n + 1999), chunk=n) for n in range(1, 9)]
    assert all(each.end_byte - each.start_byte <= MERGED_BYTES for each in merge_neighbours(wide))
    assert len(merge_neighbours(wide)) == 3


def test_no_merged_hit_takes_more_than_a_third_of_a_budget() -> None:
    ranked = [passage((start, start + 9)) for start in range(1, 100, 10)]
    shown = select(ranked, asked(10, merge=True, max_tokens=300)).passages
    assert [each.hit.end_line - each.hit.start_line + 1 for each in shown] == [30, 30, 30, 10]
    assert len(select(ranked, asked(10, merge=True)).passages) == 1


def test_a_merged_hit_was_found_by_the_queries_of_its_parts() -> None:
    upper, lower = passage((1, 2)), passage((3, 4))
    upper = replace(upper, hit=replace(upper.hit, queries=[FoundBy(0, 5), FoundBy(2, 1)]))
    lower = replace(lower, hit=replace(lower.hit, queries=[FoundBy(0, 2)]))
    assert merge_neighbours([upper, lower])[0].hit.queries == [FoundBy(0, 2), FoundBy(2, 1)]
    assert merge_neighbours([passage((1, 2)), passage((3, 4))])[0].hit.queries is UNSET


@given(st.lists(st.integers(1, 4)), st.integers(1, 20), st.integers(0, 3))
def test_no_file_has_more_than_its_share_and_the_best_come_first(documents: list[int], limit: int, share: int) -> None:
    ranked = [passage((7 * n + 1, 7 * n + 2), document=document) for n, document in enumerate(documents)]
    kept, crowded = share_files(ranked, limit, share)
    expected: list[Passage] = []
    left_out = 0
    for each in ranked:
        if len(expected) < limit:
            full = share and sum(one.document_id == each.document_id for one in expected) >= share
            left_out += bool(full)
            expected += [] if full else [each]
    assert (kept, crowded) == (expected, left_out)


@given(st.lists(st.integers(1, 30), max_size=8), st.integers(1, 600))
def test_what_is_shown_fits_the_budget_and_only_the_last_is_cut(lengths: list[int], budget: int) -> None:
    ranked = [passage((1, length), document=number) for number, length in enumerate(lengths, start=1)]
    shown = fit_tokens(ranked, budget)
    assert sum(hit_tokens(each.hit) for each in shown) <= budget
    assert [each.hit.path for each in shown] == [each.hit.path for each in ranked[: len(shown)]]
    assert all(each.hit.cut is UNSET for each in shown[:-1])
    for each, whole in zip(shown, ranked, strict=False):
        if each.hit.cut is True:
            assert whole.hit.text.startswith(each.hit.text + "\n")
            assert each.hit.end_line == each.hit.start_line + each.hit.text.count("\n")
        else:
            assert each == whole
    if len(shown) < len(ranked):
        assert sum(hit_tokens(each.hit) for each in ranked[: len(shown) + 1]) > budget


def test_a_hit_whose_text_is_not_its_lines_keeps_its_span_when_it_is_cut() -> None:
    extracted = passage((100, 180), text="\n".join(["a heading", *["some words of a paragraph"] * 20]))
    (shown,) = fit_tokens([extracted], 90)
    assert shown.hit.cut is True
    assert (shown.hit.start_line, shown.hit.end_line) == (100, 180)


def test_an_answer_counts_what_there_was_and_says_what_was_cut() -> None:
    ranked = [passage((20 * n + 1, 20 * n + 15), document=min(n, 3)) for n in range(1, 8)]
    query = asked(max_per_file=2, max_tokens=200)
    selection = select(ranked, query)
    packed = pack(selection.passages, selection.crowded, query)
    costs = [hit_tokens(each.hit) for each in selection.passages]
    assert (len(selection.passages), selection.crowded) == (4, 3)
    assert packed.totals == Totals(4, 3, sum(costs), {"max_per_file": 3, "max_tokens": 2, "shortened": 1})
    assert packed.cut == [
        "3 hits beyond 2 of one file",
        "2 hits left out to stay within 200 tokens",
        "1 hit cut short to stay within 200 tokens",
    ]


def test_a_neighbour_that_would_not_be_shown_for_itself_makes_no_hit_longer() -> None:
    first, second, neighbour = passage((1, 9)), passage((50, 59)), passage((10, 19))
    shown = select([first, second, neighbour], asked(2, merge=True)).passages
    assert shown == [first, second]
    shown = select([first, neighbour, second], asked(2, merge=True)).passages
    assert [(each.hit.start_line, each.hit.end_line) for each in shown] == [(1, 19), (50, 59)]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40)), unique=True), st.integers(1, 12), st.integers(0, 2))
def test_an_answer_is_filled_where_the_ranking_can_fill_it(
    places: list[tuple[int, int]], limit: int, share: int
) -> None:
    ranked = [passage((5 * at + 1, 5 * at + 5), document=document) for document, at in places]
    query = asked(limit, merge=True, max_per_file=share)
    shown = select(ranked, query).passages
    everything = share_files(merge_neighbours(ranked), limit, share)[0]
    assert len(shown) == limit or shown == everything
    assert not shown or ranked[0].chunk_ids[0] in shown[0].chunk_ids


def test_without_bounds_nothing_is_cut() -> None:
    ranked = [passage((1, 5)), passage((6, 9))]
    selection = select(ranked, asked())
    assert selection.passages == ranked
    packed = pack(selection.passages, selection.crowded, asked())
    assert (packed.passages, packed.cut, packed.totals.cut) == (ranked, [], {})
    assert len(select(ranked, asked(merge=True)).passages) == 1
