"""Columns that a mapping names and a source lacks: told before a word is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from graphprofile.errors import SourceError
from graphprofile.ingest.mapped.model import Rules
from graphprofile.ingest.mapped.parts import Value
from graphprofile.ingest.mapping import REQUIRED, did_you_mean, listed
from graphprofile.ingest.nested import columns_of
from graphprofile.ingest.rows import ROWS
from graphprofile.records import Kind, RawChunk


def require_every(raw: RawChunk, absent: Sequence[str]) -> None:
    """Refuse a source whose rows all have the same columns, and not all that are named.

    Raises:
        SourceError: Names the column, the nearest one and what is there.
    """
    if absent and raw.fixed_columns:
        there = columns_of(raw.frame)
        raise SourceError(
            f"{raw.source}: there is no column {absent[0]!r}{did_you_mean(absent[0], there)}, which the mapping names.",
            f"Its columns: {listed(there)}.",
        )


def require_some(raw: RawChunk, rules: Rules, kind: Kind, absent: Sequence[str]) -> None:
    """Refuse a source whose rows bring their own columns, as in JSON Lines, and never one that each row needs.

    That no row has a user, say, is believed where a rule leaves such rows out, what else they need is there and no
    column has nearly that name.

    Args:
        raw: The first rows.
        rules: The mapping.
        kind: What the rows are to become.
        absent: Columns that none of them has.

    Raises:
        SourceError: Names the column, the nearest one and what is there.
    """
    needed = list(dict.fromkeys(_needed(rules, kind)))
    lost = [name for name in needed if name in absent]
    if raw.fixed_columns or raw.source == ROWS or not lost:
        return
    there = columns_of(raw.frame)
    left_out = {one.column for skip in rules.skip for one in skip.when if one.missing and not one.negate}
    wrong = [name for name in lost if name not in left_out or did_you_mean(name, there)]
    if not wrong and len(lost) == len(needed):
        wrong = lost
    if wrong:
        raise SourceError(
            f"{raw.source}: none of the first {raw.frame.height:,} rows has {wrong[0]!r}"
            f"{did_you_mean(wrong[0], there)}, which the mapping makes {kind} of.",
            f"Their columns: {listed(there)}.",
        )


def tell_absent(raw: RawChunk, absent: Iterable[str]) -> list[str]:
    """Names of columns that no row has, each with the nearest one that is there."""
    there = columns_of(raw.frame)
    return [f"{name!r}{did_you_mean(name, there)}" for name in absent]


def _needed(rules: Rules, kind: Kind) -> Iterator[str]:
    """Columns without which no row of a table can be used."""
    for name in REQUIRED[kind]:
        origin = rules.tables()[kind].fields().get(name)
        if isinstance(origin, Value) and origin.default is None:
            yield from origin.columns()
