"""What Prometheus reads under ``/metrics``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one server; each has a registry of its own, so that tests can run several in one process."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "graphprofile_http_request_seconds",
            "How long requests took.",
            ["route", "method", "status"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "graphprofile_http_in_flight", "Requests being answered now.", registry=registry
        )
        self.refused = Counter(
            "graphprofile_http_refused_total", "Requests refused.", ["code"], registry=registry
        )
        self.events = Counter(
            "graphprofile_events_total", "Events that came by HTTP.", ["outcome"], registry=registry
        )
        self.engine_up = Gauge(
            "graphprofile_engine_up", "Whether the graph engine answers.", registry=registry
        )
        self.waiting = Gauge(
            "graphprofile_events_waiting", "Posts of events that wait to be written.", registry=registry
        )
        self.due = Gauge(
            "graphprofile_users_due", "Users whose tags and vectors are behind.", registry=registry
        )

    def text(self) -> bytes:
        """In Prometheus' own format."""
        return generate_latest(self.registry)
