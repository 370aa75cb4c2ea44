"""The audience builder's form: conditions as fields, and fields as conditions; also such as are not finished."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from graphprofile.audience.conditions import KINDS, STATUSES, split
from graphprofile.errors import UsageError
from graphprofile.filters import OPERATORS, split_condition

GROUPS = {
    "all": ("All of these", "and"),
    "any": ("At least one of these", "or"),
    "none": ("None of these", "nor"),
}
LABELS = {
    "interest": "Interest in a tag",
    "did": "Did something",
    "property": "Property",
    "seen": "First or last seen",
    "like": "Alike",
    "vector": "Vector",
}
_FIELD = re.compile(r"(\d{1,3})\.([a-z]+)")
Groups = dict[str, list[str]]


def read_query(pairs: Sequence[tuple[str, str]]) -> tuple[Groups, bool]:
    """Conditions by group, from a link or from a sent form; and whether it was a form."""
    groups: Groups = {name: [] for name in GROUPS}
    fields: dict[int, dict[str, str]] = {}
    buttons: dict[str, str] = {}
    for name, value in pairs:
        if name in groups:
            groups[name].append(value)
        elif match := _FIELD.fullmatch(name):
            fields.setdefault(int(match[1]), {})[match[2]] = value.strip()
        elif name in ("add", "drop"):
            buttons[name] = value
    for number in sorted(fields):
        one = fields[number]
        if one.get("group") in groups and one.get("kind") in KINDS and buttons.get("drop") != str(number):
            groups[one["group"]].append(_text(one))
    group, _, kind = buttons.get("add", "").partition(" ")
    if group in groups and kind in KINDS:
        groups[group].append("seen last" if kind == "seen" else kind)
    return groups, bool(fields or buttons)


def _text(fields: dict[str, str]) -> str:
    """A condition as it is written, from what stands in its fields."""
    kind = fields["kind"]
    if kind == "property":
        name, operator, value = (fields.get(one, "") for one in ("name", "operator", "value"))
        return shlex.join([kind, f"{name}{operator}{value}"]) if name else kind
    words = [kind]
    if kind == "seen":
        words.append("first" if fields.get("which") == "first" else "last")
    for name in KINDS[kind]:
        value = fields.get(name, "")
        if name == "share" and value:
            value = _part(value)
        if name == "user":
            words += [f"user={one.strip()}" for one in value.splitlines() if one.strip()]
        elif value:
            words.append(f"{name}={value}")
    return shlex.join(words)


def _part(percent: str) -> str:
    """Percent as a part of one; what is no number stays, to be refused by its name."""
    try:
        return f"{float(percent) / 100:.6g}"
    except ValueError:
        return percent


def fields_of(text: str) -> dict[str, Any]:
    """What stands in the fields of a condition, however unfinished it is."""
    try:
        kind, words = split(text)
    except UsageError:
        return {"kind": None, "text": text}
    fields: dict[str, Any] = {"kind": kind, "label": LABELS[kind], **dict.fromkeys(KINDS[kind], "")}
    if kind == "property":
        name, operator, value = "", "=", ""
        if words:
            try:
                name, operator, value = split_condition(" ".join(words))
            except UsageError:
                name = " ".join(words)
        return {
            **fields,
            "property": name,
            "operator": operator,
            "value": value,
            "operators": list(OPERATORS),
        }
    users = []
    for word in words:
        name, _, value = word.partition("=")
        if name == "user":
            users.append(value)
        elif name in KINDS[kind]:
            fields[name] = value
        elif kind == "seen":
            fields["which"] = name
    if kind == "seen":
        fields.setdefault("which", "last")
    if kind == "like":
        fields["user"] = "\n".join(users)
    if fields.get("share"):
        try:
            fields["share"] = f"{100 * float(fields['share']):.6g}"
        except ValueError:
            pass
    if kind == "vector":
        fields["statuses"] = list(STATUSES)
    return fields
