"""How pages are made: templates, links, numbers as people write them, and errors as pages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Request, Response
from markupsafe import Markup
from pydantic import BaseModel

from graphprofile import __version__
from graphprofile.http.caller import Caller
from graphprofile.http.page import charts_profile
from graphprofile.http.page.files import static_url
from graphprofile.http.problems import Refusal

HERE = Path(__file__).parent
PAGES = (
    ("search", "/", "Search"),
    ("audience", "/audience", "Audience"),
    ("insights", "/insights", "Insights"),
    ("models", "/models", "Models"),
    ("data", "/data", "Data"),
    ("console", "/console", "Console"),
)
"""Sections in the order of the navigation: name, path, title."""

PLOTLY_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
)
"""Of two style elements that Plotly makes: an empty one, which it fills by script, and one for maps."""
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {' '.join(PLOTLY_STYLES)}; "
    "style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Plotly sets style attributes, too; everything else is files of our own."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "HX-Request",
}


@dataclass(frozen=True)
class Made:
    """What was made of masked documents, such as a plot or a form: its keys are nobody's properties."""

    value: Any


def page(
    caller: Caller, template: str, /, *, title: str, section: str = "", status: int = 200, **documents: Any
) -> Response:
    """A whole page.

    Args:
        caller: Who asks; what it may not see is taken out of the documents.
        template: File in ``templates``.
        title: Of the page.
        section: Of :data:`PAGES`, marked in the navigation.
        status: Of the answer.
        **documents: What the template shows: records, and plain values as JSON has them; :class:`Made` for what
            was made of masked ones.
    """
    given = {"title": title, "section": section, "user": caller.principal, "refused": None}
    return _html(template, status, {**_shown(caller, documents), **given})


def fragment(caller: Caller, template: str, /, *, status: int = 200, **documents: Any) -> Response:
    """A part of a page, for htmx."""
    return _html(template, status, _shown(caller, documents))


def part(
    caller: Caller,
    template: str,
    /,
    *,
    title: str,
    back: tuple[str, str] | tuple[str, str, str],
    **documents: Any,
) -> Response:
    """A part of a page for htmx; for a browser without scripts a page of its own.

    Args:
        caller: Who asks.
        template: Of the part.
        title: Of the page of its own.
        back: What it belongs to, where that page leads back to: kind and id, of a tag also its kind.
        **documents: As for :func:`page`.
    """
    if is_fragment(caller.request):
        return fragment(caller, template, **documents)
    whole = {"kind": back[0], "id": back[1], "of_kind": "".join(back[2:])}
    return page(caller, "part.html", title=title, section="search", part=template, back=[whole], **documents)


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part, and not a browser for a page."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers


def error_page(request: Request, refusal: Refusal) -> Response:
    """An error as a page, or as a part of one."""
    principal = getattr(request.state, "principal", None)
    given = {
        "title": "That did not work" if refusal.status >= 500 else "That cannot be shown",
        "section": "",
        "user": principal,
        "refused": {
            "status": refusal.status,
            "detail": refusal.detail,
            "hint": refusal.hint,
            "request_id": getattr(request.state, "request_id", None),
        },
    }
    template = "_error.html" if is_fragment(request) else "error.html"
    answer = _html(template, refusal.status, given)
    answer.headers.update(refusal.headers)
    return answer


def _html(template: str, status: int, given: Mapping[str, Any]) -> Response:
    text = environment().get_template(template).render(given)
    return Response(text, status, media_type="text/html", headers=HEADERS)


def _shown(caller: Caller, documents: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(one.value) if isinstance(one, Made) else caller.show(_plain(one))
        for name, one in documents.items()
    }


def _plain(value: Any) -> Any:
    """Records as documents: the masks know those, and nothing else reaches a template."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} is no document")


@cache
def environment() -> jinja2.Environment:
    """The templates, every value escaped, and a name that is not there an error."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(
        pages=PAGES, version=__version__, static=static_url, path=path, query=query, href=object_path
    )
    # Drawn by the templates: what they are given is masked, what a figure is made of would not be.
    found.globals["charts"] = charts_profile
    found.filters.update(
        number=number, day=day, moment=moment, percent=percent, ago=ago, mark=mark, signed=signed
    )
    return found


def path(*pieces: Any) -> str:
    """A path of these pieces, each percent-encoded; nowhere, where one is hidden from who asks."""
    if not all(isinstance(piece, str) for piece in pieces):
        return ""
    return "/" + "/".join(quote(piece, safe="") for piece in pieces)


def object_path(kind: str | None, id_: str) -> str:
    """Where a user, an item or content is shown; nowhere, where the kind is hidden from who asks."""
    places = {"user": "users", "item": "items", "content": "content"}
    return path(places[kind.lower()], id_) if kind else ""


def query(**values: Any) -> str:
    """``?a=b``, without what is None or empty."""
    given = [(name, one) for name, value in values.items() for one in _each(value) if one not in (None, "")]
    return "?" + urlencode(given) if given else ""


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def number(value: Any, digits: int = 0) -> str:
    """A number with groups of thousands; a dash where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, float) and not digits and abs(value) < 1 and value:
        return f"{value:.3g}"
    return f"{value:,.{digits}f}"


def signed(value: float | None) -> str:
    """A number between -1 and 1 with its sign; a dash where there is none."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def percent(value: float | None, digits: int = 0) -> str:
    """A share as percent."""
    return "–" if value is None else f"{100 * value:.{digits}f}%"


def day(value: str | None) -> str:
    """The day of an ISO time."""
    return "–" if not value else value[:10]


def moment(value: str | None) -> str:
    """An ISO time to the minute."""
    return "–" if not value else f"{value[:10]} {value[11:16]} UTC" if len(value) > 10 else value


def ago(value: str | None) -> str:
    """How long ago an ISO time was."""
    if not value:
        return "never"
    then = datetime.fromisoformat(value.replace("Z", "+00:00"))
    seconds = (datetime.now(UTC) - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()
    for size, unit in ((86_400 * 365, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def mark(text: str, searched: str) -> Markup:
    """A text with what was searched for marked."""
    at = text.lower().find(searched.lower()) if searched else -1
    # Lower case may have another length: then nothing is marked rather than the wrong thing.
    if at < 0 or len(text.lower()) != len(text):
        # Escaped just here.
        return Markup(Markup.escape(text))  # nosec B704
    end = at + len(searched)
    return Markup("{}<mark>{}</mark>{}").format(text[:at], text[at:end], text[end:])
