"""The application: routes, errors as problem documents, and the description of it all (OpenAPI)."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from graphprofile import __version__
from graphprofile.errors import GraphProfileError, UnknownProperty
from graphprofile.http import (
    examples,
    routes_audience,
    routes_console,
    routes_events,
    routes_graph,
    routes_health,
    routes_profiles,
    routes_vectors,
)
from graphprofile.http.caller import Caller
from graphprofile.http.gate import Gate, wants_page
from graphprofile.http.page import (
    files,
    routes_admin,
    routes_data,
    routes_graph_walk,
    routes_home,
    routes_insights,
    routes_map,
    routes_models,
    routes_objects,
    routes_search,
    routes_user,
)
from graphprofile.http.page import routes_audience as page_audience
from graphprofile.http.page import routes_console as console_page
from graphprofile.http.page.site import error_page
from graphprofile.http.problems import MEDIA_TYPE, ProblemDocument, Refusal, problem_bytes, refusal_of
from graphprofile.http.service import Service

V1 = "/v1"
PROBLEMS = {
    "400": "No HTTP, or a header that stands there twice",
    "401": "No key, or one that does not hold",
    "403": "The key does not have the scope, or the origin is a stranger's",
    "404": "No such thing",
    "405": "Not this method",
    "408": "The request took too long to come",
    "409": "Not possible yet, such as a recommendation before the first training",
    "413": "Too large",
    "415": "A body of another type",
    "421": "Not a name of this server",
    "422": "Something in the request cannot be used; `errors` says where. Or a query took too long (`query_timeout`)"
    " or more memory than there is for it (`query_too_large`)",
    "429": "Too many requests for this key; `Retry-After` says when to go on",
    "431": "The head of the request is too large",
    "500": "The server failed",
    "503": "The engine is away, or the server is busy or going down; `Retry-After` says when to try again",
}
DESCRIPTION = """User profiles in a graph: interests, vectors, recommendations and the reasons for them.

Ids in a path are percent-encoded, a slash in an id as `%2F`. Every answer carries `X-Request-ID`. Every error is a
problem document (RFC 9457) whose `code` is stable."""


def create_app(service: Service) -> Any:
    """The application, behind its gate.

    Args:
        service: What the handlers share.
    """
    app = FastAPI(
        title="graphprofile",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{V1}/openapi.json",
        redirect_slashes=False,
    )
    app.state.service = service
    # Fixed paths come before the ones that take any kind.
    for router in (
        routes_profiles.router,
        routes_vectors.router,
        routes_graph.router,
        routes_audience.router,
        routes_console.router,
        routes_events.router,
    ):
        app.include_router(router, prefix=V1)
    for router in (
        routes_health.router,
        files.router,
        routes_home.router,
        routes_models.router,
        routes_data.router,
        routes_admin.router,
        console_page.router,
        routes_insights.router,
        page_audience.router,
        routes_search.router,
        routes_user.router,
        routes_objects.router,
        routes_graph_walk.router,
        routes_map.router,
    ):
        app.include_router(router)
    for kind in (Refusal, GraphProfileError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer_error)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    if service.options.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=service.options.cors_origins,
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-Request-ID"],
            expose_headers=["ETag", "X-Request-ID", "Retry-After"],
        )
    return Gate(app, service)


async def _answer_error(request: Request, error: Exception) -> Response:
    refusal = _refusal(request, error)
    state = request.scope.setdefault("state", {})
    state["code"] = refusal.code
    if refusal.status >= 500 and isinstance(error, GraphProfileError):
        # The answer says that the log says more.
        structlog.get_logger().warning(
            "failed", request_id=state.get("request_id"), code=error.code, message=error.message
        )
    if wants_page(request.scope["path"], request.headers.get("accept", "")):
        return error_page(request, refusal)
    body = problem_bytes(
        refusal.status,
        refusal.code,
        refusal.detail,
        refusal.hint,
        request_id=getattr(request.state, "request_id", None),
        errors=refusal.errors,
    )
    return Response(body, refusal.status, media_type=MEDIA_TYPE, headers=refusal.headers)


def _refusal(request: Request, error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, UnknownProperty):
        return refusal_of(error.to_one_who_may_not_see(Caller(request).hidden))
    if isinstance(error, GraphProfileError):
        return refusal_of(error)
    if isinstance(error, RequestValidationError):
        found = [(_pointer(one["loc"]), str(one["msg"])) for one in error.errors()]
        detail = f"{found[0][0]}: {found[0][1]}" if found else "The request cannot be used."
        return Refusal(422, "usage", detail, errors=found)
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return Refusal(404, "not_found", "There is nothing at this path.", "See /v1/openapi.json.")
    if error.status_code == 405:
        headers = dict(error.headers or {})
        return Refusal(405, "method_not_allowed", "This path takes another method.", headers=headers)
    return Refusal(error.status_code, "bad_request", "The request cannot be used.")


def _pointer(location: Any) -> str:
    where, *rest = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "/".join([where, *rest]) if where != "body" else "/" + "/".join(rest)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: every operation with its examples and with the problems it may answer."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemDocument"] = problem
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    answer = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    for path in document["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            for status, text in PROBLEMS.items():
                responses[status] = {"description": text, "content": answer}
            for status in ("429", "503"):
                responses[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
            if operation["operationId"] in examples.TAGGED:
                responses["304"] = {"description": "What `If-None-Match` names is what there is"}
            example = examples.ANSWERS.get(operation["operationId"])
            if example is not None:
                responses["200"]["content"]["application/json"]["example"] = example
    app.openapi_schema = document
    return document
