"""The configuration of the daemon of scripted runs: a model for each, the tools of its user, and what may leave."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from daemon_harness import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agent_peers import Peers
    from agent_script import Json, Script

QUICK_PROVIDER = {"kind": "openai", "chat_model": "scripted", "context_tokens": 32_768, "retries": 0}
TOOLS = """
[[tool]]
name = "count_words"
description = "Count the words of a text."
command = ["wc", "-w"]
input = "json"
parameters.text = { type = "string" }

[[tool]]
name = "shout"
description = "Say a word."
command = ["echo", "You said {word}!"]
parameters.word = { type = "string", maxLength = 200 }

[[tool]]
name = "break_down"
description = "Fail."
command = ["sh", "-c", "echo it is broken >&2; exit 3"]

[[tool]]
name = "dawdle"
description = "Take long."
command = ["sleep", "30"]
timeout_seconds = 0.3

[[tool]]
name = "dream"
description = "Take very long."
command = ["sleep", "60"]
timeout_seconds = 60

[[tool]]
name = "flood"
description = "Say a lot."
command = ["yes", "flooding"]
timeout_seconds = 5

[[tool]]
name = "count_up"
description = "Say all numbers."
command = ["seq", "99999"]
max_output_bytes = 2048
"""
OPEN, CLOSED = ("project", "moving"), ("private",)
"""Folders whose text may go into the web, and may not."""


def configuration(place: Path, served: Peers, models: Mapping[str, Script]) -> Iterator[str]:
    """All but the chain of the run."""
    yield QUICK + f'[web]\nsearxng = "{served.site.url("", "127.0.0.1")}"\nrespect_robots = false\n'
    yield from (f'[[root]]\npath = "{place / name}"\negress = ["web"]' for name in OPEN)
    yield from (f'[[root]]\npath = "{place / name}"' for name in CLOSED)
    yield TOOLS
    for model, script in models.items():
        yield from provider(model, served, script.provider)
        if script.spare:
            yield from provider(f"{model}-spare", served, {"chat_model": "spare"})


def provider(name: str, served: Peers, special: Json) -> Iterator[str]:
    yield "[[provider]]"
    about = {"name": name, "base_url": f"{served.model.url}/v1"} | QUICK_PROVIDER | special
    yield from (f"{key} = {json.dumps(value)}" for key, value in about.items())
