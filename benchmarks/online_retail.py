"""UCI Online Retail: what is in the file, what the loader makes of it, and how fast it is read and checked.

    python benchmarks/online_retail.py PATH [--json]

PATH is the file as CSV (also compressed) or its folder. Needs no engine. The first part counts the raw rows without the
loader, so the two can be compared.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from graphprofile.loaders.online_retail import COLUMNS, SERVICES

from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import expand_paths, read_checked, read_source
from graphprofile.records import Description, DescriptionChunk, EventChunk
from graphprofile.vocabulary import Vocabulary

LINE = ("InvoiceNo", "StockCode")


def raw_lines(paths: list[Path]) -> pl.DataFrame:
    """All rows as text, with trimmed descriptions, numbers beside."""
    rows = pl.concat([chunk.frame for path in paths for chunk in read_source(path)])
    return rows.with_columns(pl.col(pl.String).replace("", None)).with_columns(
        quantity=pl.col("Quantity").cast(pl.Int64),
        price=pl.col("UnitPrice").cast(pl.Float64),
        title=pl.col("Description").str.strip_chars(),
        cancelled=pl.col("InvoiceNo").str.starts_with("C"),
        code=pl.col("StockCode").str.to_uppercase(),
    )


def _count(rows: pl.DataFrame, condition: pl.Expr) -> int:
    return rows.filter(condition).height


def _several(rows: pl.DataFrame, by: str, of: str) -> int:
    return rows.group_by(by).agg(n=pl.col(of).n_unique()).filter(pl.col("n") > 1).height


def facts(rows: pl.DataFrame) -> dict[str, int]:
    """Counts of the raw rows, without the loader."""
    nobody = pl.col("CustomerID").is_null()
    note = nobody & (pl.col("price") == 0)
    service = pl.col("code").is_in(list(SERVICES))
    named = rows.filter(pl.col("title").is_not_null())
    sold = named.filter(~note & ~service)
    return {
        "order lines": rows.height,
        "of cancellations (invoice begins with C)": _count(rows, pl.col("cancelled")),
        "negative quantity outside cancellations": _count(
            rows, ~pl.col("cancelled") & (pl.col("quantity") < 0)
        ),
        "the same with a customer or a price": _count(
            rows, ~pl.col("cancelled") & (pl.col("quantity") < 0) & ~note
        ),
        "price of 0 or less": _count(rows, pl.col("price") <= 0),
        "without a customer": _count(rows, nobody),
        "without customer and price (stock notes)": _count(rows, note),
        "price of 0 with a customer": _count(rows, ~nobody & (pl.col("price") == 0)),
        "services, not stock notes": _count(rows, service & ~note),
        "services with a customer": _count(rows, service & ~nobody),
        "exact copies of an earlier row": rows.height - rows.unique(COLUMNS).height,
        "invoices": rows["InvoiceNo"].n_unique(),
        "invoices with two times": _several(rows, "InvoiceNo", "InvoiceDate"),
        "codes": rows["StockCode"].n_unique(),
        "codes without regard to case": rows["code"].n_unique(),
        "codes with several entries in Description": _several(rows, "StockCode", "Description"),
        "codes with several descriptions, empty ones aside": _several(named, "StockCode", "Description"),
        "products with several descriptions, stock notes aside": _several(sold, "code", "title"),
        "products that only stock notes describe": named["code"].n_unique()
        - named.filter(~note)["code"].n_unique(),
        "products with several prices": _several(sold.filter(pl.col("price") > 0), "code", "price"),
        "products": sold["code"].n_unique(),
        "customers": rows["CustomerID"].drop_nulls().n_unique(),
        "customers in several countries": _several(rows.drop_nulls("CustomerID"), "CustomerID", "Country"),
        "customers' lines": _count(rows, ~nobody & ~service),
        "customers' lines that are returns": _count(rows, ~nobody & ~service & pl.col("cancelled")),
    }


def copies(rows: pl.DataFrame) -> dict[str, float]:
    """Are equal lines of an invoice second lines or copies made by the export? What the data say."""
    placed = rows.with_row_index("row").filter(pl.col("CustomerID").is_not_null())
    pairs = placed.group_by(LINE).agg(
        pl.len(),
        equal=pl.struct(COLUMNS).n_unique() == 1,
        gap=pl.col("row").max() - pl.col("row").min(),
    )
    pairs = pairs.filter(pl.col("len") == 2)
    gaps = pairs.filter("equal")["gap"]
    doubled = placed.with_columns(copied=pl.struct(COLUMNS).is_duplicated())
    per_invoice = doubled.group_by("InvoiceNo").agg(pl.len(), copied=pl.col("copied").sum())
    per_invoice = per_invoice.filter((pl.col("copied") > 0) & (pl.col("len") > 2))
    return {
        "products with two lines in an invoice": pairs.height,
        "share whose two lines are equal": round(float(pairs["equal"].mean() or 0.0), 3),
        "lines between two equal ones, median": float(gaps.median() or 0.0) - 1,
        "share of equal ones that are neighbours": round(float((gaps == 1).mean() or 0.0), 3),
        "invoices of more than two lines with equal ones": per_invoice.height,
        "of these all lines doubled": per_invoice.filter(pl.col("copied") == pl.col("len")).height,
    }


def outcome(paths: list[Path], chunk_rows: int) -> dict[str, dict[str, Any]]:
    """What the loader makes of the rows, by kind, and how fast."""
    loader = find_loader("online-retail")
    result: dict[str, dict[str, Any]] = {}
    for source in loader.sources(paths, None):
        started, cpu = time.perf_counter(), time.process_time()
        read = rejected = repeats = described = 0
        skipped: Counter[str] = Counter()
        types: Counter[str] = Counter()
        ids: set[str] = set()
        latest: dict[str, Description] = {}
        for chunk in read_checked(source, loader, None, Mapping(), Vocabulary(), chunk_rows=chunk_rows):
            read += chunk.read
            rejected += len(chunk.rejected)
            if isinstance(chunk, EventChunk):
                types.update(chunk.frame["type"].to_list())
                ids.update(chunk.frame["event_id"].to_list())
            if isinstance(chunk, DescriptionChunk):
                repeats += chunk.repeats
                described += len(chunk.rows)
                for row in chunk.rows:
                    latest[row.id] = max(row, latest.get(row.id, row), key=lambda row: row.updated_at or 0)
                    ids.add(row.id)
            if isinstance(chunk, EventChunk | DescriptionChunk):
                skipped.update(chunk.skipped)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        found = {
            "read": read,
            "refused": rejected,
            "distinct": len(ids),
            **{f"skipped: {k}": v for k, v in skipped.items()},
        }
        if types:
            found |= {name.lower(): count for name, count in types.items()}
            found["ids with a number (second lines)"] = sum("-" in id_ for id_ in ids)
        else:
            found |= {"repeats": repeats, "sent to the graph": described}
        if source.kind == "items":
            found |= _tags([row.tags or [] for row in latest.values()])
        found["seconds"], found["cpu_seconds"] = round(seconds, 2), round(cpu, 2)
        found["rows_per_second"] = round((read + skipped.total()) / seconds)
        result[str(source.kind)] = found
    return result


def _tags(tag_lists: list[list[tuple[str, str, float]]]) -> dict[str, float]:
    products = Counter((kind, name) for tags in tag_lists for kind, name, _ in tags)
    return {
        "words": sum(kind == "word" for kind, _ in products),
        "words on one product only": sum(n == 1 for (kind, _), n in products.items() if kind == "word"),
        "colours": sum(kind == "colour" for kind, _ in products),
        "products with a colour": sum(any(kind == "colour" for kind, *_ in tags) for tags in tag_lists),
        "products without a tag": sum(not tags for tags in tag_lists),
        "tags on a product, mean": round(products.total() / len(tag_lists), 2) if tag_lists else 0.0,
    }


def main() -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("path", type=Path, help="the file, or its folder")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--chunk-rows", type=int, default=60_000, help="most rows handled at once")
    options = parser.parse_args()
    paths = expand_paths([options.path])
    # The libraries that words are found with are imported before anything is timed.
    find_loader("online-retail").transform(raw_lines(paths).head(100).select(COLUMNS), "items")
    rows = raw_lines(paths)
    report = {"file": facts(rows), "equal lines": copies(rows), **outcome(paths, options.chunk_rows)}
    if options.json:
        print(json.dumps(report, indent=2))
        return 0
    for part, counts in report.items():
        print(part)
        for name, count in counts.items():
            print(f"  {name:58} {count:>12,}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
