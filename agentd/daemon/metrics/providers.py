"""Families about models on servers, and about what leaves the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.daemon.metrics.figures import Figures, Metric, by, counters, histograms
from agentd.observability.prometheus import Family

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.observability.prometheus import Samples

WORKING = frozenset({"ok", "untried"})


def _spaces(field: str) -> Callable[[Figures], Samples]:
    """Reads a number of each model of the embedding chains."""
    return lambda figures: {(each["provider"],): each[field] for each in figures.status.get("spaces", [])}  # type: ignore[literal-required]


FAMILIES = (
    Metric(
        Family("agentd_model_vectors", "gauge", "Passages with a vector of the model.", ("model",)), _spaces("vectors")
    ),
    Metric(
        Family("agentd_model_pending", "gauge", "Passages that wait for a vector of the model.", ("model",)),
        _spaces("pending"),
    ),
    Metric(
        Family("agentd_model_up", "gauge", "1 where the embedding model can be had, or was never tried.", ("model",)),
        lambda figures: by({each["provider"]: each["state"] in WORKING for each in figures.status.get("spaces", [])}),
    ),
    Metric(
        Family("agentd_provider_up", "gauge", "0 where a server is left alone or refuses.", ("provider",)),
        lambda figures: by({each["name"]: each["state"] in WORKING for each in figures.status.get("providers", [])}),
    ),
    Metric(
        Family(
            "agentd_provider_requests_total",
            "counter",
            "Requests to servers: outcome is ok, cancelled, or the kind of the failure.",
            ("provider", "purpose", "outcome"),
        ),
        counters("provider_requests", "provider", "purpose", "outcome"),
    ),
    Metric(
        Family(
            "agentd_provider_request_duration_seconds",
            "histogram",
            "From a request to a server to the end of its answer.",
            ("provider", "purpose"),
        ),
        histograms("provider_milliseconds", "provider", "purpose"),
    ),
    Metric(
        Family("agentd_egress_requests_total", "counter", "Requests that left.", ("purpose", "provider")),
        counters("egress_requests", "purpose", "provider"),
    ),
    Metric(
        Family("agentd_egress_bytes_total", "counter", "Bytes of requests that left.", ("purpose", "provider")),
        counters("egress_bytes", "purpose", "provider"),
    ),
    Metric(
        Family(
            "agentd_egress_refused_total", "counter", "Requests that the configuration did not let out.", ("purpose",)
        ),
        counters("egress_refused", "purpose"),
    ),
    Metric(
        Family("agentd_egress_redacted_total", "counter", "Secrets cut out of what left, by kind.", ("kind",)),
        counters("egress_redacted", "kind"),
    ),
    Metric(
        Family("agentd_web_searches_total", "counter", "Searches of the web, by how they ended.", ("outcome",)),
        counters("web_searches", "outcome"),
    ),
    Metric(
        Family("agentd_web_pages_total", "counter", "Pages of the web, by how they were come by.", ("outcome",)),
        counters("web_pages", "outcome"),
    ),
)
