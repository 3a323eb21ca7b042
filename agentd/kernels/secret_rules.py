"""What secrets look like: each kind by a literal that every one of them holds, and a pattern from there on.

Formats are those that their issuers document, or that secret scanners (gitleaks, GitHub, GitGuardian) go by. Patterns
are anchored at the literal and bounded, so that a search is linear in the text whatever it holds.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_ENTROPY = 3.3
"""Bits a character. Random letters and digits have 4 and more from 20 characters on, words and their like under 3.3."""

_WORD_START = r"(?<![A-Za-z0-9])"
_PLACEHOLDER = re.compile(
    r"example|placeholder|change-?_?me|your[-_]|dummy|redacted|xxxx|\*\*\*\*|0000000|1234567890123|<[^<>]{2,}>|\$\{|\{\{|%\(\w+\)"
    r"|(.)\1{5}",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"[A-Za-z_./-]+[0-9]{1,4}")
"""``new_password1``: a word with a number."""
_STANDS_IN = frozenset(["password", "passwd", "pass", "pwd", "secret", "user", "username", "token", "test", "port"])


class Rule(NamedTuple):
    """A kind of secret. ``pattern`` matches from where one of ``literals`` starts; its group ``secret``, where it has
    one, is the part that must not be seen, with ``before`` characters before it. ``accepts`` looks at that part once
    more.
    """

    kind: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool] = bool
    before: int = 0


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def looks_random(value: str, least: float = MIN_ENTROPY, *, digits: bool = True) -> bool:
    """Whether a value, of ``least`` bits a character, may be a generated password or key rather than a word, a name or
    a stand-in for one. Without ``digits`` it may have none.
    """
    return (
        (not digits or any(map(str.isdigit, value)))
        and any(map(str.isalpha, value))
        and not _NUMBERED.fullmatch(value)
        and not _PLACEHOLDER.search(value)
        and entropy(value) >= least
    )


def is_password(value: str) -> bool:
    """Whether the password of a URL is one, and no stand-in: ``postgres://user:password@host`` is documentation."""
    return (
        bool(value)
        and value.lower() not in _STANDS_IN
        and not _PLACEHOLDER.search(value)
        and not value.startswith(("$", "{", "<"))
    )


def is_pair(value: str) -> bool:
    """Whether it is the base64 of a user's name and password."""
    try:
        pair = b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except ValueError:  # no base64, or no text in it
        return False
    user, _, password = pair.partition(":")
    return pair.isprintable() and bool(user) and is_password(password)


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
    _token("gitlab", "glpat- glptt- gldt- glrt- glcbt- glsoat- glft-", r"[\w-]{20,255}(?:\.[\w-]{2}\.[\w-]{7,9})?"),
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
    _token("google", "1//0", r"[\w-]{40,200}", looks_random),
    _token("firebase", "APA91b", r"[\w-]{120,200}"),
    _token("figma", "figd_ figu_", r"[\w-]{36,80}"),
    _token("supabase", "sbp_ sb_secret_", r"[\w-]{28,80}", looks_random),
    _token("doppler", "dp.pt. dp.st. dp.ct. dp.sa.", r"[\w.-]{40,80}", looks_random),
    _token("tailscale", "tskey-", r"[A-Za-z0-9]{2,12}-[A-Za-z0-9-]{16,64}", looks_random),
    _token("buildkite", "bkua_ bkct_", r"[a-f0-9]{40}"),
    _token("netlify", "nfp_", r"[A-Za-z0-9]{36,64}"),
    _token("brevo", "xkeysib- xsmtpsib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    _token("nvidia", "nvapi-", r"[\w-]{60,80}"),
    _token("langsmith", "lsv2_", r"(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),
    _token("heroku", "HRKU-", r"[\w-]{36,80}"),
    _token("pulumi", "pul-", r"[a-f0-9]{40}"),
    _token("facebook", "EAAB EAAC EAAD EAAG", r"[A-Za-z0-9]{60,300}", _mixed),
    _token("terraform", "atlasv1.", r"[\w=-]{60,80}"),
    _token("dynatrace", "dt0c01.", r"[A-Z2-7]{24}\.[A-Z2-7]{64}"),
    _token("alibaba", "LTAI", r"[A-Za-z0-9]{16,26}(?![A-Za-z0-9])", _mixed),
    _token("discord", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", r"\d{16,20}/[\w-]{60,80}"),
    Rule(
        "authorization",
        ("earer ", "SSWS "),
        re.compile(r"(?:(?<=[Bb])earer|SSWS) (?P<secret>[A-Za-z0-9._~+/=-]{20,4096})"),
        looks_random,
    ),
    Rule(
        "authorization",
        ("asic ",),
        re.compile(r"(?<=[Bb])asic (?P<secret>[A-Za-z0-9+/]{8,4096}={0,2})(?![\w+/=-])"),
        is_pair,
    ),
    Rule(
        "docker",
        ('"auth"',),
        re.compile(r"\"auth\"\s{0,4}:\s{0,4}\"(?P<secret>[A-Za-z0-9+/]{8,4096}={0,2})\""),
        is_pair,
    ),
    Rule(
        "private_key",
        ("LS0tLS1CRUdJTi",),
        re.compile(r"(?P<secret>LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,20000}={0,2})"),
        lambda value: b"PRIVATE KEY" in b64decode(value[:120]),
    ),
    Rule(
        "azure",
        ("8Q~", "7Q~"),
        re.compile(r"(?<=[\w~.-]{3})(?P<secret>[78]Q~[\w~.-]{31,34})(?![\w~.-])"),
        looks_random,
        before=3,
    ),
    Rule("azure", ("sig=",), re.compile(r"(?<=[?&])sig=(?P<secret>[A-Za-z0-9%+/]{40,64}(?:%3[Dd]|=))")),
    Rule(
        "command_line",
        ("curl ", "sshpass "),
        re.compile(
            r"(?:curl (?:[^\n]{0,200}? )??(?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"']{1,64}:"
            r"|sshpass -p ?[\"']?)"
            r"(?P<secret>[^\s\"'$<]{6,128})(?=[\s\"']|\Z)"
        ),
        is_password,
    ),
    Rule("telegram", (":AA",), re.compile(r"(?<=[0-9]{8}):(?P<secret>AA[\w-]{33})(?![\w-])")),
    Rule("mailchimp", ("-us",), re.compile(r"(?<=[0-9a-f]{32})-us[0-9]{1,2}(?![A-Za-z0-9])"), before=32),
    Rule(
        "azure",
        ("Key=",),
        re.compile(r"(?:(?<=Account)|(?<=SharedAccess))Key=(?P<secret>[A-Za-z0-9+/]{40,100}={0,2})"),
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

CUT_URL = re.compile(r"://[^\s/:@\"'<>{}$%]{0,64}:[^\s/:@\"']{0,128}[\"'`]")
"""The beginning of a string that the password of a URL goes across."""

PRIVATE_KEY_START = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?=[\s\S]{0,300}?[A-Za-z0-9+/]{24})"
)
PRIVATE_KEY_END = "-----END "
PRIVATE_KEY_CHARS = 16_384
"""An RSA key of 16,384 bits has 12,700 characters; what is longer has lost its end."""
