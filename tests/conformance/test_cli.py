"""The command line on both engines: documents, exit codes, messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphprofile.cli.app import run

Cli = Callable[..., tuple[int, Any, Any]]

EVENTS = """event_id,user_id,event_type,object_id,timestamp,value
1,ann,viewed,i1,2024-01-01,
2,ann,purchased,i2,2024-01-02,10
3,bob,viewed,i1,2024-01-03,
"""
ITEMS = """item_id,title,tags
i1,One,genre:Poetry
i2,Two,genre:Prose
"""


@pytest.fixture
def cli(
    store_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Cli:
    """Runs a command in-process: (exit code, stdout, stderr), parsed where ``--json`` was asked for."""
    for name, value in store_env.items():
        if name.startswith("GRAPHPROFILE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, Any, Any]:
        code = run(list(arguments))
        out, err = capsys.readouterr()
        if "--json" in arguments:
            return code, json.loads(out) if out else None, json.loads(err)["error"] if err else None
        return code, out, err

    return call


@pytest.fixture
def loaded(cli: Cli, tmp_path: Path) -> Cli:
    (tmp_path / "events.csv").write_text(EVENTS, "utf-8")
    (tmp_path / "items.csv").write_text(ITEMS, "utf-8")
    assert cli("load", "items.csv")[0] == 0
    assert cli("update", "events.csv")[0] == 0
    return cli


def test_init_may_be_repeated(cli: Cli, tmp_path: Path) -> None:
    code, first, _ = cli("init", "--json")
    assert code == 0
    assert first["constraints"] > 20
    assert {"engine", "constraints", "indexes", "config_file"} <= first.keys()
    (tmp_path / "graphprofile.toml").write_text("# mine\n", "utf-8")
    code, again, _ = cli("init", "--json")
    assert (code, again["store_id"]) == (0, first["store_id"])
    assert (tmp_path / "graphprofile.toml").read_text("utf-8") == "# mine\n"


def test_load_documents_and_exit_codes(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENTS, "utf-8")
    code, document, _ = cli("load", "events.csv", "--json")
    assert code == 0
    assert {k: document[k] for k in ("read", "applied", "duplicates", "conflicts", "quarantined")} == {
        "read": 3,
        "applied": 3,
        "duplicates": 0,
        "conflicts": 0,
        "quarantined": 0,
    }
    code, document, _ = cli("load", "events.csv", "--json")
    assert (code, document["duplicates"]) == (0, 3)
    (tmp_path / "bad.csv").write_text(EVENTS + "4,,viewed,i1,2024-01-03,\n", "utf-8")
    code, document, _ = cli("load", "bad.csv", "--json")
    assert (code, document["quarantined"]) == (3, 1)
    assert Path(document["quarantine_file"]).stat().st_mode & 0o077 == 0
    code, listed, _ = cli("quarantine", "list", "--json")
    assert (code, listed[0]["rows"]) == (0, 1)
    assert cli("quarantine", "retry")[0] == 3
    code, out, err = cli("load", "bad.csv")
    assert code == 3
    assert "4 rows read" in out
    assert "quarantine" in err


def test_a_mapped_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("Kunde;SKU;Tag\n7;a;2024-01-01 10:00\n", "utf-8")
    code, document, error = cli(
        *("load", "orders.csv", "--kind", "events", "--json", "--time-zone", "Europe/Berlin"),
        *("--map", "user_id=Kunde", "--map", "object_id=SKU", "--map", "timestamp=Tag"),
        *("--map", "event_type==purchased"),
    )
    assert (code, error) == (0, None)
    assert document["applied"] == 1
    _, rows, _ = cli(
        "cypher", "--json", "MATCH (u)-[e:PURCHASED]->(i) RETURN u.id AS u, i.id AS i, e.ts AS ts"
    )
    assert rows == [{"u": "7", "i": "a", "ts": 1_704_099_600_000}]
    # What a query of one's own gives can be read back from the table too.
    _, out, _ = cli("cypher", "RETURN 1704099600000 AS ts, 1234.5678 AS price, 3.0 AS whole")
    assert out.split()[-3:] == ["1704099600000", "1234.5678", "3.0"]


def test_the_profile_document(loaded: Cli) -> None:
    code, document, _ = loaded("profile", "ann", "--json")
    assert code == 0
    assert document["events"] == {"viewed": 1, "purchased": 1}
    assert {tag["tag"] for tag in document["tags"]} == {"Poetry", "Prose"}
    assert {"tag", "kind", "score", "share", "lift", "short", "long", "events", "last_at"} <= document[
        "tags"
    ][0].keys()
    assert document["as_of"] == "2024-01-03T00:00:00Z"
    code, out, _ = loaded("profile", "ann")
    assert code == 0
    assert "Poetry" in out
    code, past, _ = loaded("profile", "ann", "--as-of", "2024-01-01", "--json")
    assert [tag["tag"] for tag in past["tags"]] == ["Poetry"]


def test_the_profile_says_where_words_and_deeds_differ(loaded: Cli, tmp_path: Path) -> None:
    assert loaded("profile", "ann", "--json")[1]["feedback"] == {"tags": [], "objects": []}
    assert "Says / does" not in loaded("profile", "ann")[1]
    code, every, _ = loaded("profile", "ann", "--feedback", "--json")
    assert (code, [tag["tag"] for tag in every["feedback"]["tags"]]) == (0, ["Poetry", "Prose"])
    assert "Says / does (4 of 4)" in loaded("profile", "ann", "--feedback")[1]
    (tmp_path / "more.csv").write_text(EVENTS.splitlines()[0] + "\n9,ann,rated,i2,2024-01-02,1\n", "utf-8")
    assert loaded("load", "more.csv")[0] == 0
    code, document, _ = loaded("profile", "ann", "--json")
    assert [(tag["tag"], tag["kind"]) for tag in document["feedback"]["tags"]] == [("Prose", "genre")]
    (told,) = document["feedback"]["objects"]
    assert (told["id"], told["title"], told["explicit_events"], told["implicit_events"]) == (
        "i2",
        "Two",
        1,
        1,
    )
    out = loaded("profile", "ann")[1]
    assert "Says / does (2 of 2)" in out
    assert "-0.67" in out
    past = loaded("profile", "ann", "--as-of", "2024-01-01", "--json")[1]
    assert past["feedback"]["objects"] == []


def test_tags_digest_status_explain(loaded: Cli) -> None:
    code, document, _ = loaded("tags", "--verify", "--json")
    assert (code, document["users"]) == (0, 0)
    assert document["max_relative_error"] <= 1e-9
    code, out, _ = loaded("digest")
    assert code == 0
    assert len(out.strip()) == 64
    assert loaded("digest", "--json")[1] == {"digest": out.strip()}
    code, status, _ = loaded("status", "--json")
    assert (code, status["events"], status["users_awaiting_tags"]) == (0, {"purchased": 1, "viewed": 2}, 0)
    assert loaded("status")[0] == 0
    code, why, _ = loaded("explain", "ann", "--tag", "Prose", "--json")
    assert why["paths"][0]["object_id"] == "i2"
    assert loaded("explain", "ann", "--tag", "Prose")[0] == 0


def test_verify_fails_aloud(loaded: Cli) -> None:
    loaded("cypher", "--write", "MATCH ()-[r:INTERESTED_IN]->() SET r.long = r.long + 1")
    code, document, _ = loaded("tags", "--verify", "--json")
    assert (code, document["max_relative_error"] > 1e-9) == (1, True)
    loaded("cypher", "--write", "MATCH ()-[r:INTERESTED_IN]->() SET r.events = r.events + 1")
    code, document, _ = loaded("tags", "--verify", "--json")
    assert (code, document["max_relative_error"]) == (1, None)
    code, out, _ = loaded("tags", "--verify")
    assert "an exact field differs" in out
    assert loaded("tags", "--full", "--verify")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "error", "words"),
    [
        (("profile", "anne"), 1, "not_found", "ann"),
        (("profile", "ann", "--as-of", "soon"), 2, "usage", "2024-05-06"),
        (("explain", "ann"), 2, "usage", "--tag"),
        (("explain", "ann", "--tag", "Opera"), 1, "not_found", "Opera"),
        (("recommend", "ann"), 1, "no_model", "train"),
        (("recommend",), 2, "usage", "USER"),
        (("similar", "--item", "i1"), 1, "no_model", "train"),
        (("embed",), 1, "no_model", "train"),
        (("evaluate",), 1, "no_model", "train"),
        (("models", "rollback"), 1, "no_model", "promote"),
        (("models", "show", "nosuch"), 1, "not_found", "models list"),
        (("models", "promote", "nosuch"), 1, "not_found", "models list"),
        (("models", "card"), 1, "no_model", "train"),
        (("models", "card", "nosuch"), 1, "not_found", "models list"),
        (("models", "compare", "nosuch", "neither"), 1, "not_found", "models list"),
        (("models", "compare", "m-1", "m-1"), 2, "usage", "models list"),
        (("models", "compare", "m-1"), 2, "usage", "OTHER"),
        (("drift",), 1, "no_model", "train"),
        (("train",), 1, "too_little_data", "Load more events"),
        (("train", "--seed", "-1"), 2, "usage", "--seed"),
        (("train", "--seed", "4294967296"), 2, "usage", "4294967295"),
        (("load", "nosuch.csv"), 1, "source", "nosuch.csv"),
        (("load", "empty.csv"), 1, "source", "empty"),
        (("load", "picture.csv"), 1, "source", "picture.csv"),
        (("load", "text.parquet"), 1, "source", "text.parquet"),
        (("load", "columns.csv", "--kind", "events"), 1, "source", "--map"),
        (("load", "events.csv", "--loader", "nosuch"), 2, "usage", "generic"),
        (("load", "events.csv", "--map", "user_id"), 2, "usage", "user_id"),
        (("load", "events.csv", "--map", "user_id=usr_id"), 1, "source", "user_id"),
        (("load", "events.csv", "--time-zone", "Mars/Olympus"), 2, "usage", "Mars/Olympus"),
        (("load",), 2, "usage", "SOURCE"),
        (("laod", "events.csv"), 2, "usage", "load"),
        (("insights", "nosuch"), 2, "usage", "nosuch"),
        (("insights", "co_purchase"), 2, "usage", "item"),
        (("insights", "co_purchase", "--param", "item"), 2, "usage", "NAME=VALUE"),
        (("insights", "co_purchase", "--param", "item=nosuch"), 1, "not_found", "nosuch"),
        (("cypher", "MATCH (n) DETACH DELETE n"), 2, "usage", "--write"),
        (("cypher", "MATCH (n RETURN n"), 2, "usage", "query"),
        (("cypher", "--write", "--timeout", "1", "RETURN 1 AS x"), 2, "usage", "--timeout"),
        (
            (
                "cypher",
                "--timeout",
                "0.5",
                "UNWIND range(1, 900000) AS a UNWIND range(1, 900000) AS b RETURN sum(a * b)",
            ),
            1,
            "query_timeout",
            "0.5 s",
        ),
        (("quarantine", "retry", "nosuch"), 1, "not_found", "quarantine list"),
        (("status", "--config", "nosuch.toml"), 2, "config", "nosuch.toml"),
        (("status", "--config", "broken.toml"), 2, "config", "broken.toml"),
        (("status", "--config", "vocabulary.toml"), 2, "config", "weight"),
        (("status", "--password-file", "nosuch"), 2, "config", "nosuch"),
        (("report", "nosuch"), 1, "not_found", "nosuch"),
    ],
)
def test_mistakes_have_their_own_message(
    loaded: Cli, tmp_path: Path, arguments: tuple[str, ...], code: int, error: str, words: str
) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0")
    (tmp_path / "text.parquet").write_text("not parquet", "utf-8")
    (tmp_path / "columns.csv").write_text("when,who\n1,2\n", "utf-8")
    (tmp_path / "broken.toml").write_text("[events", "utf-8")
    (tmp_path / "vocabulary.toml").write_text('[events.seen]\ntype = "SEEN"\nweight = "much"\n', "utf-8")
    got, out, problem = loaded(*arguments, "--json")
    assert (got, out) == (code, None)
    assert problem["code"] == error
    assert words in f"{problem['message']} {problem['hint']}"
    got, out, text = loaded(*arguments)
    assert got == code
    assert text.startswith("Error: ")
    assert "Traceback" not in text


def test_insights_are_listed_and_run(loaded: Cli) -> None:
    code, listed, _ = loaded("insights", "--json")
    assert code == 0
    assert {
        "co_purchase",
        "path_between_users",
        "audience_of_tag",
        "rising_tags",
        "loyal_and_lapsing_users",
    } <= {insight["name"] for insight in listed}
    code, _, _ = loaded("insights", "co_purchase", "--param", "item=i1", "--param", "limit=5", "--json")
    assert code == 0
    assert loaded("insights")[0] == 0
    assert loaded("insights", "co_purchase", "--param", "item=i1")[0] == 0


def test_a_report_without_a_model(loaded: Cli, tmp_path: Path) -> None:
    code, _, _ = loaded("report", "--out", "r.html", "--json")
    assert code == 0
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")


def test_governing_models(cli: Cli, tmp_path: Path) -> None:
    """Two trainings, drift, comparison and a card, as a person and as a program read them."""
    rows = ["event_id,user_id,event_type,object_id,timestamp"]
    for reader in range(24):
        for when in range(10):
            book = f"{'AB'[reader % 2]}{(reader // 2 + when) % 12}"
            rows.append(f"{reader}-{when},r{reader},viewed,{book},{1_700_000_000 + when * 86400 + reader}")
    later = [f"x{reader},r{reader},purchased,A1,1701000000" for reader in range(24)]
    (tmp_path / "events.csv").write_text("\n".join(rows), "utf-8")
    (tmp_path / "later.csv").write_text("\n".join([rows[0], *later]), "utf-8")
    assert cli("update", "events.csv")[0] == 0
    first = cli("train", "--epochs", "2", "--json")[1]["model"]
    second = cli("train", "--epochs", "1", "--seed", "5", "--json")[1]["model"]
    assert {row["role"] for row in cli("models", "list", "--json")[1]} <= {
        "champion",
        "challenger",
        "earlier",
    }

    code, found, _ = cli("models", "compare", first, second, "--json")
    assert code == 0
    assert found["metrics"].keys() == {first, second, "popularity", "item_to_item"}
    code, out, _ = cli("models", "compare", first, second)
    assert found["verdict"] in out
    code, _, problem = cli("models", "compare", first, second, "--as-trained", "--json")
    assert (code, problem["code"]) == (1, "too_little_data")

    assert cli("load", "later.csv")[0] == 0
    code, found, _ = cli("drift", "--json")
    assert (code, found["users"], found["inputs"]["event_types"]["band"]) == (0, 24, "large")
    code, out, _ = cli("drift")
    assert "event types" in out
    assert "purchased 0.0% > 100.0%" in out
    assert "Metrics: not measured since training" in out
    assert "Drift against" in cli("status")[1]
    assert "Drift against" not in cli("status", "--no-drift")[1]

    code, out, _ = cli("models", "card", first)
    assert (code, out.splitlines()[0]) == (0, f"# Model card: {first}")
    assert cli("models", "card", first, "--out", "card.md")[0] == 0
    assert (tmp_path / "card.md").read_text("utf-8") == out
    code, _, problem = cli("models", "card", first, "--out", "no/such/folder.md", "--json")
    assert (code, problem["code"]) == (2, "usage")

    document = tmp_path / "graphprofile.toml"
    document.write_text("[drift]\nretrain_psi = 0.5\n", "utf-8")
    code, found, _ = cli("update", "later.csv", "--config", "graphprofile.toml", "--json")
    assert code == 0
    assert any("PSI of event_types" in reason for reason in found["retrained_because"])
    assert found["train"]["model"] == cli("models", "list", "--json")[1][0]["version"]
    document.write_text("[drift]\nretrain_psi = -1\n", "utf-8")
    assert cli("update", "later.csv", "--config", "graphprofile.toml", "--json")[2]["code"] == "config"
