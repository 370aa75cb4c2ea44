"""Vectors of users as they are handed out, by the graph and by the HTTP service alike."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphprofile.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ARROW = "application/vnd.apache.arrow.stream"
"""Media type of :meth:`Embeddings.to_arrow`."""


@dataclass(frozen=True)
class Embeddings:
    """Vectors of users, all of one model.

    Attributes:
        ids: User ids.
        vectors: float32 [num_users, dimensions]; NaN where there is none.
        model: Version that computed them; None where there is no vector at all.
        computed_at: ISO 8601 UTC of each, None where there is none.
        status: ``fresh``, ``stale``, ``cold_start`` or ``missing`` of each.
        missing: Ids that were asked for and are nobody's.
    """

    ids: list[str]
    vectors: npt.NDArray[np.float32]
    model: str | None
    computed_at: list[str | None]
    status: list[str]
    missing: list[str] = field(default_factory=list)

    @classmethod
    def joined(cls, parts: Sequence[Embeddings]) -> Embeddings:
        """Several parts as one.

        Raises:
            ModelError: They are of several models.
        """
        import numpy as np

        model = the_one_model(part.model for part in parts)
        width = max((part.vectors.shape[1] for part in parts), default=0)
        vectors = [
            part.vectors
            if part.vectors.shape[1] == width
            else np.full((len(part.ids), width), np.nan, dtype=np.float32)
            for part in parts
        ]
        return cls(
            [id_ for part in parts for id_ in part.ids],
            np.concatenate(vectors) if vectors else np.zeros((0, 0), dtype=np.float32),
            model,
            [at for part in parts for at in part.computed_at],
            [status for part in parts for status in part.status],
            [id_ for part in parts for id_ in part.missing],
        )

    def rows(self) -> list[dict[str, Any]]:
        """A document per user, its ``embedding`` float32 [dimensions]; None where there is none."""
        return [
            {
                "id": id_,
                "model": None if status == "missing" else self.model,
                "computed_at": at,
                "status": status,
                "embedding": None if status == "missing" else vector,
            }
            for id_, vector, at, status in zip(
                self.ids, self.vectors, self.computed_at, self.status, strict=True
            )
        ]

    def to_json(self) -> list[dict[str, Any]]:
        """The same of plain values."""
        return [
            row if row["embedding"] is None else {**row, "embedding": row["embedding"].tolist()}
            for row in self.rows()
        ]

    def to_arrow(self) -> bytes:
        """The same as an Arrow stream: id, embedding, model, computed_at and status; ``missing`` is metadata."""
        import numpy as np
        import orjson
        import pyarrow as pa

        absent = np.array([status == "missing" for status in self.status], dtype=np.bool_)
        # A list of no numbers is no type of Arrow's.
        width = max(int(self.vectors.shape[1]), 1)
        flat = np.zeros(len(self.ids), np.float32) if not self.vectors.size else self.vectors.reshape(-1)
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat), width, mask=pa.array(absent))
        table = pa.table(
            {
                "id": pa.array(self.ids, pa.string()),
                "embedding": vectors,
                "model": pa.array([None if gone else self.model for gone in absent], pa.string()),
                "computed_at": pa.array(self.computed_at, pa.string()),
                "status": pa.array(self.status, pa.string()),
            }
        ).replace_schema_metadata({"missing": orjson.dumps(self.missing)})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        return bytes(sink.getvalue())

    @classmethod
    def from_arrow(cls, content: bytes) -> Embeddings:
        """What :meth:`to_arrow` made."""
        import numpy as np
        import orjson
        import pyarrow as pa

        table = pa.ipc.open_stream(io.BytesIO(content)).read_all()
        column = table.column("embedding").combine_chunks()
        width = column.type.list_size
        vectors = np.full((len(column), width), np.nan, dtype=np.float32)
        there = ~column.is_null().to_numpy(zero_copy_only=False)
        if there.any():
            vectors[there] = column.drop_null().flatten().to_numpy().reshape(-1, width)
        return cls(
            table.column("id").to_pylist(),
            vectors,
            the_one_model(table.column("model").to_pylist()),
            table.column("computed_at").to_pylist(),
            table.column("status").to_pylist(),
            orjson.loads(table.schema.metadata[b"missing"]),
        )


def the_one_model(models: Iterable[str | None]) -> str | None:
    """The version that some vectors come from; None where there are none.

    Raises:
        ModelError: They come from several, so that they cannot be compared.
    """
    versions = sorted({model for model in models if model is not None})
    if len(versions) > 1:
        raise ModelError(
            f"The vectors asked for come from different models: {', '.join(versions)}.",
            "The model was switched meanwhile: ask again. Where that does not help: `graphprofile embed --all`.",
        )
    return versions[0] if versions else None
