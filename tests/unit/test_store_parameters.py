"""Lists among the parameters are sent as they are and never printed."""

from __future__ import annotations

import logging

import pytest
from neo4j._codec.packstream.v1 import PackableBuffer, Packer

from graphprofile import GraphProfile
from graphprofile.store.parameters import FEW, unprinted

LONG = [[f"u{number}", [0.5, float(number)], None] for number in range(FEW + 1)]


def _packed(value: object) -> bytes:
    buffer = PackableBuffer()
    Packer(buffer).pack(value)
    return bytes(buffer.data)


def test_the_driver_packs_them_as_it_packs_lists() -> None:
    parameters = {"rows": LONG, "few": LONG[:FEW], "empty": [], "model": "m-1", "rules": {"READ": LONG}}
    given = unprinted(parameters)
    assert given == parameters
    assert {name: type(value) is list for name, value in given.items()} == {
        "rows": False,
        "few": True,
        "empty": True,
        "model": False,
        "rules": False,
    }
    assert _packed(given) == _packed(parameters)


def test_the_drivers_log_tells_how_long_they_are(gp: GraphProfile, caplog: pytest.LogCaptureFixture) -> None:
    ids = [f"somebody-{number}" for number in range(FEW + 1)]
    with caplog.at_level(logging.DEBUG, logger="neo4j.io"):
        rows = gp.store.cypher("UNWIND $ids AS id RETURN id", {"ids": ids})
    assert [row["id"] for row in rows] == ids
    ran = [record.getMessage() for record in caplog.records if " C: RUN " in record.getMessage()]
    assert any(f"<list of {len(ids)}>" in message for message in ran)
    assert not any("somebody-" in message for message in ran)
