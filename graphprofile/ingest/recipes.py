"""How the rows of a batch are read: loader, mapping, zone; and the same again for rows that were refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphprofile.disk import replace_file
from graphprofile.errors import ConfigError, SourceError, UsageError
from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapped.check import from_json, read_rules
from graphprofile.ingest.mapped.model import LABEL, Rules
from graphprofile.ingest.mapped.reading import MappingLoader
from graphprofile.ingest.quarantine import FOLDER, Origin
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.ingest.times import TimeUnit
from graphprofile.records import Kind, Loader

Given = Sequence[str] | Mapping[str, str] | Path | Rules
"""A mapping as it may be given: texts, pairs, or a mapping file."""


@dataclass(frozen=True)
class Recipe:
    """How the rows of a batch are read.

    Attributes:
        loader: Name of the loader; ``mapping:`` and a fingerprint where a mapping file says how.
        kind: What the rows describe; None is told by loader and columns.
        mapping: ``field=column`` texts.
        time_zone: Zone of times without one, or None.
        time_unit: Unit of times that are numbers, or None.
        rules: What the mapping file says; its fingerprint in ``loader`` makes it a part of what tells a file again.
    """

    loader: str = "generic"
    kind: Kind | None = None
    mapping: tuple[str, ...] = ()
    time_zone: str | None = None
    time_unit: TimeUnit | None = None
    rules: Rules | None = None

    def reader(self) -> Loader:
        """The loader.

        Raises:
            UsageError: There is none of that name.
        """
        return find_loader(self.loader) if self.rules is None else MappingLoader(self.rules)


PLAIN = Recipe()
"""The generic loader, everything told by the rows."""


def make_recipe(
    loader: str = "generic",
    kind: Kind | None = None,
    mapping: Given = (),
    time_zone: str | None = None,
    time_unit: TimeUnit | None = None,
) -> Recipe:
    """A recipe from what a person says.

    Raises:
        UsageError: A mapping file beside something that it says itself.
        ConfigError: The mapping file is wrong.
    """
    if isinstance(mapping, str) and mapping.endswith(".toml"):
        mapping = Path(mapping)
    if isinstance(mapping, Path):
        mapping = read_rules(mapping)
    if not isinstance(mapping, Rules):
        return Recipe(loader, kind, mapping_texts(mapping), time_zone, time_unit)
    for name, given in (
        ("loader", loader not in ("generic", mapping.label)),
        ("time_zone", time_zone),
        ("time_unit", time_unit),
    ):
        if given:
            raise UsageError(
                f"A mapping file and {name} do not go together.",
                "Say it in the file: formats and time_zone stand in [source] and [columns].",
            )
    tables = MappingLoader(mapping).kinds(kind)
    return Recipe(mapping.label, tables[0] if len(tables) == 1 else None, rules=mapping)


def mapping_texts(mapping: Sequence[str] | Mapping[str, str]) -> tuple[str, ...]:
    """A mapping as ``field=column`` texts, whichever way it was given."""
    if isinstance(mapping, Mapping):
        return tuple(f"{name}={column}" for name, column in mapping.items())
    return tuple(mapping)


def require_one_table(recipe: Recipe, sources: Sequence[Any]) -> None:
    """Refuse rows handed over in memory where a mapping makes several tables: an iterator is read only once.

    Raises:
        UsageError: Say which table.
    """
    if recipe.rules is not None and recipe.kind is None:
        for source in sources:
            if not isinstance(source, str | Path | SqlSource):
                raise UsageError(
                    "The mapping makes several tables, and rows handed over in Python are read once.",
                    f"Name one with kind=, of {', '.join(recipe.rules.tables())}, or write the rows into a file.",
                )


def planned_queries(sources: Sequence[SqlSource], recipe: Recipe) -> list[SqlSource]:
    """Queries, each once for every table that the mapping file or the loader makes of it.

    Raises:
        SourceError: The loader makes no such table.
        UsageError: It tells its tables by the names of files, and no kind is said.
    """
    planned: list[SqlSource] = []
    for source in sources:
        kind = recipe.kind or source.kind
        if recipe.rules is not None:
            planned += [source.table(each) for each in MappingLoader(recipe.rules).kinds(kind)]
        elif recipe.loader == "generic":
            planned.append(source.table(kind))
        else:
            planned += _tables_of_loader(source, recipe, kind)
    return planned


def _tables_of_loader(source: SqlSource, recipe: Recipe, kind: Kind | None) -> list[SqlSource]:
    try:
        files = recipe.reader().sources([Path("query.csv")], kind)
    except SourceError as error:
        if "query.csv" not in error.message:
            raise
        if kind is None:
            raise UsageError(
                f"The loader {recipe.loader!r} tells its tables by the names of files, and a query has none.",
                "Say which it is: --kind events, users, items or content.",
            ) from error
        return [source.table(kind)]
    return [source.table(file.kind, file.together, file.fill) for file in files]


def keep_rules(recipe: Recipe, data_dir: Path) -> None:
    """Put the mapping beside the quarantine, so that refused rows can be read again whatever becomes of the file.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    if recipe.rules is None:
        return
    path = _kept(data_dir / FOLDER, recipe.loader)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            replace_file(path, recipe.rules.to_json(), mode=0o600)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror or error}.",
            "Make room, or set GRAPHPROFILE_DATA to another folder.",
        ) from error


def recipe_of(origin: Origin, folder: Path) -> Recipe:
    """How rows of the quarantine are read again.

    Args:
        origin: What the quarantine says of them.
        folder: Of the quarantine.

    Raises:
        SourceError: The mapping that they came by is not there any more.
    """
    if not origin.loader.startswith(LABEL):
        return Recipe(origin.loader, origin.kind, origin.mapping, origin.time_zone, origin.time_unit)
    path = _kept(folder, origin.loader)
    try:
        rules = from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{path}: the mapping that the refused rows came by cannot be read: {error}.",
            "Load their file again with its mapping, and delete the quarantine file.",
        ) from error
    return Recipe(origin.loader, origin.kind, rules=rules)


def _kept(folder: Path, label: str) -> Path:
    return folder / f"{label.removeprefix(LABEL)}.mapping"
