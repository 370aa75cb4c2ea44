"""The retrieval benchmark on data small enough for a test: every figure is made, wrong inputs are named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def python(script: str, *arguments: object, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matrices")
    rng = np.random.default_rng(0)
    group_of_user, group_of_item = rng.integers(0, 4, 120), rng.integers(0, 4, 80)
    chance = 0.02 + 0.3 * (group_of_user[:, None] == group_of_item[None, :])
    sp.save_npz(folder / "all.npz", sp.csr_matrix((rng.random((120, 80)) < chance).astype(np.float32)))
    made = python("cut.py", folder, folder / "all.npz")
    assert made.returncode == 0, made.stderr
    return folder


def test_the_cut_holds_out_a_fifth_of_every_users_pairs(matrices: Path) -> None:
    whole, train, test = (sp.load_npz(matrices / f"{name}.npz") for name in ("all", "train", "test"))
    assert (whole != train + test).nnz == 0
    degree, held = np.diff(whole.tocsr().indptr), np.diff(test.tocsr().indptr)
    assert (held[degree > 1] == np.clip(np.round(0.2 * degree), 1, degree - 1)[degree > 1]).all()
    again = python("cut.py", matrices / "again", matrices / "all.npz")
    assert again.returncode == 0
    assert (sp.load_npz(matrices / "again" / "test.npz") != test).nnz == 0


def test_packages_and_what_they_depend_on(tmp_path: Path) -> None:
    index = """Package: editor
Version: 1.0
Depends: libc6 (>= 2.34), libgui1 | libgui-next, perl:any
Pre-Depends: libc6

Package: viewer
Depends: libc6, libgui1

Package: lonely
Depends: libc6, libown1
Suggests: libgui1
"""
    made = python("packages.py", tmp_path / "two.npz", "--least", 2, given=index)
    assert made.stdout == f"4 pairs of 2 packages and 2 others in {tmp_path / 'two.npz'}\n"
    assert sp.load_npz(tmp_path / "two.npz").toarray().tolist() == [[1, 1], [1, 1]]
    python("packages.py", tmp_path / "all.npz", "--least", 1, given=index)
    columns = ["libc6", "libgui1", "libown1", "perl"]
    rows = {"editor": [1, 1, 0, 1], "lonely": [1, 0, 1, 0], "viewer": [1, 1, 0, 0]}
    assert sp.load_npz(tmp_path / "all.npz").toarray().tolist() == list(rows.values()), columns
    nothing = python("packages.py", tmp_path / "none.npz", given="no index\n")
    assert nothing.returncode == 2
    assert "holds no index of packages" in nothing.stderr


def test_ours_and_others_in_one_table(matrices: Path) -> None:
    arguments = (matrices / "train.npz", matrices / "test.npz", "--methods", "graphsage,popularity,svd,ease")
    done = python("retrieval.py", *arguments, "--dim", "16", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = {row["method"]: row for row in document["results"]}
    assert next(iter(rows)) == "graphsage"
    assert set(rows) == {"graphsage", "popularity", "svd", "ease"}
    assert document["data"]["users"] > 100
    for row in rows.values():
        for key in ("recall_at_20", "ndcg_at_20", "map_at_20"):
            low, high = row[f"{key}_interval"]
            assert 0 <= low <= row[key] <= high <= 1
        assert row["seconds"] >= 0
        assert row["peak_mb"] > 0
        assert 0 < row["coverage"] <= 1
    # Taste has four groups here: whoever sees them is far ahead of the list that is the same for all.
    assert rows["graphsage"]["recall_at_20"] > 1.5 * rows["popularity"]["recall_at_20"]
    assert rows["graphsage"]["dimension"] == 16
    assert rows["svd"]["tried"]


def test_events_are_cut_by_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    lines = ["user_id,event_type,object_id,timestamp"]
    for number in range(600):
        user, item = rng.integers(0, 30), rng.integers(0, 25)
        lines.append(f"u{user},viewed,i{item},{1_600_000_000 + 3600 * number}")
    (tmp_path / "events.csv").write_text("\n".join(lines) + "\n")
    made = python("cut.py", tmp_path, tmp_path / "events.csv")
    assert made.returncode == 0, made.stderr
    done = python(
        "retrieval.py",
        *(tmp_path / "train.parquet", tmp_path / "test.parquet", "--methods", "popularity", "--json"),
    )
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)["data"]
    assert data["kind"] == "time"
    assert data["train_events"] + data["test_events"] == 600


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        ("none.npz", "test.npz", "no such file"),
        ("train.npz", "events.csv", "two kinds"),
        ("train.npz", "small.npz", "TRAIN is 120 x 80, TEST 3 x 3"),
        ("train.npz", "broken.npz", "no SciPy sparse matrix"),
        ("nan.npz", "test.npz", "NaN"),
        ("train.npz", "empty.npz", "no user of TEST"),
    ],
)
def test_wrong_inputs_are_named(matrices: Path, train: str, test: str, said: str) -> None:
    (matrices / "events.csv").write_text("user_id,event_type,object_id,timestamp\n")
    (matrices / "broken.npz").write_bytes(b"PK nothing")
    sp.save_npz(matrices / "small.npz", sp.csr_matrix(np.eye(3)))
    sp.save_npz(matrices / "nan.npz", sp.csr_matrix(np.full((120, 80), np.nan)))
    sp.save_npz(matrices / "empty.npz", sp.csr_matrix((120, 80)))
    done = python("retrieval.py", matrices / train, matrices / test)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_method_is_named(matrices: Path) -> None:
    done = python("retrieval.py", matrices / "train.npz", matrices / "test.npz", "--methods", "magic")
    assert done.returncode == 2
    assert "no such name: magic" in done.stderr


def test_predicted_ratings_beside_means(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    taste, kind = rng.choice([-1, 1], 40), rng.choice([-1, 1], 30)
    rows = [
        f"{user}\t{item}\t{3 + taste[user] * kind[item]}\t{880_000_000 + number}"
        for number, (user, item) in enumerate(rng.permutation(np.indices((40, 30)).reshape(2, -1).T)[:800])
    ]
    (tmp_path / "u.data").write_text("\n".join(rows), "utf-8")
    done = python(
        "ratings.py", tmp_path, "--methods", "global_mean,item_mean,item_knn", "--folds", "2", "--json"
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["folds"], document["train"], document["test"]) == (2, 400, 800)
    rows_of = {row["method"]: row for row in document["results"]}
    assert list(rows_of) == ["global_mean", "item_mean", "item_knn"]
    for row in rows_of.values():
        for key in ("rmse", "mae"):
            low, high = row[f"{key}_interval"]
            assert low <= row[key] <= high
    assert rows_of["item_knn"]["rmse"] < 0.5 * rows_of["item_mean"]["rmse"]
    assert len(rows_of["item_knn"]["tried"]) > 1
    missing = python("ratings.py", tmp_path / "nothing")
    assert (missing.returncode, missing.stderr.count("Traceback")) == (1, 0)
    assert "nothing" in missing.stderr


def test_the_vector_index_beside_a_scan() -> None:
    done = python("ann.py", "--items", "300", "--dim", "16", "--queries", "5", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["items"], document["dim"]) == (300, 16)
    assert set(document["results"]) == {"index", "recommend's search", "exact"}
    for row in document["results"].values():
        assert row["recall_at_20"] >= 0.95
        assert 0 < row["median_ms"] <= row["p95_ms"]
    assert document["results"]["exact"]["recall_at_20"] == 1
    assert python("ann.py", "--items", "3").returncode == 2
