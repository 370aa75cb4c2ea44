"""What the clients say and understand: requests of the HTTP service, and the answers as records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import Field

from graphprofile.errors import (
    AuthenticationFailed,
    EngineUnavailable,
    Forbidden,
    GraphProfileError,
    ModelError,
    NoModel,
    NotFound,
    QueryTimeout,
    QueryTooLarge,
    RetriesExhausted,
    UsageError,
)
from graphprofile.records import Document, Explanation, Feedback, Profile, Recommendation
from graphprofile.vectors import ARROW, Embeddings

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_BY_CODE = {
    error.code: error
    for error in (NoModel, ModelError, NotFound, UsageError, EngineUnavailable, QueryTimeout, QueryTooLarge)
}
_BY_STATUS: dict[int, type[GraphProfileError]] = {
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    409: ModelError,
    429: RetriesExhausted,
    503: EngineUnavailable,
}


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, and what to make of its answer."""

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    options: Mapping[str, Any]


class Passing(Exception):
    """What may work next time.

    Args:
        error: What it is if it does not.
        pause: Seconds that the server asks for, or None.
    """

    def __init__(self, error: GraphProfileError, pause: float | None) -> None:
        super().__init__(str(error))
        self.error, self.pause = error, pause


def checked(response: httpx.Response) -> httpx.Response:
    """An answer that is none of a failure.

    Raises:
        Passing: It may work next time.
        GraphProfileError: The error that the server met, as if it had happened here.
    """
    if response.is_success:
        return response
    error = error_of(response)
    if response.status_code in (429, 503):
        after = response.headers.get("retry-after", "")
        raise Passing(error, float(after) if after.isdigit() else None)
    raise error


def error_of(response: httpx.Response) -> GraphProfileError:
    """The error that a problem document tells of."""
    try:
        problem = response.json()
        detail, code, hint = str(problem["detail"]), str(problem["code"]), problem.get("hint")
    except (ValueError, KeyError, TypeError):
        # Not ours: a proxy's, most likely.
        detail, code, hint = f"HTTP {response.status_code}: {response.text[:200]}", "", None
    kind = _BY_CODE.get(code) or _BY_STATUS.get(response.status_code)
    if kind is None:
        kind = UsageError if 400 <= response.status_code < 500 else GraphProfileError
    return kind(detail, hint)


class EventVerdict(Document):
    """What became of one event: accepted | late | duplicate | conflict | rejected."""

    event_id: str | None
    outcome: str
    field: str | None = None
    reason: str | None = None


class Sent(Document):
    """What became of events that were sent; ``late`` ones are among the accepted.

    ``refused`` holds those in conflict or rejected, by their place among all that were sent.
    """

    sent: int = 0
    accepted: int = 0
    late: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    refused: dict[int, EventVerdict] = Field(default_factory=dict)

    def with_part(self, answer: Mapping[str, Any], rows: int) -> Sent:
        """With the answer to a further part."""
        names = ("accepted", "late", "duplicates", "conflicts", "rejected")
        refused = {
            self.sent + place: EventVerdict(**verdict)
            for place, verdict in enumerate(answer["events"])
            if verdict["outcome"] in ("conflict", "rejected")
        }
        return Sent(
            sent=self.sent + rows,
            refused=self.refused | refused,
            **{name: getattr(self, name) + answer[name] for name in names},
        )


class Upserted(Document):
    """What became of descriptions; ``refused`` is by their place among all that were sent."""

    sent: int = 0
    applied: int = 0
    unchanged: int = 0
    refused: dict[int, str] = Field(default_factory=dict)

    def with_part(self, answer: Mapping[str, Any], rows: int) -> Upserted:
        """With the answer to a further part."""
        refused = {self.sent + one["row"]: f"{one['field']}: {one['reason']}" for one in answer["rejected"]}
        return Upserted(
            sent=self.sent + rows,
            applied=self.applied + answer["applied"],
            unchanged=self.unchanged + answer["unchanged"],
            refused=self.refused | refused,
        )


class CypherRows(Document):
    """What a query answered; ``truncated`` says that there were more rows."""

    columns: list[str]
    rows: list[dict[str, Any]]
    truncated: bool
    milliseconds: float


class Calls:
    """The requests there are."""

    PROFILES_AT_ONCE = 100

    @staticmethod
    def profile(user_id: str, as_of: str | int | None) -> Call[Profile]:
        """``GET /v1/profiles/{id}``."""
        return _get(f"/v1/profiles/{_id(user_id)}", lambda r: Profile(**r.json()), as_of=as_of)

    @staticmethod
    def profiles(user_ids: Sequence[str]) -> Call[dict[str, Profile]]:
        """``GET /v1/profiles``."""

        def parse(response: httpx.Response) -> dict[str, Profile]:
            return {one["user_id"]: Profile(**one) for one in response.json()["profiles"]}

        return _get("/v1/profiles", parse, id=list(user_ids))

    @staticmethod
    def recommend(user_id: str, k: int, options: Mapping[str, Any]) -> Call[list[Recommendation]]:
        """``GET /v1/profiles/{id}/recommendations``."""
        return _get(f"/v1/profiles/{_id(user_id)}/recommendations", _results, k=k, **options)

    @staticmethod
    def similar_users(user_id: str, k: int) -> Call[list[Recommendation]]:
        """``GET /v1/profiles/{id}/similar``."""
        return _get(f"/v1/profiles/{_id(user_id)}/similar", _results, k=k)

    @staticmethod
    def similar_items(item_id: str, k: int, options: Mapping[str, Any]) -> Call[list[Recommendation]]:
        """``GET /v1/items/{id}/similar``."""
        return _get(f"/v1/items/{_id(item_id)}/similar", _results, k=k, **options)

    @staticmethod
    def explain(user_id: str, tag: str | None, item: str | None) -> Call[Explanation]:
        """``GET /v1/profiles/{id}/explain``."""
        path = f"/v1/profiles/{_id(user_id)}/explain"
        return _get(path, lambda r: Explanation(**r.json()), tag=tag, item=item)

    @staticmethod
    def feedback(user_id: str, as_of: str | int | None, everything: bool, limit: int) -> Call[Feedback]:
        """``GET /v1/profiles/{id}/feedback``."""
        path = f"/v1/profiles/{_id(user_id)}/feedback"
        asked = {"as_of": as_of, "all": "true" if everything else None, "limit": limit}
        return _get(path, lambda r: Feedback(**r.json()), **asked)

    @staticmethod
    def embeddings(user_ids: Sequence[str]) -> Call[Embeddings]:
        """``POST /v1/embeddings``."""
        options = {"json": {"ids": list(user_ids)}, "headers": {"Accept": ARROW}}
        return Call("POST", "/v1/embeddings", lambda r: Embeddings.from_arrow(r.content), options)

    @staticmethod
    def send_events(events: Sequence[Mapping[str, Any]], dry_run: bool) -> Call[dict[str, Any]]:
        """``POST /v1/events``."""
        options: dict[str, Any] = {"content": _rows(events), "headers": {"Content-Type": "application/json"}}
        if dry_run:
            options["params"] = {"dry_run": "true"}
        return Call("POST", "/v1/events", lambda r: dict(r.json()), options)

    @staticmethod
    def describe(kind: str, rows: Sequence[Mapping[str, Any]]) -> Call[dict[str, Any]]:
        """``POST /v1/users``, ``/v1/items`` or ``/v1/content``."""
        if kind not in ("users", "items", "content"):
            raise UsageError(f"{kind!r} cannot be described.", "Use users, items or content.")
        options = {"content": _rows(rows), "headers": {"Content-Type": "application/json"}}
        return Call("POST", f"/v1/{kind}", lambda r: dict(r.json()), options)

    @staticmethod
    def insight(name: str, parameters: Mapping[str, Any]) -> Call[list[dict[str, Any]]]:
        """``GET /v1/insights/{name}``."""
        return _get(f"/v1/insights/{_id(name)}", lambda r: list(r.json()["rows"]), **parameters)

    @staticmethod
    def cypher(
        query: str, parameters: Mapping[str, Any] | None, rows: int | None, seconds: float | None
    ) -> Call[CypherRows]:
        """``POST /v1/cypher``."""
        body = {"query": query, "parameters": dict(parameters or {}), "rows": rows, "seconds": seconds}
        given = {name: value for name, value in body.items() if value is not None}
        options = {"content": _json(given, "A parameter"), "headers": {"Content-Type": "application/json"}}
        return Call("POST", "/v1/cypher", lambda r: CypherRows(**r.json()), options)

    @staticmethod
    def page(path: str, query: Mapping[str, Any], cursor: str | None) -> Call[dict[str, Any]]:
        """A page of a list."""
        return _get(path, lambda r: dict(r.json()), **{**query, "cursor": cursor})

    @staticmethod
    def status() -> Call[dict[str, Any]]:
        """``GET /v1/status``."""
        return _get("/v1/status", lambda r: dict(r.json()))


def _get(path: str, parse: Callable[[httpx.Response], T], /, **query: Any) -> Call[T]:
    given = {name: value for name, value in query.items() if value is not None}
    return Call("GET", path, parse, {"params": given})


def _results(response: httpx.Response) -> list[Recommendation]:
    return [Recommendation(**one) for one in response.json()["results"]]


def _id(value: str) -> str:
    return quote(value, safe="")


def _rows(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return _json([dict(row) for row in rows], "A row")


def _json(document: Any, what: str) -> bytes:
    """A document as JSON; dates and NumPy's numbers are taken too.

    Raises:
        UsageError: Something in it has no place in JSON.
    """
    import orjson

    try:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z)
    except TypeError as error:
        raise UsageError(f"{what} cannot be sent: {error}.", "Use text, numbers, dates and lists.") from error
