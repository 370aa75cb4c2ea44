"""Where a bulk load goes, by what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphprofile.errors import UsageError
from graphprofile.ingest.bulk.importer import Importer
from graphprofile.ingest.bulk.load import Sources, load_embedded, require_empty, scratch_folder, write_files
from graphprofile.ingest.planned import describe_sources, plan_sources
from graphprofile.ingest.quality.thresholds import FailOn, thresholds_of
from graphprofile.ingest.recipes import Given, make_recipe
from graphprofile.ingest.session import new_batch_id
from graphprofile.ingest.times import TimeUnit
from graphprofile.records import Kind, LoadResult, Progress
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary


def run_bulk(
    settings: Settings,
    sources: Sequence[Any],
    *,
    version: int,
    out: Path | None = None,
    neo4j_home: Path | None = None,
    loader: str = "generic",
    kind: Kind | None = None,
    mapping: Given = (),
    time_zone: str | None = None,
    time_unit: TimeUnit | None = None,
    fail_on: FailOn = (),
    progress: Progress | None = None,
) -> LoadResult:
    """See :meth:`graphprofile.GraphProfile.load_bulk`."""
    if not sources:
        raise UsageError("Nothing to load.", "Name a file: `graphprofile load --bulk events.csv`.")
    recipe = make_recipe(loader, kind, mapping, time_zone, time_unit)
    thresholds = thresholds_of(None if recipe.rules is None else recipe.rules.quality, fail_on)
    planned = plan_sources(sources, recipe)
    found = Sources(planned, recipe, describe_sources(sources), new_batch_id(), thresholds)
    if out is None and neo4j_home is None:
        if settings.uri is not None:
            raise UsageError(
                f"{settings.uri} is a server, and Neo4j takes a bulk load offline.",
                "Say --bulk DIR for files and the command that imports them, and --neo4j-home HOME to run it.",
            )
        with Store.open(settings) as store:
            rules = require_empty(store, version)
            stored = Vocabulary.from_json(rules["vocabulary"]) if rules and "vocabulary" in rules else None
            vocabulary = settings.vocabulary or stored or Vocabulary()
            return load_embedded(
                store,
                rules,
                vocabulary,
                found,
                version=version,
                data_dir=settings.data_dir,
                progress=progress,
            )
    vocabulary = settings.vocabulary or Vocabulary()
    importer = None if neo4j_home is None else Importer(neo4j_home.absolute())
    if out is not None:
        return write_files(
            settings,
            vocabulary,
            found,
            out.absolute(),
            version=version,
            importer=importer,
            progress=progress,
        )
    with scratch_folder(settings.data_dir) as scratch:
        return write_files(
            settings,
            vocabulary,
            found,
            scratch.absolute() / "files",
            version=version,
            importer=importer,
            progress=progress,
        )
