"""What a load is to read: sources in their order, their rows checked, their files told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.quarantine import Origin
from graphprofile.ingest.read import expand_paths, read_checked
from graphprofile.ingest.recipes import PLAIN, Recipe, planned_queries, require_one_table
from graphprofile.ingest.seen import FileKeys
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.ingest.stretches import Checked
from graphprofile.records import SourceFile
from graphprofile.vocabulary import Vocabulary


def plan_sources(sources: Sequence[Any], recipe: Recipe) -> list[Any]:
    """What to read, in order: descriptions before events, which saves work and changes nothing.

    Args:
        sources: Paths, globs, folders, frames, queries or iterables of dicts.
        recipe: How they are read.

    Raises:
        SourceError: A source cannot be found.
        UsageError: No such loader.
    """
    reader = recipe.reader()
    require_one_table(recipe, sources)
    named = [source for source in sources if isinstance(source, str | Path)]
    files = reader.sources(expand_paths(named), recipe.kind) if named else []
    last = ("events", "retracted")
    queries = planned_queries([source for source in sources if isinstance(source, SqlSource)], recipe)
    told: list[SourceFile | SqlSource] = [*files, *queries]
    ordered: list[Any] = [f for f in told if f.kind not in last] + [f for f in told if f.kind in last]
    return ordered + [source for source in sources if not isinstance(source, str | Path | SqlSource)]


def checked_chunks(
    planned: Sequence[Any],
    vocabulary: Vocabulary,
    recipe: Recipe = PLAIN,
    *,
    chunk_rows: int | None = None,
    leave_out: frozenset[int] = frozenset(),
) -> Iterator[Checked]:
    """All rows of all sources, checked.

    Args:
        planned: As :func:`plan_sources` gives them.
        vocabulary: The rules in use.
        recipe: How they are read.
        chunk_rows: Most rows of a stretch.
        leave_out: Places of sources that are not read.

    Raises:
        SourceError: A source cannot be read.
        UsageError: No such loader, or a wrong mapping.
    """
    reader = recipe.reader()
    columns = Mapping.parse(list(recipe.mapping))
    options = {} if chunk_rows is None else {"chunk_rows": chunk_rows}
    for number, source in enumerate(planned):
        if number in leave_out:
            continue
        chunks = read_checked(
            source,
            reader,
            recipe.kind,
            columns,
            vocabulary,
            time_zone=recipe.time_zone,
            time_unit=recipe.time_unit,
            **options,
        )
        for chunk in chunks:
            chunk.source_number = number
            yield (
                Origin(chunk.kind, recipe.loader, recipe.mapping, recipe.time_zone, recipe.time_unit),
                chunk,
            )


def file_keys(planned: Sequence[Any], recipe: Recipe, vocabulary: Vocabulary) -> tuple[str | None, ...]:
    """Keys of sources, see :class:`FileKeys`; None for what is no file."""
    keys = FileKeys(
        [
            recipe.loader,
            recipe.kind,
            recipe.mapping,
            recipe.time_zone,
            recipe.time_unit,
            vocabulary.fingerprint(),
        ]
    )
    return tuple(keys.of(source) for source in planned)


def describe_sources(sources: Sequence[object]) -> str:
    """A short text for the batch record: file names, or what was handed over."""
    names = [
        Path(s).name
        if isinstance(s, str | Path)
        else s.name
        if isinstance(s, SqlSource)
        else f"<{type(s).__name__}>"
        for s in sources
        if not isinstance(s, SourceFile)
    ]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
