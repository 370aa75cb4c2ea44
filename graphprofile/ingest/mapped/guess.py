"""Which column is the user, the thing, the time …: a first guess by names and by what the values look like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

from graphprofile.ingest.mapped.belongs import SAME, owner, same_for
from graphprofile.ingest.mapped.facts import Facts, facts_of
from graphprofile.ingest.mapped.names import is_just, named, words
from graphprofile.ingest.mapped.sample import Sample
from graphprofile.records import Kind
from graphprofile.vocabulary import Vocabulary

_SYNONYMS = {
    "view": "viewed", "pageview": "viewed", "page_view": "viewed", "visit": "visited", "click": "clicked",
    "buy": "purchased", "purchase": "purchased", "order": "purchased", "paid": "purchased", "sale": "purchased",
    "transaction": "purchased", "cart": "added_to_cart", "addtocart": "added_to_cart",
    "add_to_cart": "added_to_cart", "return": "returned", "refund": "returned", "refunded": "returned",
    "like": "liked", "dislike": "disliked", "rate": "rated", "review": "reviewed", "share": "shared",
    "save": "saved", "bookmark": "saved", "wishlist": "saved", "follow": "followed", "borrow": "borrowed",
    "loan": "borrowed", "watch": "watched", "play": "watched", "read": "read", "complete": "completed",
    "bezahlt": "purchased", "gekauft": "purchased", "retourniert": "returned", "storniert": "returned",
    "finish": "completed", "subscribe": "subscribed", "search": "searched", "answer": "answered",
}  # fmt: skip

_NO_THING = "group event private tags amount rating agent count title user dimension".split()
"""What a column that events happened to is not named after."""


@dataclass
class Guess:
    """A first guess at a mapping.

    Attributes:
        kind: What a row is.
        facts: Of every column, in the file's order.
        fields: Field -> column.
        why: Field -> the reason, for a person.
        unsure: What a person must look at.
        constant: The type of all events, where no column says it.
        events: Source's word -> ours; None where no name is near.
        describes: Whether rows of events say what their things are, too.
        of_users: Columns of events that say what their users are.
        left_out: Column -> why.
    """

    kind: Kind
    facts: dict[str, Facts]
    fields: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)
    constant: str | None = None
    events: dict[str, str | None] = field(default_factory=dict)
    describes: Kind | None = None
    of_users: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, column: str | None, why: str) -> bool:
        """Give a column to a field; whether there was one."""
        if column is None:
            return False
        self.fields[name], self.why[name] = column, why
        return True

    @property
    def taken(self) -> set[str]:
        """Columns that have a role."""
        return set(self.fields.values())


def guess(sample: Sample, vocabulary: Vocabulary) -> Guess:
    """A first guess at what the columns of a file are."""
    facts = {name: facts_of(sample.frame[name]) for name in sample.frame.columns}
    found = Guess("events", facts)
    user = _user(facts)
    thing, content = _thing(facts, user)
    when = _when(facts)
    acted = user is not None and _comes_again(sample.frame, facts, user, when)
    if acted and not (thing or content):
        thing = _acted_on(sample.frame, facts, str(user), when)
        if thing is not None:
            found.unsure.append(
                f"Rows are taken for events: {user} comes again with other times, as in a log. No name of a column is "
                f"a thing's; {thing}, whose values come again, is taken for what they happened to. Where that is "
                "another column, name it as object_id; where rows describe users, make [users] of them with user_id."
            )
    if user and (thing or content):
        _events(found, user, thing or content, when, vocabulary)
        found.describes = "items" if thing else "content"
        if content and not thing:
            found.why["object_id"] += "; it is taken for content, not for an item"
    elif user and not thing:
        found.kind = "users"
        found.take("user_id", user, _told(facts[user], "its name is a person's"))
        if acted:
            found.unsure.append(
                f"Rows are taken for descriptions of users, yet {user} comes again with other times, as in a log. They "
                "are events if something happened at each time: write [events] with user_id, timestamp, event_type "
                'and object_id in place of [users]; where all happens to one thing, object_id = { constant = "NAME" }.'
            )
    else:
        found.kind = "content" if content and not thing else "items"
        key = thing or content or _unique(facts)
        if key is None:
            found.unsure.append("No column looks like an id: name one, or say with [events] what a row is.")
            key = next(iter(facts))
        found.take(
            "content_id" if found.kind == "content" else "item_id",
            key,
            _told(facts[key], "the id of a thing"),
        )
    if found.kind != "events" and when:
        found.take("updated_at", when, _told(facts[when], "a time: of two descriptions the later one holds"))
    if found.kind != "users":
        _describe(found, sample.frame)
    _private(found)
    if found.kind == "events":
        rest = [name for name in facts if name not in found.taken and name not in found.left_out]
        found.of_users = [name for name in rest if _is_of_user(name, sample.frame, found)]
    return found


def _is_of_user(name: str, frame: pl.DataFrame, found: Guess) -> bool:
    """Whether a column says what the user is, by its name: one that is always the same may be so by chance."""
    if not (named("user", name) or is_just("title", name)) or is_agent(name):
        return False
    return owner(frame, name, found.fields["user_id"], found.fields["object_id"]) == "user"


def _comes_again(frame: pl.DataFrame, facts: dict[str, Facts], user: str, when: str | None) -> bool:
    """Whether users have many rows, each at a time of its own; of descriptions the time is that of a change."""
    if when is None or named("changed", when) or facts[user].unique > 0.8:
        return False
    return (same_for(frame, user, when) or 0.0) < 0.5


def _acted_on(frame: pl.DataFrame, facts: dict[str, Facts], user: str, when: str | None) -> str | None:
    """The column that names what events happened to, where no name says it: each user has several."""

    def fits(name: str) -> bool:
        seen = facts[name]
        if name in (user, when) or seen.is_time or words(name) == "id" or is_just("unit", name):
            return False
        if any(named(role, name) for role in _NO_THING) or (seen.is_number and seen.whole < SAME):
            return False
        return 1 < seen.distinct and seen.unique < SAME and seen.length <= 60

    fit = [name for name in facts if fits(name) and (same_for(frame, user, name) or 0.0) < SAME]
    fit.sort(key=lambda name: (not named("code", name), facts[name].is_number, -facts[name].distinct))
    return next(iter(fit), None)


def _rank(facts: dict[str, Facts], role: str, *, but: set[str | None] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Columns whose names fit a role: ids before others, then in the file's order."""
    fit = [name for name in facts if name not in but and named(role, name)]
    return sorted(
        fit, key=lambda name: not re.search(r"\b(?:id|code|key|nr|no|number|nummer)\b", words(name))
    )


def _user(facts: dict[str, Facts]) -> str | None:
    fit = [name for name in _rank(facts, "user") if not named("private", name) and not facts[name].is_time]
    return next(iter(fit), None)


def _thing(facts: dict[str, Facts], user: str | None) -> tuple[str | None, str | None]:
    def usable(name: str) -> bool:
        is_title = named("title", name) and not named("code", name)
        is_other = any(named(role, name) for role in ("amount", "count", "user", "rating"))
        return not (facts[name].is_time or is_title or is_other)

    called = [name for name in _rank(facts, "object", but={user}) if not named("tags", name)]
    items = [name for name in called if usable(name)]
    content = [name for name in _rank(facts, "content", but={user}) if usable(name)]
    if not (items or content):
        # Where things have no ids they are known by what they are called.
        items = [name for name in called if named("title", name) and not facts[name].is_number]
    return next(iter(items), None), next(iter(content), None)


def _when(facts: dict[str, Facts]) -> str | None:
    fit = [name for name, seen in facts.items() if seen.is_time]
    fit.sort(key=lambda name: (not named("time", name), "update" in name.lower() or named("private", name)))
    if fit:
        return fit[0]
    # Seconds since 1970, and days as a spreadsheet counts them, are numbers like any other: the name decides.
    return next(
        (n for n, seen in facts.items() if seen.number > 0.95 and named("time", n) and numeric_format(seen)),
        None,
    )


def numeric_format(seen: Facts) -> str | None:
    """The format of a column of numbers that may be times, by their size."""
    if seen.number < 0.95:
        return None
    if 20_000 <= seen.low and seen.high <= 60_000:
        return "excel"
    for name, size in (("epoch_s", 1), ("epoch_ms", 1_000), ("epoch_us", 10**6), ("epoch_ns", 10**9)):
        if 6e8 * size <= seen.low and seen.high <= 2.2e9 * size:
            return name
    return None


def _unique(facts: dict[str, Facts]) -> str | None:
    fit = [
        name
        for name, seen in facts.items()
        if seen.unique > 0.99 and seen.present > 0.99 and not seen.is_time
    ]
    fit.sort(key=lambda name: not named("key", name))
    return next(iter(fit), None)


def _events(found: Guess, user: str, thing: str | None, when: str | None, vocabulary: Vocabulary) -> None:
    facts = found.facts
    found.take("user_id", user, _told(facts[user], "its name is a person's"))
    is_thing = named("object", str(thing)) or named("content", str(thing))
    why = "its name is a thing's" if is_thing else "its values come again"
    found.take("object_id", thing, _told(facts[str(thing)], why))
    if not found.take("timestamp", when, _told(facts[when], "values read as times") if when else ""):
        found.unsure.append(
            "No column reads as a time, and every event needs one: name it, with its formats."
        )
    key = _unique({name: facts[name] for name in facts if name not in found.taken and named("key", name)})
    found.take("event_id", key, _told(facts[key], "every value is another one") if key else "")
    rating = [n for n in _rank(facts, "rating", but=set(found.taken)) if facts[n].is_number]
    amount = [n for n in _rank(facts, "amount", but=set(found.taken)) if facts[n].is_number]
    kinds = [
        n
        for n in _rank(facts, "event", but=set(found.taken))
        if 1 <= facts[n].distinct <= 50 and not facts[n].is_number and not facts[n].is_time
    ]
    known = {n for n in kinds if any(_ours(word, vocabulary) for word in facts[n].common)}
    # The type of a product or the status of a customer is not what happened.
    kinds = [n for n in kinds if n in known or not (named("object", n) or named("user", n))]
    kinds.sort(key=lambda n: n not in known)
    if kinds:
        found.take("event_type", kinds[0], _told(facts[kinds[0]], "few different words"))
        found.events = {word: _ours(word, vocabulary) for word in facts[kinds[0]].common}
        if unknown := [word for word, ours in found.events.items() if ours is None]:
            found.unsure.append(
                f"{kinds[0]}: no event of the vocabulary is near {', '.join(map(repr, unknown))}: name one in the map, "
                "or declare it in graphprofile.toml."
            )
    else:
        found.constant = "rated" if rating else "purchased" if amount else "viewed"
        found.unsure.append(f"No column says what happened: every row is taken for {found.constant!r}.")
    if rating:
        found.take(
            "value",
            rating[0],
            _told(facts[rating[0]], f"numbers from {facts[rating[0]].low:g} to {facts[rating[0]].high:g}"),
        )
    elif amount:
        found.take("value", amount[0], _told(facts[amount[0]], "an amount of money"))


def _ours(word: str, vocabulary: Vocabulary) -> str | None:
    folded = re.sub(r"[\W_]+", "_", word.strip().casefold()).strip("_")
    names = {name.casefold(): name for name in vocabulary.events}
    near = (
        names.get(folded)
        or names.get(_SYNONYMS.get(folded, ""))
        or names.get(_SYNONYMS.get(folded.replace("_", ""), ""))
    )
    # `lesson.completed` names a thing, then what happened to it.
    verb = re.split(r"[.:/]", word.strip())[-1]
    return near or (_ours(verb, vocabulary) if verb != word.strip() else None)


def _describe(found: Guess, frame: pl.DataFrame) -> None:
    """Title, text and tags of what a row is about."""
    facts, taken = found.facts, found.taken
    user = found.fields.get("user_id")
    thing = found.fields[{"events": "object_id", "content": "content_id"}.get(found.kind, "item_id")]

    def speaks_of_thing(name: str) -> bool:
        if facts[name].is_number or named("user", name) or named("private", name):
            return False
        return user is None or owner(frame, name, user, thing) == "thing"

    titles = [name for name in _rank(facts, "title", but=set(taken)) if speaks_of_thing(name)]
    # Beside a code the bare word is what people call the thing: `product` beside `sku`.
    nouns = [
        name
        for name in _rank(facts, "object", but={*taken, *titles})
        if is_just("object", name) and not named("code", name) and speaks_of_thing(name)
    ]
    ranked = [
        *(name for name in titles if named("object", name) or named("content", name)),
        *(name for name in titles if words(name) in ("title", "name")),
        *nouns,
        *titles,
    ]
    if ranked:
        found.take("title", ranked[0], _told(facts[ranked[0]], "text that names the thing"))
    if found.kind == "content" or found.describes == "content":
        texts = [n for n in _rank(facts, "text", but=set(found.taken)) if facts[n].length > 40]
        if texts:
            found.take("text", texts[0], _told(facts[texts[0]], "long text"))
    for number, name in enumerate(
        n for n in _rank(facts, "tags", but=set(found.taken)) if not facts[n].is_number
    ):
        found.take(f"tags.{number}", name, _told(facts[name], "groups of things"))


def _private(found: Guess) -> None:
    for name in found.facts:
        if name not in found.taken and named("private", name):
            found.left_out[name] = "may tell who somebody is"
        elif name not in found.taken and found.facts[name].present == 0:
            found.left_out[name] = "holds nothing in the rows that were looked at"
        elif name not in found.taken and found.facts[name].distinct == 1:
            found.left_out[name] = (
                f"is always {found.facts[name].common[0]!r} in the rows that were looked at"
            )


def _told(seen: Facts, why: str) -> str:
    return f"{why}; {seen.distinct:,} different values, {seen.present:.0%} present"


def is_agent(name: str) -> bool:
    """Whether a column looks like a browser's name."""
    return named("agent", name)
