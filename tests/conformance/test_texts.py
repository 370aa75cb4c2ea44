"""New items known by their titles alone, on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphprofile import GraphProfile, text
from graphprofile.errors import ModelError

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
