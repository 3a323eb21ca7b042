"""Twenty kinds of secrets, made up: each in the format that its issuer documents, with characters drawn by a seed."""

from __future__ import annotations

import base64
import json
import string
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

WORDS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
DJANGO = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"
"""``django.core.management.utils.get_random_secret_key``."""
GENERATED = WORDS + "!@#%^&*()-_=+[]{};:,.?"
"""What password managers draw from, but for quotes, backslashes, ``$`` and ``<>``, which most places would escape."""


class Kind(NamedTuple):
    """``make`` gives the text that is planted; of it ``hidden`` gives the part that must not be seen."""

    name: str
    variable: str
    make: Callable[[Random], str]
    hidden: Callable[[str], str] = str


def drawn(source: Random, alphabet: str, count: int) -> str:
    """``count`` characters."""
    return "".join(source.choices(alphabet, k=count))


def of(prefix: str, alphabet: str, count: int) -> Callable[[Random], str]:
    """Makes tokens of ``prefix`` and ``count`` characters."""
    return lambda source: prefix + drawn(source, alphabet, count)


def private_key(source: Random) -> str:
    """PEM (RFC 7468): lines of 64 characters."""
    body = base64.b64encode(b"0\x82\x04\xa4\x02\x01\x00" + source.randbytes(500)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"


def jwt(source: Random) -> str:
    """Three parts in base64url (RFC 7519)."""
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": drawn(source, string.digits, 10)})]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, base64.urlsafe_b64encode(source.randbytes(32)).decode().rstrip("=")])


def slack_token(source: Random) -> str:
    """A bot's: two numbers and 24 characters."""
    numbers = f"{drawn(source, string.digits, 12)}-{drawn(source, string.digits, 13)}"
    return f"xoxb-{numbers}-{drawn(source, WORDS, 24)}"


def slack_webhook(source: Random) -> str:
    """An address that whoever knows it may post to."""
    upper = string.ascii_uppercase + string.digits
    path = f"T{drawn(source, upper, 10)}/B{drawn(source, upper, 10)}/{drawn(source, WORDS, 24)}"
    return f"https://hooks.slack.com/services/{path}"


def database_url(source: Random) -> str:
    """The password is percent-encoded where it must be, so it holds letters, digits and what needs no encoding."""
    return f"postgresql://app:{drawn(source, WORDS + '-_.~', 18)}@db{source.randrange(9)}.internal:5432/orders"


def basic_auth(source: Random) -> str:
    """User and password in base64 (RFC 7617)."""
    pair = f"deploy:{drawn(source, WORDS, source.randint(8, 20))}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def azure_storage(source: Random) -> str:
    """A connection string; the key has 64 bytes."""
    key = base64.b64encode(source.randbytes(64)).decode()
    return f"DefaultEndpointsProtocol=https;AccountName=store{source.randrange(99)};AccountKey={key}"


def password(source: Random) -> str:
    """Of 12 to 24 characters, of at least three of the four classes."""
    while True:
        made = drawn(source, GENERATED, source.randint(12, 24))
        classes = (str.isupper, str.islower, str.isdigit, lambda each: not each.isalnum())
        if made[0].isalnum() and made[-1].isalnum() and sum(any(map(each, made)) for each in classes) > 2:
            return made


def after(mark: str) -> Callable[[str], str]:
    """What stands behind the last ``mark``."""
    return lambda text: text.rpartition(mark)[2]


def url_password(text: str) -> str:
    """Between the second colon and the ``@``."""
    return text.partition("://")[2].partition(":")[2].partition("@")[0]


KINDS = (
    Kind("AWS access key id", "AWS_ACCESS_KEY_ID", of("AKIA", BASE32, 16)),
    Kind("AWS secret key", "AWS_SECRET_ACCESS_KEY", of("", WORDS + "/+", 40)),
    Kind("GitHub token", "GITHUB_TOKEN", of("ghp_", WORDS, 36)),
    Kind("GitLab token", "GITLAB_TOKEN", of("glpat-", WORDS + "-_", 20)),
    Kind("Slack token", "SLACK_BOT_TOKEN", slack_token),
    Kind("Slack webhook", "SLACK_WEBHOOK_URL", slack_webhook, after("/services/")),
    Kind("Stripe key", "STRIPE_SECRET_KEY", of("sk_live_", WORDS, 24)),
    Kind("Google API key", "GOOGLE_API_KEY", of("AIza", WORDS + "-_", 35)),
    Kind("private key", "TLS_PRIVATE_KEY", private_key),
    Kind("JSON web token", "ACCESS_TOKEN", jwt),
    Kind("npm token", "NPM_TOKEN", of("npm_", WORDS, 36)),
    Kind("PyPI token", "PYPI_TOKEN", of("pypi-AgEIcHlwaS5vcmc", WORDS + "-_", 140)),
    Kind("OpenAI key", "OPENAI_API_KEY", of("sk-proj-", WORDS + "-_", 64)),
    Kind("Twilio auth token", "TWILIO_AUTH_TOKEN", of("", HEX, 32)),
    Kind("SendGrid key", "SENDGRID_API_KEY",
         lambda source: f"SG.{drawn(source, WORDS + '-_', 22)}.{drawn(source, WORDS + '-_', 43)}"),
    Kind("Azure storage key", "AZURE_STORAGE_CONNECTION_STRING", azure_storage, after("AccountKey=")),
    Kind("password in a URL", "DATABASE_URL", database_url, url_password),
    Kind("basic authorization", "REGISTRY_AUTH", basic_auth, after(" ")),
    Kind("Django secret key", "DJANGO_SECRET_KEY", of("", DJANGO, 50)),
    Kind("generated password", "DB_PASSWORD", password),
)  # fmt: skip
