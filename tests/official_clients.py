"""A program: asks a server with the clients that OpenAI and Ollama publish, and prints what came of it.

``python official_clients.py {openai|ollama} URL``: a JSON list of questions on standard input, one of outcomes on
standard output. Questions and outcomes are those of ``aimock.py``.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

SECONDS = 20.0


def asked_of_openai(url: str, question: dict[str, Any]) -> dict[str, Any]:
    openai: Any = importlib.import_module("openai")
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=question["seconds"])
    more: dict[str, Any] = {"tools": question["tools"]} if question["tools"] else {}
    if question["schema"]:
        named = {"name": "answer", "schema": question["schema"], "strict": True}
        more["response_format"] = {"type": "json_schema", "json_schema": named}
    text, stop, tokens = "", "", None
    calls: dict[int, list[str]] = {}
    for chunk in client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": question["text"]}],
        stream=True,
        stream_options={"include_usage": True},
        **more,
    ):
        if chunk.usage is not None:
            tokens = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens]
        for choice in chunk.choices:
            text += choice.delta.content or ""
            stop = choice.finish_reason or stop
            for fragment in choice.delta.tool_calls or ():
                call = calls.setdefault(fragment.index, ["", ""])
                call[0] += fragment.function.name or ""
                call[1] += fragment.function.arguments or ""
    tools = [[name, json.loads(said)] for name, said in calls.values()]
    return {"text": text, "tools": tools, "stop": stop, "tokens": tokens}


def asked_of_ollama(url: str, question: dict[str, Any]) -> dict[str, Any]:
    ollama: Any = importlib.import_module("ollama")
    client = ollama.Client(host=url, timeout=question["seconds"])
    text, calls, stop, tokens = "", [], "", None
    for part in client.chat(
        model="m",
        messages=[{"role": "user", "content": question["text"]}],
        stream=True,
        tools=question["tools"] or None,
        format=question["schema"] or None,
    ):
        text += part.message.content or ""
        calls += [[call.function.name, dict(call.function.arguments)] for call in part.message.tool_calls or ()]
        if part.done:
            stop, tokens = part.done_reason, [part.prompt_eval_count, part.eval_count]
    return {"text": text, "tools": calls, "stop": stop, "tokens": tokens}


def vectors_of_openai(url: str, texts: list[str]) -> list[list[float]]:
    openai: Any = importlib.import_module("openai")
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=SECONDS)
    return [list(each.embedding) for each in client.embeddings.create(model="m", input=texts).data]


def vectors_of_ollama(url: str, texts: list[str]) -> list[list[float]]:
    ollama: Any = importlib.import_module("ollama")
    return [list(each) for each in ollama.Client(host=url, timeout=SECONDS).embed(model="m", input=texts).embeddings]


def outcome(kind: str, url: str, question: dict[str, Any]) -> dict[str, Any]:
    """What the client gave, or the name of what it raised."""
    ask = {"openai": asked_of_openai, "ollama": asked_of_ollama}[kind]
    embed = {"openai": vectors_of_openai, "ollama": vectors_of_ollama}[kind]
    try:
        if question.get("texts"):
            return {"vectors": embed(url, question["texts"])}
        return ask(url, question)
    except Exception as error:  # noqa: BLE001  # its name is what is asked for
        return {"raised": type(error).__name__}


if __name__ == "__main__":
    sys.stdout.write(json.dumps([outcome(sys.argv[1], sys.argv[2], each) for each in json.load(sys.stdin)]))
