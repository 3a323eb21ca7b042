"""The examples of docs/protocol.md, run against a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from server_harness import running

from agentd import errors
from agentd.protocol import METHODS
from agentd.server.handlers import METHOD_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FREE = {"requests", "metrics"}  # objects whose keys are data
BOOLEAN_OR_NULL = (bool, type(None))


def messages(block: str) -> Iterator[Any]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(block):
        message, position = decoder.raw_decode(block, position)
        yield message
        position += len(block[position:]) - len(block[position:].lstrip())


EXAMPLES = [list(messages(block)) for block in BLOCK.findall(PAGE)]


def is_from_client(message: Any) -> bool:
    return isinstance(message, list) or message.get("method", "event") != "event"


def assert_same_shape(shown: Any, real: Any, at: str) -> None:
    """The same keys, and values of the same type; lists are as their first element."""
    if isinstance(shown, dict):
        assert isinstance(real, dict), at
        if at.rpartition(".")[2] not in FREE:
            assert shown.keys() == real.keys(), at
        for key in shown.keys() & real.keys():
            assert_same_shape(shown[key], real[key], f"{at}.{key}")
    elif isinstance(shown, list):
        assert isinstance(real, list), at
        if shown and real:
            assert_same_shape(shown[0], real[0], f"{at}[0]")
    elif not isinstance(shown, BOOLEAN_OR_NULL) and isinstance(shown, (int, float)):
        assert isinstance(real, (int, float)), at
    else:
        assert type(shown) is type(real), at


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example[0])[:60])
async def test_an_example_is_true(tmp_path: Path, example: list[Any]) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        harness.services.events.put_nowait(
            {"event": "scanned", "at": 1.5, "path": "/home/ada/engine", "new": 1, "changed": 0, "removed": 0}
        )
        for message in example:
            if is_from_client(message):
                wire.send_json(message)
                continue
            answer = await wire.receive()
            assert answer.get("id") == message.get("id")
            assert_same_shape(message, answer, "message")
            if "error" in message:
                assert answer["error"] == message["error"]


def test_every_method_has_a_section_and_an_example() -> None:
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert headings == list(METHODS) == list(METHOD_TABLE)
    assert {example[0]["method"] for example in EXAMPLES if isinstance(example[0], dict)} >= set(METHODS)


def test_every_parameter_is_described() -> None:
    sections = dict(zip(METHODS, re.split(r"^### .+$", PAGE, flags=re.MULTILINE)[1:], strict=True))
    for name, method in METHOD_TABLE.items():
        for field in method.params.__struct_encode_fields__:
            assert field == "deadline_ms" or f"`{field}`" in sections[name] or f'"{field}"' in sections[name], field


def test_every_kind_that_can_be_answered_is_listed() -> None:
    """Those that end the daemon before it serves, and those of later methods, are not."""
    never_answered = {"config_invalid", "state_locked", "state_newer"}
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    kinds = {value.kind: value.code for value in classes if issubclass(value, errors.AgentdError)}
    listed = dict(re.findall(r"^\| `(\w+)` \| (-\d+) \|", PAGE, re.MULTILINE))
    for kind in kinds.keys() - never_answered - {"worker_died", "task_timeout", "task_memory", "task_failed"}:
        assert listed.get(kind) == str(kinds[kind]), kind
