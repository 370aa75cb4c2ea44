"""What the handlers of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphprofile.http.limits import RateLimit
from graphprofile.http.metrics import Metrics
from graphprofile.http.page.kept import Kept
from graphprofile.http.page.sessions import Sessions

if TYPE_CHECKING:
    from graphprofile.http.audit import AuditLog
    from graphprofile.http.freshness import Freshness
    from graphprofile.http.keys import KeyRing
    from graphprofile.http.stream import EventStream
    from graphprofile.http.workers import Workers
    from graphprofile.profiles import GraphProfile
    from graphprofile.settings import HttpSettings


@dataclass
class Service:
    """One server.

    Attributes:
        gp: The graph.
        options: What ``[http]`` says.
        keys: The API keys.
        audit: The audit log.
        workers: Threads for calls to the engine.
        fresh: Brings the tags and vectors of users up to date.
        stream: Writes events.
        failures: How often an address may come with a wrong key.
        rate: How often a key may ask.
        metrics: For Prometheus.
        sessions: Who is signed in to the page.
        kept: What the page shows that takes long to read.
        draining: Whether the server is going down.
        console: Queries of ``POST /v1/cypher`` that run now.
    """

    gp: GraphProfile
    options: HttpSettings
    keys: KeyRing
    audit: AuditLog
    workers: Workers
    fresh: Freshness
    stream: EventStream
    failures: RateLimit
    rate: RateLimit
    metrics: Metrics = field(default_factory=Metrics)
    sessions: Sessions = field(default_factory=Sessions)
    kept: Kept = field(default_factory=Kept)
    draining: bool = False
    console: int = 0
