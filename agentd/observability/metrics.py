"""Counters, gauges and histograms, kept in memory and handed out by ``stats``. Written on the loop's thread alone."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOWEST = 0.01
_RATIO = 2 ** (1 / 8)
_BUCKETS = 188
BOUNDS: tuple[float, ...] = tuple(_LOWEST * _RATIO**step for step in range(_BUCKETS))
"""Upper bounds of the buckets, log-spaced from 0.01 to 1.1e5: in milliseconds 10 µs to 109 s. A quantile read from
them is off by 9 % of its value at most."""

SHOWN = range(32, 176, 8)
"""Of the bounds those that leave the process: each twice the one before, 0.16 ms to 21 s. Buckets between them are
added up, so nothing is lost but resolution.
"""


class Counter:
    """Only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def increment(self, amount: int = 1) -> None:
        """Add."""
        self.value += amount

    def snapshot(self) -> int:
        """JSON value."""
        return self.value


class Gauge:
    """Goes up and down."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def set(self, value: float) -> None:
        """Replace."""
        self.value = value

    def snapshot(self) -> float:
        """JSON value."""
        return self.value


class Cumulative(NamedTuple):
    """A distribution as Prometheus has it: how many values lie at or below each bound, and in all."""

    buckets: list[tuple[float, int]]
    observed: int
    total: float


class Timing:
    """Observes how long its ``with`` block took, in milliseconds, however that ended."""

    __slots__ = ("_began", "_histogram")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_exception: object) -> None:
        self._histogram.observe(1000 * (perf_counter() - self._began))


class Histogram:
    """A distribution in fixed space; ``count``, ``total`` and ``maximum`` are exact, quantiles interpolated."""

    __slots__ = ("_buckets", "count", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self._buckets = [0] * (len(BOUNDS) + 1)  # the last one takes what lies above the highest bound
        self.count = 0
        self.total = 0.0
        self.minimum = float("inf")
        self.maximum = 0.0

    def observe(self, value: float) -> None:
        """Take in a value >= 0."""
        self._buckets[bisect_left(BOUNDS, value)] += 1
        self.count += 1
        self.total += value
        self.maximum = max(self.maximum, value)
        self.minimum = min(self.minimum, value)

    def time(self) -> Timing:
        """A context that is observed in milliseconds."""
        return Timing(self)

    def cumulative(self) -> Cumulative:
        """The same in fewer buckets. May be called from another thread: the parts fit each other, for all come from one
        copy but ``total``, which may be a value or two ahead.
        """
        below = list(accumulate(list(self._buckets)))
        return Cumulative([(BOUNDS[at], below[at]) for at in SHOWN], below[-1], self.total)

    def quantile(self, share: float) -> float:
        """The value that ``share`` (0 to 1) of all lie at or below; 0.0 while there is none."""
        return self._quantile(list(accumulate(self._buckets)), share)

    def _quantile(self, below: Sequence[int], share: float) -> float:
        """``below`` counts the values in each bucket and those before it."""
        if not self.count:
            return 0.0
        rank = share * self.count
        index = bisect_left(below, max(rank, 1e-9))  # the first that holds a value, for a share of 0
        inside = self._buckets[index]
        return self._interpolate(index, 1 - (below[index] - rank) / inside)

    def _interpolate(self, index: int, share: float) -> float:
        """Inside a bucket values are taken to lie evenly, between the extremes that were really seen."""
        low = max(BOUNDS[index - 1] if index else 0.0, self.minimum)
        high = min(BOUNDS[index] if index < len(BOUNDS) else self.maximum, self.maximum)
        return low + (high - low) * share

    def snapshot(self) -> dict[str, float]:
        """JSON values."""
        below = list(accumulate(self._buckets))
        return {
            "count": self.count,
            "mean": self.total / self.count if self.count else 0.0,
            "p50": self._quantile(below, 0.50),
            "p95": self._quantile(below, 0.95),
            "p99": self._quantile(below, 0.99),
            "max": self.maximum,
        }


Instrument = Counter | Gauge | Histogram
Labels = tuple[tuple[str, str], ...]
"""(name, value) pairs, by name."""
I = TypeVar("I", Counter, Gauge, Histogram)  # noqa: E741 - an instrument, in a scope of three lines


class Metrics:
    """Instruments by name and labels: asked for again, the same one comes back. Ask once and keep it."""

    def __init__(self) -> None:
        self._instruments: dict[tuple[str, Labels], Instrument] = {}
        self._in_order: list[tuple[tuple[str, Labels], Instrument]] = []  # as of the last look

    def counter(self, name: str, **labels: str) -> Counter:
        """The counter of that name."""
        return self._instrument(Counter, name, labels)

    def gauge(self, name: str, **labels: str) -> Gauge:
        """The gauge of that name."""
        return self._instrument(Gauge, name, labels)

    def histogram(self, name: str, **labels: str) -> Histogram:
        """The histogram of that name; put the unit into the name."""
        return self._instrument(Histogram, name, labels)

    def _instrument(self, kind: type[I], name: str, labels: Mapping[str, str]) -> I:
        key = (name, tuple(sorted(labels.items())))
        instrument = self._instruments.get(key)
        if instrument is None:
            instrument = self._instruments[key] = kind()
        if not isinstance(instrument, kind):
            raise TypeError(f"{name} is a {type(instrument).__name__} already, not a {kind.__name__}")
        return instrument

    def counters(self, name: str) -> dict[Labels, int]:
        """The counters of that name, by labels."""
        return {labels: each.value for labels, each in self._called(name) if isinstance(each, Counter)}

    def histograms(self, name: str) -> dict[Labels, Histogram]:
        """The histograms of that name, by labels."""
        return {labels: each for labels, each in self._called(name) if isinstance(each, Histogram)}

    def _called(self, name: str) -> list[tuple[Labels, Instrument]]:
        return [(labels, each) for (known, labels), each in self._every() if known == name]

    def snapshot(self) -> dict[str, object]:
        """JSON values by ``name{label=value}``."""
        return {_text(*key): instrument.snapshot() for key, instrument in self._every()}

    def _every(self) -> list[tuple[tuple[str, Labels], Instrument]]:
        """All in order, which seldom changes: instruments come and do not go."""
        every = self._in_order
        if len(every) != len(self._instruments):
            every = self._in_order = sorted(self._instruments.items(), key=_key)
        return every


def _key(item: tuple[tuple[str, Labels], Instrument]) -> tuple[str, Labels]:
    return item[0]


def _text(name: str, labels: Labels) -> str:
    return name + "".join(f"{{{label}={value}}}" for label, value in labels)
