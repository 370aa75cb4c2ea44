"""New items known by their descriptions alone, and what happens around them, on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphprofile import GraphProfile, text
from graphprofile.errors import ModelError
from graphprofile.writeback import Writer

from .conftest import event

T0 = 1_700_000_000_000
HOUR = 3_600_000
SHIPS = [
    "voyage",
    "sailor",
    "ocean",
    "captain",
    "harbour",
    "pirate",
    "whale",
    "island",
    "storm",
    "navy",
    "anchor",
]
LOVES = [
    "wedding",
    "kiss",
    "bride",
    "romance",
    "lover",
    "heart",
    "husband",
    "passion",
    "marriage",
    "wife",
    "jealousy",
]
NEW = {"new-ship": "The sailors and the lost harbour", "new-love": "A bride with two husbands"}


def titles() -> list[dict[str, Any]]:
    return [
        {"item_id": f"{side}{n}", "title": f"The {word} of the {words[n - 3]}"}
        for side, words in (("s", SHIPS), ("l", LOVES))
        for n, word in enumerate(words)
    ]


def readings() -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    return [
        event(f"{side}{reader}-{n}", f"{side}{reader}", f"{side}{n}", ts=T0 + when * HOUR + reader)
        for side in "sl"
        for reader in range(25)
        for when, n in enumerate(rng.permutation(len(SHIPS))[:8])
    ]


def test_a_new_item_is_recommended_by_its_title(gp: GraphProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    gp.load(titles(), kind="items")
    gp.load(readings())
    gp.update_tags()
    version = gp.train(epochs=6).model
    encoder = text.encoder()
    assert encoder is not None
    assert gp.models.show(version)["text_encoder"] == encoder.name
    assert f"read by {encoder.name}" in gp.models.card(version)

    gp.load([{"item_id": id_, "title": title} for id_, title in NEW.items()], kind="items")
    # Where the encoder is missing nothing is written, and the item stays due.
    with monkeypatch.context() as without:
        without.setattr(text, "encoder", lambda: None)
        with pytest.raises(ModelError, match="installed is none"):
            gp.embed()
    assert gp.embed().items == len(NEW)

    def place(user: str, item: str) -> int:
        return [found.id for found in gp.recommend(user, 30, allow_seen=True)].index(item)

    assert place("s0", "new-ship") < place("s0", "new-love")
    assert place("l0", "new-love") < place("l0", "new-ship")
    # Who chose it is as near to it as a full write-back would have it.
    gp.load([event("n1", "s1", "new-ship", ts=T0 + 100 * HOUR)])
    gp.embed()
    kept = gp.embeddings(["s1"]).vectors
    gp.embed(all=True)
    assert np.array_equal(gp.embeddings(["s1"]).vectors, kept)


def test_a_description_that_comes_while_vectors_are_written_is_not_lost(
    gp: GraphProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphprofile.writeback.OBJECTS_PER_TRANSACTION", 1)
    gp.load(titles(), kind="items")
    gp.load(readings())
    gp.train(epochs=4)
    gp.load(
        [{"item_id": id_, "title": NEW["new-ship"], "updated_at": 1} for id_ in ("n1", "n2", "n3")],
        kind="items",
    )

    write = Writer._write
    changed: list[str] = []

    def meanwhile(self: Writer, plural: str, rows: list[list[Any]]) -> None:
        if plural == "items" and not changed:
            changed.append("n2")
            gp.load([{"item_id": "n2", "title": NEW["new-love"], "updated_at": 2}], kind="items")
        write(self, plural, rows)

    monkeypatch.setattr(Writer, "_write", meanwhile)
    gp.embed()
    gp.embed()
    assert changed
    assert vectors(gp)["n2"] != vectors(gp)["n1"]
    kept = vectors(gp)
    gp.embed(all=True)
    assert vectors(gp) == kept
    assert gp.cypher("MATCH (i:Item) WHERE i.embed_due > '' RETURN count(i) AS n") == [{"n": 0}]


def vectors(gp: GraphProfile) -> dict[str, list[float]]:
    return {row["id"]: row["v"] for row in gp.cypher("MATCH (i:Item) RETURN i.id AS id, i.embedding AS v")}


def test_users_of_an_item_described_anew_are_due_even_after_a_kill(
    gp: GraphProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp.load(titles(), kind="items")
    gp.load(readings())
    gp.train(epochs=4)
    gp.load([{"item_id": "n1", "title": NEW["new-ship"], "updated_at": 1}], kind="items")
    gp.load([event("e1", "s1", "n1", ts=T0 + 100 * HOUR)])
    gp.embed()
    gp.load([{"item_id": "n1", "title": NEW["new-love"], "updated_at": 2}], kind="items")

    class Killed(Exception):
        pass

    def killed(self: Writer, ids: Any) -> int:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(Writer, "_write_users", killed)
        with pytest.raises(Killed):
            gp.embed()
    gp.embed()
    kept = gp.embeddings(["s1"]).vectors
    gp.embed(all=True)
    assert np.array_equal(gp.embeddings(["s1"]).vectors, kept)


def test_a_hierarchy_that_changes_reaches_new_items(gp: GraphProfile) -> None:
    rows = [{**row, "tags": [f"topic:{row['item_id'][0]}"]} for row in titles()]
    gp.load(rows, kind="items")
    gp.load(readings())
    gp.train(epochs=4)
    gp.load([{"item_id": "n1", "tags": ["topic:sloop"]}], kind="items")
    gp.embed()
    gp.load([{"id": "topic:sloop", "tags": ["topic:s"]}], kind="tags")
    gp.embed()
    kept = vectors(gp)
    gp.embed(all=True)
    assert vectors(gp) == kept


def test_without_an_index_recommendations_are_looked_up_and_embed_all_makes_it_again(
    gp: GraphProfile,
) -> None:
    gp.load(titles(), kind="items")
    gp.load(readings())
    gp.train(epochs=4)
    found = [row.id for row in gp.recommend("s0", 5)]
    model = gp.models.in_use()
    gp.store.drop_vector_indexes()
    if gp.store.builds_vector_index_at_once:
        assert gp.store.vector_search_of(str(model), "Item", [1.0] * 66, 3) is None
    assert [row.id for row in gp.recommend("s0", 5)] == found
    gp.embed(all=True)
    assert gp.store.vector_search_of(str(model), "Item", [1.0] * 66, 3) is not None
    # While another model is written the index is not asked.
    gp.store.write(lambda tx: tx.run("embed/announce_model", version="m-next"))
    assert gp.store.vector_search_of(str(model), "Item", [1.0] * 66, 3) is None
    assert [row.id for row in gp.recommend("s0", 5)] == found
    # Nor does a model come into use when another process has begun to write one.
    with pytest.raises(ModelError, match="Another process"):
        take_over(gp, gp.train(epochs=4, force=False).model)


def take_over(gp: GraphProfile, version: str) -> None:
    """Promote a version while another process announces its own."""
    write = Writer.write_next

    def overtaken(self: Writer) -> Any:
        done = write(self)
        gp.store.write(lambda tx: tx.run("embed/announce_model", version="m-other"))
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "write_next", overtaken)
        gp.models.promote(version)
