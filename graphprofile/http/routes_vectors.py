"""Embeddings of users: one, or thousands at once, as JSON or as an Arrow stream."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response

from graphprofile.http.body import read_json
from graphprofile.http.caller import Caller, ReadsEmbeddings, an_id
from graphprofile.http.documents import EmbeddingsDocument, EmbeddingsRequest
from graphprofile.http.problems import Refusal, invalid
from graphprofile.vectors import ARROW, Embeddings

router = APIRouter(tags=["embeddings"])

MOST_IN_QUERY = 200
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {ARROW: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get(
    "/embeddings", operation_id="read_embeddings", response_model=EmbeddingsDocument, responses=ANSWERS
)
async def read_embeddings(
    ids: Annotated[
        list[str], Query(alias="id", min_length=1, max_length=MOST_IN_QUERY, description="Ids of users.")
    ],
    caller: ReadsEmbeddings,
) -> Response:
    """Vectors of some users with model, time and status.

    With `Accept: application/vnd.apache.arrow.stream` they come as an Arrow stream.
    """
    return await _answer(caller, [an_id(id_, "query/id") for id_ in ids])


@router.post(
    "/embeddings",
    operation_id="read_many_embeddings",
    response_model=EmbeddingsDocument,
    responses=ANSWERS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": EmbeddingsRequest.model_json_schema()}},
        }
    },
)
async def read_many_embeddings(caller: ReadsEmbeddings) -> Response:
    """The same for thousands of users, named in the body."""
    body = await read_json(caller.request)
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not ids or set(body) != {"ids"}:
        raise invalid("/ids", "is no list of ids")
    most = caller.service.options.max_events
    if len(ids) > most:
        raise Refusal(413, "too_large", f"More than {most:,} ids in one request.", "Ask in parts.")
    wanted = []
    for number, id_ in enumerate(ids):
        if not isinstance(id_, str):
            raise invalid(f"/ids/{number}", "is no text")
        wanted.append(an_id(id_, f"/ids/{number}"))
    return await _answer(caller, wanted)


async def _answer(caller: Caller, ids: list[str]) -> Response:
    users = list(dict.fromkeys(ids))
    models = caller.service.gp.models
    as_arrow = ARROW in caller.request.headers.get("accept", "")

    def read() -> bytes:
        found = models.embeddings(users, skip_missing=True)
        return found.to_arrow() if as_arrow else _json(found)

    async with caller.audited("embeddings.read", users):
        body = await caller.read(read, users)
    return Response(body, media_type=ARROW if as_arrow else "application/json")


def _json(found: Embeddings) -> bytes:
    document = {
        "model": found.model,
        "dimensions": int(found.vectors.shape[1]),
        "embeddings": found.rows(),
        "missing": found.missing,
    }
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
