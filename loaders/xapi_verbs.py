"""What verbs of learning statements are in the vocabulary.

The names are those of ADL's vocabulary, of Activity Streams 1.0 and of the Tin Can registry, as the profiles list them
that ADL publishes (adlnet/xapi-authored-profiles).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from .linked_data import last_part

ADL = ("http://adlnet.gov/expapi/verbs/", "https://w3id.org/xapi/adl/verbs/")
ACTIVITY_STREAMS = ("http://activitystrea.ms/schema/1.0/", "http://activitystrea.ms/")
TIN_CAN = ("http://id.tincanapi.com/verb/",)
ACROSSX = ("https://w3id.org/xapi/acrossx/verbs/",)
VIDEO = ("https://w3id.org/xapi/video/verbs/",)

REGISTRIES: Sequence[tuple[tuple[str, ...], Mapping[str, str]]] = (
    (
        ADL,
        {
            "experienced": "viewed",
            "initialized": "viewed",
            "launched": "clicked",
            "interacted": "clicked",
            "attended": "visited",
            "answered": "answered",
            "responded": "answered",
            "completed": "completed",
            "registered": "subscribed",
            "shared": "shared",
        },
    ),
    (
        ACTIVITY_STREAMS,
        {
            "access": "viewed",
            "consume": "viewed",
            "experience": "viewed",
            "open": "viewed",
            "interact": "clicked",
            "use": "clicked",
            "at": "visited",
            "attend": "visited",
            "checkin": "visited",
            "borrow": "borrowed",
            "complete": "completed",
            "dislike": "disliked",
            "favorite": "liked",
            "follow": "followed",
            "like": "liked",
            "purchase": "purchased",
            "read": "read",
            "return": "returned",
            "save": "saved",
            "search": "searched",
            "share": "shared",
            "watch": "watched",
        },
    ),
    (
        TIN_CAN,
        {
            "viewed": "viewed",
            "previewed": "viewed",
            "bookmarked": "saved",
            "rated": "rated",
            "retweeted": "shared",
            "reviewed": "reviewed",
            "voted-down": "disliked",
            "voted-up": "liked",
        },
    ),
    (
        ACROSSX,
        {"disliked": "disliked", "liked": "liked", "searched": "searched", "watched": "watched"},
    ),
    (VIDEO, {"played": "watched"}),
)
"""What verbs of the registries are in the vocabulary; others keep the last part of their IRI as their name."""
VERBS = {
    start + name: event for starts, names in REGISTRIES for start in starts for name, event in names.items()
}
LEFT_OUT = frozenset(
    start + name
    for starts, names in (
        (
            ADL,
            "abandoned exited imported logged-in logged-out progressed resumed satisfied suspended terminated waived",
        ),
        (ACTIVITY_STREAMS, "close remove remove-friend stop-following unfavorite unlike unsave unshare"),
        (TIN_CAN, "focused paused skipped unfocused unregistered"),
        (VIDEO, "paused seeked"),
    )
    for start in starts
    for name in names.split()
)
"""Verbs of sessions, and ends of what an earlier statement began, which they do not name: counted."""
VOIDED = ADL[0] + "voided"


@lru_cache(maxsize=4096)
def event_type(verb: str) -> str:
    """The event's name in the vocabulary; what no registry knows keeps the last part of its IRI."""
    return VERBS.get(verb) or last_part(verb)
