"""What servers say about when to come again."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """Seconds that ``Retry-After``, a number or a date (RFC 9110, 10.2.3), asks for; 0 where there is neither."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return 0.0
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def until_next(headers: Mapping[str, str]) -> float:
    """Seconds until one more request may go, where ``x-ratelimit-*`` say that none, or no token, is left.

    ``reset`` is how long until the whole limit is there again. It comes evenly: one comes after a ``limit``-th of it.
    Source: https://platform.openai.com/docs/guides/rate-limits, "Rate limits in headers".
    """
    return max(_until(headers, "requests"), _until(headers, "tokens"))


def _until(headers: Mapping[str, str], what: str) -> float:
    if _number(headers.get(f"x-ratelimit-remaining-{what}", "")) != 0:
        return 0.0
    limit = _number(headers.get(f"x-ratelimit-limit-{what}", "")) or 1.0
    return duration(headers.get(f"x-ratelimit-reset-{what}", "")) / max(1.0, limit)


def duration(text: str) -> float:
    """Seconds of a duration as Go writes them, or of a plain number; 0 for anything else.

    >>> duration("1m30s"), duration("20ms"), duration("1.5"), duration("soon")
    (90.0, 0.02, 1.5, 0.0)
    """
    if (seconds := _number(text)) is not None:
        return seconds
    parts = _PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return 0.0
    return sum((float(number) * _SECONDS[unit] for number, unit in parts), 0.0)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return max(0.0, value) if math.isfinite(value) else None
