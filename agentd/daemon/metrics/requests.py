"""Families about clients: what they ask, how long it takes, and what they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.daemon.metrics.figures import Figures, Metric, by, histograms, one
from agentd.observability.prometheus import Family

if TYPE_CHECKING:
    from agentd.observability.prometheus import Samples


def _outcomes(figures: Figures) -> Samples:
    return {
        (method, outcome): count
        for method, outcomes in figures.server["outcomes"].items()
        for outcome, count in outcomes.items()
    }


def _closed(figures: Figures) -> Samples:
    server = figures.server
    return by({"slow_reader": server["aborted_slow"], "held_most": server["shed"], "slow_line": server["slow_lines"]})


def _query_vectors(figures: Figures) -> Samples:
    return {(dict(labels)["result"],): count for labels, count in figures.metrics.counters("query_vectors").items()}


def _rerank_failures(figures: Figures) -> Samples:
    reasons = {"failed": "rerank_failed", "late": "rerank_late"}
    return by({reason: sum(figures.metrics.counters(name).values()) for reason, name in reasons.items()})


FAMILIES = (
    Metric(
        Family(
            "agentd_requests_total",
            "counter",
            "Requests answered: outcome is ok or the kind of the error. A method is there once it was called.",
            ("method", "outcome"),
        ),
        _outcomes,
    ),
    Metric(
        Family(
            "agentd_request_errors_total",
            "counter",
            "Refusals and errors, also of lines that were no request.",
            ("kind",),
        ),
        lambda figures: by(figures.server["errors"]),
    ),
    Metric(
        Family("agentd_request_duration_seconds", "histogram", "From a request's line to its answer's.", ("method",)),
        histograms("request_ms", "method"),
    ),
    Metric(
        Family(
            "agentd_search_stage_duration_seconds",
            "histogram",
            "Stages of searches; some run side by side.",
            ("stage",),
        ),
        histograms("search_stage_ms", "stage"),
    ),
    Metric(
        Family(
            "agentd_query_vectors_total",
            "counter",
            "Queries by whether their vector was known (hit) or had to be computed (miss).",
            ("result",),
        ),
        _query_vectors,
    ),
    Metric(
        Family(
            "agentd_rerank_failures_total", "counter", "Rankings that the cross-encoder did not judge.", ("reason",)
        ),
        _rerank_failures,
    ),
    Metric(
        Family("agentd_requests_in_flight", "gauge", "Requests that are open: running, waiting, or being written."),
        lambda figures: one(figures.server["in_flight"]),
    ),
    Metric(
        Family("agentd_requests_waiting", "gauge", "Requests that wait for their turn."),
        lambda figures: one(figures.server["waiting"]),
    ),
    Metric(
        Family("agentd_connections", "gauge", "Connections that are open."),
        lambda figures: one(figures.server["connections"]),
    ),
    Metric(
        Family("agentd_connections_accepted_total", "counter", "Connections that were let in."),
        lambda figures: one(figures.server["accepted"]),
    ),
    Metric(
        Family("agentd_connections_refused_total", "counter", "Connections that were turned away.", ("reason",)),
        lambda figures: by(figures.server["refused"]),
    ),
    Metric(
        Family("agentd_connections_closed_total", "counter", "Connections that the daemon cut off.", ("reason",)),
        _closed,
    ),
    Metric(
        Family("agentd_held_bytes", "gauge", "What clients make the daemon hold: lines, requests, untaken answers."),
        lambda figures: one(figures.server["held_bytes"]),
    ),
    Metric(
        Family("agentd_received_bytes_total", "counter", "Bytes read from clients."),
        lambda figures: one(figures.server["bytes_in"]),
    ),
    Metric(
        Family("agentd_sent_bytes_total", "counter", "Bytes written to clients."),
        lambda figures: one(figures.server["bytes_out"]),
    ),
    Metric(
        Family("agentd_event_listeners", "gauge", "Clients that stream index.events."),
        lambda figures: one(figures.stats["events"]["listeners"]),
    ),
    Metric(
        Family("agentd_events_lost_total", "counter", "Events that listeners were too slow for."),
        lambda figures: one(figures.stats["events"]["lost"]),
    ),
)
