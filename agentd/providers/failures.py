"""Every way a server can fail, as one of our errors: who, what was found, what to do.

``details["cause"]`` tells them apart where the class does not: ``connect``, ``resolve``, ``tls``, ``closed``,
``silent``, ``busy``, ``server`` may pass by themselves; ``certificate``, ``key``, ``model``, ``address``, ``quota``,
``request``, ``too_long``, ``tools`` do not; ``answer`` is a broken one, ``open`` our own circuit breaker.
"""

from __future__ import annotations

import re
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from agentd.errors import ProviderAnswerError, ProviderError, ProviderRefusedError, ProviderUnavailableError
from agentd.providers.headers import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentd.config.settings import ProviderSettings

RETRIED = frozenset({"connect", "closed", "busy", "server"})
"""Causes that may be gone in a moment. A silent server has had its time, and a name that is unknown stays so."""

_TOO_LONG = re.compile(
    r"context.?length|too (?:many tokens|long|large to process)|maximum (?:context|input|sequence)|max(?:imum)? tokens|"
    r"exceeds? .{0,40}(?:context|tokens|batch)|input length",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"insufficient_quota|billing|exceeded your current quota", re.IGNORECASE)
_TOOLS = re.compile(r"\btools\b|\btool[ _-]choice\b|\bfunction[ _-]call", re.IGNORECASE)
"""Of who cannot be told of tools: Ollama (400: "… does not support tools"), vLLM (400: '"auto" tool choice requires
--enable-auto-tool-choice …'), llama.cpp (500: "tools param requires --jinja flag", "Unsupported param: tools").
"""
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def from_transport(provider: ProviderSettings, error: httpx.HTTPError) -> ProviderError:
    """What it means that there was no whole answer."""
    name, host = provider.name, _host(provider)
    chain = _causes(error)
    distrust = next((cause for cause in chain if isinstance(cause, ssl.SSLError)), None)
    if distrust is not None and isinstance(error, httpx.ConnectError):
        return _from_tls(name, host, distrust)
    if any(isinstance(cause, socket.gaierror) for cause in chain):
        return _passing(name, "resolve", f"the name of {host} (provider {name}) cannot be resolved; check base_url")
    if isinstance(error, httpx.ConnectTimeout):
        limit = f"{provider.connect_seconds:g} s"
        return _passing(name, "silent", f"{host} (provider {name}) did not accept a connection within {limit}")
    if isinstance(error, httpx.TimeoutException):
        limit = f"{provider.timeout_seconds:g} s"
        return _passing(name, "silent", f"provider {name} sent nothing for {limit}; see timeout_seconds")
    if isinstance(error, httpx.ConnectError):
        return _passing(name, "connect", f"{host} (provider {name}) cannot be reached: {_plain(chain)}; is it running?")
    message = f"provider {name} closed the connection, or broke the rules of HTTP, before its answer was whole"
    return _passing(name, "closed", message)


def _from_tls(name: str, host: str, error: ssl.SSLError) -> ProviderError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProviderRefusedError(
            f"the certificate of {host} is not trusted ({error.verify_message}): provider {name} needs one of an "
            "authority that this machine knows",
            provider=name,
            cause="certificate",
        )
    found = f"{host} (provider {name}) does not speak TLS as https wants it ({_words(error.reason)})"
    return _passing(name, "tls", f"{found}; if it is a plain server, base_url begins with http://")


def from_status(  # noqa: PLR0911  one flat list of what statuses mean
    provider: ProviderSettings, model: str, response: httpx.Response, message: str
) -> ProviderError:
    """What an answer other than 200 means. ``message`` is what the server said, cleaned."""
    name, status = provider.name, response.status_code
    found = f"provider {name} answered {_status(status)}{f' ({message})' if message else ''}"
    if response.is_redirect:
        where = f"a redirect to {_target(response)}, which is not followed"
        return _refused(name, "address", f"{found}, {where}; set base_url to where the server is", status)
    if status in {400, 413, 422, 500} and _TOO_LONG.search(message):
        return _refused(name, "too_long", f"{found}: the text is longer than {model} reads", status)
    if status in {402, 429} and (status == 402 or _QUOTA.search(message)):
        return _refused(
            name, "quota", f"{found}: its quota is used up; pay for more, or take it out of the chain", status
        )
    if status in {400, 422, 500, 501} and _TOOLS.search(message):
        how = 'tool_calls = "text" in its [[provider]] tells the model of them in words'
        return _refused(name, "tools", f"{found}; if it cannot be told of tools, {how}", status)
    if status in {401, 403}:
        return _refused(name, "key", f"{found}; {_key_hint(provider)}", status)
    if status == 404:
        return _refused(name, "model", f"{found}; {_model_hint(provider, model)}", status)
    if status in _BUSY or status >= 500:
        cause = "busy" if status in _BUSY or status == 503 else "server"
        return _passing(name, cause, f"{found}; it may pass", status=status, wait=retry_after(response.headers))
    return _refused(name, "request", f"{found}; it does not take such requests", status)


def bad_answer(provider: ProviderSettings, found: str) -> ProviderAnswerError:
    """A broken answer; ``found`` says what was found in place of a good one."""
    message = f"provider {provider.name} gave an answer that cannot be used: found {found}"
    return ProviderAnswerError(message, provider=provider.name, cause="answer")


def silent(provider: ProviderSettings, seconds: float) -> ProviderUnavailableError:
    """It sent something, now and then, but no whole answer in ``seconds``."""
    return _passing(provider.name, "silent", f"provider {provider.name} had no whole answer after {seconds:g} s")


def wordless(provider: ProviderSettings, seconds: float) -> ProviderUnavailableError:
    """It keeps the connection open, and says nothing."""
    message = f"provider {provider.name} kept the connection open and said nothing for {seconds:g} s"
    return _passing(provider.name, "silent", f"{message}; see timeout_seconds")


def told(provider: ProviderSettings, message: str) -> ProviderUnavailableError:
    """It began an answer, and then said that it failed."""
    return _passing(
        provider.name, "server", f"provider {provider.name} broke off its answer ({message or 'no reason'})"
    )


def unknown_member(error: ProviderRefusedError, body: Mapping[str, object], optional: frozenset[str]) -> str | None:
    """The optional member of ``body`` that the server complains of by name."""
    if error.details.get("cause") != "request":
        return None
    named = (name for name in body if name in optional and re.search(rf"\b{re.escape(name)}\b", error.message))
    return next(named, None)


def _passing(name: str, cause: str, message: str, *, status: int = 0, wait: float = 0.0) -> ProviderUnavailableError:
    details: dict[str, object] = {"status": status} if status else {}
    if wait:
        details["retry_after_seconds"] = wait
    return ProviderUnavailableError(message, provider=name, cause=cause, **details)


def _refused(name: str, cause: str, message: str, status: int) -> ProviderRefusedError:
    return ProviderRefusedError(message, provider=name, cause=cause, status=status)


def _key_hint(provider: ProviderSettings) -> str:
    if provider.credential:
        return f'check the key in the credential "{provider.credential}"'
    return "it wants a key: name a credential in its [[provider]]"


def _model_hint(provider: ProviderSettings, model: str) -> str:
    if provider.kind == "ollama":
        return f"run: ollama pull {model}"
    return f"check that base_url ({provider.base_url}) ends as the server wants it, and that it has {model}"


def _host(provider: ProviderSettings) -> str:
    return httpx.URL(provider.base_url).netloc.decode("ascii")


def _target(response: httpx.Response) -> str:
    """The host alone: the rest may hold more than is to be shown. What is no URL, httpx has refused already."""
    return httpx.URL(response.headers["location"]).host or "another path"


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _words(reason: str | None) -> str:
    """A name of OpenSSL as words: ``WRONG_VERSION_NUMBER``."""
    return (reason or "no reason").replace("_", " ").lower()


def _causes(error: BaseException | None) -> list[BaseException]:
    """An error, and those that it was raised from; a connection that was tried at several addresses has a group."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < 32:
        each = waiting.pop(0)
        if each is None or each in found:
            continue
        found.append(each)
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
    return found


def _plain(chain: list[BaseException]) -> str:
    """The system's own words, where there are some."""
    return next(
        (error.strerror for error in chain if isinstance(error, OSError) and error.strerror),
        str(chain[0]) or "no reason",
    )
