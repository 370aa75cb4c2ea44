"""Single values of the generic columns: what is accepted, and why something is not.

Every function takes one value as a source gave it and returns the clean one, or raises ``ValueError`` whose
text is the reason a person reads in the quarantine. The column versions in ``columns`` give the same answers.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

MAX_ID = 1024
MAX_NAME = 255
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_TAG_KIND = re.compile(r"[a-z][a-z0-9_-]*\Z")
_TAG_TEXT = re.compile(r"([a-z][a-z0-9_-]*):(?=\S)(.*)\Z", re.DOTALL)
_LARGEST_EXACT = 2**53

# What Unicode calls white space, spelled out: `str.strip` takes four control characters more.
WHITESPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

Tag = tuple[str, str, float]


def shown(value: Any, limit: int = 60) -> str:
    """A value as it may stand in a message: quoted, cut short."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def encodable(text: str) -> bool:
    """Whether the text can be written as UTF-8 (no lone surrogates)."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def clean_text(text: str) -> str:
    """Trimmed NFC text.

    Raises:
        ValueError: Lone surrogates, which no encoding can hold.
    """
    if not encodable(text):
        raise ValueError("holds half of a character (a lone surrogate): mend the text")
    return unicodedata.normalize("NFC", text).strip(WHITESPACE)


def is_missing(value: Any) -> bool:
    """None and blank text."""
    return value is None or (isinstance(value, str) and not value.strip(WHITESPACE))


def identifier(value: Any) -> str:
    """An id: text, trimmed and NFC; whole numbers become text without a fraction."""
    if is_missing(value):
        raise ValueError("is missing: every row needs one")
    if isinstance(value, str):
        text = clean_text(value)
        if CONTROL.search(text):
            raise ValueError(f"{shown(text)} holds control characters: take them out")
        if len(text) > MAX_ID:
            raise ValueError(f"is {len(text)} characters long: at most {MAX_ID}")
        if not text:
            raise ValueError("is missing: every row needs one")
        return text
    if isinstance(value, bool):
        raise ValueError(f"{value} is no id: use text or a whole number")
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, (Real, Decimal)):
        whole = float(value)
        if math.isfinite(whole) and whole.is_integer() and abs(whole) <= _LARGEST_EXACT:
            return str(int(whole))
        raise ValueError(f"{value} is no id: use text or a whole number")
    raise ValueError(f"{shown(value)} is no id: use text or a whole number")


def number(value: Any) -> float | None:
    """A finite number, None where there is none."""
    if is_missing(value):
        return None
    if isinstance(value, bool):
        raise ValueError(f"{value} is no number")
    if isinstance(value, str):
        text = value.strip(WHITESPACE)
        if not NUMBER.match(text):
            hint = ": write the fraction with a point" if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
            raise ValueError(f"{shown(text)} is no number{hint}")
        result = float(text)
    elif isinstance(value, (Real, Decimal)):
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
    else:
        raise ValueError(f"{shown(value)} is no number")
    if not math.isfinite(result):
        raise ValueError(f"{shown(value)} is no finite number")
    return result + 0.0


def property_value(value: Any) -> Any:
    """A property the graph can hold: text, int, float, bool, or a list of one of these; None says nothing.

    Dates become ISO 8601 text. Objects and lists of several types become JSON text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, Integral):
        if not -(2**63) <= int(value) < 2**63:
            raise ValueError(f"{shown(int(value))} does not fit into 64 bits: give it as text")
        return int(value)
    if isinstance(value, (Real, Decimal)):
        result = float(value)
        if math.isnan(result):
            return None
        if math.isinf(result):
            raise ValueError(f"{value} is no finite number")
        return result + 0.0
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return _as_json(value) if value else None
    if isinstance(value, (list, tuple, set, frozenset)):
        return _list_value(sorted(value) if isinstance(value, (set, frozenset)) else value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError("is binary: give it as text or leave it out")
    raise ValueError(f"is a {type(value).__name__}: give text, a number, true or false, or a list of these")


def _list_value(values: Any) -> Any:
    entries = [entry for entry in map(property_value, values) if entry is not None]
    if any(isinstance(entry, list) for entry in entries) or any(isinstance(v, Mapping) for v in values):
        return _as_json(values)
    kinds = {type(entry) for entry in entries}
    if kinds == {int, float}:
        return [float(entry) for entry in entries]
    if len(kinds) > 1:
        return _as_json(values)
    return entries or None


def _as_json(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error
    return clean_text(text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): entry for key, entry in value.items()}
    return property_value(value)


def tag(value: Any, default_weight: float = 1.0) -> Tag | None:
    """One tag as (kind, name, weight): ``name``, ``kind:name`` or a mapping of name, kind and weight."""
    weight: float | None = default_weight
    if isinstance(value, Mapping):
        unknown = set(value) - {"name", "kind", "weight"}
        if unknown:
            raise ValueError(f"a tag takes name, kind and weight, not {', '.join(sorted(map(str, unknown)))}")
        name, kind = value.get("name"), value.get("kind") or "tag"
        if not isinstance(kind, str) or not _TAG_KIND.match(kind):
            raise ValueError(f"{shown(kind)} is no kind of tag: use small letters, digits, _ and -")
        if value.get("weight") is not None:
            weight = number(value["weight"])
        text = identifier(name)
    else:
        if is_missing(value):
            return None
        text = identifier(value)
        found = _TAG_TEXT.match(text)
        kind, text = (found[1], found[2].strip(WHITESPACE)) if found else ("tag", text)
    if weight is None or weight <= 0:
        raise ValueError(f"the weight of {shown(text)} is {weight}: use a number above 0")
    return kind, text, weight


def tags(value: Any) -> list[Tag] | None:
    """The tags of one row: text ``a;b`` or a list; None where the row says nothing of tags.

    An empty list says that there are none. A tag named twice keeps the larger weight.
    """
    if value is None or is_missing(value):
        return None
    if isinstance(value, str):
        entries: list[Any] = value.split(";")
    elif isinstance(value, (list, tuple)):
        entries = list(value)
    else:
        raise ValueError(f"{shown(value)}: give tags as text 'a;b' or as a list")
    found: dict[tuple[str, str], float] = {}
    for entry in entries:
        parsed = tag(entry)
        if parsed is not None:
            kind, name, weight = parsed
            found[kind, name] = max(weight, found.get((kind, name), 0.0))
    return [(kind, name, weight) for (kind, name), weight in found.items()]
