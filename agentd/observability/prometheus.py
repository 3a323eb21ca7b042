"""Figures in the text exposition format of Prometheus, version 0.0.4.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ - a ``# HELP`` and a ``# TYPE`` line a family, then
its samples; units are base units, counters end in ``_total``, a histogram has cumulative buckets by ``le``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from agentd.observability.metrics import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal["counter", "gauge", "histogram"]

MILLISECONDS = 1000.0
"""Our histograms hold milliseconds, Prometheus wants seconds."""


class Family(NamedTuple):
    """A metric: what it is called, what it counts, and by which labels."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


Samples = dict[tuple[str, ...], "float | Histogram"]
"""Values by the values of the family's labels, in its order; ``()`` where it has none."""


def render(families: Iterable[tuple[Family, Samples]]) -> str:
    """The whole exposition. A family without a sample is left out."""
    return "".join(f"{line}\n" for family, samples in families if samples for line in _family(family, samples))


def _family(family: Family, samples: Samples) -> Iterator[str]:
    help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {family.name} {help_text}"
    yield f"# TYPE {family.name} {family.kind}"
    for values, value in samples.items():
        labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in zip(family.labels, values, strict=True))
        if isinstance(value, Histogram):
            yield from _histogram(family.name, labels, value)
        else:
            yield f"{family.name}{_braced(labels)} {_number(value)}"


def _histogram(name: str, labels: str, histogram: Histogram) -> Iterator[str]:
    seen = histogram.cumulative()
    start = f"{labels}," if labels else ""
    for bound, count in seen.buckets:
        yield f'{name}_bucket{{{start}le="{bound / MILLISECONDS:.6g}"}} {count}'
    yield f'{name}_bucket{{{start}le="+Inf"}} {seen.observed}'
    yield f"{name}_sum{_braced(labels)} {_number(seen.total / MILLISECONDS)}"
    yield f"{name}_count{_braced(labels)} {seen.observed}"


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    """Shortest text that reads back as the same number; whole ones without a point."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    return str(int(value)) if value == int(value) else repr(value)
