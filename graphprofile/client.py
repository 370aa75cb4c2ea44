"""A client of the HTTP service, sync and async: typed answers, retries, batches, errors of the project's own tree.

Everything may be sent twice: an event that was taken in before is a duplicate. So what was lost on the way, and what
the server had no time for, is sent again, after the pause that the server names.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from graphprofile.calls import Call, Calls, CypherRows, Passing, Sent, checked
from graphprofile.calls import Upserted as Upserted
from graphprofile.errors import EngineUnavailable
from graphprofile.records import Explanation, Feedback, Profile, Recommendation, batched
from graphprofile.vectors import Embeddings

ATTEMPTS = 5
ROWS_AT_ONCE = 1_000
LONGEST_PAUSE_SECONDS = 60.0
TIMEOUT_SECONDS = 60.0

Row = Mapping[str, Any]
_UNNAMED_PAUSE = wait_random_exponential(multiplier=0.1, max=5.0)


def _pause(state: RetryCallState) -> float:
    """As long as the server says, else a random time that grows."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Passing) and error.pause is not None:
        return min(error.pause, LONGEST_PAUSE_SECONDS)
    return float(_UNNAMED_PAUSE(state))


class Client:
    """Speaks to one server; a context manager.

    Args:
        url: Where it is: ``http://127.0.0.1:8800``.
        key: An API key; none is needed where the server asks for none.
        attempts: How often something is tried that may work next time.
        timeout: Seconds to wait for an answer.
        **options: Further ones of :class:`httpx.Client`, such as ``verify``.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        attempts: int = ATTEMPTS,
        timeout: float = TIMEOUT_SECONDS,
        **options: Any,
    ) -> None:
        self._http = httpx.Client(base_url=url, headers=_headers(key), timeout=timeout, **options)
        self._attempts = attempts

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, call: Call[Any]) -> Any:
        retrying = Retrying(
            retry=retry_if_exception_type(Passing),
            wait=_pause,
            stop=stop_after_attempt(self._attempts),
            reraise=True,
        )
        try:
            return call.parse(retrying(self._once, call))
        except Passing as passing:
            raise passing.error from passing.__cause__

    def _once(self, call: Call[Any]) -> httpx.Response:
        try:
            return checked(self._http.request(call.method, call.path, **call.options))
        except httpx.TransportError as error:
            raise Passing(_unreachable(self._http.base_url, error), None) from error

    def profile(self, user_id: str, *, as_of: str | int | None = None) -> Profile:
        """One user's profile.

        Raises:
            NotFound: No such user.
        """
        profile: Profile = self._run(Calls.profile(user_id, as_of))
        return profile

    def profiles(self, user_ids: Sequence[str]) -> dict[str, Profile]:
        """Profiles by id; who does not exist is left out."""
        found: dict[str, Profile] = {}
        for part in batched(user_ids, Calls.PROFILES_AT_ONCE):
            found |= self._run(Calls.profiles(part))
        return found

    def recommend(self, user_id: str, k: int = 10, **options: Any) -> list[Recommendation]:
        """What to offer a user.

        Args:
            user_id: For whom.
            k: How many.
            **options: ``kind``, ``tag``, ``where``, ``available``, ``allow_seen``, ``diversity``, ``exact``,
                ``method``.

        Raises:
            NotFound: No such user.
            NoModel: Nothing has been trained yet.
        """
        found: list[Recommendation] = self._run(Calls.recommend(user_id, k, options))
        return found

    def similar_users(self, user_id: str, k: int = 10) -> list[Recommendation]:
        """The users nearest to a user."""
        found: list[Recommendation] = self._run(Calls.similar_users(user_id, k))
        return found

    def similar_items(self, item_id: str, k: int = 10, **options: Any) -> list[Recommendation]:
        """The items nearest to an item; options as for :meth:`recommend`."""
        found: list[Recommendation] = self._run(Calls.similar_items(item_id, k, options))
        return found

    def explain(self, user_id: str, *, tag: str | None = None, item: str | None = None) -> Explanation:
        """Why a user has a tag, or why an item is recommended."""
        found: Explanation = self._run(Calls.explain(user_id, tag, item))
        return found

    def feedback(
        self, user_id: str, *, as_of: str | int | None = None, all: bool = False, limit: int = 100
    ) -> Feedback:
        """Where what a user says disagrees with what the user does; with ``all`` also where both agree.

        Raises:
            NotFound: No such user.
        """
        found: Feedback = self._run(Calls.feedback(user_id, as_of, all, limit))
        return found

    def embeddings(self, user_ids: Sequence[str]) -> Embeddings:
        """Vectors of any number of users, all of one model; who does not exist is named in ``missing``.

        Raises:
            ModelError: The model was switched between two parts of the answer; ask again.
        """
        return Embeddings.joined(
            [self._run(Calls.embeddings(part)) for part in batched(user_ids, ROWS_AT_ONCE)]
        )

    def send_events(self, events: Iterable[Row], *, dry_run: bool = False) -> Sent:
        """Send any number of events, a thousand at a time.

        Give each an ``event_id``: then sending one again is harmless, whoever does it.
        """
        sent = Sent()
        for part in batched(events, ROWS_AT_ONCE):
            sent = sent.with_part(self._run(Calls.send_events(part, dry_run)), len(part))
        return sent

    def describe(self, kind: str, rows: Iterable[Row]) -> Upserted:
        """Describe any number of ``users``, ``items`` or ``content``."""
        total = Upserted()
        for part in batched(rows, ROWS_AT_ONCE):
            total = total.with_part(self._run(Calls.describe(kind, part)), len(part))
        return total

    def insight(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of an insight."""
        rows: list[dict[str, Any]] = self._run(Calls.insight(name, parameters))
        return rows

    def cypher(
        self,
        query: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
    ) -> CypherRows:
        """Run a Cypher query that only reads; its key needs the scope admin.

        Args:
            query: One statement.
            parameters: Its parameters.
            rows: At most so many; None for as many as the server allows.
            seconds: After these it is ended; None for as many as the server allows.

        Raises:
            QueryTimeout: It took longer.
            QueryTooLarge: It needs more memory than the engine gives, or answers more than is taken.
            UsageError: It does more than read, or cannot be run as it stands.
        """
        found: CypherRows = self._run(Calls.cypher(query, parameters, rows, seconds))
        return found

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Pages of a list, such as ``/v1/users``, one after the other."""
        page: dict[str, Any] = {"next": None}
        while True:
            page = self._run(Calls.page(path, query, page["next"]))
            yield page
            if page["next"] is None:
                return

    def status(self) -> dict[str, Any]:
        """Counts, batches, lag, model."""
        found: dict[str, Any] = self._run(Calls.status())
        return found


class AsyncClient:
    """The same for asyncio; an async context manager.

    Args:
        url: As for :class:`Client`.
        key: As for :class:`Client`.
        attempts: As for :class:`Client`.
        timeout: As for :class:`Client`.
        **options: Further ones of :class:`httpx.AsyncClient`.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        attempts: int = ATTEMPTS,
        timeout: float = TIMEOUT_SECONDS,
        **options: Any,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, headers=_headers(key), timeout=timeout, **options)
        self._attempts = attempts

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, call: Call[Any]) -> Any:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Passing),
            wait=_pause,
            stop=stop_after_attempt(self._attempts),
            reraise=True,
        )
        try:
            return call.parse(await retrying(self._once, call))
        except Passing as passing:
            raise passing.error from passing.__cause__

    async def _once(self, call: Call[Any]) -> httpx.Response:
        try:
            return checked(await self._http.request(call.method, call.path, **call.options))
        except httpx.TransportError as error:
            raise Passing(_unreachable(self._http.base_url, error), None) from error

    async def profile(self, user_id: str, *, as_of: str | int | None = None) -> Profile:
        """As :meth:`Client.profile`."""
        profile: Profile = await self._run(Calls.profile(user_id, as_of))
        return profile

    async def profiles(self, user_ids: Sequence[str]) -> dict[str, Profile]:
        """As :meth:`Client.profiles`."""
        found: dict[str, Profile] = {}
        for part in batched(user_ids, Calls.PROFILES_AT_ONCE):
            found |= await self._run(Calls.profiles(part))
        return found

    async def recommend(self, user_id: str, k: int = 10, **options: Any) -> list[Recommendation]:
        """As :meth:`Client.recommend`."""
        found: list[Recommendation] = await self._run(Calls.recommend(user_id, k, options))
        return found

    async def similar_users(self, user_id: str, k: int = 10) -> list[Recommendation]:
        """As :meth:`Client.similar_users`."""
        found: list[Recommendation] = await self._run(Calls.similar_users(user_id, k))
        return found

    async def similar_items(self, item_id: str, k: int = 10, **options: Any) -> list[Recommendation]:
        """As :meth:`Client.similar_items`."""
        found: list[Recommendation] = await self._run(Calls.similar_items(item_id, k, options))
        return found

    async def explain(self, user_id: str, *, tag: str | None = None, item: str | None = None) -> Explanation:
        """As :meth:`Client.explain`."""
        found: Explanation = await self._run(Calls.explain(user_id, tag, item))
        return found

    async def feedback(
        self, user_id: str, *, as_of: str | int | None = None, all: bool = False, limit: int = 100
    ) -> Feedback:
        """As :meth:`Client.feedback`."""
        found: Feedback = await self._run(Calls.feedback(user_id, as_of, all, limit))
        return found

    async def embeddings(self, user_ids: Sequence[str]) -> Embeddings:
        """As :meth:`Client.embeddings`."""
        return Embeddings.joined(
            [await self._run(Calls.embeddings(part)) for part in batched(user_ids, ROWS_AT_ONCE)]
        )

    async def send_events(self, events: Iterable[Row] | AsyncIterable[Row], *, dry_run: bool = False) -> Sent:
        """As :meth:`Client.send_events`; takes an async iterable too."""
        sent = Sent()
        async for part in _async_parts(events, ROWS_AT_ONCE):
            sent = sent.with_part(await self._run(Calls.send_events(part, dry_run)), len(part))
        return sent

    async def describe(self, kind: str, rows: Iterable[Row]) -> Upserted:
        """As :meth:`Client.describe`."""
        total = Upserted()
        for part in batched(rows, ROWS_AT_ONCE):
            total = total.with_part(await self._run(Calls.describe(kind, part)), len(part))
        return total

    async def insight(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """As :meth:`Client.insight`."""
        rows: list[dict[str, Any]] = await self._run(Calls.insight(name, parameters))
        return rows

    async def cypher(
        self,
        query: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
    ) -> CypherRows:
        """As :meth:`Client.cypher`."""
        found: CypherRows = await self._run(Calls.cypher(query, parameters, rows, seconds))
        return found

    async def pages(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """As :meth:`Client.pages`."""
        page: dict[str, Any] = {"next": None}
        while True:
            page = await self._run(Calls.page(path, query, page["next"]))
            yield page
            if page["next"] is None:
                return

    async def status(self) -> dict[str, Any]:
        """As :meth:`Client.status`."""
        found: dict[str, Any] = await self._run(Calls.status())
        return found


async def _async_parts(rows: Iterable[Row] | AsyncIterable[Row], size: int) -> AsyncIterator[list[Row]]:
    if not isinstance(rows, AsyncIterable):
        for whole in batched(rows, size):
            yield whole
        return
    part: list[Row] = []
    async for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _unreachable(url: httpx.URL, error: Exception) -> EngineUnavailable:
    return EngineUnavailable(
        f"{url}: {error or type(error).__name__}.", "Is `graphprofile serve` running there?"
    )
