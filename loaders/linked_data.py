"""What statements and activities have in common: IRIs, texts in several languages, durations, values of a wrong type.

A value that cannot be used raises :class:`Refused`, whose text is what a loader puts into ``_reject``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

MAX_PARTS = 10_000
"""Events that one row may become."""

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f]+\Z")
_ENDS = re.compile(r"[/#:]+")
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_DURATION = re.compile(
    rf"P(?=.)(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)\Z",
    re.ASCII,
)
_SECONDS = (604_800, None, None, 86_400, 3_600, 60, 1)
"""Of each part of a duration; years and months have no fixed length."""


class Refused(ValueError):
    """Why a row cannot be used: ``field: reason``."""


def shown(value: Any) -> str:
    """A value as it may stand in a reason: containers by their type, which may be nested without end."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def fields(value: Any, name: str) -> Mapping[str, Any]:
    """An object of fields, an empty one where there is none.

    Raises:
        Refused: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(f"{name}: is {shown(value)}: an object of fields is meant")
    return value


def word(value: Any, name: str) -> str | None:
    """Text, trimmed; None where there is none.

    Raises:
        Refused: It is something else.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused(f"{name}: is {shown(value)}: text is meant")
    return value.strip() or None


def iri(value: Any, name: str) -> str | None:
    """An IRI with its scheme; None where there is none.

    Raises:
        Refused: It is something else.
    """
    text = word(value, name)
    if text is not None and not _IRI.match(text):
        raise Refused(
            f"{name}: {shown(text)} is no IRI: it begins with a scheme such as https: and has no blanks"
        )
    return text


def number(value: Any, name: str) -> float | None:
    """A number; None where there is none.

    Raises:
        Refused: It is something else, also a number written as text.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{name}: is {shown(value)}: a number is meant")
    try:
        return float(value)
    except OverflowError as error:
        raise Refused(f"{name}: is too large") from error


def last_part(text: str) -> str:
    """The part of an IRI that people read: what follows its last ``/``, ``#`` or ``:``."""
    return next((part for part in reversed(_ENDS.split(text)) if part), text)


def translated(texts: Any, name: str) -> str | None:
    """One text of a language map: English where there is any, else that of the first language tag.

    Raises:
        Refused: It is no object whose values are text.
    """
    known = fields(texts, name)
    if not known:
        return None
    if "en" in known:
        language = "en"
    else:
        english = [tag for tag in known if tag.lower().startswith("en-")]
        language = min(english or known)
    return word(known[language], f"{name}.{language}")


@lru_cache(maxsize=4096)
def _seconds(text: str) -> tuple[float | None, str | None] | None:
    found = _DURATION.match(text)
    if found is None:
        return None
    total = 0.0
    for part, seconds in zip(found.groups(), _SECONDS, strict=True):
        if part is not None:
            if seconds is None:
                return None, text
            total += float(part.replace(",", ".")) * seconds
    return round(total, 6), None


def duration(value: Any, name: str) -> tuple[float | None, str | None]:
    """Seconds of an ISO 8601 duration; one with years or months, which have no fixed length, stays text.

    Raises:
        Refused: It is something else.
    """
    text = word(value, name)
    if text is None:
        return None, None
    found = _seconds(text)
    if found is None:
        raise Refused(f"{name}: {shown(text)} is no ISO 8601 duration such as PT1H30M")
    return found


def extensions(value: Any, name: str) -> dict[str, Any]:
    """Properties of the extensions, each by the last part of its IRI; objects become JSON text.

    Two that end alike keep their whole IRIs.

    Raises:
        Refused: It is no object, or one of its values is nested too deeply.
    """
    known = fields(value, name)
    ends: dict[str, list[str]] = {}
    for key in known:
        ends.setdefault(last_part(key), []).append(key)
    found: dict[str, Any] = {}
    for end, keys in ends.items():
        for key in keys:
            found[f"ext_{end if len(keys) == 1 else key}"] = _plain(known[key], f"{name}.{key}")
    return found


def _plain(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except RecursionError as error:
        raise Refused(f"{name}: is nested too deeply") from error


def bounded(count: int, name: str) -> None:
    """Refuse a row that would become too many events.

    Raises:
        Refused: More than :data:`MAX_PARTS`.
    """
    if count > MAX_PARTS:
        raise Refused(f"{name}: would be {count:,} events of one row: at most {MAX_PARTS:,}")


def each_once(entries: Iterable[str]) -> list[str] | None:
    """Entries without repeats, in their order; None where there are none."""
    return list(dict.fromkeys(entries)) or None
