"""Shopify's export of orders: one row a line of an order, in CSV.

The columns are those that Shopify's export of orders is known to have; those of an order stand in its first row only.
What is decided stands in ``docs/loaders/shopify-orders.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

if TYPE_CHECKING:
    import polars as pl

REQUIRED = ("Name", "Email", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price")
ORDER = (
    "Email",
    "Financial Status",
    "Currency",
    "Created at",
    "Cancelled at",
    "Accepts Marketing",
    "Billing Country",
)
"""Columns that only the first row of an order has to say."""
TAKEN_BACK = ("refunded", "voided")
"""Financial states of an order that was taken back whole."""
NO_CUSTOMER = "no customer"
NO_ITEM = "no item"

_KINDS: tuple[Kind, ...] = ("users", "items", "events")


class ShopifyOrdersLoader:
    """Lines of orders as purchases, of cancelled and refunded orders as returns too; products and customers."""

    name = "shopify-orders"
    summary = "Shopify's export of orders (CSV): purchases and returns, products, customers"
    time_zone = "UTC"
    """The export names the zone of every time."""

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file once for each kind of record it holds.

        Raises:
            SourceError: A kind that orders do not hold.
        """
        if kind is not None and kind not in _KINDS:
            raise _no_such(kind)
        return [
            SourceFile(path, each, "csv", separator=",", together="Name", fill=ORDER)
            for each in _KINDS
            if kind in (None, each)
            for path in paths
        ]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Lines of orders as generic columns.

        Raises:
            SourceError: The file lacks a column, or a kind that orders do not hold.
        """
        import polars as pl

        missing = [name for name in REQUIRED if name not in frame.columns]
        if missing:
            raise SourceError(
                f"No column {', '.join(missing)} in the orders; their columns: {', '.join(frame.columns)}.",
                "Is this Shopify's export of orders? Give other files to the generic loader.",
            )
        if kind not in _KINDS:
            raise _no_such(kind)
        absent = (*ORDER, "Lineitem sku", "Lineitem discount", "Vendor")
        frame = frame.with_columns(
            pl.lit(None, pl.String).alias(name) for name in absent if name not in frame.columns
        )
        return {"events": _events, "users": _customers, "items": _products}[kind](frame)


def _no_such(kind: Kind) -> SourceError:
    return SourceError(f"Orders hold no {kind}.", "Their kinds are users, items and events.")


def _text(column: str) -> pl.Expr:
    """Trimmed text, null where there is none."""
    import polars as pl

    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def _number(column: str) -> pl.Expr:
    import polars as pl

    number = _text(column).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _time(column: str) -> pl.Expr:
    """``2025-10-07 09:50:26 +0200`` as ISO 8601."""
    return _text(column).str.replace(r" ([+-]\d{2}):?(\d{2})$", "${1}:${2}")


def _customer() -> pl.Expr:
    return _text("Email").str.to_lowercase()


def _item() -> pl.Expr:
    import polars as pl

    return pl.coalesce(_text("Lineitem sku"), _text("Lineitem name"))


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    """A purchase for each line, and a return where the whole order was cancelled or refunded.

    What may change from one export to the next (the financial state, say) is no property of an event: the same line
    must be the same event in both.
    """
    import polars as pl

    item, order = pl.col("object_id"), pl.col("order")
    quantity, price = pl.col("quantity"), pl.col("price")
    lines = frame.select(
        order=_text("Name"),
        user_id=_customer(),
        object_id=_item(),
        timestamp=_time("Created at"),
        cancelled=_time("Cancelled at"),
        state=_text("Financial Status").str.to_lowercase(),
        currency=_text("Currency"),
        quantity=_number("Lineitem quantity"),
        price=_number("Lineitem price"),
        discount=pl.when(_text("Lineitem discount").is_null())
        .then(0.0)
        .otherwise(_number("Lineitem discount")),
        _row=pl.int_range(pl.len(), dtype=pl.Int64),
    )
    amount = (quantity * price - pl.col("discount")).round(6)
    occurrence = pl.int_range(pl.len()).over("order", "object_id") + 1
    lines = lines.with_columns(
        pl.when(occurrence > 1)
        .then(pl.format("{}:{}:{}", order, item, occurrence))
        .otherwise(pl.format("{}:{}", order, item))
        .alias("event_id"),
        amount.alias("value"),
        pl.lit("purchased").alias("event_type"),
        pl.when(pl.col("user_id").is_null() & order.is_not_null()).then(pl.lit(NO_CUSTOMER)).alias("_skip"),
        pl.when(order.is_null())
        .then(pl.lit("Name: is missing: it says which order the line is of"))
        .when(pl.col("timestamp").is_null())
        .then(pl.lit("Created at: is missing: has the first line of the order been refused?"))
        .when(item.is_null())
        .then(pl.lit("Lineitem name: is missing, and so is Lineitem sku"))
        .when(quantity.is_null() | (quantity <= 0) | (quantity != quantity.floor()))
        .then(pl.lit("Lineitem quantity: is no whole number above 0"))
        .when(price.is_null() | (price < 0))
        .then(pl.lit("Lineitem price: is no amount"))
        .when(amount.is_null() | (amount < 0))
        .then(pl.lit("Lineitem discount: is no amount, or larger than the price"))
        .alias("_reject"),
    )
    back = pl.col("cancelled").is_not_null() | pl.col("state").is_in(list(TAKEN_BACK))
    returned = lines.filter(back & pl.col("_skip").is_null() & pl.col("_reject").is_null()).with_columns(
        pl.lit("returned").alias("event_type"), pl.coalesce("cancelled", "timestamp").alias("timestamp")
    )
    both = pl.concat([lines, returned]).sort("_row", maintain_order=True)
    return both.drop("cancelled", "state").with_columns(quantity.cast(pl.Int64, strict=False))


def _products(frame: pl.DataFrame) -> pl.DataFrame:
    """What the products are called, the latest order winning."""
    import polars as pl

    return frame.select(
        _item().alias("item_id"),
        _text("Lineitem name").alias("title"),
        pl.concat_list(pl.concat_str(pl.lit("vendor:"), _text("Vendor"))).list.drop_nulls().alias("tags"),
        _time("Created at").alias("updated_at"),
        pl.when(_item().is_null()).then(pl.lit(NO_ITEM)).alias("_skip"),
    )


def _customers(frame: pl.DataFrame) -> pl.DataFrame:
    """Where the customers are billed and whether they may be written to, the latest order winning."""
    import polars as pl

    return frame.select(
        _customer().alias("user_id"),
        _text("Billing Country").alias("country"),
        (_text("Accepts Marketing").str.to_lowercase() == "yes").alias("accepts_marketing"),
        _time("Created at").alias("updated_at"),
        pl.when(_customer().is_null()).then(pl.lit(NO_CUSTOMER)).alias("_skip"),
    )
