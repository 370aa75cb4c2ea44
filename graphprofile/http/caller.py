"""Who asks, in the hands of a handler: scopes, threads, the audit log, the answer's form."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends, Path, Query, Request, Response

from graphprofile.errors import EngineUnavailable, GraphProfileError, NotFound, UsageError
from graphprofile.http.gate import SLASH
from graphprofile.http.keys import ADMIN, READ_EMBEDDINGS, READ_PROFILES, WRITE_EVENTS, Principal
from graphprofile.http.masks import hidden_from, masked
from graphprofile.http.problems import Refusal, invalid
from graphprofile.http.service import Service

T = TypeVar("T")

MAX_ID = 512


class Caller:
    """One request in the hands of its handler."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.service: Service = request.app.state.service
        self.principal: Principal = request.state.principal
        self.request_id: str = request.state.request_id
        self.hidden = hidden_from(self.principal, self.service.options.private_properties)

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call that waits for the engine in a thread."""
        return await self.service.workers.run(call)

    async def bounded(self, call: Callable[[], T]) -> T:
        """The same for a question whose cost depends on what is asked: it ends after ``insight_seconds``.

        Raises:
            QueryTimeout: It took longer.
        """
        return await self.run(self.within_limit(call))

    def within_limit(self, call: Callable[[], T]) -> Callable[[], T]:
        """A call that ends after ``insight_seconds``."""
        service = self.service

        def limited() -> T:
            with service.gp.store.within(service.options.insight_seconds):
                return call()

        return limited

    async def read(self, call: Callable[[], T], users: Sequence[str] = ()) -> T:
        """The same, after tags and vectors of these users are up to date with what was accepted."""
        fresh = self.service.fresh
        if users and fresh.behind(users):

            def work() -> T:
                try:
                    fresh.bring_up(users)
                except EngineUnavailable:
                    raise
                except GraphProfileError:
                    # Said in the log by the thread that is at it; the status of the vector says it too.
                    pass
                return call()

            return await self.run(work)
        return await self.run(call)

    @asynccontextmanager
    async def audited(self, action: str, subjects: Sequence[str] = ()) -> AsyncIterator[None]:
        """Put down what was asked and how it went, before the answer leaves."""
        try:
            yield
        except NotFound:
            self.note(action, "not_found", subjects)
            raise
        except UsageError:
            self.note(action, "refused", subjects)
            raise
        except BaseException:
            self.note(action, "failed", subjects)
            raise
        self.note(action, "ok", subjects)

    def note(self, action: str, outcome: str, subjects: Sequence[str] = ()) -> None:
        """One line of the audit log."""
        self.service.audit.note(self.request_id, self.principal.key_id, action, outcome, subjects)

    def show(self, document: Any) -> Any:
        """A document without what this caller may not see."""
        return masked(document, self.hidden)

    def answer(self, document: Any, *, tagged: bool = False) -> Response:
        """A document as JSON, masked; with ``tagged`` a 304 where the caller has it already."""
        body = orjson.dumps(self.show(document))
        if not tagged:
            return Response(body, media_type="application/json")
        # Over what is sent: right whatever it depends on, the mask, the fields, the time and the model included.
        tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Accept"}
        if matches(self.request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    def refuse_hidden(self, pointer: str, names: Sequence[str]) -> None:
        """Refuse to search by what the caller may not see: answers would tell it.

        Raises:
            Refusal: One of them is hidden.
        """
        for name in names:
            if name in self.hidden:
                raise Refusal(
                    403,
                    "forbidden",
                    f"The property {name} may not be asked for with this key.",
                    f"A key made with `--show {name}` may.",
                    errors=[(pointer, "private property")],
                )


def matches(header: str | None, tag: str) -> bool:
    """Whether an If-None-Match header names a tag."""
    if header is None:
        return False
    return header.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in header.split(","))


def need(scope: str) -> Any:
    """A dependency: the caller, if the key has a scope."""

    async def caller_with(request: Request) -> Caller:
        caller = Caller(request)
        if not caller.principal.may(scope):
            caller.note(f"{request.method} {request.scope['route'].path}", "denied")
            raise Refusal(
                403,
                "forbidden",
                f"This key does not have the scope {scope}.",
                f"Make one that has: `graphprofile keys create NAME --scope {scope}`.",
            )
        return caller

    return Depends(caller_with)


def an_id(value: str, pointer: str) -> str:
    """An id from a path or a query, as the graph holds it.

    Raises:
        Refusal: It is none.
    """
    found = with_slashes(value, pointer).strip()
    if not found or len(found) > MAX_ID:
        raise invalid(pointer, f"is no id: 1 to {MAX_ID} characters")
    return clean_text(found, pointer)


def with_slashes(value: str, pointer: str) -> str:
    """A piece of a path with its own slashes; from elsewhere a NUL comes as one, and is none of ours."""
    return value.replace(SLASH, "/") if pointer.startswith("path/") else value


def clean_text(value: Any, pointer: str = "query") -> str:
    """A text that the engine and SQLite can take.

    Raises:
        Refusal: It holds NUL or half characters.
    """
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid(pointer, "is not UTF-8") from None
    if "\x00" in text:
        raise invalid(pointer, "holds NUL")
    return text


ReadsProfiles = Annotated[Caller, need(READ_PROFILES)]
ReadsEmbeddings = Annotated[Caller, need(READ_EMBEDDINGS)]
WritesEvents = Annotated[Caller, need(WRITE_EVENTS)]
Administers = Annotated[Caller, need(ADMIN)]

UserId = Annotated[str, Path(description="Id of the user.", examples=["u1"])]
ItemId = Annotated[str, Path(description="Id of the item or content.", examples=["i1"])]
HowMany = Annotated[int, Query(ge=1, le=1000, description="How many.")]
AsOf = Annotated[
    str | None,
    Query(description="A time, ISO 8601 or epoch milliseconds; the newest event where nothing is said."),
]
