"""What a server can do wrong, and which one error comes of it: over a real socket, embedding and chat alike."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
from provider_harness import ASK, EMBED, Reply, as_json, failure, openai_vectors, providers, scripted_server

from agentd.config.settings import ProviderSettings
from agentd.errors import ProviderAnswerError, ProviderError, ProviderRefusedError, ProviderUnavailableError
from agentd.providers import failures, http, said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from provider_harness import ScriptedServer

    from agentd.providers.build import Providers

KEY = "sk-thekeythatnobodymaysee0123456789"
PRIVATE = "the private sentence that must not come back in any error"
VECTOR = [0.5] * 8


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
async def built(server: ScriptedServer, tmp_path: Path) -> AsyncIterator[Providers]:
    """Short of patience, and never tried again."""
    box = ProviderSettings(
        name="box", kind="openai", base_url=server.url + "/v1", embedding_model="small", chat_model="talk",
        credential="box-key", retries=0, timeout_seconds=0.3, connect_seconds=1.0,
    )  # fmt: skip
    async with providers(tmp_path, box, keys={"box-key": KEY}) as built:
        await built.embeddings["box"].probe()
        yield built


def numbers(*rows: list[float]) -> Reply:
    return as_json({"data": [{"index": at, "embedding": row} for at, row in enumerate(rows)]})


CASES: dict[str, tuple[Reply, type[ProviderError], str]] = {
    "wrong key": (failure("401 Unauthorized", f"bad key {KEY}"), ProviderRefusedError, 'credential "box-key"'),
    "forbidden": (failure("403 Forbidden"), ProviderRefusedError, "key"),
    "no such model": (failure("404 Not Found", "no small"), ProviderRefusedError, "base_url"),
    "bad request": (failure("400 Bad Request", "odd"), ProviderRefusedError, "odd"),
    "quota": (failure("429 Too Many Requests", "insufficient_quota"), ProviderRefusedError, "quota"),
    "to be paid": (failure("402 Payment Required"), ProviderRefusedError, "quota"),
    "too many requests": (failure("429 Too Many Requests"), ProviderUnavailableError, "429"),
    "broken inside": (failure("500 Internal Server Error"), ProviderUnavailableError, "500"),
    "gateway": (Reply(b"<html>oops", status="502 Bad Gateway", kind="text/html"), ProviderUnavailableError, "502"),
    "overloaded": (failure("529 Site Overloaded"), ProviderUnavailableError, "529"),
    "redirect": (
        Reply(status="302 Found", headers="Location: http://elsewhere.example/\r\n"),
        ProviderRefusedError,
        "elsewhere.example",
    ),
    "redirect to nowhere": (
        Reply(status="308 Moved", headers="Location: http://x:port/\r\n"),
        ProviderUnavailableError,
        "rules of HTTP",
    ),
    "web page": (Reply(b"<html>", kind="text/html"), ProviderAnswerError, "text/html"),
    "compressed": (Reply(b"x", headers="Content-Encoding: gzip\r\n"), ProviderAnswerError, "compressed"),
    "no JSON": (Reply(b"{"), ProviderAnswerError, "JSON"),
    "not UTF-8": (Reply(b'{"data": "\xff"}'), ProviderAnswerError, "JSON"),
    "another shape": (as_json({"vectors": []}), ProviderAnswerError, "JSON"),
    "cut off": (Reply(b'{"data"', length=500), ProviderUnavailableError, "closed"),
    "silent": (Reply(hang=True), ProviderUnavailableError, "sent nothing"),
    "no HTTP": (Reply(), ProviderUnavailableError, "closed"),
    "too few vectors": (numbers(), ProviderAnswerError, "0 vectors for 1"),
    "too many vectors": (numbers(VECTOR, VECTOR), ProviderAnswerError, "2 vectors for 1"),
    "other dimension": (numbers([0.5] * 9), ProviderAnswerError, "9 numbers where 8"),
    "nothing in it": (numbers([]), ProviderAnswerError, "0 numbers"),
    "zeros": (numbers([0.0] * 8), ProviderAnswerError, "zeros"),
    "beyond float32": (numbers([1e39] * 8), ProviderAnswerError, "finite"),
    "NaN": (Reply(b'{"data":[{"index":0,"embedding":[NaN]}]}'), ProviderAnswerError, "JSON"),
    "no base64": (as_json({"data": [{"index": 0, "embedding": "?"}]}), ProviderAnswerError, "base64"),
    "no indices": (as_json({"data": [{"index": 5, "embedding": VECTOR}]}), ProviderAnswerError, "indices"),
    "silent at first": (Reply(hang=True), ProviderUnavailableError, "sent nothing"),
}
CASES["no HTTP"][0].head = b"SSH-2.0-OpenSSH_9.2\r\n"
CASES["silent at first"][0].head = b""


@pytest.mark.parametrize("name", CASES)
async def test_an_embedding_fails_with_one_sentence_that_says_who_and_what(
    name: str, server: ScriptedServer, built: Providers
) -> None:
    reply, kind, words = CASES[name]
    server.replies(reply)
    with pytest.raises(ProviderError) as failed:
        await built.embeddings["box"].embed([PRIVATE], EMBED)
    assert type(failed.value) is kind
    assert words in failed.value.message
    assert "box" in failed.value.message
    assert failed.value.details["provider"] == "box"
    assert KEY not in failed.value.message
    assert len(failed.value.message) < 500


CHATTED = ["wrong key", "no such model", "bad request", "quota", "too many requests", "broken inside", "gateway"]
CHATTED += ["overloaded", "redirect", "web page", "silent at first", "no HTTP"]


@pytest.mark.parametrize("name", CHATTED)
async def test_a_chat_fails_in_the_same_ways(name: str, server: ScriptedServer, built: Providers) -> None:
    reply, kind, words = CASES[name]
    server.replies(reply)
    with pytest.raises(kind) as failed:
        [event async for event in built.chats["box"].stream(ASK)]
    assert words in failed.value.message


async def test_what_was_sent_is_not_repeated(server: ScriptedServer, built: Providers) -> None:
    echo = as_json({"detail": [{"msg": f"cannot embed {PRIVATE}", "input": PRIVATE}]}, status="422 No")
    server.replies(echo, failure("400 Bad", PRIVATE[9:40].upper()), failure("400 Bad", "x" * 9999))
    for hidden in (True, False, False):
        with pytest.raises(ProviderRefusedError) as failed:
            await built.embeddings["box"].embed([PRIVATE], EMBED)
        assert PRIVATE[9:40] not in failed.value.message
        assert ("repeats what was sent" in failed.value.message) is hidden
        assert len(failed.value.message) < 400


def test_sixteen_characters_of_what_was_sent_are_never_shown_wherever_they_stand() -> None:
    for at in range(len(PRIVATE) - 15):
        for before in range(9):
            part = PRIVATE[at : at + 16]
            assert said.cleaned(f"{'-' * before}'{part}'", KEY, ["x" * 99, f"{PRIVATE}\n{PRIVATE}"]) == said.HIDDEN
            assert said.cleaned(f"'{part[:-1]}'", KEY, [PRIVATE]) == f"'{part[:-1]}'"


async def test_the_key_goes_in_the_header_alone(server: ScriptedServer, built: Providers) -> None:
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.asked[0].headers["accept-encoding"] == "identity"
    assert KEY not in str(built.statuses())


async def test_a_drip_is_no_answer(server: ScriptedServer, built: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WHOLE_TIMES", 1)
    server.replies(Reply(b'{"data"', hang=True))
    monkeypatch.setattr(built.embeddings["box"]._server, "_timeout", httpx.Timeout(30))
    with pytest.raises(ProviderUnavailableError, match=r"no whole answer after 0.3 s"):
        await built.embeddings["box"].embed(["x"], EMBED)


async def test_an_answer_without_end_is_given_up(
    server: ScriptedServer, built: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1000)
    server.replies(Reply(*[b" " * 400] * 5))
    with pytest.raises(ProviderAnswerError, match="more than 1000 bytes"):
        await built.embeddings["box"].embed(["x"], EMBED)


async def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, and not listening: nobody else can take the port meanwhile
        taken.bind(("127.0.0.1", 0))
        gone = ProviderSettings(
            name="gone",
            kind="ollama",
            base_url=f"http://127.0.0.1:{taken.getsockname()[1]}",
            chat_model="talk",
            retries=0,
        )
        async with providers(tmp_path, gone) as built:
            with pytest.raises(ProviderUnavailableError, match=r"cannot be reached.*is it running"):
                [event async for event in built.chats["gone"].stream(ASK)]


def test_a_certificate_and_a_name_are_told_apart() -> None:
    box = ProviderSettings(name="box", kind="openai", base_url="https://models.example/v1", chat_model="talk")
    untrusted = ssl.SSLCertVerificationError(1, "verify failed")
    untrusted.verify_message = "self-signed certificate"
    assert "self-signed" in told(box, untrusted, ProviderRefusedError)
    assert "cannot be resolved" in told(box, socket.gaierror(-2, "unknown"), ProviderUnavailableError)


def told(box: ProviderSettings, cause: Exception, kind: type[ProviderError]) -> str:
    error = httpx.ConnectError("no")
    error.__cause__ = cause
    failure = failures.from_transport(box, error)
    assert type(failure) is kind
    assert "models.example" in failure.message
    return failure.message


async def test_a_failure_that_passes_is_tried_again(server: ScriptedServer, tmp_path: Path) -> None:
    box = ProviderSettings(name="box", kind="openai", base_url=server.url, embedding_model="small", retries=2)
    async with providers(tmp_path, box) as built:
        server.replies(failure("503 Busy", headers="Retry-After: 0\r\n"), Reply(b"{", length=99), openai_vectors)
        await built.embeddings["box"].probe()
        assert len(server.asked) == 4  # a probe asks twice
        assert built.statuses()[0].counts["retries"] == 2
        assert built.statuses()[0].state == "ok"
        server.replies(failure("503 Busy"), openai_vectors)
        with pytest.raises(ProviderUnavailableError):  # a person waits for a query, and another space can answer
            await built.embeddings["box"].embed(["x"], EMBED, query=True)


async def test_a_server_that_asks_for_an_hour_is_left_alone(server: ScriptedServer, tmp_path: Path) -> None:
    box = ProviderSettings(name="box", kind="openai", base_url=server.url, embedding_model="small", retries=5)
    async with providers(tmp_path, box) as built:
        server.replies(failure("429 Slow down", headers="Retry-After: 3600\r\n"))
        for _ in range(2):
            with pytest.raises(ProviderUnavailableError, match="429"):
                await built.embeddings["box"].probe()
        assert len(server.asked) == 1
        assert built.statuses()[0].state == "waiting"
