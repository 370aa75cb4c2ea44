"""Vectors out of the graph: of some users or of all, and of everything into a file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graphprofile.parquet import parquet_file
from graphprofile.reading import embedding_status, require_user
from graphprofile.records import EmbeddingStatus, batched, chunks, iso
from graphprofile.vectors import Embeddings, the_one_model

if TYPE_CHECKING:
    from graphprofile.store import Store

VECTORS_AT_ONCE = 2_000


class _Stored(NamedTuple):
    """What ``embed/read_users`` gives of a user."""

    id: str
    vector: list[float] | None
    model: str | None
    computed_at: int | None
    vector_rev: int | None
    kind: str | None
    rev: int | None

    def status(self, in_use: str | None) -> EmbeddingStatus:
        """Of the vector."""
        return embedding_status(self.model, in_use, self.vector_rev, self.rev, self.kind)


def read_embeddings(
    store: Store, in_use: str | None, user_ids: Sequence[str] | None = None, *, skip_missing: bool = False
) -> Embeddings:
    """Vectors of users.

    Args:
        store: The graph.
        in_use: Version of the model in use.
        user_ids: Whose; None takes all.
        skip_missing: Leave out who does not exist.

    Raises:
        NotFound: A named user does not exist.
        ModelError: The vectors come from different models.
    """
    wanted = _user_ids(store) if user_ids is None else list(user_ids)
    found = Embeddings.joined(
        [_as_embeddings(part, _read(store, part, in_use), in_use) for part in chunks(wanted, VECTORS_AT_ONCE)]
    )
    if found.missing and user_ids is not None and not skip_missing:
        require_user(store, found.missing[0])
    return found


def write_parquet(store: Store, in_use: str | None, out: Path) -> int:
    """Write all vectors to a Parquet file: id, kind, embedding, model, computed_at, status.

    Returns:
        Number of rows.
    """
    import pyarrow as pa

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("kind", pa.string()),
            ("embedding", pa.list_(pa.float32())),
            ("model", pa.string()),
            ("computed_at", pa.string()),
            ("status", pa.string()),
        ]
    )
    written = 0
    with parquet_file(out, schema) as file:
        for part in batched(_rows_of_all(store, in_use), 10_000):
            file.write_table(pa.Table.from_pylist(part, schema=schema))
            written += len(part)
    return written


def _rows_of_all(store: Store, in_use: str | None) -> Iterable[dict[str, Any]]:
    for part in chunks(_user_ids(store), VECTORS_AT_ONCE):
        for one in _read(store, part, in_use).values():
            yield {
                "id": one.id,
                "kind": "user",
                "embedding": one.vector,
                "model": one.model,
                "computed_at": iso(one.computed_at),
                "status": one.status(in_use),
            }
    for kind, plural in (("item", "items"), ("content", "contents")):
        for row in store.stream(f"embed/read_vectors_of_{plural}", model=in_use or ""):
            yield {
                "id": row["id"],
                "kind": kind,
                "embedding": row["embedding"],
                "model": row["model"],
                "computed_at": iso(row["computed_at"]),
                "status": "fresh" if row["model"] == in_use else "stale",
            }


def _user_ids(store: Store) -> list[str]:
    return sorted(str(row["user_id"]) for row in store.stream("tags/list_users"))


def _read(store: Store, user_ids: Sequence[str], in_use: str | None) -> dict[str, _Stored]:
    """Vectors of some users, by id."""
    rows = store.read("embed/read_users", user_ids=list(user_ids), model=in_use or "")
    return {user[0]: _Stored(*user) for user in rows[0]["users"]}


def _as_embeddings(user_ids: Sequence[str], stored: Mapping[str, _Stored], in_use: str | None) -> Embeddings:
    """Stored vectors in the order of ids.

    Raises:
        ModelError: They come from different models.
    """
    users = [stored[id_] for id_ in user_ids if id_ in stored]
    model = the_one_model(user.model for user in users)
    times = {moment: iso(moment) for moment in {user.computed_at for user in users}}
    width = max((len(user.vector) for user in users if user.vector is not None), default=0)
    nothing = [math.nan] * width
    vectors = [nothing if user.vector is None else user.vector for user in users]
    return Embeddings(
        ids=[user.id for user in users],
        vectors=np.array(vectors, dtype=np.float32).reshape(len(users), width),
        model=model,
        computed_at=[times[user.computed_at] for user in users],
        status=[user.status(in_use) for user in users],
        missing=[id_ for id_ in user_ids if id_ not in stored],
    )
