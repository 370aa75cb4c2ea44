"""Embeddings of users: one, or thousands at once, as JSON or as an Arrow stream."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import pyarrow as pa
from fastapi import APIRouter, Query, Response

from graphprofile.embedding import Embeddings
from graphprofile.http.body import read_json
from graphprofile.http.caller import Caller, ReadsEmbeddings, an_id
from graphprofile.http.documents import EmbeddingsDocument, EmbeddingsRequest
from graphprofile.http.problems import Refusal, invalid

router = APIRouter(tags=["embeddings"])

ARROW = "application/vnd.apache.arrow.stream"
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
        there = set(found.ids)
        missing = [user for user in users if user not in there]
        return _arrow(found, missing) if as_arrow else _json(found, missing)

    async with caller.audited("embeddings.read", users):
        body = await caller.read(read, users)
    return Response(body, media_type=ARROW if as_arrow else "application/json")


def _json(found: Embeddings, missing: list[str]) -> bytes:
    document = {
        "model": found.model,
        "dimensions": int(found.vectors.shape[1]),
        "embeddings": [
            {
                "id": id_,
                "model": None if status == "missing" else found.model,
                "computed_at": at,
                "status": status,
                "embedding": None if status == "missing" else vector,
            }
            for id_, at, status, vector in zip(
                found.ids, found.computed_at, found.status, found.vectors, strict=True
            )
        ],
        "missing": missing,
    }
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _arrow(found: Embeddings, missing: list[str]) -> bytes:
    width = int(found.vectors.shape[1])
    absent = [status == "missing" for status in found.status]
    vectors = (
        pa.FixedSizeListArray.from_arrays(pa.array(found.vectors.reshape(-1), type=pa.float32()), width or 1)
        if width
        else pa.nulls(len(found.ids), pa.list_(pa.float32(), 1))
    )
    if width and any(absent):
        vectors = pa.array(
            [None if gone else vector for gone, vector in zip(absent, found.vectors, strict=True)],
            type=pa.list_(pa.float32(), width),
        )
    table = pa.table(
        {
            "id": pa.array(found.ids, pa.string()),
            "embedding": vectors,
            "model": pa.array([None if gone else found.model for gone in absent], pa.string()),
            "computed_at": pa.array(found.computed_at, pa.string()),
            "status": pa.array(found.status, pa.string()),
        }
    ).replace_schema_metadata({"missing": orjson.dumps(missing)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())
