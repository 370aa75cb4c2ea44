"""Social activity in the form of W3C's Activity Streams 2.0: JSON Lines, one JSON array, or collections.

Followed: the Recommendations Activity Streams 2.0 and Activity Vocabulary, read as plain JSON, without JSON-LD. What is
decided stands in ``docs/loaders/activity-streams.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

from .activity_objects import (
    ACTORS,
    COLLECTIONS,
    OBJECTS,
    described_content,
    described_user,
    listed,
    moment,
    named,
    type_of,
)
from .linked_data import Refused, bounded, iri
from .values import columns, values

if TYPE_CHECKING:
    import polars as pl

EVENTS = {
    "Add": "saved",
    "Announce": "shared",
    "Create": "created",
    "Dislike": "disliked",
    "Follow": "followed",
    "Join": "joined",
    "Like": "liked",
    "Listen": "listened",
    "Read": "read",
    "View": "viewed",
}
"""Activities that become events. The vocabulary may have to declare some."""
LEFT_OUT = frozenset(
    (
        "Accept Arrive Block Delete Flag Ignore Invite Leave Move Offer Question Reject Remove TentativeAccept "
        "TentativeReject Travel Update"
    ).split()
)
"""Activities that say nothing of an interest, or take something back that they do not name: counted by type."""
UNDO = "Undo"
ANY_TYPE = "*"
"""What is undone is named by its id only."""
INSIDE = ("items", "orderedItems", "first.items", "first.orderedItems")

NO_ACTIVITY = "an object, no activity"
NOTHING_SAID = "nothing is said of content"
NOBODY = "nothing is said of a user"

_KINDS: tuple[Kind, ...] = ("users", "content", "events")
_ITEMS = ("items", "orderedItems")
_TIMES = ("published", "startTime", "updated")
_ACTIVITY = ("id", "type", "actor", "object", "target", "origin", "instrument", *_TIMES, *_ITEMS)
_EVENT = (
    *("_row", "_reject", "_skip", "event_id", "user_id", "event_type", "object_id", "object_kind"),
    *("timestamp", "retracted", "target", "origin", "instrument"),
)
_ALWAYS = 9
"""So many columns of an event are there also where no row has them."""
_USER = ("user_id", "name", "preferred_username", "summary", "actor_type", "url", "updated_at")
_CONTENT = (
    *("content_id", "title", "text", "tags", "object_type", "author", "url", "in_reply_to", "media_type"),
    *("summary", "duration_seconds", "duration", "published", "updated_at"),
)

_Row = tuple[Any, ...]


class ActivityStreamsLoader:
    """Activities as events, what they are about as content and users."""

    name = "activity-streams"
    summary = "W3C Activity Streams 2.0: likes, follows, shares, posts (JSON Lines, an array, or collections)"
    time_zone = "UTC"
    """Unused: every time names its zone."""

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file once for each kind of record it may hold.

        Raises:
            SourceError: A kind that activities do not hold.
        """
        if kind is not None and kind not in _KINDS:
            raise _no_such(kind)
        return [
            SourceFile(path, each, "json", inside=INSIDE)
            for each in _KINDS
            if kind in (None, each)
            for path in paths
        ]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Activities as generic columns; one of several actors or about several objects becomes several events.

        Raises:
            SourceError: A kind that activities do not hold.
        """
        if kind == "events" or kind == "retracted":
            # Refused withdrawals come again from the quarantine, under a kind of their own.
            return _events(frame)
        if kind not in _KINDS:
            raise _no_such(kind)
        return _descriptions(frame, kind)


def _no_such(kind: Kind) -> SourceError:
    return SourceError(f"Activities hold no {kind}.", "The kinds are users, content and events.")


# --- events ---------------------------------------------------------------------------------------------------


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    rows: list[_Row] = []
    for row, activity in enumerate(zip(*(values(frame, name) for name in _ACTIVITY), strict=True)):
        try:
            rows.extend((row, *made) for made in _made(dict(zip(_ACTIVITY, activity, strict=True))))
        except Refused as refused:
            rows.append((row, str(refused), *(None,) * (len(_EVENT) - 2)))
    made_of = columns(_EVENT, rows)
    unused = [name for name in _EVENT[_ALWAYS:] if made_of[name].null_count() == made_of.height]
    # Each row once: there is no need to look any of them up again.
    once = ["_row"] if len(rows) == frame.height else []
    return made_of.drop(unused + once).with_columns(pl.col("_reject").cast(pl.String))


def _made(activity: Mapping[str, Any]) -> Iterator[_Row]:
    """What an activity says: ``_EVENT`` from ``_reject`` on."""
    sort = type_of(activity, "")
    if sort in COLLECTIONS:
        held = next((name for name in _ITEMS if activity[name] is not None), None)
        if held is not None:
            raise Refused(f"{held}: are a {sort} among activities: take it apart with jq -c '.{held}[]'")
        raise Refused(f"items: this {sort} holds none: load its pages, which first and next name")
    if sort in LEFT_OUT:
        yield _skipped(f"{sort}: no event of the vocabulary")
        return
    if sort == UNDO:
        yield from _undone(activity)
        return
    if sort is None or (sort not in EVENTS and activity["actor"] is None and activity["object"] is None):
        if sort is None:
            raise Refused("type: is missing: it says what was done")
        yield _skipped(f"{sort}: {NO_ACTIVITY}")
        return
    time = moment(activity, _TIMES)
    if time is None:
        raise Refused("published: is missing, and so are startTime and updated")
    event = EVENTS.get(sort, sort)
    around = tuple(named(activity[name], name) for name in ("target", "origin", "instrument"))
    for wrong, part, actor, thing, kind in _parts(activity, sort, ""):
        yield wrong, None, part, actor, event, thing, kind, time, None, *around


def _skipped(reason: str) -> _Row:
    return (None, reason, *(None,) * (len(_EVENT) - 3))


def _parts(activity: Mapping[str, Any], sort: str, within: str) -> Iterator[_Row]:
    """Each event of an activity: why it is refused, its id, the actor, the object and its kind.

    Raises:
        Refused: There is no actor or no object, or the activity's id is no IRI.
    """
    actors, things = listed(activity.get("actor")), listed(activity.get("object"))
    bounded(len(actors) * len(things), f"{within}object")
    given = iri(activity.get("id"), f"{within}id")
    several = len(actors) * len(things) > 1
    objects = [
        (*part, _kind(thing, sort))
        for part, thing in zip(_ids(things, f"{within}object"), things, strict=True)
    ]
    for wrong, actor in _ids(actors, f"{within}actor"):
        for wrong_too, thing, kind in objects:
            if actor is None or thing is None:
                yield wrong or wrong_too, None, None, None, None
            elif given is None:
                yield None, _content_id(sort, actor, thing, activity), actor, thing, kind
            else:
                yield None, f"{given} {actor} {thing}" if several else given, actor, thing, kind


def _ids(entries: Sequence[Any], name: str) -> list[tuple[str | None, str | None]]:
    """Why each of some actors or objects is refused, or its IRI."""
    if not entries:
        raise Refused(f"{name}: is missing")
    found: list[tuple[str | None, str | None]] = []
    for place, entry in enumerate(entries):
        where = name if len(entries) == 1 else f"{name}[{place}]"
        try:
            one = named(entry, where)
        except Refused as refused:
            found.append((str(refused), None))
        else:
            found.append((f"{where}.id: is missing, and so is url" if one is None else None, one))
    return found


def _kind(thing: Any, sort: str) -> str:
    of = type_of(thing, "object.") if isinstance(thing, dict) else None
    if of in ACTORS:
        return "user"
    return "user" if sort == "Follow" and (of is None or of not in OBJECTS) else "content"


def _content_id(sort: str, actor: str, thing: str, activity: Mapping[str, Any]) -> str:
    """The id of an activity that has none: from all that makes it the one that it is."""
    said = json.dumps([sort, actor, thing, *(activity.get(name) for name in _TIMES)], ensure_ascii=False)
    return "activity:" + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _undone(activity: Mapping[str, Any]) -> Iterator[_Row]:
    """Withdrawals of what was undone: by its type and id, or by its id alone where only that is named."""
    by = set()
    for wrong, actor in _ids(listed(activity["actor"]), "actor"):
        if wrong is not None:
            raise Refused(wrong)
        by.add(actor)
    entries = listed(activity["object"])
    if not entries:
        raise Refused("object: is missing: it names what is undone")
    for entry in entries:
        sort = type_of(entry, "object.") if isinstance(entry, dict) else None
        if sort is None:
            gone = named(entry, "object")
            if gone is None:
                raise Refused("object.id: is missing, and so is type: what is undone?")
            yield _withdrawn(ANY_TYPE, gone)
        elif sort in LEFT_OUT:
            yield _skipped(f"Undo of {sort}: no event of the vocabulary")
        else:
            yield from _taken_back(entry, sort, by)


def _taken_back(activity: Mapping[str, Any], sort: str, by: set[str | None]) -> Iterator[_Row]:
    """Withdrawals of the events of an activity that is told in full."""
    event, actors = EVENTS.get(sort, sort), listed(activity.get("actor"))
    if actors and not by >= {actor for _, actor in _ids(actors, "object.actor")}:
        raise Refused("actor: undoes what somebody else did")
    if actors and activity.get("object") is not None:
        for wrong, part, *_ in _parts(activity, sort, "object."):
            yield _withdrawn(event, part, wrong)
        return
    gone = iri(activity.get("id"), "object.id")
    if gone is None:
        raise Refused("object.id: is missing, and so is its actor or object: what is undone?")
    yield _withdrawn(event, gone)


def _withdrawn(event: str, event_id: str | None, wrong: str | None = None) -> _Row:
    return (wrong, None, event_id, None, event, None, None, None, True, None, None, None)


# --- descriptions ---------------------------------------------------------------------------------------------


def _descriptions(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """What activities and objects say of users, or of content."""
    names, describe, nothing = (
        (_USER, described_user, NOBODY) if kind == "users" else (_CONTENT, described_content, NOTHING_SAID)
    )
    own = frame.columns
    rows: list[_Row] = []
    blank = (None,) * len(names)
    for row, entry in enumerate(zip(*(values(frame, name) for name in own), strict=True)):
        before = len(rows)
        try:
            for thing, where, time in _things(dict(zip(own, entry, strict=True)), kind):
                said = describe(thing, where, time)
                if said is not None:
                    rows.append((row, None, None, *said))
        except Refused as refused:
            rows[before:] = [(row, str(refused), None, *blank)]
        if len(rows) == before:
            rows.append((row, None, nothing, *blank))
    return columns(("_row", "_reject", "_skip", *names), rows)


def _things(entry: Mapping[str, Any], kind: Kind) -> Iterator[tuple[Mapping[str, Any], str, str | None]]:
    """The objects of a kind that a row describes, each with its field and when this was said."""
    sort = type_of(entry, "")
    activity = sort in EVENTS or sort in LEFT_OUT or sort == UNDO or entry.get("actor") is not None
    if not activity:
        if (sort in ACTORS) == (kind == "users") and sort not in COLLECTIONS:
            yield entry, "", None
        return
    time = moment(entry, _TIMES)
    if kind == "users":
        for place, actor in enumerate(listed(entry.get("actor"))):
            if isinstance(actor, dict):
                yield actor, f"actor[{place}]." if place else "actor.", time
    if sort == UNDO or sort == "Delete":
        return
    for place, thing in enumerate(listed(entry.get("object"))):
        where = f"object[{place}]." if place else "object."
        if not isinstance(thing, dict):
            continue
        of = type_of(thing, where)
        user = of in ACTORS or (sort == "Follow" and of not in OBJECTS)
        if user == (kind == "users") and of not in EVENTS and of not in COLLECTIONS and of != UNDO:
            if of not in LEFT_OUT or of == "Question":
                yield thing, where, time
