"""Secrets planted as the bench of redaction plants them: each kind in one place, and each place with one kind."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from agentd.kernels.redaction import redacted
from benchmarks.planted import planting
from benchmarks.planted.kinds import KINDS
from benchmarks.planted.ordinary import SORTS
from benchmarks.planted.places import PLACES, Place

SEED = 5
KIND_ITS_NAME_TELLS = next(kind for kind in KINDS if kind.name == "AWS secret key")


def test_there_are_twenty_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == 20


@pytest.mark.parametrize("planted", planting.some(SEED, 1), ids=lambda planted: f"{planted.kind}: {planted.place}")
def test_each_kind_is_cut_out(planted: planting.Planted) -> None:
    assert planted.is_redacted(), redacted(planted.text, Counter())


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_each_place_is_seen_where_the_name_alone_tells(place: Place) -> None:
    kind = KIND_ITS_NAME_TELLS
    source = Random(SEED)  # noqa: S311  # the same secret in each run
    while (planted := planting.plant(kind, place, source)) is None:
        continue
    assert planted.is_redacted(), redacted(planted.text, Counter())


@pytest.mark.parametrize("sort", SORTS)
def test_ordinary_strings_stay(sort: str) -> None:
    source = Random(sort)  # noqa: S311  # the same strings in each run
    texts = [SORTS[sort](source) for _ in range(5)]
    assert [redacted(text, Counter()) for text in texts] == texts


def test_a_secret_that_is_left_is_seen_to_be_left() -> None:
    planted = planting.Planted("password", "code", 'name = "Xq7-aB3k9Zr!2"', "Xq7-aB3k9Zr!2")
    assert not planted.is_redacted()


def test_a_string_cut_in_two_keeps_its_quotes_and_lines() -> None:
    text = 'api_key = (\n    "aB3dE5gH7jK9"\n    "mN2pQ4rS6tU8"\n)\n'
    assert redacted(text, Counter()) == 'api_key = (\n    "[assigned]"\n    "[assigned]"\n)\n'
