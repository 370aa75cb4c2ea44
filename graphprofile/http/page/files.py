"""Scripts and styles: read once, named by what is in them, so that a browser may keep them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from graphprofile.http.problems import Refusal

router = APIRouter(include_in_schema=False)

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
KEPT = "public, max-age=31536000, immutable"
SHARED = {"palette.css", "plots.js"}
"""Those that the report has too."""
PLOTLY = "plotly.min.js"
PREFIX = "/static/"


@dataclass(frozen=True)
class StaticFile:
    """One file.

    Attributes:
        body: What it holds.
        packed: The same with gzip.
        type: Media type.
        version: Of its content.
    """

    body: bytes
    packed: bytes
    type: str
    version: str


@cache
def static_file(name: str) -> StaticFile:
    """A file by its name below ``static``.

    Raises:
        KeyError: There is none.
    """
    if name not in static_names():
        raise KeyError(name)
    if name == PLOTLY:
        from plotly.offline import get_plotlyjs

        body = get_plotlyjs().encode()
    else:
        folder = files("graphprofile.report_parts") if name in SHARED else files(__package__) / "static"
        body = folder.joinpath(*name.split("/")).read_bytes()
    kind = TYPES[name.rpartition(".")[2]]
    return StaticFile(body, gzip.compress(body, 6), kind, hashlib.blake2b(body, digest_size=6).hexdigest())


@cache
def static_names() -> frozenset[str]:
    """All files that are served."""
    folder = files(__package__) / "static"
    own = {one.name for one in folder.iterdir() if one.name.rpartition(".")[2] in TYPES}
    vendor = (folder / "vendor").iterdir()
    others = {f"vendor/{one.name}" for one in vendor if one.name.rpartition(".")[2] in TYPES}
    return frozenset({*own, *others, *SHARED, PLOTLY})


def static_url(name: str) -> str:
    """Where a file is found, with its version."""
    return f"{PREFIX}{name}?v={static_file(name).version}"


@router.get("/static/{name:path}")
async def read_static(name: str, request: Request) -> Response:
    """A script or a style."""
    try:
        found = static_file(name)
    except KeyError:
        raise Refusal(404, "not_found", "There is nothing at this path.") from None
    headers = {"ETag": f'"{found.version}"', "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
    if request.query_params.get("v") == found.version:
        headers["Cache-Control"] = KEPT
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    body = found.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"], body = "gzip", found.packed
    return Response(body, media_type=found.type, headers=headers)
