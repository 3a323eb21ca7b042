from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from agentd.config.reload import LIVE, reload_difference, take_live
from agentd.config.schema import FIELDS
from agentd.config.settings import (
    ChatSettings,
    IndexSettings,
    LogSettings,
    ProviderSettings,
    SearchSettings,
    ServerSettings,
    Settings,
)

OLD = Settings(socket=Path("/run/a.sock"), state_directory=Path("/state"), roots=(Path("/one"),))
NEW = Settings(
    socket=Path("/run/b.sock"),
    state_directory=Path("/state"),
    roots=(Path("/two"),),
    server=ServerSettings(backlog=7, drain_seconds=1),
    log=LogSettings(level="debug", format="json"),
    index=IndexSettings(exclude=("*.js",), chunk_chars=500),
    search=SearchSettings(rrf_k=60),
)


def test_nothing_changed_is_nothing_to_do() -> None:
    assert reload_difference(OLD, OLD) == ([], [])


def test_live_changes_are_told_from_those_that_need_a_restart() -> None:
    live, restart = reload_difference(OLD, NEW)
    assert live == ["server.drain_seconds", "log.level", "index.exclude", "search.rrf_k", "roots"]
    assert restart == ["server.backlog", "log.format", "index.chunk_chars", "socket"]


def test_only_the_live_part_is_taken_over() -> None:
    taken = take_live(OLD, NEW)
    assert reload_difference(OLD, taken) == (reload_difference(OLD, NEW)[0], [])
    assert reload_difference(taken, NEW) == ([], reload_difference(OLD, NEW)[1])


def test_a_chain_of_chats_changes_live_among_the_servers_that_are_there() -> None:
    there = ProviderSettings(name="there", kind="ollama", chat_model="m")
    old = replace(OLD, providers=(there,))
    new = replace(old, chat=ChatSettings(chain=("there",)))
    assert reload_difference(old, new) == (["chat.chain"], [])
    assert take_live(old, new) == new
    other = replace(there, name="other")
    beyond = replace(old, providers=(there, other), chat=ChatSettings(chain=("there", "other"), temperature=0.5))
    assert reload_difference(old, beyond) == (["chat.temperature"], ["chat.chain", "providers"])
    assert take_live(old, beyond) == replace(old, chat=ChatSettings(temperature=0.5))


def test_every_live_key_exists() -> None:
    assert set(FIELDS) >= LIVE
