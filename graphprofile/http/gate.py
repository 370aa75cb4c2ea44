"""What every request passes before a handler sees it: host, origin, key, rate, size and time."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import structlog
from starlette.requests import cookie_parser

from graphprofile.errors import GraphProfileError
from graphprofile.http.keys import NOBODY, OPEN, Principal
from graphprofile.http.page.files import PREFIX as STATIC
from graphprofile.http.page.sessions import COOKIE
from graphprofile.http.problems import MEDIA_TYPE, RETRY_SECONDS, Refusal, problem_bytes, refusal_of
from graphprofile.http.service import Service

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
PROBES = ("/healthz", "/readyz")
API = "/v1"
FOR_PROGRAMS = (API, *PROBES, "/metrics")
SIGN_IN = ("/login", "/logout")
"""Paths that, with scripts and styles, anybody may ask for: they tell nothing of the graph."""
LONGEST_NEXT = 2_000
"""Of the address that somebody comes back to after signing in."""
SLASH = "\x00"
"""Stands for a slash inside an id while a path is routed; no id holds it."""
SEND_SECONDS = 60.0

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
_BEARER = re.compile(r"[Bb]earer ([\x21-\x7e]+)")
_UNROUTED = "unknown"


class Gate:
    """Wraps the application.

    Args:
        app: The application behind.
        service: What the handlers share.
    """

    def __init__(self, app: Any, service: Service) -> None:
        self._app = app
        self._service = service
        options = service.options
        self._needs_host = [*LOOPBACK_NAMES, *options.allowed_hosts]
        if not _is_any(options.host):
            self._needs_host.append(_bracketed(options.host))
        self._checks_host = is_loopback(options.host) or bool(options.allowed_hosts)
        self._origins = frozenset(options.cors_origins)
        self._log = structlog.get_logger()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        await _Passage(self, scope, receive, send).run()

    def principal(self, scope: Any, headers: dict[bytes, bytes]) -> Principal:
        """Who asks.

        Raises:
            Refusal: No key, or one that does not hold.
        """
        keys, address = self._service.keys, _address(scope)
        if not keys.any():
            return OPEN
        given, path = headers.get(b"authorization"), scope["path"]
        if given is None:
            # The API takes no cookie: no page of another site can make a browser use it.
            signed_in = None if path.startswith(API) else self._signed_in(headers)
            if signed_in is not None:
                return signed_in
            if (path in PROBES and is_loopback(address)) or path in SIGN_IN or path.startswith(STATIC):
                return Principal(NOBODY, "", frozenset())
            raise _unauthorized("A key is needed.", "Send `Authorization: Bearer gpk_…`.")
        wait = self._service.failures.spent(address)
        if wait:
            raise _too_many(wait, "Too many wrong keys came from this address.")
        match = _BEARER.fullmatch(given.decode("latin-1").strip())
        found = keys.find(match[1]) if match else None
        if found is None:
            self._service.failures.wait(address)
            raise _unauthorized("The key is unknown, ended or revoked.", "Ask for a new one.")
        return found

    def _signed_in(self, headers: dict[bytes, bytes]) -> Principal | None:
        """Whose session a cookie names, while the key behind it holds."""
        # As browsers write them and other programs on the host leave them: no cookie spoils another.
        cookie = cookie_parser(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
        key_id = self._service.sessions.key_id(cookie) if cookie else None
        return self._service.keys.holder(key_id) if key_id else None

    def check_origin(self, scope: Any, headers: dict[bytes, bytes]) -> None:
        """Refuse what a page of another site makes a browser send.

        Raises:
            Refusal: Host or Origin is not one of ours.
        """
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        if self._checks_host and name not in self._needs_host:
            raise Refusal(
                421,
                "wrong_host",
                "This server does not answer to that name.",
                "Name it in allowed_hosts under [http] in graphprofile.toml, if it is yours.",
            )
        origin = headers.get(b"origin")
        if origin is None:
            return
        given = origin.decode("latin-1").lower()
        own = f"{scope['scheme']}://{host}"
        if given not in (own, f"https://{host}") and given not in self._origins:
            raise Refusal(
                403,
                "wrong_origin",
                "Pages of that origin may not ask this server.",
                "Name it in cors_origins under [http] in graphprofile.toml, if it is yours.",
            )


class _Passage:
    """One request on its way through."""

    def __init__(self, gate: Gate, scope: Any, receive: Receive, send: Send) -> None:
        self._gate, self._service = gate, gate._service
        self._scope, self._receive_inner, self._send_inner = scope, receive, send
        self._headers = dict(reversed(scope["headers"]))
        given = self._headers.get(b"x-request-id", b"")
        self._id = given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        self._status = 0
        self._code: str | None = None
        self._principal: Principal | None = None
        self._read = 0
        self._deadline = 0.0

    async def run(self) -> None:
        metrics = self._service.metrics
        started = time.perf_counter()
        metrics.in_flight.inc()
        try:
            try:
                self._enter()
                await self._gate._app(self._scope, self._receive, self._send)
            except Refusal as refusal:
                await self._refuse(refusal)
            except GraphProfileError as error:
                self._gate._log.warning("failed", request_id=self._id, code=error.code, message=error.message)
                await self._refuse(refusal_of(error))
            except Exception as error:
                self._gate._log.error("internal", request_id=self._id, error=repr(error), exc_info=True)
                await self._refuse(Refusal(500, "internal", "The server failed.", "Its log says more."))
        finally:
            metrics.in_flight.dec()
            seconds = time.perf_counter() - started
            route = getattr(self._scope.get("route"), "path", _UNROUTED)
            method = self._scope["method"] if route != _UNROUTED else "ANY"
            metrics.seconds.labels(route, method, str(self._status)).observe(seconds)
            if self._code is not None:
                metrics.refused.labels(self._code).inc()
            self._gate._log.info(
                "request",
                request_id=self._id,
                method=self._scope["method"],
                route=route,
                status=self._status,
                code=self._code,
                key=self._principal.key_id if self._principal else None,
                milliseconds=round(seconds * 1000, 2),
            )

    def _enter(self) -> None:
        """Everything that is checked before the body.

        Raises:
            Refusal: Something does not hold.
        """
        service, scope, headers = self._service, self._scope, self._headers
        scope["path"] = routed_path(scope.get("raw_path") or scope["path"].encode())
        state = scope.setdefault("state", {})
        state["request_id"] = self._id
        names = [name for name, _ in scope["headers"]]
        if any(names.count(name) > 1 for name in (b"host", b"authorization", b"origin", b"content-type")):
            raise Refusal(400, "bad_request", "A header stands there twice that may stand there once.")
        self._gate.check_origin(scope, headers)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            return
        self._principal = state["principal"] = self._gate.principal(scope, headers)
        if service.draining and scope["path"] not in PROBES:
            raise Refusal(
                503,
                "going_down",
                "The server is going down.",
                "Ask another one, or again in a moment.",
                headers={"Retry-After": str(RETRY_SECONDS), "Connection": "close"},
            )
        key_id = self._principal.key_id
        caller = key_id if key_id != NOBODY else _address(scope)
        if scope["path"] not in PROBES:
            wait = service.rate.wait(caller)
            if wait:
                raise _too_many(wait, "Too many requests for this key.")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > service.options.max_body_bytes:
            raise self._too_large()

    def _too_large(self) -> Refusal:
        limit = self._service.options.max_body_bytes
        return Refusal(
            413,
            "too_large",
            f"The body is above {limit:,} bytes.",
            "Send it in parts.",
            headers={"Connection": "close"},
        )

    async def _receive(self) -> Message:
        """The next piece of the body; all of it within a time and a size.

        Raises:
            Refusal: It is too large or too slow.
        """
        if not self._deadline:
            self._deadline = time.monotonic() + self._service.options.body_seconds
        if self._status:
            # An answer has begun: the client is only watched for going away.
            return await self._receive_inner()
        try:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                message = await self._receive_inner()
        except TimeoutError:
            raise Refusal(
                408,
                "too_slow",
                "The body took too long to come.",
                "Send it faster, or in parts.",
                headers={"Connection": "close"},
            ) from None
        self._read += len(message.get("body", b""))
        if self._read > self._service.options.max_body_bytes:
            raise self._too_large()
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = list(message.get("headers", []))
            headers.append((b"x-request-id", self._id.encode()))
            headers.append((b"x-content-type-options", b"nosniff"))
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            if self._service.options.tls_cert:
                headers.append((b"strict-transport-security", b"max-age=31536000"))
            message = {**message, "headers": headers}
            if self._status >= 400 and self._code is None:
                self._code = self._scope.get("state", {}).get("code")
        # A client that does not read its answer holds nothing for ever.
        async with asyncio.timeout(SEND_SECONDS):
            await self._send_inner(message)

    async def _refuse(self, refusal: Refusal) -> None:
        if self._status:
            # Too late for another answer: the connection is cut, so that nobody takes half of one for the whole.
            raise ConnectionAbortedError(refusal.detail)
        self._code = refusal.code
        accept = self._headers.get(b"accept", b"").decode("latin-1")
        if refusal.status == 401 and wants_page(self._scope["path"], accept):
            await self._to_sign_in()
            return
        body = problem_bytes(
            refusal.status,
            refusal.code,
            refusal.detail,
            refusal.hint,
            instance=None,
            request_id=self._id,
            errors=refusal.errors,
        )
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
        await self._send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _to_sign_in(self) -> None:
        """A person without a key is asked for one, and comes back to the same page."""
        to = b"/login"
        if self._scope["method"] == "GET" and b"hx-request" not in self._headers:
            asked = self._scope.get("raw_path", b"/") + b"?" + self._scope.get("query_string", b"")
            if len(asked) <= LONGEST_NEXT:
                to += b"?next=" + quote(asked.rstrip(b"?"), safe="").encode()
        headers = [(b"location", to), (b"content-length", b"0")]
        status = 303
        if b"hx-request" in self._headers:
            headers, status = [(b"hx-redirect", to), (b"content-length", b"0")], 401
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": b""})


def wants_page(path: str, accept: str) -> bool:
    """Whether an answer is for a person: HTML is asked for, and the path is not one for programs."""
    return not path.startswith(FOR_PROGRAMS) and "text/html" in accept


def routed_path(raw: bytes) -> str:
    """A path as it is routed: decoded piece by piece, a slash inside a piece being kept apart.

    Raises:
        Refusal: It is no UTF-8, or holds NUL.
    """
    if b"%" not in raw:
        return raw.decode("ascii", "strict") if raw.isascii() else _bad_path()
    pieces = []
    for piece in raw.split(b"/"):
        try:
            text = unquote_to_bytes(piece).decode("utf-8")
        except UnicodeDecodeError:
            _bad_path()
        if "\x00" in text:
            _bad_path()
        pieces.append(text.replace("/", SLASH))
    return "/".join(pieces)


def _bad_path() -> Any:
    raise Refusal(400, "bad_request", "The path is not UTF-8, or holds NUL.")


def is_loopback(host: str) -> bool:
    """Whether an address or name leads to this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    # Compared with, not listened on.
    return host in ("0.0.0.0", "::", "")  # nosec B104


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def _address(scope: Any) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _unauthorized(detail: str, hint: str) -> Refusal:
    return Refusal(
        401, "unauthorized", detail, hint, headers={"WWW-Authenticate": 'Bearer realm="graphprofile"'}
    )


def _too_many(wait: float, detail: str) -> Refusal:
    return Refusal(
        429,
        "too_many_requests",
        detail,
        "Wait, then go on.",
        headers={"Retry-After": str(max(1, math.ceil(wait)))},
    )
