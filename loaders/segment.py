"""Tracking calls of Segment and RudderStack, as JSON Lines or one JSON array.

Followed: Segment's Spec, its pages Common Fields and E-Commerce Events V2 (with the names of V1 that V2 lists as
aliases). What is decided stands in ``docs/loaders/segment.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

from .values import columns, mapping, number, text, values

if TYPE_CHECKING:
    import polars as pl

PRODUCT_EVENTS = {
    "product clicked": "clicked",
    "clicked product": "clicked",
    "product viewed": "viewed",
    "viewed product": "viewed",
    "product added": "added_to_cart",
    "added product": "added_to_cart",
    "product added to wishlist": "saved",
    "wishlist product added to cart": "added_to_cart",
    "product shared": "shared",
    "product reviewed": "reviewed",
}
"""Track calls about one product, in small letters."""
ORDER_EVENTS = {
    "order completed": "purchased",
    "completed order": "purchased",
    "order refunded": "returned",
    "order cancelled": "returned",
}
"""Track calls that hold ``products``: an event for each."""
LIST_EVENTS = {
    "product list viewed": ("viewed", ("list_id", "category"), "list"),
    "viewed product category": ("viewed", ("list_id", "category"), "list"),
    "product list filtered": ("viewed", ("list_id", "category"), "list"),
    "promotion viewed": ("viewed", ("promotion_id", "name"), "promotion"),
    "viewed promotion": ("viewed", ("promotion_id", "name"), "promotion"),
    "promotion clicked": ("clicked", ("promotion_id", "name"), "promotion"),
    "clicked promotion": ("clicked", ("promotion_id", "name"), "promotion"),
    "products searched": ("searched", ("query",), "search"),
    "product searched": ("searched", ("query",), "search"),
}
"""Track calls about what is no product: event, properties that name it, and what stands before the name."""
NO_INTEREST = frozenset(
    {
        "product removed",
        "removed product",
        "product removed from wishlist",
        "cart viewed",
        "cart shared",
        "checkout started",
        "checkout step viewed",
        "checkout step completed",
        "payment info entered",
        "order updated",
        "coupon entered",
        "coupon applied",
        "coupon denied",
        "coupon removed",
    }
)
"""Track calls of the e-commerce spec that the vocabulary has no word for: counted by name."""
KEPT = "order_id cart_id quantity price currency coupon position query rating share_via".split()
"""Properties of a call that stay on its events."""
OBJECT_IDS = (("product_id", "item"), ("sku", "item"), ("content_id", "content"), ("article_id", "content"))
"""Properties that name the object of a track call that is not of the e-commerce spec, and its kind."""

ALIAS = "type: is alias: it joins two identities, and users are not merged here yet; load the calls under one userId"
NOT_AN_EVENT = "identify and group: read as users"
NOT_A_USER = "no identify or group call"
NO_PRODUCT = "names no product"
NO_PAGE = "no page or screen call"

_KINDS: tuple[Kind, ...] = ("users", "items", "content", "events")
_EVENT = (
    *("_row", "_reject", "_skip", "event_id", "user_id", "event_type", "object_id", "object_kind"),
    *("timestamp", "value"),
)
_CALL = ("messageId", "type", "userId", "anonymousId", "event", "name", "properties", "context")
_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_DETAILS = ("sku", "variant", "url", "image_url")
_TAG_KINDS = ("category", "brand")
_NO_ITEM = (None,) * (len(_DETAILS) + len(_TAG_KINDS) + 4)
_TRAITS = {name: f"trait_{name}" for name in ("user_id", "updated_at")}
"""Traits whose names mean something else here."""
_NOTHING: tuple[None, None, str, None, dict[str, Any]] = (None, None, "item", None, {})
_Event = tuple[str | None, Any, Any, str, float | None, Mapping[str, Any]]
"""Why it is refused, event type, object, its kind, value, properties."""


class SegmentLoader:
    """Track, page and screen calls as events, identify and group as users, products as items, pages as content."""

    name = "segment"
    summary = "Segment and RudderStack calls: track, identify, page, screen, group as JSON Lines or an array"
    time_zone = "UTC"

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file once for each kind of record it may hold.

        Raises:
            SourceError: A kind that calls do not hold.
        """
        if kind is not None and kind not in _KINDS:
            raise _no_such(kind)
        return [SourceFile(path, each, "json") for each in _KINDS if kind in (None, each) for path in paths]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Calls as generic columns; an order becomes an event for each of its products.

        Raises:
            SourceError: A kind that calls do not hold.
        """
        if kind not in _KINDS:
            raise _no_such(kind)
        make = {"events": _events, "users": _users, "items": _items, "content": _content}[kind]
        return make(frame)


def _no_such(kind: Kind) -> SourceError:
    return SourceError(f"Calls hold no {kind}.", "The kinds are users, items, content and events.")


def _times(frame: pl.DataFrame) -> list[Any]:
    """When each call was made: ``timestamp``, else corrected for the clock of the device as the spec says."""
    stamps = values(frame, "timestamp")
    if None not in stamps:
        return stamps
    others = [values(frame, name) for name in _TIMES[1:]]
    return [
        stamp if stamp is not None else _corrected(*times)
        for stamp, *times in zip(stamps, *others, strict=True)
    ]


def _corrected(original: Any, sent: Any, received: Any) -> Any:
    """``receivedAt - (sentAt - originalTimestamp)`` where all three are there, else the best of them."""
    try:
        moment = _moment(received) - (_moment(sent) - _moment(original))
    except (TypeError, ValueError, OverflowError):
        return next((time for time in (original, received, sent) if time is not None), None)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _user(user_id: Any, anonymous_id: Any) -> Any:
    """``userId``; where there is none ``anonymous:`` and ``anonymousId``."""
    if user_id is not None and user_id != "":
        return user_id
    anonymous = text(anonymous_id)
    return None if anonymous is None else f"anonymous:{anonymous}"


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    rows: list[tuple[Any, ...]] = []
    more: list[Mapping[str, Any]] = []
    calls = zip(*(values(frame, name) for name in _CALL), _times(frame), strict=True)
    for row, (message, call, user_id, anonymous, event, name, properties, context, time) in enumerate(calls):
        user = _user(user_id, anonymous)
        nobody = "userId: is missing, and so is anonymousId" if user is None else None
        skip, made, key = None, None, ""
        if call == "track":
            label = event.strip() if isinstance(event, str) else event
            key = label.lower() if isinstance(label, str) else ""
            if key in NO_INTEREST:
                skip = f"{label}: no event of the vocabulary"
            elif key in ORDER_EVENTS:
                made = _ordered(ORDER_EVENTS[key], mapping(properties))
            else:
                made = [_tracked(key, label, mapping(properties), mapping(context))]
        elif call == "page" or call == "screen":
            made = [_seen(call, name, mapping(properties), mapping(context))]
        elif call == "identify" or call == "group":
            skip = NOT_AN_EVENT
        else:
            nobody = ALIAS if call == "alias" else _unknown(call)
        if made is None:
            rows.append((row, None if skip else nobody, skip, message, user, None, None, None, time, None))
            more.append({})
            continue
        for part, (wrong, kind, thing, thing_kind, value, kept) in enumerate(made, start=1):
            event_id = f"{message}:{part}" if message is not None and key in ORDER_EVENTS else message
            rows.append((row, nobody or wrong, None, event_id, user, kind, thing, thing_kind, time, value))
            more.append(kept)
    return columns(_EVENT, rows, more)


def _unknown(call: Any) -> str:
    if call is None:
        return "type: is missing: track, identify, page, screen, group or alias; a body with a batch is not one call"
    return f"type: {call!r} is no call of the spec: track, identify, page, screen, group or alias"


def _kept(*sources: Mapping[str, Any]) -> dict[str, Any]:
    return {name: source[name] for source in sources for name in KEPT if source.get(name) is not None}


def _product_id(product: Mapping[str, Any]) -> Any:
    found = product.get("product_id")
    return found if found is not None and found != "" else product.get("sku")


def _ordered(event: str, properties: Mapping[str, Any]) -> list[_Event]:
    """An event for each product of an order, its amount as the value."""
    products = properties.get("products")
    if not isinstance(products, list) or not products:
        return [("properties.products: is missing: an order is an event for each of them", *_NOTHING)]
    found: list[_Event] = []
    for place, product in enumerate(products):
        where = f"properties.products[{place}]"
        if not isinstance(product, dict):
            found.append((f"{where}: is no object of fields", *_NOTHING))
            continue
        wrong, value = None, None
        price, quantity = product.get("price"), product.get("quantity", 1)
        if _product_id(product) is None:
            wrong = f"{where}: has neither product_id nor sku"
        elif price is not None:
            one, many = number(price), number(quantity)
            if one is None or many is None or one < 0 or many < 0:
                wrong = f"{where}: price {price!r} and quantity {quantity!r} give no amount"
            else:
                # Cents: 3 at 0.1 are 0.3, not 0.30000000000000004.
                value = round(one * many, 6)
        kept = _kept(product, {name: properties.get(name) for name in ("order_id", "currency", "coupon")})
        found.append((wrong, event, _product_id(product), "item", value, kept))
    return found


def _tracked(key: str, label: Any, properties: Mapping[str, Any], context: Mapping[str, Any]) -> _Event:
    """A track call that is about one thing."""
    kept = _kept(properties)
    if key in PRODUCT_EVENTS:
        thing = _product_id(properties)
        wrong = None if thing is not None else "properties.product_id: is missing, and so is sku"
        return wrong, PRODUCT_EVENTS[key], thing, "item", None, kept
    if key in LIST_EVENTS:
        event, names, before = LIST_EVENTS[key]
        thing = next((found for name in names if (found := text(properties.get(name)))), None)
        if thing is None:
            return f"properties.{names[0]}: is missing: it names what it is about", *_NOTHING
        thing = " ".join(thing.lower().split()) if before == "search" else thing
        return None, event, f"{before}:{thing}", "content", None, kept
    for name, kind in OBJECT_IDS:
        if properties.get(name) is not None:
            return None, label, properties[name], kind, None, kept
    # Unknown names are judged by the vocabulary, which knows what would declare them.
    page = _page(properties, context)
    return None, label, page if page is not None else "", "content", None, kept


def _seen(call: str, name: Any, properties: Mapping[str, Any], context: Mapping[str, Any]) -> _Event:
    """A page or screen call."""
    thing = _place(call, name, properties, context)
    wrong = None if thing is not None else "properties.url: is missing, and so are path and name"
    return wrong, "viewed", thing, "content", None, {}


def _place(call: str, name: Any, properties: Mapping[str, Any], context: Mapping[str, Any]) -> str | None:
    if call == "page":
        found = _page(properties, context)
        if found is not None:
            return found
    named = text(name) or text(properties.get("name"))
    return None if named is None else f"{call}:{named}"


def _page(properties: Mapping[str, Any], context: Mapping[str, Any]) -> str | None:
    """Where a page lies, without query and fragment: they tell of the visit, not of the page."""
    page = mapping(context.get("page"))
    for source in (properties, page):
        for name in ("url", "path"):
            found = text(source.get(name))
            if found is not None:
                return found.partition("#")[0].partition("?")[0] or None
    return None


def _users(frame: pl.DataFrame) -> pl.DataFrame:
    """Traits of identify calls; of group calls which group it is."""
    names = ("type", "userId", "anonymousId", "traits", "context", "groupId")
    rows: list[tuple[Any, ...]] = []
    more: list[Mapping[str, Any]] = []
    calls = zip(*(values(frame, name) for name in names), _times(frame), strict=True)
    for call, user_id, anonymous, traits, context, group, time in calls:
        if call != "identify" and call != "group":
            rows.append((NOT_A_USER, None, None, None))
            more.append({})
            continue
        user = _user(user_id, anonymous)
        wrong = "userId: is missing, and so is anonymousId" if user is None else None
        if call == "group":
            wrong = wrong or ("groupId: is missing" if text(group) is None else None)
            more.append({"group_id": text(group)})
        else:
            # RudderStack's libraries put the traits into the context.
            said = mapping(traits) or mapping(mapping(context).get("traits"))
            more.append({_TRAITS.get(name, name): value for name, value in said.items()})
        rows.append((None, wrong, user, time))
    return columns(("_skip", "_reject", "user_id", "updated_at"), rows, more)


def _items(frame: pl.DataFrame) -> pl.DataFrame:
    """Products that track calls name, with brand and category as tags."""
    rows: list[tuple[Any, ...]] = []
    calls = zip(values(frame, "type"), values(frame, "properties"), _times(frame), strict=True)
    for row, (call, properties, time) in enumerate(calls):
        found = _products(mapping(properties)) if call == "track" else []
        if not found:
            rows.append((row, NO_PRODUCT, *_NO_ITEM))
        for product in found:
            price = product.get("price")
            rows.append(
                (
                    row,
                    None,
                    _product_id(product),
                    text(product.get("name")),
                    *(text(product.get(kind)) for kind in _TAG_KINDS),
                    *(text(product.get(name)) for name in _DETAILS),
                    None if price is None else number(price),
                    time,
                )
            )
    names = ("_row", "_skip", "item_id", "title", *(f"_{kind}" for kind in _TAG_KINDS), *_DETAILS)
    return _with_tags(columns((*names, "price", "updated_at"), rows))


def _products(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = properties.get("products")
    every = listed if isinstance(listed, list) else [properties]
    return [product for product in every if isinstance(product, dict) and _product_id(product) is not None]


def _with_tags(frame: pl.DataFrame) -> pl.DataFrame:
    """Category and brand as a list of tags, null where there is neither."""
    import polars as pl

    tags = pl.concat_list(
        pl.concat_str(pl.lit(f"{kind}:"), pl.col(f"_{kind}").cast(pl.String)) for kind in _TAG_KINDS
    ).list.drop_nulls()
    return frame.with_columns(tags=pl.when(tags.list.len() > 0).then(tags)).drop(
        f"_{kind}" for kind in _TAG_KINDS
    )


def _content(frame: pl.DataFrame) -> pl.DataFrame:
    """Pages and screens with their titles."""
    names = ("type", "name", "properties", "context")
    rows: list[tuple[Any, ...]] = []
    calls = zip(*(values(frame, name) for name in names), _times(frame), strict=True)
    for call, name, properties, context, time in calls:
        if call != "page" and call != "screen":
            rows.append((NO_PAGE, None, None, None, None))
            continue
        said, around = mapping(properties), mapping(context)
        title = text(said.get("title")) or text(mapping(around.get("page")).get("title")) or text(name)
        thing = _place(call, name, said, around)
        wrong = None if thing is not None else "properties.url: is missing, and so are path and name"
        rows.append((None, wrong, thing, title, time))
    return columns(("_skip", "_reject", "content_id", "title", "updated_at"), rows)
