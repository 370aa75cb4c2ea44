"""Which column is the user, the thing, the time …: a first guess by names and by what the values look like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from graphprofile.ingest.mapped.facts import Facts, facts_of
from graphprofile.ingest.mapped.sample import Sample
from graphprofile.records import Kind
from graphprofile.vocabulary import Vocabulary

_NAMES = {
    "user": r"user|customer|client|member|visitor|account|buyer|reader|patron|borrower|subscriber|person|uid"
    "|kunde|cliente|utilisateur",
    "object": r"item|product|sku|stock ?code|article|movie|film|book|track|song|asin|isbn|video|course"
    "|game|listing|produkt|artikel|producto|produit",
    "content": r"content|post|page|url|document|story",
    "event": r"event|action|activity|behaviou?r|verb|interaction|status|type|kind",
    "time": r"time|date|timestamp|ts|created|occurred|when|at|datum|fecha|day",
    "rating": r"rating|score|stars?|grade|bewertung",
    "amount": r"price|amount|total|revenue|value|cost|spend|sum|preis|betrag",
    "title": r"title|name|description|titel",
    "tags": r"categor\w*|genres?|tags?|topics?|brand|department|subject|label|class|kategorie",
    "text": r"text|body|abstract|summary",
    "key": r"event|order|transaction|invoice|receipt|log|id|uuid|guid",
    "private": r"e?-?mail|phone|mobile|address|street|birth|dob|iban|ssn|passport|password|first|last|surname|ip",
    "agent": r"agent|ua|browser",
    "unit": r"currency|unit|waehrung",
}
_SYNONYMS = {
    "view": "viewed", "pageview": "viewed", "page_view": "viewed", "visit": "visited", "click": "clicked",
    "buy": "purchased", "purchase": "purchased", "order": "purchased", "paid": "purchased", "sale": "purchased",
    "transaction": "purchased", "cart": "added_to_cart", "addtocart": "added_to_cart",
    "add_to_cart": "added_to_cart", "return": "returned", "refund": "returned", "refunded": "returned",
    "like": "liked", "dislike": "disliked", "rate": "rated", "review": "reviewed", "share": "shared",
    "save": "saved", "bookmark": "saved", "wishlist": "saved", "follow": "followed", "borrow": "borrowed",
    "loan": "borrowed", "watch": "watched", "play": "watched", "read": "read", "complete": "completed",
    "finish": "completed", "subscribe": "subscribed", "search": "searched", "answer": "answered",
}  # fmt: skip


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
    if user and (thing or content):
        _events(found, user, thing or content, when, vocabulary)
        found.describes = "items" if thing else "content"
        if content and not thing:
            found.why["object_id"] += "; it is taken for content, not for an item"
    elif user and not thing:
        found.kind = "users"
        found.take("user_id", user, _told(facts[user], "its name is a person's"))
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
        _describe(found)
    _private(found)
    return found


def _named(role: str, name: str) -> bool:
    return re.search(rf"(?<![a-z])(?:{_NAMES[role]})(?![a-z])", _words(name)) is not None


def _words(name: str) -> str:
    """``CustomerID`` as ``customer id``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.sub(r"(?<=[a-z]{3})id\b", " id", re.sub(r"[\W_]+", " ", parted).strip().lower())


def _rank(facts: dict[str, Facts], role: str, *, but: set[str | None] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Columns whose names fit a role: ids before others, then in the file's order."""
    fit = [name for name in facts if name not in but and _named(role, name)]
    return sorted(fit, key=lambda name: not re.search(r"\b(?:id|code|key|nr|no|number)\b", _words(name)))


def _user(facts: dict[str, Facts]) -> str | None:
    fit = [name for name in _rank(facts, "user") if not _named("private", name) and not facts[name].is_time]
    return next(iter(fit), None)


def _thing(facts: dict[str, Facts], user: str | None) -> tuple[str | None, str | None]:
    def usable(name: str) -> bool:
        seen = facts[name]
        return not (
            seen.is_time or (_named("title", name) and not re.search(r"\bid\b", _words(name)))
        ) and not _named("amount", name)

    items = [name for name in _rank(facts, "object", but={user}) if usable(name) and not _named("tags", name)]
    content = [name for name in _rank(facts, "content", but={user}) if usable(name)]
    return next(iter(items), None), next(iter(content), None)


def _when(facts: dict[str, Facts]) -> str | None:
    fit = [name for name, seen in facts.items() if seen.is_time]
    fit.sort(key=lambda name: (not _named("time", name), "update" in name.lower() or _named("private", name)))
    if fit:
        return fit[0]
    # Seconds since 1970, and days as a spreadsheet counts them, are numbers like any other: the name decides.
    return next(
        (n for n, seen in facts.items() if seen.number > 0.95 and _named("time", n) and numeric_format(seen)),
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
    fit.sort(key=lambda name: not _named("key", name))
    return next(iter(fit), None)


def _events(found: Guess, user: str, thing: str | None, when: str | None, vocabulary: Vocabulary) -> None:
    facts = found.facts
    found.take("user_id", user, _told(facts[user], "its name is a person's"))
    found.take("object_id", thing, _told(facts[str(thing)], "its name is a thing's"))
    if not found.take("timestamp", when, _told(facts[when], "values read as times") if when else ""):
        found.unsure.append(
            "No column reads as a time, and every event needs one: name it, with its formats."
        )
    key = _unique({name: facts[name] for name in facts if name not in found.taken and _named("key", name)})
    found.take("event_id", key, _told(facts[key], "every value is another one") if key else "")
    rating = [n for n in _rank(facts, "rating", but=set(found.taken)) if facts[n].is_number]
    amount = [n for n in _rank(facts, "amount", but=set(found.taken)) if facts[n].is_number]
    kinds = [
        n
        for n in _rank(facts, "event", but=set(found.taken))
        if 1 <= facts[n].distinct <= 50 and not facts[n].is_number and not facts[n].is_time
    ]
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
    return near


def _describe(found: Guess) -> None:
    """Title, text and tags of what a row is about."""
    facts, taken = found.facts, found.taken
    titles = [
        n
        for n in _rank(facts, "title", but=set(taken))
        if not facts[n].is_number and not _named("user", n) and not _named("private", n)
    ]
    titles.sort(
        key=lambda n: (
            not (_named("object", n) or _named("content", n) or _words(n) in ("title", "name", "description"))
        )
    )
    if titles:
        found.take("title", titles[0], _told(facts[titles[0]], "text that names the thing"))
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
        if name not in found.taken and _named("private", name):
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
    return _named("agent", name)


def is_unit(name: str) -> bool:
    """Whether a column looks like a unit or a currency."""
    return _named("unit", name)
