"""What a person says beside what the person does: explicit and implicit feedback, and where the two disagree.

The interest formula over the explicit events alone gives E, over the implicit ones I, both with the long half-life and
as of the latest event of either sort; E + I is the interest. A view weighs 1, so with 1 for what is not known

    says = E / (1 + Σ|explicit contributions|)      does = I / (1 + Σ|implicit contributions|)

lie between -1 and 1: near an end after much that points one way, near 0 after little, or after things that cancel out.
The disagreement is their geometric mean, √(-says · does), where their signs differ, else 0. It is computed from the
person's own events when it is asked for; nothing is stored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from graphprofile.reading import FOREVER, require_user, significant, watermark
from graphprofile.records import Feedback, ObjectFeedback, SaysAndDoes, TagFeedback, iso
from graphprofile.tags import rate_per_ms
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

THRESHOLD = 0.25
"""Disagreements from here on are told; a view of something that was then rated one below neutral is at 0.5."""
_UNKNOWN = 1.0
_DIGITS = 9

B = TypeVar("B", bound=SaysAndDoes)


def disagreement(says: float, does: float) -> float:
    """How far apart two sides are that both lie between -1 and 1: 0 on one side of zero, 1 at opposite ends."""
    return math.sqrt(-says * does) if says * does < 0 else 0.0


def read_feedback(
    store: Store,
    vocabulary: Vocabulary,
    user_id: str,
    *,
    as_of: int | None = None,
    all: bool = False,
    limit: int = 100,
) -> Feedback:
    """Where what a user says disagrees with what the user does; the cost is that of the user's own events.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        user_id: Whose.
        as_of: Epoch ms; later events don't count. None takes the store's newest event.
        all: Also where both agree, and where there is one of them only.
        limit: At most so many tags, and so many things.

    Raises:
        NotFound: No such user.
    """
    require_user(store, user_id)
    moment = as_of if as_of is not None else watermark(store)
    asked: dict[str, Any] = {
        "event_types": vocabulary.types,
        "user_id": user_id,
        "until": FOREVER if as_of is None else as_of,
        "rules": vocabulary.rules(),
        "long_rate": rate_per_ms(vocabulary.half_life_long_days),
        "both": not all,
    }
    tags = [
        TagFeedback(tag=row["name"], kind=row["kind"], **_both(row, moment, asked["long_rate"]))
        for row in store.read("profile/sum_feedback_of_tags", **asked)
    ]
    objects = [
        ObjectFeedback(
            id=row["id"],
            kind=row["kind"].lower(),
            title=row["title"],
            **_both(row, moment, asked["long_rate"]),
        )
        for row in store.read("profile/sum_feedback_of_objects", **asked)
    ]
    return Feedback(
        user_id=user_id,
        as_of=iso(moment),
        tags=sorted(_told(tags, all), key=lambda one: (*_strength(one), one.kind, one.tag))[:limit],
        objects=sorted(_told(objects, all), key=lambda one: (*_strength(one), one.kind, one.id))[:limit],
    )


def _told(found: Iterable[B], all: bool) -> list[B]:
    return [one for one in found if all or one.disagreement >= THRESHOLD]


def _strength(one: SaysAndDoes) -> tuple[float, int]:
    return -one.disagreement, -(one.explicit_events + one.implicit_events)


def _both(row: Mapping[str, Any], moment: int | None, rate: float) -> dict[str, Any]:
    """Fields of a :class:`graphprofile.records.SaysAndDoes`; rounded, since an engine sums in an order of its own."""
    fade = 1.0 if moment is None else math.exp((row["last_at"] - moment) * rate)
    says, does = (
        round(row[sort] / (_UNKNOWN + row[f"{sort}_size"]), _DIGITS) if row[f"{sort}_events"] else None
        for sort in ("explicit", "implicit")
    )
    return {
        "disagreement": 0.0 if says is None or does is None else round(disagreement(says, does), _DIGITS),
        "says": says,
        "does": does,
        "explicit": significant(row["explicit"] * fade),
        "implicit": significant(row["implicit"] * fade),
        "explicit_events": row["explicit_events"],
        "implicit_events": row["implicit_events"],
        "last_at": iso(row["last_at"]) or "",
    }
