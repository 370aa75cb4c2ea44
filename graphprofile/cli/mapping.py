"""``map``: a first mapping of a file, and a check of one that was mended."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphprofile.cli.options import Connection, common
from graphprofile.cli.output import note, print_json, print_table
from graphprofile.errors import UsageError

if TYPE_CHECKING:
    from graphprofile.ingest.mapped.preview import TablePreview

DONE, PARTIAL = 0, 3


@click.command("map", epilog="Example: graphprofile map orders.csv --out shop.toml")
@click.argument("source", required=False, type=click.Path(path_type=Path), metavar="[SOURCE]")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where to write it."
)
@click.option(
    "--check",
    "checked",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Check a mapping file; with SOURCE show what it makes of its first rows.",
)
@click.option("--rows", type=click.IntRange(0, 100), default=5, show_default=True, help="Rows to show.")
@common
def map_source(
    connection: Connection, source: Path | None, out: Path | None, checked: Path | None, rows: int
) -> int:
    """Write a first mapping file for a source.

    SOURCE is CSV, TSV, JSON Lines or Parquet; its head and a few stretches are looked at. The mapping says in comments
    why a column was taken for what it is, and what is uncertain. Mend it, then load by `--mapping FILE`.
    """
    from graphprofile.vocabulary import Vocabulary

    vocabulary = connection.settings().vocabulary or Vocabulary()
    if checked is not None:
        if out is not None:
            raise click.UsageError("--check and --out do not go together.", click.get_current_context())
        return _check(connection, source, checked, rows)
    if source is None:
        raise click.UsageError("Missing argument 'SOURCE'.", click.get_current_context())
    from graphprofile.ingest.mapped.preview import draft_mapping

    if out is not None and out.exists():
        raise UsageError(f"{out}: is there already.", "Name another file, or take it away.")
    found = draft_mapping(source, vocabulary, rows=rows)
    if out is not None:
        out.write_text(found.text, "utf-8")
    if connection.as_json:
        document = {"mapping": found.text, "out": None if out is None else str(out), "unsure": found.unsure}
        print_json(
            {**document, "sampled": found.sampled, "tables": [asdict(table) for table in found.tables]}
        )
        return DONE
    if out is None:
        print(found.text)
    for table in found.tables:
        _show(table)
    for text in found.unsure:
        note(f"Look: {text}")
    if out is not None:
        note(f"Wrote {out}. Mend it, then: graphprofile load {source} --mapping {out}")
    return DONE


def _check(connection: Connection, source: Path | None, checked: Path, rows: int) -> int:
    from graphprofile.ingest.mapped.check import read_rules, used_columns
    from graphprofile.ingest.mapped.preview import preview_head
    from graphprofile.vocabulary import Vocabulary

    rules = read_rules(checked)
    columns = used_columns(rules)
    tables = []
    if source is not None:
        vocabulary = connection.settings().vocabulary or Vocabulary()
        tables = preview_head(source, rules, vocabulary, rows)
    document: dict[str, Any] = {
        "mapping": str(checked),
        "fingerprint": rules.fingerprint(),
        "kinds": list(rules.tables()),
        "columns": None if columns is None else sorted(columns),
    }
    useless = [table.kind for table in tables if table.refused and not table.good]
    if connection.as_json:
        print_json({**document, "tables": [asdict(table) for table in tables]})
        return PARTIAL if useless else DONE
    print(f"{checked} is in order: {', '.join(document['kinds'])}.")
    for table in tables:
        _show(table)
    if useless:
        note(f"No row looked at makes {' or '.join(useless)}: mend {checked} by the reasons above.")
        return PARTIAL
    return DONE


def _show(table: TablePreview) -> None:
    """What rows become, on stderr: what is on stdout may be the mapping itself."""
    refused, skipped = sum(table.refused.values()), sum(table.skipped.values())
    rest = f"{refused:,} would be refused, {skipped:,} left out"
    note(f"{table.kind}: {table.good:,} of the rows looked at can be used, {rest}")
    if table.rows:
        names = list(table.rows[0])
        print_table(names, [[row[name] for name in names] for row in table.rows], stderr=True, exact=True)
    for reason, count in table.refused.items():
        note(f"  refused, {count:,}: {reason}".replace("\n", "\n    "))
    for column in table.absent:
        note(f"  no row looked at has {column}, which the mapping names")
