# ruff: noqa: E501  # a line for each sort: what it looks like is seen at once
"""Ordinary strings that look like secrets: hashes, identifiers, images, addresses, versions, lines of lock files."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NOUNS = [
    "user",
    "order",
    "session",
    "cache",
    "index",
    "token",
    "password",
    "secret",
    "request",
    "account",
    "invoice",
    "report",
    "worker",
    "shard",
]
VERBS = [
    "get",
    "set",
    "make",
    "find",
    "load",
    "check",
    "reset",
    "refresh",
    "parse",
    "build",
    "fetch",
    "render",
    "update",
    "verify",
    "encode",
]
NAMES = [
    "requests",
    "urllib3",
    "lodash",
    "react-dom",
    "serde_json",
    "tokio",
    "left-pad",
    "numpy",
    "pyyaml",
    "webpack",
    "eslint-plugin",
]


def digest(source: Random, name: str = "sha256") -> str:
    """A hash in hexadecimal."""
    return hashlib.new(name, source.randbytes(16), usedforsecurity=False).hexdigest()


def base64_of(source: Random, size: int) -> str:
    """Random bytes."""
    return base64.b64encode(source.randbytes(size)).decode()


def identifier(source: Random) -> str:
    """A name as code has it, often with a word that secrets have in theirs."""
    words = [source.choice(VERBS), source.choice(NOUNS), source.choice(NOUNS), str(source.randint(1, 20))]
    return "_".join(words) if source.random() < 0.5 else words[0] + "".join(map(str.title, words[1:]))


def version(source: Random) -> str:
    """Of a release."""
    numbers = ".".join(str(source.randint(0, 30)) for _ in range(3))
    return numbers + source.choice(["", "", "-rc.2", "b3", ".post1", "+build.20240317", ".dev20240501"])


def uuid4(source: Random) -> str:
    """RFC 9562."""
    return str(uuid.UUID(bytes=source.randbytes(16), version=4))


def stamp(source: Random) -> str:
    """A time, to the microsecond."""
    return f"2026-{source.randint(1, 12):02}-{source.randint(1, 28):02}T10:{source.randint(10, 59)}:07.{source.randrange(10**6):06}Z"


SORTS: dict[str, Callable[[Random], str]] = {
    "sha256": digest,
    "sha1": lambda source: digest(source, "sha1"),
    "md5": lambda source: f"{digest(source, 'md5')}  archive-{version(source)}.tar.gz",
    "uuid": uuid4,
    "uuid in code": lambda source: f'request_id = "{uuid4(source)}"',
    "uuid in a log": lambda source: f"{stamp(source)} INFO token_id={uuid4(source)} user_id={uuid4(source)} took 12 ms",
    "image": lambda source: f"background: url(data:image/png;base64,{base64_of(source, 300)})",
    "npm lock": lambda source: f'"integrity": "sha512-{base64_of(source, 64)}",',
    "yarn lock": lambda source: f"  resolved \"https://packages.test/{source.choice(NAMES)}.tgz#{digest(source, 'sha1')}\"",
    "pip lock": lambda source: f"{source.choice(NAMES)}=={version(source)} --hash=sha256:{digest(source)}",
    "cargo lock": lambda source: f'checksum = "{digest(source)}"',
    "go sum": lambda source: f"example.test/{source.choice(NAMES)} v{version(source)} h1:{base64_of(source, 32)}",
    "poetry lock": lambda source: f'{{file = "{source.choice(NAMES)}.whl", hash = "sha256:{digest(source)}"}},',
    "container image": lambda source: f"image: registry.test/{source.choice(NAMES)}@sha256:{digest(source)}",
    "commit": lambda source: f"commit {digest(source, 'sha1')} (tag: v{version(source)}, origin/main)",
    "git index": lambda source: f"index {digest(source, 'sha1')[:10]}..{digest(source, 'sha1')[:10]} 100644",
    "address": lambda source: f"https://docs.test/{source.choice(NAMES)}/{version(source)}/api.html#{identifier(source)}",
    "address with a hash": lambda source: f"https://cdn.test/app.{digest(source, 'md5')[:12]}.js?v={digest(source)[:8]}&page=2",
    "address with a port": lambda source: f"http://user@10.0.{source.randrange(255)}.7:8{source.randrange(100):03}/a@b?q=1",
    "version": lambda source: f"{source.choice(NAMES)}>={version(source)},<{version(source)}",
    "identifier": identifier,
    "call": lambda source: f"token = self.{identifier(source)}(request.headers.get('X-Token-{source.randint(1, 9)}'))",
    "read from settings": lambda source: f'SECRET_KEY = os.environ["{identifier(source).upper()}"]',
    "variable": lambda source: f"      - DB_PASSWORD=${{{identifier(source).upper()}}}",
    "template": lambda source: f'api_key: "{{{{ {source.choice(NOUNS)}.{identifier(source)} }}}}"',
    "placeholder": lambda source: source.choice(
        ["PASSWORD=change-me-please-123", 'api_key = "your-api-key-goes-here-1"', "token: <paste your token 123 here>",
         'password = "xxxxxxxxxxxx1234"', "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "password=********",
         "postgres://user:password@localhost:5432/app", 'SECRET_KEY = "insert-a-secret-key-here"']),
    "assigned identifier": lambda source: f"    password={identifier(source)}, token={identifier(source)},",
    "path": lambda source: f'SECRET_FILE = "/run/secrets/{identifier(source)}/{version(source)}.json"',
    "public key": lambda source: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{base64_of(source, 32).rstrip('=')} ada@host",
    "certificate": lambda source: "-----BEGIN CERTIFICATE-----\n"
    + "\n".join(base64_of(source, 48) for _ in range(6)) + "\n-----END CERTIFICATE-----",
    "entity tag": lambda source: f'ETag: W/"{digest(source, "md5")[:20]}-{source.randrange(10**6)}"',
    "trace": lambda source: f"traceparent: 00-{digest(source)[:32]}-{digest(source)[:16]}-01",
    "regular expression": lambda source: rf"TOKEN = re.compile(r'^[A-Za-z0-9_-]{{{source.randint(10, 40)}}}\.[a-z]+$')",
    "test name": lambda source: f"tests/auth/test_password_{source.randint(1, 99)}.py::test_{identifier(source)} PASSED",
    "sentence": lambda source: f"The {source.choice(NOUNS)} expires after {source.randint(2, 90)} days; see section {version(source)}.",
    "numbers": lambda source: f"tokens=[{', '.join(str(source.randrange(30000)) for _ in range(8))}], max_tokens={source.randrange(9000)}",
    "time": lambda source: f'"token_expires_at": "{stamp(source)}",',
    "migration": lambda source: f"revision = '{digest(source, 'md5')[:12]}'\ndown_revision = '{digest(source, 'md5')[:12]}'",
    "colours": lambda source: f"--token-color-{source.randint(1, 9)}: #{digest(source)[:6]}; --secret-bg: #{digest(source)[:8]};",
    "type": lambda source: f"    {source.choice(['password', 'token', 'secret', 'api_key'])}: Annotated[str, Field(max_length={source.randint(8, 256)})]",
}  # fmt: skip


def ordinary(source: Random, count: int) -> list[str]:
    """``count`` strings of all sorts in turn."""
    makers = list(SORTS.values())
    return [makers[at % len(makers)](source) for at in range(count)]
