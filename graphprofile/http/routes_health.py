"""Whether the server lives, whether it can work, and its figures."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from graphprofile.http.documents import Health
from graphprofile.http.problems import RETRY_SECONDS, Refusal
from graphprofile.http.service import Service

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="is_alive", response_model=Health)
async def alive() -> dict[str, str]:
    """Whether the process answers; asks no engine."""
    return {"status": "ok"}


@router.get("/readyz", operation_id="is_ready", response_model=Health)
async def ready(request: Request) -> dict[str, str]:
    """Whether requests can be served: 503 while the engine is away or the server is going down."""
    service: Service = request.app.state.service
    headers = {"Retry-After": str(RETRY_SECONDS)}
    if service.draining:
        raise Refusal(503, "going_down", "The server is going down.", headers=headers)
    if not service.workers.engine_up:
        raise Refusal(503, "engine_unavailable", "The graph engine does not answer.", headers=headers)
    return {"status": "ok"}


@router.get(
    "/metrics",
    operation_id="read_metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    service: Service = request.app.state.service
    service.metrics.engine_up.set(service.workers.engine_up)
    return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})
