"""What Activity Streams 2.0 says of actors and objects."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .linked_data import Refused, duration, each_once, fields, iri, last_part, shown, translated, word

ACTORS = frozenset("Application Group Organization Person Service".split())
OBJECTS = frozenset(
    "Article Audio Document Event Image Note Object Page Place Profile Relationship Tombstone Video Question".split()
)
COLLECTIONS = frozenset("Collection CollectionPage OrderedCollection OrderedCollectionPage".split())

_NAMESPACES = (
    "https://www.w3.org/ns/activitystreams#",
    "http://www.w3.org/ns/activitystreams#",
    "as:",
)
_GENERAL = frozenset({"Object", "Activity", "IntransitiveActivity"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)\Z", re.ASCII)
# A sign of less within a tag ends the search: no text costs more than its length.
_MARKUP = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:/p|/div|/li|br */?)>", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\f\v]+")
_LINES = re.compile(r" ?\n\s*")


def listed(value: Any) -> list[Any]:
    """Several values, one, or none."""
    if value is None:
        return []
    return [one for one in value if one is not None] if isinstance(value, list) else [value]


def type_of(thing: Mapping[str, Any], within: str) -> str | None:
    """The type, by its name in the vocabulary; of several the first that the vocabulary has.

    Raises:
        Refused: It is no text.
    """
    given = thing.get("type")
    if type(given) is str:
        return _short(given) or None
    found = []
    for one in listed(given):
        if not isinstance(one, str):
            raise Refused(f"{within}type: is {shown(one)}: text is meant")
        found.append(_short(one))
    known = [one for one in found if one in _KNOWN]
    # A type of one's own says more than that it is an activity.
    special = [one for one in found if one not in _GENERAL]
    return next(iter(known or special or found), None) or None


def _short(name: str) -> str:
    text = name.strip()
    if ":" not in text:
        return text
    for start in _NAMESPACES:
        if text.startswith(start):
            return text[len(start) :]
    return last_part(text)


_KNOWN = (ACTORS | OBJECTS | COLLECTIONS - _GENERAL) | frozenset(
    (
        "Accept Add Announce Arrive Block Create Delete Dislike Flag Follow Ignore Invite Join Leave Like Listen Move "
        "Offer Read Reject Remove TentativeAccept TentativeReject Travel Undo Update View"
    ).split()
)


def named(thing: Any, name: str) -> str | None:
    """The IRI of something: itself, its ``id``, else its ``url``; None where it has none.

    Raises:
        Refused: It is neither an IRI nor an object, or its id is no IRI.
    """
    if isinstance(thing, list):
        # Of several the first; lists of lists, which JSON-LD forbids, are no objects.
        thing = next(iter(listed(thing)), None)
    if isinstance(thing, str):
        return iri(thing, name)
    known = fields(thing, name)
    if known.get("id") is not None:
        return iri(known["id"], f"{name}.id".lstrip("."))
    return _address(
        known.get("href") if known.get("href") is not None else known.get("url"), f"{name}.url".lstrip(".")
    )


def _address(value: Any, name: str) -> str | None:
    """The first of some links."""
    for one in listed(value):
        return iri(one, name) if not isinstance(one, dict) else iri(one.get("href"), f"{name}.href")
    return None


def moment(thing: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first time there is among some fields.

    Raises:
        Refused: It is none, or has no zone, which the specification demands.
    """
    for name in names:
        text = word(thing.get(name), name)
        if text is not None:
            if not _TIME.match(text):
                raise Refused(f"{name}: {shown(text)} is no time with a zone such as 2015-02-10T15:04:55Z")
            return text
    return None


def natural(thing: Mapping[str, Any], field: str, within: str) -> str | None:
    """Text as ``name``, or in one of the languages of ``nameMap``.

    Raises:
        Refused: The one is no text, or the other no object of texts.
    """
    given = thing.get(field)
    if given is not None and not isinstance(given, str):
        meant = f"{field}Map is meant" if isinstance(given, dict) else "text is meant"
        raise Refused(f"{within}{field}: is {shown(given)}: {meant}")
    found = word(given, f"{within}{field}")
    return found if found is not None else translated(thing.get(f"{field}Map"), f"{within}{field}Map")


def plain_text(text: str | None, media_type: str | None) -> str | None:
    """HTML without its markup; other types as they are."""
    if text is None or (media_type or "text/html").partition(";")[0].strip() != "text/html":
        return text
    if "<" in text:
        text = _MARKUP.sub("", _BREAK.sub("\n", text))
    if "&" in text:
        text = html.unescape(text)
    return _LINES.sub("\n", _BLANKS.sub(" ", text)).strip() or None


def described_user(actor: Mapping[str, Any], where: str, time: str | None) -> tuple[Any, ...] | None:
    """Id, name, name of the account, summary, type, address, and when this was said; None where nothing is.

    Raises:
        Refused: A field is of the wrong type.
    """
    user = named(actor, where.rstrip("."))
    said = (
        natural(actor, "name", where),
        word(actor.get("preferredUsername"), f"{where}preferredUsername"),
        plain_text(natural(actor, "summary", where), None),
    )
    if user is None or not any(said):
        return None
    address = _address(actor.get("url"), f"{where}url")
    return user, *said, type_of(actor, where), address, _said_at(actor, time)


def described_content(thing: Mapping[str, Any], where: str, time: str | None) -> tuple[Any, ...] | None:
    """What becomes of an object's fields, in the order of the loader's columns; None where nothing is said.

    Raises:
        Refused: A field is of the wrong type.
    """
    content = named(thing, where.rstrip("."))
    sort = type_of(thing, where)
    if content is None or sort == "Tombstone":
        return None
    media_type = word(thing.get("mediaType"), f"{where}mediaType")
    summary = plain_text(natural(thing, "summary", where), None)
    said = (
        natural(thing, "name", where),
        plain_text(natural(thing, "content", where), media_type),
        each_once(_tags(thing, where)),
    )
    if not any(said) and sort is None and summary is None:
        return None
    return (
        *(content, *said, sort),
        named(thing.get("attributedTo"), f"{where}attributedTo"),
        _address(thing.get("url"), f"{where}url"),
        named(thing.get("inReplyTo"), f"{where}inReplyTo"),
        *(media_type, summary),
        *duration(thing.get("duration"), f"{where}duration"),
        *(moment(thing, ("published",)), _said_at(thing, time)),
    )


def _said_at(thing: Mapping[str, Any], time: str | None) -> str | None:
    """When a thing was changed, else when the activity spoke of it, else when it was published."""
    return moment(thing, ("updated",)) or time or moment(thing, ("published",))


def _tags(thing: Mapping[str, Any], where: str) -> Iterator[str]:
    """Hashtags in small letters, and other things that a tag names; not those who are mentioned."""
    for place, tag in enumerate(listed(thing.get("tag"))):
        if not isinstance(tag, dict):
            # An IRI alone has no name.
            iri(tag, f"{where}tag[{place}]")
            continue
        sort = type_of(tag, f"{where}tag[{place}].")
        called = natural(tag, "name", f"{where}tag[{place}].")
        if called is None or sort == "Mention" or sort in ACTORS:
            continue
        if sort == "Hashtag" or called.startswith("#"):
            called = called.lstrip("#").strip().lower()
            if called:
                yield f"hashtag:{called}"
        else:
            yield f"about:{called}"
