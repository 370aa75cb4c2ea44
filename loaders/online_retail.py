"""Order lines of a British gift shop, December 2010 to December 2011 (UCI Online Retail, CC BY 4.0).

One file has everything, a row for each line of an invoice: what was sold or taken back, to whom, and what it is. So it
is read three times: for its products, its customers and its events. What is decided about it, and how many rows each
decision is about, stands in ``docs/online-retail.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

from .words import tags_of

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
SECOND_EDITION = {"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}
"""Names that Online Retail II has for the same columns."""
SERVICES = {
    "POST": "postage",
    "DOT": "postage of the web shop",
    "C2": "carriage",
    "23444": "next day carriage",
    "M": "entered by hand",
    "D": "discount",
    "S": "samples",
    "B": "bad debt",
    "BANK CHARGES": "bank charges",
    "AMAZONFEE": "fee",
    "CRUK": "commission for a charity",
    "PADS": "fits every cushion, at 0.001",
}
"""Codes that are no products, in capitals, and what they stand for."""
PACKAGING = frozenset("set pack piece pcs assorted asstd".split())
"""Words that say how many or that they differ, not what."""

STOCK_NOTE = "stock note: no customer and no price"
NO_CUSTOMER = "no customer"
NO_PRODUCT = "not a product"
NO_DESCRIPTION = "no description"

_KINDS: tuple[Kind, ...] = ("items", "users", "events")
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb")


class OnlineRetailLoader:
    """Order lines as purchases and returns, products tagged by the words of their descriptions, customers."""

    name = "online-retail"
    summary = "UCI Online Retail: purchases and returns, products with words as tags, customers"
    time_zone = "Europe/London"
    """The shop's; the file names none."""

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file once for each kind of record it holds.

        Raises:
            SourceError: An Excel workbook, or a kind that the files do not hold.
        """
        for path in paths:
            if path.suffix.lower() in _WORKBOOKS:
                raise SourceError(f"{path}: is an Excel workbook; tables are read as CSV.", _conversion(path))
        if kind is not None and kind not in _KINDS:
            raise _no_such(kind)
        return [SourceFile(path, each) for each in _KINDS if kind in (None, each) for path in paths]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Order lines as generic columns; what is left out on purpose says why in ``_skip``.

        Raises:
            SourceError: The file lacks a column, or writes its dates in a way that two countries read differently.
        """
        frame = frame.rename({old: new for old, new in SECOND_EDITION.items() if old in frame.columns})
        missing = [name for name in COLUMNS if name not in frame.columns]
        if missing:
            raise SourceError(
                f"No column {', '.join(missing)} in the order lines; their columns: {', '.join(frame.columns)}.",
                "Is this UCI Online Retail? Give other files to the generic loader.",
            )
        _refuse_ambiguous_dates(frame["InvoiceDate"])
        if kind == "events":
            return _events(frame)
        if kind == "items":
            return _products(frame)
        if kind == "users":
            return _customers(frame)
        raise _no_such(kind)


def _no_such(kind: Kind) -> SourceError:
    return SourceError(f"Online Retail has no {kind}.", "Its kinds are items, users and events.")


def _conversion(path: Path) -> str:
    return (
        'Convert it once (pip install fastexcel): python -c "import polars as pl; pl.read_excel('
        f"'{path}', infer_schema_length=None).write_csv('online_retail.csv', "
        "datetime_format='%Y-%m-%d %H:%M:%S')\""
    )


def _refuse_ambiguous_dates(dates: pl.Series) -> None:
    import polars as pl

    if dates.dtype != pl.String:
        return
    written = dates.drop_nulls()
    if len(written) and written.str.contains(r"^\s*\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b").all():
        raise SourceError(
            f"InvoiceDate is written {written[0]!r}: it cannot be told whether the day or the month is first.",
            'Write it as 2010-12-01 08:26. With the month first: python -c "import polars as pl; '
            "f = pl.read_csv('data.csv', infer_schema=False, encoding='latin1'); "
            "f.with_columns(pl.col('InvoiceDate').str.to_datetime('%m/%d/%Y %H:%M')).write_csv('online_retail.csv', "
            "datetime_format='%Y-%m-%d %H:%M:%S')\"; with the day first: '%d/%m/%Y %H:%M'.",
        )


def _text(column: str) -> pl.Expr:
    """Trimmed text, null where there is none."""
    import polars as pl

    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def _number(column: str) -> pl.Expr:
    import polars as pl

    number = _text(column).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _customer() -> pl.Expr:
    """``17850.0`` is the customer 17850."""
    return _text("CustomerID").str.replace(r"\.0+$", "")


def _code() -> pl.Expr:
    """In capitals: 15056bl and 15056BL are one product."""
    return _text("StockCode").str.to_uppercase()


def _is_stock_note() -> pl.Expr:
    return _customer().is_null() & (_number("UnitPrice") == 0)


def _is_service() -> pl.Expr:
    return _code().is_in(list(SERVICES)).fill_null(False)


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    """Purchases and returns, their amount as the value.

    No ``event_id``: a line has none, so it is made from all that the line says, with a number for lines of an invoice
    that say the same. An invoice is part of what they say and comes whole in one file.
    """
    import polars as pl

    lines = frame.select(
        invoice=_text("InvoiceNo"),
        quantity=_number("Quantity"),
        unit_price=_number("UnitPrice"),
        note=_is_stock_note(),
        service=_is_service(),
        user_id=_customer(),
        object_id=_code(),
        timestamp=pl.col("InvoiceDate"),
        written_quantity=pl.col("Quantity").cast(pl.String).fill_null(""),
        written_price=pl.col("UnitPrice").cast(pl.String).fill_null(""),
    ).with_columns(returned=pl.col("invoice").str.to_uppercase().str.starts_with("C").fill_null(False))
    quantity, price, returned = pl.col("quantity"), pl.col("unit_price"), pl.col("returned")
    written = pl.col("written_quantity")
    return lines.select(
        "user_id",
        pl.when(returned).then(pl.lit("returned")).otherwise(pl.lit("purchased")).alias("event_type"),
        "object_id",
        "timestamp",
        # Cents: 6 at 2.55 are 15.3, not 15.299999999999999.
        (quantity * price).abs().round(6).alias("value"),
        "invoice",
        quantity.abs().cast(pl.Int64, strict=False).alias("quantity"),
        "unit_price",
        pl.when("note")
        .then(pl.lit(STOCK_NOTE))
        .when(pl.col("user_id").is_null())
        .then(pl.lit(NO_CUSTOMER))
        .when("service")
        .then(pl.lit(NO_PRODUCT))
        .alias("_skip"),
        pl.when(pl.col("invoice").is_null())
        .then(pl.lit("InvoiceNo: is missing: it tells purchases from returns, and lines from each other"))
        .when(quantity.is_null() | (quantity != quantity.floor()) | (quantity.abs() > 2**53))
        .then(pl.format("Quantity: '{}' is no whole number", written))
        .when(quantity == 0)
        .then(pl.lit("Quantity: is 0: nothing was sold"))
        .when(returned & (quantity > 0))
        .then(pl.format("Quantity: {} is positive in a cancellation (invoice {})", written, "invoice"))
        .when(~returned & (quantity < 0))
        .then(pl.format("Quantity: {} is negative outside a cancellation (invoice {})", written, "invoice"))
        .when(price.is_null())
        .then(pl.format("UnitPrice: '{}' is no number", "written_price"))
        .when(price < 0)
        .then(pl.format("UnitPrice: {} is negative", "written_price"))
        .alias("_reject"),
    )


def _products(frame: pl.DataFrame) -> pl.DataFrame:
    """What the products are called, the description of the latest invoice winning."""
    import polars as pl

    lines = frame.select(
        item_id=_code(),
        title=_text("Description").str.replace_all(r"\s+", " "),
        updated_at=pl.col("InvoiceDate"),
        note=_is_stock_note(),
        service=_is_service(),
    ).with_columns(
        pl.when("note")
        .then(pl.lit(STOCK_NOTE))
        .when("service")
        .then(pl.lit(NO_PRODUCT))
        .when(pl.col("title").is_null())
        .then(pl.lit(NO_DESCRIPTION))
        .alias("_skip")
    )
    titles = lines.filter(pl.col("_skip").is_null())["title"].unique()
    words = pl.Series("words", map(_words, titles.to_list()), dtype=pl.String)
    return lines.join(pl.DataFrame([titles, words]), on="title", how="left", maintain_order="left").select(
        "item_id", "title", pl.col("words").str.split(" ").alias("tags"), "updated_at", "_skip"
    )


@cache
def _words(title: str) -> str:
    """The title's tags in one text; no word holds a blank."""
    return " ".join(tags_of(title, PACKAGING))


def _customers(frame: pl.DataFrame) -> pl.DataFrame:
    """Where the customers live, the country of the latest invoice winning."""
    import polars as pl

    country = _text("Country")
    return frame.select(
        _customer().alias("user_id"),
        pl.when(country != "Unspecified").then(country).alias("country"),
        pl.col("InvoiceDate").alias("updated_at"),
        pl.when(_is_stock_note())
        .then(pl.lit(STOCK_NOTE))
        .when(_customer().is_null())
        .then(pl.lit(NO_CUSTOMER))
        .alias("_skip"),
    )
