from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from small_graphs import SMALL, checkerboard

from graphprofile.errors import BadVectors, ModelError, NoModel, NotFound, RegistryCorrupt
from graphprofile.graphsage.config import Choices
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.graphsage.registry import Registry
from graphprofile.graphsage.train import fit


@pytest.fixture(scope="module")
def model() -> FittedModel:
    return fit(checkerboard(), SMALL, choices=Choices(epochs=2))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_empty(registry: Registry) -> None:
    assert registry.list() == []
    assert registry.in_use() is None
    with pytest.raises(NoModel):
        registry.load()
    with pytest.raises(NoModel):
        registry.rollback()
    with pytest.raises(NotFound):
        registry.load("m-20200101T000000-0000")
    with pytest.raises(NotFound):
        registry.load("../models")


def test_a_saved_model_comes_back_bit_for_bit(registry: Registry, model: FittedModel) -> None:
    version = registry.save(model, metrics={"model": {"recall_at_20": 0.5}}, graph={"digest": "ab"})
    again = registry.load(version)
    for name in ("inputs", "targets", "popularity", "scaled_rows", "channel_weights", "trained", "known"):
        assert np.array_equal(getattr(again, name), getattr(model, name)), name
        assert getattr(again, name).dtype == getattr(model, name).dtype, name
    assert again.object_ids.tolist() == model.object_ids.tolist()
    assert again.description_names == model.description_names
    graph = checkerboard()
    assert np.array_equal(again.encode(graph)[0], model.encode(graph)[0])
    assert np.array_equal(again.stored_objects()[0], model.stored_objects()[0])
    tags = again.fold_in(graph.select(np.zeros(graph.num_events, dtype=bool))).targets
    assert np.array_equal(tags, model.fold_in(graph.select(np.zeros(graph.num_events, dtype=bool))).targets)


def test_document(registry: Registry, model: FittedModel) -> None:
    at = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
    version = registry.save(model, graph={"digest": "ab"}, created_at=at, extra={"reason": "the first model"})
    assert version.startswith("m-20261122T213000-")
    info = registry.show(version)
    assert info.created_at == "2026-11-22T21:30:00Z"
    assert info.document["graph"] == {"digest": "ab"}
    assert info.document["reason"] == "the first model"
    assert info.document["config"]["dim"] == 8
    assert info.document["dimensions"] == 10
    assert len(info.document["files"]["arrays.npz"]) == 64


def test_promote_and_roll_back(registry: Registry, model: FittedModel) -> None:
    one, two = (registry.save(model, created_at=datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2))
    assert registry.in_use() is None
    registry.promote(one)
    registry.promote(two)
    registry.promote(two)
    assert registry.in_use() == two
    assert registry.previous() == one
    assert [(info.version, info.in_use) for info in registry.list()] == [(one, False), (two, True)]
    assert registry.rollback() == one
    assert Registry(registry.folder.parent).in_use() == one
    with pytest.raises(NoModel):
        registry.rollback()


@pytest.mark.parametrize("file", ["arrays.npz", "model.json"])
@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_damage_is_named(registry: Registry, model: FittedModel, file: str, damage: str) -> None:
    version = registry.save(model)
    path = registry.folder / version / file
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RegistryCorrupt, match=file):
        registry.load(version)
    with pytest.raises(RegistryCorrupt, match=file):
        registry.promote(version)
    assert registry.in_use() is None


def test_a_changed_array_is_noticed(registry: Registry, model: FittedModel) -> None:
    version = registry.save(model)
    path = registry.folder / version / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RegistryCorrupt, match="not what was saved"):
        registry.load(version)


def test_nothing_is_unpickled(registry: Registry, model: FittedModel) -> None:
    """An array of objects in place of ours, with a matching checksum, is refused and not executed."""
    import hashlib

    version = registry.save(model)
    folder = registry.folder / version
    np.savez(folder / "arrays.npz", inputs=np.array([{"any": "object"}], dtype=object))
    document = json.loads((folder / "model.json").read_text())
    document["files"]["arrays.npz"] = hashlib.sha256((folder / "arrays.npz").read_bytes()).hexdigest()
    (folder / "model.json").write_text(json.dumps(document))
    with pytest.raises(RegistryCorrupt):
        registry.load(version)


def test_another_format_is_refused(registry: Registry, model: FittedModel) -> None:
    version = registry.save(model)
    path = registry.folder / version / "model.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(ModelError, match="format 99"):
        registry.load(version)


def test_a_full_disk_leaves_nothing(tmp_path: Path, model: FittedModel) -> None:
    """On a file system of its own that is really full: what is in use stays, and with room it goes on."""
    disk, ballast = tmp_path / "disk", tmp_path / "disk" / "ballast"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "graphprofile-test", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small file system: no disk to fill")
    try:
        registry = Registry(disk)
        first = registry.save(model)
        registry.promote(first)
        with pytest.raises(OSError, match="No space"):  # noqa: PT012
            with ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1024))
        with pytest.raises(ModelError, match="No space left on device"):
            registry.save(model)
        with pytest.raises(ModelError, match="No space left on device"):
            registry.write_note(first, "measured", {"long": "x" * 10_000})
        assert sorted(path.name for path in registry.folder.iterdir()) == sorted(["in_use", first])
        assert registry.read_note(first, "measured") is None
        assert np.array_equal(registry.load().targets, model.targets)
        ballast.unlink()
        second = registry.save(model)
        registry.promote(second)
        assert registry.in_use() == second
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_damaged_version_does_not_hide_the_others(registry: Registry, model: FittedModel) -> None:
    good, bad = (registry.save(model, created_at=datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2))
    document = registry.folder / bad / "model.json"
    document.write_bytes(document.read_bytes()[:100])
    listed = registry.list()
    assert [info.version for info in listed] == [good, bad]
    assert "model.json" in listed[1].document["problem"]
    registry.promote(good)
    with pytest.raises(RegistryCorrupt):
        registry.promote(bad)
    assert registry.in_use() == good


def test_bad_vectors_are_not_saved(registry: Registry, model: FittedModel) -> None:
    from dataclasses import replace

    with pytest.raises(BadVectors):
        registry.save(replace(model, targets=np.full_like(model.targets, np.nan)))
    assert registry.list() == []


def test_half_written_versions_are_not_listed(registry: Registry, model: FittedModel) -> None:
    version = registry.save(model)
    (registry.folder / ".m-20300101T000000-0000.part").mkdir()
    assert [info.version for info in registry.list()] == [version]


def test_no_torch_for_reading_and_embedding(tmp_path: Path, model: FittedModel) -> None:
    registry = Registry(tmp_path)
    registry.promote(registry.save(model))
    code = (
        "import sys; from graphprofile.graphsage.registry import Registry;"
        f"m = Registry({str(tmp_path)!r}).load(); assert m.dim == 8; m.stored_objects();"
        "assert not {'torch', 'torch_geometric', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
