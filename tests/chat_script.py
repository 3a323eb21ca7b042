"""A chat model on loopback whose every turn a test writes down, for whole daemons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from provider_harness import Asked, Reply, delta, events

from agentd.providers.contracts import Role

if TYPE_CHECKING:
    from provider_thread import Servers

USAGE = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}


def configured(served: Servers, agent: str = "") -> str:
    """A configuration whose chat model is the scripted one; it is on this machine, so it may read every root."""
    return (
        f'\n[[provider]]\nname = "scripted"\nkind = "openai"\nbase_url = "{served.scripted.url}/v1"\n'
        f'chat_model = "m"\ncontext_tokens = 32768\nretries = 0\n[chat]\nchain = ["scripted"]\n[agent]\n{agent}\n'
    )


def says(text: str) -> Reply:
    """An answer, in two pieces."""
    half = len(text) // 2
    return events(delta(content=text[:half]), delta(content=text[half:]), delta("stop"), USAGE)


def calls(*wanted: tuple[str, dict[str, Any]], thought: str = "") -> Reply:
    """Calls of tools with their arguments, after a thought aloud."""
    fragments = [
        {"index": at, "id": f"c{at}", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for at, (name, arguments) in enumerate(wanted)
    ]
    aloud = [delta(content=thought)] if thought else []
    return events(*aloud, *(delta(tool_calls=[each]) for each in fragments), delta("tool_calls"), USAGE)


def hangs(text: str = "I am thinking") -> Reply:
    """The beginning of an answer, and then nothing for as long as the test takes."""
    begun = events(delta(content=text), done=False)
    begun.hang = True
    return begun


def results(asked: Asked) -> list[str]:
    """What the model was told of its calls, in order."""
    return [each["content"] for each in asked.body["messages"] if each["role"] == Role.TOOL]
