from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from chain_harness import at_rest, configured, impure, running, server, until, write
from msgspec.structs import replace
from provider_harness import failure, openai_vectors, scripted_server

from agentd.config.settings import RootSettings
from agentd.domain import Filter
from agentd.errors import ProviderRefusedError, ProviderUnavailableError
from agentd.indexing import members as members_module
from agentd.indexing.calibration import APART, PAIRS, TOGETHER, line, means, vectors
from agentd.indexing.chains import chain
from agentd.indexing.members import Load, Member
from agentd.kernels.embed import embed
from agentd.kernels.messages import EmbedRequest
from agentd.models import builtin_model_directory
from agentd.providers.contracts import Embedded
from agentd.retrieval.meaning import Scale, merged
from agentd.storage.root_spaces import Stage, overfull, to_fill

if TYPE_CHECKING:
    from pathlib import Path

    from provider_harness import Asked, Reply

DOWN = partial(failure, "503 Service Unavailable")


def down(asked: Asked) -> Reply:
    return DOWN()


async def test_chunks_fall_back_and_converge_and_spaces_stay_pure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentd.providers.breaker.FIRST_PAUSE_SECONDS", 0.3)
    write(tmp_path / "root", 12)
    async with scripted_server() as box:
        settings = configured(
            tmp_path, tmp_path / "root", providers=(server("box", box.url),), chain=("box", "local")
        )  # fmt: skip
        async with running(settings) as daemon:
            assert await at_rest(daemon) == {"box": 12, "local": 0}
            box.script = down
            write(tmp_path / "root", 5, first=12)
            await until(daemon, lambda counts: counts["local"] == 5)
            assert await at_rest(daemon) == {"box": 12, "local": 5}
            (problem,) = [each for each in daemon.status.problems() if each.startswith("box:")]
            assert "waiting" in problem
            assert "5 passages use local meanwhile" in problem
            retriever, problems = daemon.searcher.vector, list[str]()
            assert retriever is not None
            found = await retriever.retrieve_within("value 14", Filter(), 20, 5.0, problems)
            assert len(found) == 5
            assert any("box" in each for each in problems)
            box.script = openai_vectors
            assert await until(daemon, lambda counts: counts["local"] == 0) == {"box": 17, "local": 0}
            problems.clear()
            assert len(await retriever.retrieve_within("value 14", Filter(), 20, 5.0, problems)) == 17
            assert problems == []
        assert impure(tmp_path / "state") == []
        box.asked.clear()
        async with running(settings) as daemon:
            assert await at_rest(daemon) == {"box": 17, "local": 0}
            stats: Any = await daemon.status.stats()
            assert stats["embedding"]["computed"] == 0
            assert all(len(asked.body["input"]) == 1 for asked in box.asked)  # the probe alone


async def test_a_server_that_was_never_there_is_stood_in_for_at_once(tmp_path: Path) -> None:
    write(tmp_path / "root", 4)
    settings = configured(
        tmp_path, tmp_path / "root", providers=(server("box", "http://127.0.0.1:9"),), chain=("box", "local")
    )  # fmt: skip
    async with running(settings) as daemon:
        assert await at_rest(daemon) == {"box": 0, "local": 4}
    assert impure(tmp_path / "state") == []


async def test_two_roots_with_different_chains(tmp_path: Path) -> None:
    for name, count in (("one", 3), ("two", 5)):
        write(tmp_path / name, count)
    async with scripted_server() as box:
        rules = (RootSettings(path=str(tmp_path / "two"), embeddings=("box",)),)
        settings = configured(
            tmp_path, tmp_path / "one", tmp_path / "two", providers=(server("box", box.url),), chain=("local",),
            rules=rules,
        )  # fmt: skip
        async with running(settings) as daemon:
            assert await at_rest(daemon) == {"local": 3, "box": 5}
            assert daemon.searcher.vector is not None
            asked = len(box.asked)
            (one,) = [keeper.root.id for path, keeper in daemon.index.keepers.items() if path.endswith("one")]
            assert len(await daemon.searcher.vector.retrieve("value", Filter(roots=(one,)), 20)) == 3
            assert len(box.asked) == asked  # a query over the other root alone is not sent
            assert len(await daemon.searcher.vector.retrieve("value", Filter(), 20)) == 8
    assert impure(tmp_path / "state") == []


async def test_another_model_behind_the_name_gets_a_space_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "root", 6)
    async with scripted_server() as box:
        settings = configured(tmp_path, tmp_path / "root", providers=(server("box", box.url),), chain=("box", "local"))
        async with running(settings) as daemon:
            await at_rest(daemon)
            assert daemon.index.chains is not None
            member = daemon.index.chains.members["box"]
            before = member.space
            box.script = partial(openai_vectors, seed=7)
            member.look_again()
            await until(daemon, lambda _: member.space != before)
            assert await at_rest(daemon) == {"box": 6, "local": 0}
            assert len(list((tmp_path / "state" / "vectors").iterdir())) == 2
        assert impure(tmp_path / "state") == []


async def test_vectors_that_nothing_finds_for_long_are_stood_in_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentd.providers.breaker.FIRST_PAUSE_SECONDS", 0.3)
    monkeypatch.setattr(members_module, "LOST_SECONDS", 0.5)
    write(tmp_path / "root", 6)
    async with scripted_server() as box:
        settings = configured(tmp_path, tmp_path / "root", providers=(server("box", box.url),), chain=("box", "local"))
        async with running(settings) as daemon:
            await at_rest(daemon)
            box.script = down
            write(tmp_path / "root", 1, first=6)
            await until(daemon, lambda counts: counts["local"] == 7)
            problems: list[str] = []
            assert daemon.searcher.vector is not None
            assert len(await daemon.searcher.vector.retrieve_within("value", Filter(), 20, 5.0, problems)) == 7
            assert problems == []
            box.script = openai_vectors
            await until(daemon, lambda counts: counts == {"box": 7, "local": 0})
        assert impure(tmp_path / "state") == []


async def test_a_root_that_no_longer_lets_text_out_leaves_the_space_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "root", 4)
    for module in ("agentd.daemon.embedding", "agentd.providers.gate", "agentd.providers.build"):
        monkeypatch.setattr(f"{module}.is_loopback", lambda _: False)
    async with scripted_server() as box:
        rule = RootSettings(path=str(tmp_path / "root"), egress=("embeddings",))
        settings = configured(
            tmp_path, tmp_path / "root", providers=(server("box", box.url),), chain=("box", "local"), rules=(rule,)
        )  # fmt: skip
        async with running(settings) as daemon:
            assert await at_rest(daemon) == {"box": 4, "local": 0}
            await daemon.reloader.apply(replace(settings, rules=()))
            asked = len(box.asked)
            await until(daemon, lambda counts: counts == {"box": 0, "local": 4})
            assert daemon.searcher.vector is not None
            assert len(await daemon.searcher.vector.retrieve("value", Filter(), 20)) == 4
            assert len(box.asked) == asked
            await daemon.reloader.apply(settings)
            await until(daemon, lambda counts: counts == {"box": 4, "local": 0})


class Model:
    """A model that is only named."""

    space: Any = None


def member(name: str, key: str, *, usable: bool = True, refused: bool = False) -> Member:
    made = Member(name, Model(), lambda: Load(1, 1, 1, 1, one_root=False))  # type: ignore[arg-type]
    made.space = type("Space", (), {"key": key})() if key else None
    if usable:
        made.usable.set()
    made.state = "refused" if refused else "ok"
    return made


def test_the_stages_of_a_chain() -> None:
    ok, away, gone = member("a", "A"), member("b", "B", usable=False), member("c", "C", usable=False, refused=True)
    assert chain([ok, away]) == (Stage("A"), Stage("B", open=False))
    assert chain([away, ok]) == (Stage("B"), Stage("A"))
    assert chain([gone, away, ok]) == (Stage("C", lost=True), Stage("B"), Stage("A"))
    assert chain([member("d", "", usable=False), ok, member("e", "A")]) == (Stage("A"),)


def test_what_changes_with_a_chain() -> None:
    up = (Stage("A"), Stage("B", open=False))
    away, lost = (Stage("A"), Stage("B")), (Stage("A", lost=True), Stage("B"))
    assert (to_fill((), up), overfull((), up)) == ({"A"}, set())
    assert (to_fill(up, away), overfull(up, away)) == ({"B"}, set())
    assert (to_fill(away, lost), overfull(away, lost)) == ({"B"}, set())
    assert (to_fill(lost, up), overfull(lost, up)) == (set(), {"B"})
    assert (to_fill(up, (Stage("B"),)), overfull(up, (Stage("B"),))) == ({"B"}, {"A"})


def test_the_scale_of_a_space_is_that_of_the_model_in_the_package() -> None:
    request = EmbedRequest(str(builtin_model_directory()), [text for pair in PAIRS for text in pair])
    result = embed(request)
    found = vectors(Embedded(result.codes, result.scales, 0, 0))
    together, apart = means(found[::2] @ found[1::2].T)
    assert together == pytest.approx(TOGETHER, abs=0.002)
    assert apart == pytest.approx(APART, abs=0.002)


def test_another_scale_is_mapped_onto_it() -> None:
    scale = line(np.where(np.eye(8, dtype=bool), 0.9, 0.7).astype(np.float32))
    mapped = [Scale(*scale).onto(cosine) for cosine in (0.9, 0.7, 0.95)]
    assert mapped[:2] == [pytest.approx(TOGETHER, abs=1e-4), pytest.approx(APART, abs=1e-4)]
    assert mapped[2] > mapped[0]
    assert line(np.full((8, 8), 0.5, np.float32)).factor < 10


def test_lists_of_spaces_are_joined_by_rank() -> None:
    assert merged([[(1, 0.9), (2, 0.8)], [(3, 0.1), (1, 0.05)]]) == [(1, 0.9), (3, 0.1), (2, 0.8)]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ProviderUnavailableError("x", cause="busy"), True),
        (ProviderUnavailableError("x", cause="open"), True),
        (ProviderRefusedError("x", cause="key"), True),
        (ProviderRefusedError("x", cause="request"), False),
    ],
)
async def test_which_failures_say_something_about_a_text(error: Any, *, again: bool) -> None:
    one = member("a", "A")
    assert one.failed(error) is again
    assert one.usable.is_set() == (error.details["cause"] in {"busy", "request"})


async def test_one_text_at_which_a_server_breaks_keeps_no_other_from_its_vector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentd.providers.breaker.FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr("agentd.indexing.embedder.RETRY_SECONDS", 0.05)
    write(tmp_path / "root", 12)

    def picky(asked: Asked) -> Reply:
        broken = any("value 7'" in text for text in asked.body["input"])
        return failure("500 Internal Server Error", "NaN") if broken else openai_vectors(asked)

    async with scripted_server() as box:
        box.script = picky
        settings = configured(tmp_path, tmp_path / "root", providers=(server("box", box.url),), chain=("box", "local"))
        async with running(settings) as daemon:
            await until(daemon, lambda counts: counts["box"] == 11)
            await at_rest(daemon)
            assert any("1 passages could not be embedded" in each for each in daemon.status.problems())
            asked = len(box.asked)
            write(tmp_path / "root", 3, first=20)
            await until(daemon, lambda counts: counts["box"] == 14)
            assert len(box.asked) < asked + 12  # it is not tried for ever
