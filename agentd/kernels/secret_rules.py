"""What secrets look like: each kind by a literal that every one of them holds, and a pattern from there on.

Formats are those that their issuers document, or that secret scanners (gitleaks, GitHub, GitGuardian) go by. Patterns
are anchored at the literal and bounded, so that a search is linear in the text whatever it holds.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_ENTROPY = 3.3
"""Bits a character. Random letters and digits have 4 and more from 20 characters on, words and their like under 3.3."""

_WORD_START = r"(?<![A-Za-z0-9])"
_PLACEHOLDER = re.compile(
    r"example|placeholder|change-?_?me|your[-_]|dummy|redacted|xxxx|\*\*\*\*|0000000|1234567890123|<|\$\{|\{\{|%\("
    r"|(.)\1{5}",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"[A-Za-z_./-]+[0-9]{1,4}")
"""``new_password1``: a word with a number."""
_STANDS_IN = frozenset(["password", "passwd", "pass", "pwd", "secret", "user", "username", "token", "test", "port"])


class Rule(NamedTuple):
    """A kind of secret. ``pattern`` matches from where one of ``literals`` starts; its group ``secret``, where it has
    one, is the part that must not be seen. ``accepts`` looks at that part once more.
    """

    kind: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool] = bool


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def looks_random(value: str) -> bool:
    """Whether a value may be a generated password or key rather than a word, a name or a stand-in for one."""
    return (
        any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
        and not _NUMBERED.fullmatch(value)
        and not _PLACEHOLDER.search(value)
        and entropy(value) >= MIN_ENTROPY
    )


def is_password(value: str) -> bool:
    """Whether the password of a URL is one, and no stand-in: ``postgres://user:password@host`` is documentation."""
    return value.lower() not in _STANDS_IN and not _PLACEHOLDER.search(value) and not value.startswith(("$", "{", "<"))


def _mixed(value: str) -> bool:
    """Digits, and letters of both cases: what a short prefix alone would not prove."""
    return looks_random(value) and value.lower() != value != value.upper()


def _token(
    kind: str, literals: str, rest: str, accepts: Callable[[str], bool] = lambda value: not _PLACEHOLDER.search(value)
) -> Rule:
    """A rule for a token that starts with one of ``literals`` (split at spaces) and goes on as ``rest``."""
    starts = tuple(literals.split())
    prefix = "|".join(map(re.escape, starts))
    return Rule(kind, starts, re.compile(f"{_WORD_START}(?P<secret>(?:{prefix}){rest})"), accepts)


TOKENS = (
    _token("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{36,255}"),
    _token("github", "github_pat_", r"[A-Za-z0-9_]{60,255}"),
    _token("gitlab", "glpat- glptt- gldt- glrt- glcbt- glsoat- glft-", r"[\w-]{20,255}"),
    _token("aws_access_key", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _token("slack", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe. xapp-", r"[A-Za-z0-9.-]{10,255}", looks_random),
    _token("slack", "hooks.slack.com/services/", r"T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,30}"),
    _token("stripe", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_", r"[A-Za-z0-9+/=]{16,255}"),
    _token("google", "AIza", r"[\w-]{35}(?![\w-])"),
    _token("google", "GOCSPX-", r"[\w-]{28}"),
    _token("google", "ya29.", r"[\w-]{30,2048}", looks_random),
    _token("jwt", "eyJ", r"[\w-]{8,4096}\.eyJ[\w-]{8,4096}\.[\w-]{8,2048}"),
    _token("npm", "npm_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _token("pypi", "pypi-AgE", r"[\w-]{50,1024}"),
    _token("rubygems", "rubygems_", r"[a-f0-9]{48}"),
    _token("openai", "sk-", r"[\w-]{20,255}", _mixed),
    _token("groq", "gsk_", r"[A-Za-z0-9]{48,64}"),
    _token("xai", "xai-", r"[A-Za-z0-9]{64,128}"),
    _token("perplexity", "pplx-", r"[A-Za-z0-9]{40,64}"),
    _token("replicate", "r8_", r"[A-Za-z0-9]{37}(?![A-Za-z0-9])"),
    _token("huggingface", "hf_ api_org_", r"[A-Za-z0-9]{34}(?![A-Za-z0-9])"),
    _token("sendgrid", "SG.", r"[\w-]{16,32}\.[\w-]{32,64}"),
    _token("twilio", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])", looks_random),
    _token("mailgun", "key-", r"[0-9a-f]{32}(?![A-Za-z0-9])", looks_random),
    _token("digitalocean", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    _token("databricks", "dapi", r"[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])"),
    _token("shopify", "shpat_ shpca_ shppa_ shpss_", r"[a-fA-F0-9]{32}"),
    _token("square", "sq0atp- sq0csp- EAAA", r"[\w-]{22,64}", _mixed),
    _token("linear", "lin_api_", r"[A-Za-z0-9]{40}"),
    _token("notion", "ntn_", r"[A-Za-z0-9]{40,50}"),
    _token("atlassian", "ATATT3 ATCTT3 ATBB", r"[\w=-]{28,255}", _mixed),
    _token("vault", "hvs. hvb. hvr.", r"[\w-]{24,255}", looks_random),
    _token("age", "AGE-SECRET-KEY-1", r"[0-9A-Z]{58}"),
    _token("docker", "dckr_pat_ dckr_oat_", r"[\w-]{27,64}"),
    _token("newrelic", "NRAK-", r"[A-Z0-9]{27}"),
    _token("sentry", "sntrys_ sntryu_", r"[\w+/=-]{40,512}"),
    _token("grafana", "glsa_ glc_", r"[\w+/=-]{32,512}"),
    _token("postman", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    _token("planetscale", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w.-]{32,64}"),
    _token("fly", "fo1_ fm1_ fm2_", r"[\w+/=-]{39,512}", looks_random),
    _token("discord", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", r"\d{16,20}/[\w-]{60,80}"),
    Rule(
        "authorization",
        ("Bearer ", "bearer ", "Basic ", "basic "),
        re.compile(r"[Bb](?:earer|asic) (?P<secret>[A-Za-z0-9._~+/=-]{20,4096})"),
        looks_random,
    ),
    Rule("telegram", (":AA",), re.compile(r"(?<=[0-9]{8}):(?P<secret>AA[\w-]{33})(?![\w-])")),
    Rule("mailchimp", ("-us",), re.compile(r"(?<=[0-9a-f]{32})-us[0-9]{1,2}(?![A-Za-z0-9])")),
    Rule(
        "azure",
        ("AccountKey=", "SharedAccessKey="),
        re.compile(r"(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,100}={0,2})"),
        looks_random,
    ),
)
"""Tokens: their literals lie in a run of at least ``secrets.MIN_RUN`` characters that such tokens are made of."""

URL_PASSWORD = Rule(
    "url_password",
    ("://",),
    re.compile(r"://[^\s/:@\"'<>{}$%]{0,64}:(?P<secret>[!#-&(-.0-;=?A-_a-z|~]{3,128})@[\w.\[-]"),
    is_password,
)

PRIVATE_KEY_START = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?=[\s\S]{0,300}?[A-Za-z0-9+/]{24})"
)
PRIVATE_KEY_END = "-----END "
PRIVATE_KEY_CHARS = 16_384
"""An RSA key of 16,384 bits has 12,700 characters; what is longer has lost its end."""

NAME = re.compile(
    r"secret|token|passw|pwd|api[_-]?key|access_?key|private_key|auth_key|credential|signing_key|encryption_key|bearer"
    r"|basic|_auth"
)
"""What variables and keys that hold a secret are called, in lower case."""

MAX_NAME = 120
"""Characters from the beginning of such a name to the value."""

ASSIGNED = re.compile(
    r"[\w-]{0,30}[\\\"'`\])]{0,3}(?:[ \t]{0,8}(?::=|=>|->|[:=])[ \t]{0,8}|[ ]{1,2})"
    r"(?P<quote>[brfu]{0,2}\\?[\"'`])?(?P<secret>[A-Za-z0-9+/_.~!@#$%^&*?=-]{12,256})(?P<end>\\?[\"'`]|[\s,;)\]}]|$)"
)
"""From such a name on: its rest, what assigns, and the value. Between quotes it is text, elsewhere it may be code."""
