"""What a retrieval benchmark learns from and is asked: two matrices, or two files of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp

from graphprofile.errors import SourceError, UsageError
from graphprofile.export import CONTENT, ITEM, Descriptions
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.metrics import Split
from graphprofile.ingest.planned import checked_chunks, plan_sources
from graphprofile.ingest.recipes import Recipe
from graphprofile.records import Description, DescriptionChunk, EventChunk
from graphprofile.tags import Hierarchy
from graphprofile.vocabulary import Vocabulary

INTERACTED = "interacted"


def read(train: Path, test: Path, *, describe: Sequence[Path] = (), loader: str = "generic") -> Split:
    """Both parts over the same users and objects.

    Args:
        train: ``.npz`` (a SciPy matrix, rows users, columns items) or events in the columns of ``loader``.
        test: The same.
        describe: Files that describe items and content; events only.
        loader: Name of the loader of event files.

    Raises:
        SourceError: A file cannot be read.
        UsageError: The two don't fit together.
    """
    for path in (train, test, *describe):
        if not path.exists():
            raise SourceError(f"{path}: no such file.", "Give TRAIN and TEST as .npz or as files of events.")
    if (train.suffix == ".npz") != (test.suffix == ".npz"):
        raise UsageError(
            f"{train.name} and {test.name} are of two kinds.", "Give two .npz or two event files."
        )
    if train.suffix == ".npz":
        if describe:
            raise UsageError(
                "Matrices have no descriptions.", "Leave --describe out, or give files of events."
            )
        return _matrices(_matrix(train), _matrix(test))
    return _events(train, test, describe, loader)


def _matrix(path: Path) -> sp.coo_matrix:
    try:
        matrix = sp.load_npz(path).tocoo()
    except (ValueError, OSError, KeyError) as error:
        raise SourceError(
            f"{path}: no SciPy sparse matrix: {error}.", "Write it with scipy.sparse.save_npz."
        ) from error
    if not np.isfinite(matrix.data.astype(np.float64)).all():
        raise SourceError(f"{path}: holds NaN or infinite values.", "Leave those pairs out.")
    return matrix


def _matrices(train: sp.coo_matrix, test: sp.coo_matrix) -> Split:
    if train.shape != test.shape:
        raise UsageError(
            f"TRAIN is {train.shape[0]} x {train.shape[1]}, TEST {test.shape[0]} x {test.shape[1]}.",
            "Give matrices of one shape: rows users, columns items.",
        )
    users = np.array([f"u{n}" for n in range(train.shape[0])], dtype=object)
    objects = np.array([f"{ITEM}{n}" for n in range(train.shape[1])], dtype=object)

    def graph(matrix: sp.coo_matrix) -> TrainingGraph:
        return TrainingGraph(
            user_ids=users,
            object_ids=objects,
            event_types=(INTERACTED,),
            event_user=matrix.row,
            event_object=matrix.col,
            event_type=np.zeros(matrix.nnz, dtype=np.int16),
            event_weight=matrix.data,
            event_ts=np.zeros(matrix.nnz, dtype=np.int64),
        )

    return Split(graph(train), graph(test), None)


@dataclass
class _Collected:
    frames: list[pl.DataFrame] = field(default_factory=list)
    described: dict[str, Description] = field(default_factory=dict)
    refused: int = 0

    def take(self, path: Path, vocabulary: Vocabulary, loader: str) -> None:
        recipe = Recipe(loader=loader)
        for _, chunk in checked_chunks(plan_sources([path], recipe), vocabulary, recipe):
            self.refused += len(chunk.rejected)
            if isinstance(chunk, EventChunk):
                self.frames.append(chunk.frame.filter(pl.col("object_kind") != "user"))
            elif isinstance(chunk, DescriptionChunk) and chunk.kind in ("items", "content"):
                prefix = ITEM if chunk.kind == "items" else CONTENT
                self.described |= {prefix + row.id: row for row in chunk.rows}

    def events(self, vocabulary: Vocabulary) -> pl.DataFrame:
        """user, object, type, weight, ts of each event, each once."""
        if not self.frames:
            return pl.DataFrame(schema={"user": str, "object": str, "type": str, "weight": float, "ts": int})
        rules = {rule.type: rule for rule in vocabulary.events.values()}
        frame = pl.concat(self.frames).unique(["type", "event_id"], keep="first", maintain_order=True)
        weight = pl.lit(0.0)
        for name, rule in rules.items():
            amount = pl.lit(rule.weight)
            if rule.value == "rating":
                amount = rule.weight * (pl.col("value").fill_null(rule.neutral) - rule.neutral)
            elif rule.value == "amount":
                amount = rule.weight * (pl.col("value").abs().log1p()).fill_null(1.0)
            weight = pl.when(pl.col("type") == name).then(amount).otherwise(weight)
        prefix = pl.when(pl.col("object_kind") == "item").then(pl.lit(ITEM)).otherwise(pl.lit(CONTENT))
        return frame.select(
            user="user_id", object=prefix + pl.col("object_id"), type="type", weight=weight, ts="ts"
        )


def _events(train: Path, test: Path, describe: Sequence[Path], loader: str) -> Split:
    vocabulary = Vocabulary()
    parts = []
    described: dict[str, Description] = {}
    for path in (train, test):
        collected = _Collected()
        collected.take(path, vocabulary, loader)
        parts.append(collected.events(vocabulary))
        described |= collected.described
        if parts[-1].is_empty():
            raise SourceError(
                f"{path}: holds no event that could be read.", "See `graphprofile load --dry-run`."
            )
    for path in describe:
        collected = _Collected()
        collected.take(path, vocabulary, loader)
        described |= collected.described
    users = _sorted(part["user"] for part in parts)
    objects = _sorted(part["object"] for part in parts)
    shared = {
        "user_ids": np.array(users.to_list(), dtype=object),
        "object_ids": np.array(objects.to_list(), dtype=object),
        "object_kind": objects.str.starts_with(CONTENT).to_numpy().astype(np.int8),
        "event_types": vocabulary.types,
        **_descriptions(objects.to_list(), described),
    }

    def graph(part: pl.DataFrame) -> TrainingGraph:
        return TrainingGraph(
            **shared,
            event_user=_places(part["user"], users),
            event_object=_places(part["object"], objects),
            event_type=_places(part["type"], pl.Series(list(vocabulary.types))),
            event_weight=part["weight"].to_numpy(),
            event_ts=part["ts"].to_numpy(),
        )

    newest, oldest = int(parts[0]["ts"].max()), int(parts[1]["ts"].min())  # type: ignore[arg-type]
    return Split(graph(parts[0]), graph(parts[1]), newest if oldest >= newest else None)


def _sorted(columns: Iterable[pl.Series]) -> pl.Series:
    return pl.concat(list(columns)).unique().sort()


def _places(values: pl.Series, among: pl.Series) -> np.ndarray:
    return values.cast(pl.Enum(among)).to_physical().cast(pl.Int64).to_numpy()


def _descriptions(objects: list[str], described: dict[str, Description]) -> dict[str, object]:
    descriptions = Descriptions(Hierarchy(()))
    for index, key in enumerate(objects):
        row = described.get(key)
        if row is not None:
            descriptions.add(index, row.tags or (), row.properties)
    return descriptions.columns(len(objects))
