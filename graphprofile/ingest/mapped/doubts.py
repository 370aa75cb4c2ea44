"""What a person must know of a file before it is loaded: amounts in several currencies, rows that are equal."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from graphprofile.ingest.mapped.guess import Guess
from graphprofile.ingest.mapped.names import named
from graphprofile.ingest.mapped.texts import as_text
from graphprofile.ingest.mapped.toml import text

SHOWN = 6
_CURRENCIES = frozenset(
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GEL HKD HRK HUF IDR ILS INR ISK JPY KES KRW KZT MAD "
    "MXN MYR NGN NOK NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD UYU VND ZAR".split()
)


def unit_column(found: Guess) -> str | None:
    """The column that says in which currency or unit the value of a row is, where it names several."""
    for name, seen in found.facts.items():
        codes = {word.upper() for word in seen.common}
        is_unit = named("unit", name) or (bool(codes) and codes <= _CURRENCIES)
        if is_unit and 2 <= seen.distinct <= 200 and not seen.is_number:
            return name
    return None


def convert_lines(found: Guess, name: str) -> Iterator[str]:
    """The cleaning rule that brings a column's amounts to one unit, as a comment to be filled in."""
    unit = unit_column(found)
    if unit is None or found.fields.get("value") != name:
        return
    units = found.facts[unit].common[:SHOWN]
    seen = ", ".join(units)
    found.unsure.append(
        f"{name}: amounts in {seen} ({unit}), which count as if they were one: bring them to one by `convert`, "
        f"which stands as a comment at {name}."
    )
    yield f"# LOOK: amounts in {seen} count as if they were one. What one of each is worth in {units[0]}:"
    yield f"# convert = {{ unit = {text(unit)}, factors = ["
    for number, one in enumerate(units):
        yield f"#   {{ unit = {text(one)}, factor = {'1' if number == 0 else '?'} }},"
    yield "# ] }"


def look_for_equal_rows(frame: pl.DataFrame, found: Guess) -> None:
    """Say how many rows say nothing that another one has not said, where nothing tells events apart."""
    if found.kind != "events" or "event_id" in found.fields:
        return
    used = [name for name in frame.columns if name not in found.left_out]
    texts = pl.DataFrame([as_text(frame[name]).alias(name) for name in used])
    equal = texts.height - texts.n_unique()
    if equal:
        found.unsure.append(
            f"{equal:,} of {texts.height:,} rows looked at are equal to an earlier one in all columns that are kept, "
            "and no column identifies an event. Each counts as an event of its own, numbered in the order of the "
            "file. If they are one row sent twice, leave them out: [duplicates] with key = [COLUMNS], or give "
            "event_id a natural key with numbered = false."
        )
