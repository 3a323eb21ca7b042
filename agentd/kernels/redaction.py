"""Cut secrets out of texts that are to leave the machine: the long ones, which the loop must not search."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agentd.kernels.messages import Redaction
from agentd.kernels.secrets import find_secrets, mask

if TYPE_CHECKING:
    from agentd.kernels.messages import RedactRequest


def redact_texts(request: RedactRequest) -> Redaction:
    """``request.texts`` with each secret replaced by ``[KIND]``, or masked."""
    counts: Counter[str] = Counter()
    without = masked if request.mask else redacted
    return Redaction([without(text, counts) for text in request.texts], dict(counts))


def redacted(text: str, counts: Counter[str]) -> str:
    """``text`` without its secrets, which are added to ``counts`` by kind."""
    parts: list[str] = []
    at = 0
    for start, end, kind in find_secrets(text):
        counts[kind] += 1
        parts += (text[at:start], f"[{kind}]")
        at = end
    return "".join((*parts, text[at:]))


def masked(text: str, counts: Counter[str]) -> str:
    """``text`` with as many asterisks in place of its secrets, as the index has it; they are added to ``counts``."""
    secrets = find_secrets(text)
    counts.update(secret.kind for secret in secrets)
    return mask(text, secrets)
