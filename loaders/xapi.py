"""Learning statements of the Experience API (xAPI): JSON Lines, one JSON array, or what a query of an LRS returns.

Followed: ADL's Experience API 1.0.3, part two, and what IEEE 9274.1.1 (2.0) adds to statements. Verbs are those of
ADL's vocabulary, of Activity Streams 1.0 and of the Tin Can registry, as the profiles that ADL publishes name them.
What is decided stands in ``docs/loaders/xapi.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

from .linked_data import (
    Refused,
    duration,
    each_once,
    extensions,
    fields,
    iri,
    last_part,
    number,
    shown,
    translated,
    word,
)
from .values import columns, values
from .xapi_people import actors, agent_id, identified, named_people
from .xapi_verbs import LEFT_OUT, VOIDED, event_type

if TYPE_CHECKING:
    import polars as pl

ANY_TYPE = "*"
"""A voided statement is named by its id only."""
PROFILES = ("https://w3id.org/xapi/",)
"""Categories whose ids begin like this say which rules a statement keeps, not what it is about; so do these types:"""
PROFILE_TYPES = frozenset({"profile", "recipe", "source"})

OF_A_STATEMENT = "about a statement, not about a thing"
NOT_AN_ACTIVITY = "no activity is described"
NO_NAME = "no name of a person"

_KINDS: tuple[Kind, ...] = ("users", "content", "events")
_CONTEXTS = (("category", "category"), ("grouping", "grouping"), ("parent", "parent"))
_STATEMENT = ("id", "actor", "verb", "object", "result", "context", "timestamp", "stored")
_EVENT = (
    *("_row", "_reject", "_skip", "event_id", "user_id", "event_type", "object_id", "object_kind"),
    *("timestamp", "value", "retracted", "verb", "success", "completion", "response"),
    *("score_scaled", "score_raw", "score_min", "score_max", "duration_seconds", "duration"),
    *("registration", "platform", "language", "revision"),
)
_ALWAYS = 10
"""So many columns of an event are there also where no row has them."""
_NOTHING = (None,) * (len(_EVENT) - _ALWAYS)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")

_Row = tuple[Any, ...]


class XapiLoader:
    """Statements as events, activities as content, people by their names."""

    name = "xapi"
    summary = (
        "xAPI learning statements (JSON Lines, an array, or an LRS's answer): events, activities, people"
    )
    time_zone = "UTC"

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file once for each kind of record it may hold.

        Raises:
            SourceError: A kind that statements do not hold.
        """
        if kind is not None and kind not in _KINDS:
            raise _no_such(kind)
        return [
            SourceFile(path, each, "json", inside=("statements",))
            for each in _KINDS
            if kind in (None, each)
            for path in paths
        ]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Statements as generic columns; what a group without a name of its own did, each member did.

        Raises:
            SourceError: A kind that statements do not hold.
        """
        if kind not in _KINDS:
            raise _no_such(kind)
        return {"events": _events, "users": _users, "content": _content}[kind](frame)


def _no_such(kind: Kind) -> SourceError:
    return SourceError(f"Statements hold no {kind}.", "The kinds are users, content and events.")


def _time(timestamp: Any, stored: Any) -> str | None:
    """When it happened; where nobody says, when it was stored, as an LRS would set it."""
    if timestamp is not None:
        return word(timestamp, "timestamp")
    return word(stored, "stored")


# --- what -----------------------------------------------------------------------------------------------------


def _verb(verb: Any) -> str:
    found = iri(fields(verb, "verb").get("id"), "verb.id")
    if found is None:
        raise Refused("verb.id: is missing" if verb is not None else "verb: is missing")
    return found


def _thing(thing: Mapping[str, Any]) -> tuple[str, str]:
    """Id and kind of what it is about."""
    sort = thing.get("objectType")
    if sort is None or sort == "Activity":
        found, kind = iri(thing.get("id"), "object.id"), "content"
        if found is None:
            raise Refused("object.id: is missing")
    elif sort == "Agent" or sort == "Group":
        found, kind = agent_id(thing, "object"), "user"
        if found is None:
            raise Refused(f"object: nothing identifies this {sort}: mbox, mbox_sha1sum, openid or account")
    else:
        raise Refused(
            f"object.objectType: {shown(sort)} is none of Activity, Agent, Group, StatementRef and SubStatement"
        )
    return found, kind


def _uuid(value: Any, name: str) -> str | None:
    text = word(value, name)
    if text is None:
        return None
    # Capital letters are the same UUID (RFC 4122).
    text = text.lower()
    if not _UUID.match(text):
        raise Refused(f"{name}: {shown(text)} is no UUID")
    return text


def _truth(value: Any, name: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise Refused(f"{name}: is {shown(value)}: true or false is meant")
    return value


def _score(result: Mapping[str, Any]) -> tuple[float | None, ...]:
    """``scaled``, ``raw``, ``min`` and ``max``."""
    if result.get("score") is None:
        return None, None, None, None
    score = fields(result["score"], "result.score")
    scaled = number(score.get("scaled"), "result.score.scaled")
    raw = number(score.get("raw"), "result.score.raw")
    low = number(score.get("min"), "result.score.min")
    high = number(score.get("max"), "result.score.max")
    if scaled is not None and not -1 <= scaled <= 1:
        raise Refused(f"result.score.scaled: {scaled:g} is not between -1 and 1")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise Refused(f"result.score.raw: {raw:g} is not between min and max")
    return scaled, raw, low, high


# --- events ---------------------------------------------------------------------------------------------------


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    rows: list[_Row] = []
    more: list[Mapping[str, Any] | None] = []
    statements = zip(*(values(frame, name) for name in _STATEMENT), strict=True)
    for row, statement in enumerate(statements):
        try:
            for made, own in _made(*statement):
                rows.append((row, *made))
                more.append(own)
        except Refused as refused:
            rows.append((row, _hint(str(refused), frame, row), *(None,) * (len(_EVENT) - 2)))
            more.append(None)
    made_of = columns(_EVENT, rows, more)
    unused = [name for name in _EVENT[_ALWAYS:] if made_of[name].null_count() == made_of.height]
    # Each row once: there is no need to look any of them up again.
    once = ["_row"] if len(rows) == frame.height else []
    return made_of.drop(unused + once).with_columns(pl.col("_reject").cast(pl.String))


def _hint(reason: str, frame: pl.DataFrame, row: int) -> str:
    if "statements" in frame.columns and frame["statements"][row] is not None:
        return "statements: is an LRS's answer among statements: take it apart with jq -c '.statements[]'"
    return reason


def _made(
    statement_id: Any,
    actor: Any,
    verb: Any,
    thing: Any,
    result: Any,
    context: Any,
    timestamp: Any,
    stored: Any,
) -> Iterator[tuple[_Row, Mapping[str, Any] | None]]:
    """What a statement says: ``_EVENT`` from ``_reject`` on, and further properties."""
    did = _verb(verb)
    if did in LEFT_OUT:
        yield _skipped(f"{last_part(did)}: no event of the vocabulary")
        return
    if thing is None:
        raise Refused("object: is missing")
    about = fields(thing, "object")
    sort = about.get("objectType")
    if did == VOIDED:
        voided = _uuid(about.get("id"), "object.id") if sort == "StatementRef" else None
        if voided is None:
            raise Refused("object: names no statement: what is voided is a StatementRef with its id")
        yield (None, None, voided, None, ANY_TYPE, None, None, None, None, True, *_NOTHING[1:]), None
        return
    if sort == "StatementRef" or sort == "SubStatement":
        yield _skipped(f"{sort}: {OF_A_STATEMENT}")
        return
    people = actors(actor)
    event_id = _uuid(statement_id, "id")
    object_id, kind = _thing(about)
    event = event_type(did)
    time = _time(timestamp, stored)
    own: Mapping[str, Any] | None = None
    if result is None:
        said: _Row = _NOTHING[2:-4]
        value = None
    else:
        known = fields(result, "result")
        scaled, raw, low, high = _score(known)
        # Stars are given on the scale that people see.
        first, second = (raw, scaled) if event == "rated" else (scaled, raw)
        value = first if first is not None else second
        said = (
            _truth(known.get("success"), "result.success"),
            _truth(known.get("completion"), "result.completion"),
            word(known.get("response"), "result.response"),
            *(scaled, raw, low, high),
            *duration(known.get("duration"), "result.duration"),
        )
        if known.get("extensions") is not None:
            own = extensions(known["extensions"], "result.extensions")
    around = _NOTHING[-4:] if context is None else _around(context)
    rest = (event, object_id, kind, time, value, None, did, *said, *around)
    if len(people) == 1 and people[0] is actor:
        yield (None, None, event_id, identified(people[0], "actor"), *rest), own
        return
    members: dict[str, None] = {}
    for place, member in enumerate(people):
        try:
            members[identified(member, f"actor.member[{place}]")] = None
        except Refused as refused:
            yield (str(refused), *(None,) * (len(_EVENT) - 2)), None
    for member_id in members:
        yield (None, None, None if event_id is None else f"{event_id}:{member_id}", member_id, *rest), own


def _skipped(reason: str) -> tuple[_Row, None]:
    return (None, reason, *(None,) * (len(_EVENT) - 3)), None


def _around(context: Any) -> _Row:
    known = fields(context, "context")
    return (
        _uuid(known.get("registration"), "context.registration"),
        word(known.get("platform"), "context.platform"),
        word(known.get("language"), "context.language"),
        word(known.get("revision"), "context.revision"),
    )


# --- descriptions ---------------------------------------------------------------------------------------------


def _users(frame: pl.DataFrame) -> pl.DataFrame:
    """Names of the people that statements are by and about."""
    rows: list[_Row] = []
    names = ("actor", "object", "timestamp", "stored")
    for row, (actor, thing, *times) in enumerate(zip(*(values(frame, name) for name in names), strict=True)):
        before = len(rows)
        try:
            for agent, where in named_people(actor, thing):
                called = word(agent.get("name"), f"{where}.name")
                user = None if called is None else _known_id(agent, where)
                if user is None:
                    continue
                sort = "Group" if agent.get("objectType") == "Group" else None
                rows.append((row, None, None, user, called, sort, _time(*times)))
        except Refused as refused:
            rows[before:] = [(row, str(refused), *(None,) * 5)]
        if len(rows) == before:
            rows.append((row, None, NO_NAME, *(None,) * 4))
    return columns(("_row", "_reject", "_skip", "user_id", "name", "actor_type", "updated_at"), rows)


def _known_id(agent: Mapping[str, Any], name: str) -> str | None:
    """Who it is; None also where the events are refused for it."""
    try:
        return agent_id(agent, name)
    except Refused:
        return None


def _content(frame: pl.DataFrame) -> pl.DataFrame:
    """Activities with what their definitions say, and what statements relate them to as tags."""
    names = ("_reject", "_skip", "content_id", "title", "text", "tags", "activity_type", "more_info")
    rows: list[_Row] = []
    more: list[Mapping[str, Any] | None] = []
    sources = ("object", "context", "timestamp", "stored")
    for thing, context, *times in zip(*(values(frame, name) for name in sources), strict=True):
        own: Mapping[str, Any] | None = None
        try:
            described = _activity(thing, context)
            if described is None:
                row: _Row = (None, NOT_AN_ACTIVITY, *(None,) * 8)
            else:
                row, own = described
                row = (*row, _time(*times))
        except Refused as refused:
            row = (str(refused), *(None,) * 9)
        rows.append(row)
        more.append(own)
    return columns((*names, "interaction_type", "updated_at"), rows, more)


def _activity(thing: Any, context: Any) -> tuple[_Row, Mapping[str, Any] | None] | None:
    if not isinstance(thing, dict) or thing.get("objectType") not in (None, "Activity"):
        return None
    if thing.get("id") is None:
        # Refused among the events.
        return None
    definition = fields(thing.get("definition"), "object.definition")
    tags = list(_tags(definition, context))
    if not definition and not tags:
        return None
    where = "object.definition"
    own = definition.get("extensions")
    row = (
        *(None, None, iri(thing["id"], "object.id")),
        translated(definition.get("name"), f"{where}.name"),
        translated(definition.get("description"), f"{where}.description"),
        each_once(tags),
        word(definition.get("type"), f"{where}.type"),
        word(definition.get("moreInfo"), f"{where}.moreInfo"),
        word(definition.get("interactionType"), f"{where}.interactionType"),
    )
    return row, None if own is None else extensions(own, f"{where}.extensions")


def _tags(definition: Mapping[str, Any], context: Any) -> Iterator[str]:
    sort = word(definition.get("type"), "object.definition.type")
    if sort is not None:
        yield f"activity-type:{last_part(sort)}"
    around = fields(fields(context, "context").get("contextActivities"), "context.contextActivities")
    for name, kind in _CONTEXTS:
        given = around.get(name)
        # A single activity is what 0.95 wrote.
        listed = given if isinstance(given, list) else [] if given is None else [given]
        where = f"context.contextActivities.{name}"
        for activity in listed:
            known = fields(activity, where)
            about = fields(known.get("definition"), f"{where}.definition")
            found = iri(known.get("id"), f"{where}.id")
            if found is None or (kind == "category" and _is_profile(found, about)):
                continue
            yield f"{kind}:{translated(about.get('name'), f'{where}.definition.name') or found}"


def _is_profile(category: str, definition: Mapping[str, Any]) -> bool:
    sort = word(definition.get("type"), "context.contextActivities.category.definition.type")
    return category.startswith(PROFILES) or (sort is not None and last_part(sort) in PROFILE_TYPES)
