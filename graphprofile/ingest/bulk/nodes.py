"""Fourth pass: every node once, with the properties that win and what the other commands keep on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from graphprofile.ingest import fold
from graphprofile.ingest.bulk.collect import Collected
from graphprofile.ingest.bulk.settle import AGAIN, count, marks
from graphprofile.ingest.bulk.shapes import Row, Sink, frames
from graphprofile.ingest.bulk.spill import Spread, Stretches

LINKS = 100_000


class NodeWriter:
    """Writes users, items, content and tags, and notes who has which tag.

    Args:
        batch: Id of the batch.
        folder: For what is kept between passes.
        sink: Takes the nodes.
    """

    def __init__(self, batch: str, folder: Path, sink: Sink) -> None:
        self._batch, self._sink = batch, sink
        self._links = Stretches(folder, "links")
        self._waiting: list[tuple[str, str, str, float]] = []
        self._tags: set[fold.TagKey] = set()
        self._folder = folder

    def write(self, collected: Collected, named: Spread) -> None:
        """All nodes; the parts of descriptions get their counts.

        Args:
            collected: The first pass.
            named: Nodes that events name.
        """
        verdicts = marks(self._folder / "said.marks", collected.descriptions)
        for names, said in zip(named, collected.said, strict=True):
            described = self._fold(said, verdicts) if said is not None else {}
            if names is not None:
                names = names.group_by("label", "id").agg(pl.col("actor").any())
            self._write(names, described)
        self._keep_links()
        for part in collected.described:
            if part.kind != "tags":
                count(part, verdicts)
        self._write_tags(collected)

    def links(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Label and HAS_TAG relationships of its nodes: ``#from``, ``#to`` and ``weight``."""
        for frame in self._links:
            for (label,), links in frame.partition_by("label", as_dict=True, include_key=False).items():
                yield str(label), links

    def _fold(self, said: pl.DataFrame, verdicts: Any) -> dict[tuple[str, str], fold.State]:
        states: dict[tuple[str, str], fold.State] = {}
        for id_, label, seq, text in said.iter_rows():
            state = states.setdefault((label, id_), fold.State())
            if not state.take(*orjson.loads(text)):
                verdicts[seq] = AGAIN
        return states

    def _write(self, names: pl.DataFrame | None, described: dict[tuple[str, str], fold.State]) -> None:
        actors: set[tuple[str, str]] = set()
        if names is not None:
            if described:
                keys = pl.DataFrame(list(described), schema=["label", "id"], orient="row")
                both = names.join(keys, on=["label", "id"], how="semi")
                actors = set(both.filter("actor").select("label", "id").iter_rows())
                names = names.join(keys, on=["label", "id"], how="anti")
            for (label,), bare in names.partition_by("label", as_dict=True).items():
                self._sink.nodes(str(label), _bare(str(label), bare))
        by_label: dict[str, tuple[list[str], list[Row]]] = {}
        for (label, id_), state in described.items():
            ids, rows = by_label.setdefault(label, ([], []))
            ids.append(id_)
            rows.append(self._row(label, id_, state, (label, id_) in actors))
            if label != "User":
                self._note_tags(label, id_, state)
        for label, (ids, rows) in by_label.items():
            self._put(label, ids, rows)

    def _row(self, label: str, id_: str, state: fold.State, actor: bool) -> dict[str, Any]:
        row = {"id": id_, **state.properties, "embed_due": id_}
        row |= {"described": state.described(), "described_by": self._batch}
        if label == "User":
            row |= {"rev": 1, "tags_due": id_} if actor else {"rev": 1, "tags_rev": 1}
        return row

    def _put(self, label: str, keys: list[str], rows: Sequence[Row]) -> None:
        for positions, frame in frames(rows):
            chosen = pl.Series("#key", [keys[position] for position in positions], dtype=pl.String)
            self._sink.nodes(label, frame.insert_column(0, chosen))

    def _note_tags(self, label: str, id_: str, state: fold.State) -> None:
        for kind, name, weight in state.tags:
            self._tags.add((kind, name))
            self._waiting.append((label, id_, f"{kind}:{name}", float(weight)))
        if len(self._waiting) >= LINKS:
            self._keep_links()

    def _keep_links(self) -> None:
        if self._waiting:
            schema = {"label": pl.String, "#from": pl.String, "#to": pl.String, "weight": pl.Float64}
            self._links.add(pl.DataFrame(self._waiting, schema=schema, orient="row"))
            self._waiting = []

    def _write_tags(self, collected: Collected) -> None:
        self._tags |= collected.named_tags | collected.tags_by
        keys, rows = [], []
        for kind, name in sorted(self._tags):
            key = f"{kind}:{name}"
            row: dict[str, Any] = {"kind": kind, "name": name}
            if (kind, name) in collected.tags_by:
                row["described_by"] = self._batch
            if key in collected.tags:
                state = collected.tags[key]
                row |= {**state.properties, "described": state.described()}
            keys.append(key)
            rows.append(row)
        for start in range(0, len(rows), LINKS):
            self._put("Tag", keys[start : start + LINKS], rows[start : start + LINKS])


def hierarchy(collected: Collected) -> pl.DataFrame:
    """PART_OF relationships: ``#from`` and ``#to``."""
    pairs = [(id_, f"{kind}:{name}") for id_, state in collected.tags.items() for kind, name, _ in state.tags]
    return pl.DataFrame(pairs, schema={"#from": pl.String, "#to": pl.String}, orient="row")


def _bare(label: str, names: pl.DataFrame) -> pl.DataFrame:
    id_ = pl.col("id")
    columns = [id_.alias("#key"), id_]
    if label == "User":
        actor = pl.col("actor")
        columns += [
            pl.lit(1, dtype=pl.Int64).alias("rev"),
            pl.when(actor).then(None).otherwise(1).cast(pl.Int64).alias("tags_rev"),
            pl.when(actor).then(id_).alias("tags_due"),
        ]
    return names.select(*columns, id_.alias("embed_due"))
