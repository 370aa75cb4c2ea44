"""Signing in and out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request, Response

from graphprofile.http.caller import Caller
from graphprofile.http.gate import LONGEST_NEXT
from graphprofile.http.keys import NOBODY
from graphprofile.http.page.sessions import COOKIE, HOURS
from graphprofile.http.page.site import HEADERS, page
from graphprofile.http.problems import Refusal

router = APIRouter(include_in_schema=False)

FORM = "application/x-www-form-urlencoded"
MAX_FORM = 16_384
Next = Annotated[str, Query(alias="next", max_length=LONGEST_NEXT)]


@router.get("/login")
async def ask_key(request: Request, to: Next = "/") -> Response:
    """Ask for a key."""
    return page(Caller(request), "login.html", title="Sign in", to=_inside(to), wrong=None)


@router.post("/login")
async def login(request: Request) -> Response:
    """Take a key, and give a cookie for it."""
    caller, service = Caller(request), request.app.state.service
    given = await _form(request)
    address = request.client.host if request.client else ""
    wait = service.failures.spent(address)
    if wait:
        raise Refusal(
            429, "too_many_requests", "Too many wrong keys came from this address.", "Wait, then try again."
        )
    to = _inside(given.get("next", "/"))
    found = service.keys.find(given.get("key", "").strip())
    if found is None:
        service.failures.wait(address)
        caller.note("login", "denied")
        wrong = "The key is unknown, ended or revoked."
        return page(caller, "login.html", title="Sign in", status=401, to=to, wrong=wrong)
    service.audit.note(caller.request_id, found.key_id, "login", "ok")
    service.sessions.end(request.cookies.get(COOKIE, ""))
    # Behind a proxy that speaks TLS only the browser's own word tells that it came by it.
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
    answer = Response(status_code=303, headers={**HEADERS, "Location": to})
    answer.set_cookie(
        COOKIE,
        service.sessions.begin(found.key_id),
        max_age=HOURS * 3600,
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the session."""
    request.app.state.service.sessions.end(request.cookies.get(COOKIE, ""))
    caller = Caller(request)
    if caller.principal.key_id != NOBODY:
        caller.note("logout", "ok")
    answer = Response(status_code=303, headers={**HEADERS, "Location": "/login"})
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small form.

    Raises:
        Refusal: It is none, or too large.
    """
    if request.headers.get("content-type", "").partition(";")[0] != FORM:
        raise Refusal(415, "unsupported_media_type", "That is no form.", f"Send {FORM}.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            raise Refusal(
                413, "too_large", f"The form is above {MAX_FORM:,} bytes.", headers={"Connection": "close"}
            )
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        raise Refusal(400, "bad_request", "That is not the form of this page.") from None
    return {name: values[0] for name, values in fields.items()}


def _inside(to: str) -> str:
    """A path of this server: nobody is sent elsewhere after signing in."""
    safe = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return quote(to, safe="/?&=%:;,@+~!*'()") if safe else "/"
