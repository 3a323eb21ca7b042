"""Secrets are found, ordinary strings are left alone, and masking moves nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentd
from agentd.kernels.secret_files import is_secret_file
from agentd.kernels.secrets import find_secrets, is_mostly_secret, mask

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
TIMES = 5


def of(alphabet: str, count: int) -> Callable[[random.Random], str]:
    return lambda source: "".join(source.choices(alphabet, k=count))


def pem(source: random.Random) -> str:
    body = base64.b64encode(source.randbytes(600)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"


def jwt(source: random.Random) -> str:
    parts = [
        json.dumps({"alg": "HS256", "typ": "JWT"}),
        json.dumps({"sub": str(source.random()), "iat": source.randrange(10**9)}),
    ]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, base64.urlsafe_b64encode(source.randbytes(32)).decode().rstrip("=")])


KINDS: dict[str, tuple[str, Callable[[random.Random], str], str]] = {
    "private_key": ("", pem, ""),
    "aws_access_key": ("AKIA", of(string.ascii_uppercase + "234567", 16), ""),
    "aws_secret": ("aws_secret_access_key = ", of(WORDS + "/+", 40), ""),
    "github": ("ghp_", of(WORDS, 36), ""),
    "github_fine": ("github_pat_", of(WORDS, 82), ""),
    "gitlab": ("glpat-", of(WORDS + "-_", 20), ""),
    "slack": ("xoxb-", of(string.digits, 12), "-AbCdEfGh1jKlMnOp"),
    "stripe": ("sk_live_", of(WORDS, 24), ""),
    "google": ("AIza", of(WORDS + "-_", 35), ""),
    "jwt": ("", jwt, ""),
    "npm": ("npm_", of(WORDS, 36), ""),
    "pypi": ("pypi-AgEIcHlwaS5vcmc", of(WORDS + "-_", 120), ""),
    "openai": ("sk-proj-", of(WORDS + "-_", 60), ""),
    "anthropic": ("sk-ant-api03-", of(WORDS + "-_", 93), ""),
    "huggingface": ("hf_", of(string.ascii_letters, 34), ""),
    "sendgrid": ("SG.", lambda source: f"{of(WORDS, 22)(source)}.{of(WORDS, 43)(source)}", ""),
    "telegram": ("123456789:AA", of(WORDS + "-_", 33), ""),
    "azure": ("DefaultEndpointsProtocol=https;AccountKey=", of(WORDS + "+/", 86), "=="),
    "url": ("postgres://app:", of(WORDS, 16), "@db.internal:5432/app"),
    "digitalocean": ("dop_v1_", of(HEX, 64), ""),
    "password": ('"password": "', of(WORDS + "!#%&*-_", 20), '7"'),
    "env": ("SESSION_SECRET=", of(HEX + string.ascii_uppercase, 32), ""),
    "bearer": ("Authorization: Bearer ", of(WORDS, 40), ""),
    "bearer_hex": ("curl -H 'Authorization: Bearer ", of(HEX, 40), "'"),
}
AROUND = ("", 'value = "{}"\n', "# note {} ends here", "export X={}\nexport Y=1", '{{"a": "{}"}}')


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_secret_is_found_wherever_it_stands(kind: str) -> None:
    source = random.Random(kind)  # noqa: S311  # the same secrets in each run
    before, make, after = KINDS[kind]
    missed = []
    for frame in AROUND * TIMES:
        secret = make(source)
        planted = before + secret + after
        text = (frame or "{}").format(planted)
        left = mask(text, find_secrets(text))
        if secret in left or any(part in left for part in (secret[:12], secret[-12:])):
            missed.append(text)
    assert len(missed) <= 1, missed


def ordinary() -> list[str]:
    source = random.Random(11)  # noqa: S311
    digest = [hashlib.sha256(source.randbytes(8)).hexdigest() for _ in range(60)]
    return [
        *digest,
        *(hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest() for each in digest),
        *(f"sha256:{each}" for each in digest),
        *(f"sha512-{base64.b64encode(source.randbytes(64)).decode()}" for _ in range(40)),
        *(str(uuid.UUID(bytes=source.randbytes(16))) for _ in range(60)),
        *(f"data:image/png;base64,{base64.b64encode(source.randbytes(400)).decode()}" for _ in range(40)),
        *(f"commit {each[:40]} (HEAD -> main, origin/main)" for each in digest),
        *(f"https://example.org/a/{each[:8]}?page={number}#L{number}" for number, each in enumerate(digest)),
        "password: str = field(default='')",
        "token = request.headers.get('X-Token-2')",
        "def reset_password_token_generator2(self, user):",
        "self.access_token = await provider.fetch_token_v2(client_id)",
        'SECRET_KEY = os.environ["DJANGO_SECRET_KEY_2024"]',
        "password=${DB_PASSWORD_2}",
        'api_key: "{{ vault.api_key_v2 }}"',
        "token: <your-token-123456>",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEx\n-----END PUBLIC KEY-----",
        "postgres://user:password@localhost/db",
        "http://localhost:8000/a@b",
        "AKIAIOSFODNN7EXAMPLE",
        "tokenizer.model_max_length=512, tokens=[101, 2023, 2003, 102]",
        "secret santa 2024 list of 12 people",
    ]


def test_ordinary_strings_are_left_alone() -> None:
    hit = [text for text in ordinary() if find_secrets(text)]
    assert len(hit) <= 0.005 * len(ordinary()), hit


def test_minified_code_and_the_sources_of_this_project_hold_none() -> None:
    package = Path(agentd.__file__).parent
    found = {
        path.name: [path.read_text()[start:end] for start, end, _ in secrets]
        for path in package.rglob("*.py")
        if (secrets := find_secrets(path.read_text()))
    }
    assert found == {}
    minified = "".join(f"var a{n}=function(e,t){{return e.token{n}===t[{n}]}};" for n in range(4000))
    assert find_secrets(minified) == []


def test_masking_keeps_lengths_lines_and_all_else() -> None:
    key = pem(random.Random(1))  # noqa: S311
    text = f"héllo\r\n{key}\nafter = 1\n"
    hidden = mask(text, find_secrets(text))
    assert len(hidden.encode()) == len(text.encode())
    assert hidden.startswith("héllo\r\n*****")
    assert hidden.endswith("****\nafter = 1\n")
    assert [line == "" for line in hidden.split("\n")] == [line == "" for line in text.split("\n")]


def test_a_key_without_its_end_is_hidden_as_far_as_it_goes() -> None:
    key = pem(random.Random(2)).rpartition("\n")[0]  # noqa: S311
    text = f"{key}\n\n# comment: the end is missing"
    assert mask(text, find_secrets(text)).endswith("*\n\n# comment: the end is missing")


def test_a_file_that_is_little_but_a_key_is_told_from_one_that_holds_one() -> None:
    key = pem(random.Random(3))  # noqa: S311
    assert is_mostly_secret(key, find_secrets(key))
    mixed = "".join(f"def f{n}(): return {n}\n" for n in range(100)) + key
    assert not is_mostly_secret(mixed, find_secrets(mixed))
    assert not is_mostly_secret("", [])


@given(st.text(max_size=400) | st.text(alphabet=" -:=/\"'\\\nEPSKghps_BGIN1aA", max_size=400))
def test_any_text_gives_ordered_spans_within_it_and_masks_to_its_own_length(text: str) -> None:
    secrets = find_secrets(text)
    edges = [edge for start, end, _ in secrets for edge in (start, end)]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) for start, end, _ in secrets)
    hidden = mask(text, secrets)
    assert len(hidden) == len(text)
    assert hidden.count("\n") == text.count("\n")


HOSTILE = {
    "headers": "-----BEGIN PRIVATE KEY-----",
    "keys without end": "-----BEGIN PRIVATE KEY-----" + "A" * 40,
    "prefixes": "sk-",
    "assignments": "password=",
    "values": 'secret="a1b2c3d4e5f6' + "x" * 300,
    "names": "token",
    "urls": "://a:",
    "tokens": "eyJ",
    "telegram": "12345678:AA",
    "runs": "a1" * 5000 + " ",
    "words": "a_1_",
    "passwords": "://" + "u" * 60 + ":" + "p" * 100,
    "seams": '"token a1b2c3d4e5f6" +\n',
    "command lines": "curl a1b2c3d4e5f6 ",
    "items": "\n- DB_PASSWORD=" + "a(" * 30,
    "notes": "token a1b2c3d4e5f6 is of ",
    "names within names": "_pass_pass",
}


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_is_linear_in_what_was_made_to_be_slow(unit: str) -> None:
    def seconds(size: int) -> float:
        text = HOSTILE[unit] * (size // len(HOSTILE[unit]))
        began = time.process_time()
        find_secrets(text)
        return time.process_time() - began

    # Processor time, too, grows while others use the machine: what is slow twice is slow.
    small, large = max(seconds(100_000), 0.002), min(seconds(800_000) for _ in range(2))
    assert large < 25 * small
    assert large < 4.0


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.local",
        ".ENV.production",
        "prod.env",
        "server.pem",
        "tls.KEY",
        "id_rsa",
        "id_ed25519",
        ".netrc",
        ".pgpass",
        "store.kdbx",
        "cert.p12",
        "credentials",
        "kubeconfig",
        "terraform.tfstate",
        ".git-credentials",
        "terraform.tfstate.backup",
        "key.pfx",
        "a.b.jks",
    ],
)
def test_files_of_secrets_are_told_by_their_names(name: str) -> None:
    assert is_secret_file(name.encode())


@pytest.mark.parametrize(
    "name",
    [
        ".env.example",
        ".env.sample",
        ".env.local.template",
        "example.env",
        "id_rsa.pub",
        "key.py",
        "environment.py",
        "credentials.py",
        "keys.md",
        "env",
        "pem",
        "tfstate",
        ".npmrc",
        "monkey",
        "settings.env.py",
        ".env.d.ts",
        ".",
        "..",
        "...",
        "é.txt",
    ],
)
def test_templates_and_code_are_no_files_of_secrets(name: str) -> None:
    assert not is_secret_file(name.encode())
