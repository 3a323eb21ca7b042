"""Lines that a client could send: mostly requests with something wrong in them, made from the method table itself.

Everything comes from one ``random.Random``, so that a seed makes the same lines again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from agentd.server.handlers import METHOD_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

DEEP = 20_000
"""Levels of nesting, far beyond what a recursive decoder bears."""

WORDS = ("retry", "policy", "common task", "def task_3", "Holder5.step_2", "where is the retry policy?", "ü\U0001f600")
ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "\ud800",
    "a" * 200_000,
    "../../etc/passwd",
    "%s%n",
    '"',
    "\\",
    "\u202e",
    "a:b:c",
    "x:0",
    ":",
)
ODD_NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, -(2**63), 2**64, 10**400, 0.5, -0.0, 1e308, 1e-320)
ODD_VALUES: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"a": {}}, *ODD_TEXTS, *ODD_NUMBERS)
RAW_NUMBERS = (b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 5000, b"0x10", b"01", b"1.", b"-")
NOISE = (
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\x00",
    b"\r",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b"[",
    b'"',
    b"\\u",
    b",",
)
ENDLESS = ("index.events", "index.wait")


class Places(NamedTuple):
    """Paths that parameters may name: a root, files in it, and what is no root. No other folder is ever named."""

    root: str
    files: Sequence[str]
    outside: Sequence[str] = ("/", "/nonexistent/agentd", "relative", "/dev/null", "/" + "x" * 5000)


class Grammar:
    """Makes lines. ``last_id`` is the id of the last request that has one, for those who cancel it."""

    def __init__(self, random: Random, places: Places) -> None:
        self._random = random
        self._places = places
        self.last_id: Any = 0

    def line(self) -> bytes:
        """One line without its newline; never one with a newline in it."""
        makers: tuple[tuple[int, Callable[[], bytes]], ...] = (
            (55, self._call),
            (12, self._odd_request),
            (10, self._cancel),
            (8, self._broken),
            (5, self._duplicate_keys),
            (4, self._raw_number),
            (3, self._batch),
            (2, self._nested),
            (1, self._long),
        )
        (make,) = self._random.choices([make for _, make in makers], [weight for weight, _ in makers])
        return make().replace(b"\n", b" ")

    def call(self) -> dict[str, Any]:
        """A request to a method that exists, with parameters that are right, or one of them not."""
        name = self._random.choice(list(METHOD_TABLE))
        self.last_id = self._random.choice((self._random.randrange(100), str(self._random.randrange(100))))
        return {"jsonrpc": "2.0", "id": self.last_id, "method": name, "params": self.params(name)}

    def params(self, name: str) -> dict[str, Any]:
        """Parameters of a method: those it needs, some of the others, and sometimes one that is wrong."""
        params: dict[str, Any] = {}
        for field in structs.fields(METHOD_TABLE[name].params):
            if field.required or self._random.random() < 0.3:
                params[field.encode_name] = self._value(name, field.encode_name)
        if name in ENDLESS:
            params["deadline_ms"] = self._random.randrange(1, 50)
        if self._random.random() < 0.3:
            params[self._random.choice([*params, "unknown", "", "deadline_ms"])] = self._odd()
        return params

    def _value(self, method: str, name: str) -> Any:
        random, places = self._random, self._places
        if method == "roots.add":
            return random.choice((places.root, *places.outside))
        if name == "path":
            return random.choice((places.root, *places.files, *places.outside))
        if name in {"roots", "paths", "languages", "kinds", "queries"}:
            return [self._entry(name) for _ in range(random.choice((0, 1, 1, 2, 9, 101)))]
        choices: dict[str, tuple[Any, ...]] = {
            "mode": ("keyword", "vector", "fusion", "full"),
            "kind": ("code", "docs", "data"),
            "for": ("keyword", "vectors"),
            "id": (self.last_id, 7, "7"),
            "deadline_ms": (1, 5, 100, 5000),
            "limit": (1, 3, 10, 100, 1000),
            "depth": (1, 2, 5),
            "after": (places.root, *places.files),
        }
        texts = {"query", "name", "symbol", "source", "target", "client", "version"}
        if name in texts:
            return random.choice((*WORDS, *(f"{file}:{random.randrange(9)}" for file in places.files)))
        return random.choice(choices.get(name, (True, False, 1, 3)))

    def _entry(self, name: str) -> Any:
        entries: dict[str, tuple[Any, ...]] = {
            "roots": (self._places.root,),
            "paths": ("**/*.py", "[", "a/**/b/**/c/**", "{a,b}*", "*" * 100),
            "languages": ("python", "markdown", "none"),
            "kinds": ("function", "class"),
            "queries": WORDS,
        }
        return self._random.choice(entries[name])

    def _odd(self) -> Any:
        return self._random.choice(ODD_VALUES)

    def _call(self) -> bytes:
        return encoded(self.call())

    def _odd_request(self) -> bytes:
        request = self.call()
        for _ in range(self._random.randrange(1, 3)):
            key = self._random.choice(["jsonrpc", "id", "method", "params", "extra"])
            if self._random.random() < 0.3:
                request.pop(key, None)
            else:
                request[key] = self._odd()
        return encoded(request)

    def _cancel(self) -> bytes:
        return encoded({"jsonrpc": "2.0", "id": "c", "method": "cancel", "params": {"id": self.last_id}})

    def _broken(self) -> bytes:
        """A good line with bytes cut out of it and others put in."""
        line = self._call()
        for _ in range(self._random.randrange(1, 4)):
            begin = self._random.randrange(len(line) + 1)
            end = min(len(line), begin + self._random.choice((0, 0, 1, 8, 1000)))
            line = line[:begin] + self._random.choice((b"", *NOISE, self._random.randbytes(4))) + line[end:]
        return line

    def _duplicate_keys(self) -> bytes:
        request = self.call()
        extra = {self._random.choice(["jsonrpc", "id", "method", "params"]): self._odd()}
        return encoded(request)[:-1] + b"," + encoded(extra)[1:]

    def _raw_number(self) -> bytes:
        """Numbers that the encoder here would not write."""
        where = self._random.choice((b'"limit":', b'"deadline_ms":', b'"min_score":'))
        number = self._random.choice(RAW_NUMBERS)
        return b'{"jsonrpc":"2.0","id":1,"method":"search","params":{"query":"x",' + where + number + b"}}"

    def _batch(self) -> bytes:
        return encoded([self.call() for _ in range(self._random.randrange(4))])

    def _nested(self) -> bytes:
        opening, closing = self._random.choice(((b"[", b"]"), (b'{"a":', b"}")))
        depth = self._random.choice((10, 1000, DEEP))
        value = opening * depth + b"1" + closing * self._random.choice((depth, depth - 1))
        return self._random.choice(
            (value, b'{"jsonrpc":"2.0","id":2,"method":"search","params":{"query":' + value + b"}}")
        )

    def _long(self) -> bytes:
        request = self.call() | {"params": {"query": "x" * self._random.choice((100_000, 1_000_000, 1_100_000))}}
        return encoded(request)


def encoded(message: Any) -> bytes:
    """JSON in UTF-8, lone surrogates as they are half of the time."""
    if isinstance(message, dict) and len(message) % 2:
        return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return json.dumps(message).encode()
