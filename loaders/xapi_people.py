"""Who learning statements are by and about: agents and groups, each by what identifies it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .linked_data import Refused, bounded, fields, iri, shown, word

_IDENTIFIERS = ("mbox", "account", "openid", "mbox_sha1sum")
_SHA1 = re.compile(r"[0-9a-f]{40}\Z")
_MAILBOX = re.compile(r"mailto:([^\s@]+@[^\s@]+)\Z", re.IGNORECASE)


def agent_id(agent: Mapping[str, Any], name: str) -> str | None:
    """The id of an agent or an identified group; None where nothing identifies it.

    Raises:
        Refused: More than one thing does, or it is not of its form.
    """
    given = [one for one in _IDENTIFIERS if agent.get(one) is not None]
    if not given:
        return None
    if len(given) > 1:
        raise Refused(f"{name}: has {' and '.join(given)}: exactly one may say who it is")
    (which,) = given
    where = f"{name}.{which}"
    if which == "account":
        account = fields(agent["account"], where)
        home = iri(account.get("homePage"), f"{where}.homePage")
        known_as = word(account.get("name"), f"{where}.name")
        if home is None or known_as is None:
            raise Refused(f"{where}: needs homePage and name")
        return f"{known_as}@{home}"
    if which == "openid":
        return iri(agent["openid"], where)
    text = word(agent[which], where) or ""
    if which == "mbox":
        found = _MAILBOX.match(text)
        if found is None:
            raise Refused(f"{where}: {shown(text)} is not of the form mailto:ann@example.com")
        return found[1].lower()
    if not _SHA1.match(text.lower()):
        raise Refused(f"{where}: {shown(text)} is no SHA-1 sum of 40 hexadecimal digits")
    return f"mbox_sha1sum:{text.lower()}"


def actors(actor: Any) -> list[Any]:
    """Who did it: the agent, the identified group, or the members of an anonymous one.

    Raises:
        Refused: Nobody, or something that is neither agent nor group.
    """
    if actor is None:
        raise Refused("actor: is missing")
    known = fields(actor, "actor")
    sort = known.get("objectType")
    if sort is not None and sort != "Agent" and sort != "Group":
        raise Refused(f"actor.objectType: {shown(sort)} is neither Agent nor Group")
    if sort != "Group" or any(known.get(one) is not None for one in _IDENTIFIERS):
        return [known]
    members = known.get("member")
    if not isinstance(members, list) or not members:
        raise Refused("actor.member: is missing: a group without an identifier is its members")
    bounded(len(members), "actor.member")
    return members


def identified(agent: Any, name: str) -> str:
    """The id of an agent or an identified group.

    Raises:
        Refused: Nothing identifies it.
    """
    found = agent_id(fields(agent, name), name)
    if found is None:
        raise Refused(f"{name}: nothing identifies it: mbox, mbox_sha1sum, openid or account")
    return found


def named_people(actor: Any, thing: Any) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The agents and groups that a statement may name, each with its field."""
    if isinstance(actor, dict):
        yield actor, "actor"
        members = actor.get("member")
        if isinstance(members, list):
            for place, member in enumerate(members):
                if isinstance(member, dict):
                    yield member, f"actor.member[{place}]"
    if isinstance(thing, dict) and thing.get("objectType") in ("Agent", "Group"):
        yield thing, "object"
