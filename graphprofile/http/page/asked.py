"""What a person asked for in an address, checked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request

from graphprofile.http.caller import Caller, an_id, clean_text, with_slashes
from graphprofile.http.problems import invalid
from graphprofile.http.routes_profiles import when
from graphprofile.vocabulary import Vocabulary

MOST_TEXT = 512

When = Annotated[str | None, Query(alias="as_of", max_length=40)]
EventName = Annotated[str | None, Query(alias="event", max_length=MOST_TEXT)]
TagKind = Annotated[str, Path(max_length=600)]
TagName = Annotated[str, Path(max_length=600)]


def a_time(as_of: str | None) -> int | None:
    """A time as epoch ms; an empty field of a form is none."""
    return when(as_of.strip() or None) if as_of is not None else None


def a_text(value: str, pointer: str) -> str:
    """A text that an engine takes.

    Raises:
        Refusal: It holds NUL or half characters.
    """
    return clean_text(with_slashes(value, pointer).strip(), pointer)


def sent_fields(request: Request, most: int) -> list[tuple[str, str]]:
    """What a form sent in its address, field by field.

    Raises:
        Refusal: More fields than any form of ours has, or a text that no engine takes.
    """
    pairs = request.query_params.multi_items()
    if len(pairs) > most:
        raise invalid("query", f"has more than {most} fields")
    return [(clean_text(name), clean_text(value)) for name, value in pairs]


def event_types(vocabulary: Vocabulary, event: str | None) -> tuple[str, ...]:
    """The relationship types of one kind of event, or of all.

    Raises:
        Refusal: There is no such kind.
    """
    if not event:
        return tuple(vocabulary.types)
    rule = vocabulary.events.get(event)
    if rule is None:
        raise invalid(
            "query/event", "is no type of event", f"There are: {', '.join(sorted(vocabulary.events))}."
        )
    return (rule.type,)


def a_tag(kind: str, name: str) -> tuple[str, str]:
    """Kind and name of a tag from a path."""
    return an_id(kind, "path/kind"), an_id(name, "path/name")


def shown_name(caller: Caller, properties: dict[str, Any], otherwise: str) -> str:
    """What somebody is called on the page, as far as this caller may see it."""
    name = caller.show({"properties": properties})["properties"].get("name")
    return str(name) if name not in (None, "") else otherwise
