"""The documents say what is: commands run, every command is written down, links lead somewhere, queries answer."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from graphprofile import GraphProfile
from graphprofile.cli.app import COMMANDS, SUMMARIES, cli, run
from graphprofile.demo import READER
from graphprofile.errors import GraphProfileError
from graphprofile.insights import GROUPS, list_insights
from graphprofile.queries import CHARTS
from graphprofile.sample_data import shakespeare_files
from graphprofile.settings import Settings, template
from graphprofile.store import Store

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, click.Command]]:
    """All commands and subcommands by name."""
    found = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", command.commands[sub]) for sub in command.commands]
        else:
            found.append((name, command))
    return found


def test_summaries_and_commands_are_the_same() -> None:
    assert list(SUMMARIES) == list(COMMANDS)


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_has_help_an_example_json_and_a_place_in_the_docs(
    name: str, command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.help
    assert (command.epilog or "").startswith("Example: graphprofile ")
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--uri", "--user", "--password-file", "--database", "--config"} <= options
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert all(word in page for word in name.split())
    assert run([*name.split(), "--help"]) == 0
    assert "Example" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make (\w+)", (ROOT / "README.md").read_text("utf-8")))
    assert {"demo", "test"} <= named <= targets


def test_the_settings_template_spells_the_defaults(tmp_path: Path) -> None:
    from graphprofile.settings import resolve
    from graphprofile.vocabulary import Vocabulary

    (tmp_path / "g.toml").write_text(template(), "utf-8")
    assert resolve(tmp_path / "g.toml").vocabulary == Vocabulary()


def test_the_page_on_insights_says_what_the_files_say() -> None:
    page = (ROOT / "docs" / "insights.md").read_text("utf-8")
    found = {
        title.lower(): [line for line in body.splitlines() if line.startswith("| `")]
        for title, body in re.findall(r"^### (\w+)\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    }
    expected: dict[str, list[str]] = {group: [] for group in GROUPS}
    for insight in list_insights():
        takes = ", ".join(
            f"`{p.name}`" + ("" if p.default is None else f"={p.default}") for p in insight.parameters
        )
        row = f"| `{insight.name}` | {insight.question} | {takes} | {insight.chart.type} |"
        expected[insight.group].append(row)
    assert found == expected
    drawn = page.partition("## How an answer is drawn")[2].splitlines()
    for kind, (needed, allowed) in CHARTS.items():
        (row,) = (line for line in drawn if line.startswith("| `") and f"`{kind}`" in line.split("|")[1])
        assert all(f"`{axis}`" in row for axis in (*needed, *allowed))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as the demo leaves it: the library loaded, a model trained."""
    folder = tmp_path_factory.mktemp("library")
    settings = Settings(data_dir=folder / "data")
    with GraphProfile(Store.open(settings), settings) as gp, shakespeare_files() as files:
        gp.load(*files.values(), loader="shakespeare")
        gp.update_tags()
        gp.train(epochs=4)
        yield folder


def shell_commands() -> list[tuple[str, str]]:
    """Lines of the shell blocks that call graphprofile, with their page."""
    found = []
    for page in PAGES:
        for language, block in BLOCK.findall(page.read_text("utf-8")):
            if language not in ("sh", "bash", "console"):
                continue
            for line in block.replace("\\\n", " ").splitlines():
                line = line.removeprefix("$ ").split(" #")[0].split(" | ")[0].strip()
                if line.startswith("graphprofile "):
                    found.append((page.name, line))
    return found


# What changes a server, needs a file of the reader's own or takes minutes is parsed, not run.
PARSED_ONLY = (
    "demo",
    "map",
    "serve",
    "up",
    "down",
    "train",
    "load",
    "update",
    "quarantine",
    "evaluate",
    "init",
    "models",
    "embed",
)


@pytest.mark.parametrize(("page", "line"), shell_commands())
def test_commands_in_the_docs_run(
    page: str,
    line: str,
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = shlex.split(line)[1:]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAPHPROFILE_DATA", str(library / "data"))
    if arguments[0] in PARSED_ONLY and arguments[:2] not in (["models", "list"], ["models", "card"]):
        command = cli.get_command(click.Context(cli), arguments.pop(0))
        if isinstance(command, click.Group):
            command = command.commands[arguments.pop(0)]
        assert command is not None
        command.make_context("graphprofile", arguments)
        return
    if arguments[0] == "restore":
        # The page made the backup before, and names another store.
        assert run(["backup", arguments[1]]) == 0
        monkeypatch.setenv("GRAPHPROFILE_DATA", str(tmp_path / "restored"))
    # The README speaks of a reader of its own.
    code = run([READER if argument in ("ann", "bob") else argument for argument in arguments])
    assert code == 0, capsys.readouterr().err


def blocks(*languages: str) -> list[tuple[str, str]]:
    """Code blocks of the docs in a language, with their page."""
    return [
        (page.name, block)
        for page in PAGES
        for language, block in BLOCK.findall(page.read_text("utf-8"))
        if language in languages
    ]


@pytest.mark.parametrize(("page", "block"), blocks("cypher"))
def test_queries_in_the_docs_answer(page: str, block: str, library: Path) -> None:
    parameters: dict[str, Any] = {
        "user": READER,
        "user_id": READER,
        "id": READER,
        "item": "joyce-ulysses",
        "tag": "Poetry",
        "k": 5,
        "limit": 5,
    }
    settings = Settings(data_dir=library / "data")
    with Store.open(settings) as store:
        for statement in re.split(r";\s*$", block, flags=re.MULTILINE):
            if not re.sub(r"//[^\n]*", "", statement).strip():
                continue
            used = {
                name: parameters[name] for name in re.findall(r"\$(\w+)", statement) if name in parameters
            }
            try:
                store.cypher(statement, used)
            except GraphProfileError as error:
                pytest.fail(f"{page}: {error.message}\n{statement}")


@pytest.mark.parametrize(("page", "block"), blocks("python"))
def test_python_in_the_docs_runs(
    page: str, block: str, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Each block of a page may go on where the one before it ended; the README's writes, into a store of its own.
    data = (
        tmp_path / "own" if page in ("README.md", "loading.md", "mapping.md", "sql.md") else library / "data"
    )
    monkeypatch.setenv("GRAPHPROFILE_DATA", str(data))
    with GraphProfile.open() as gp:
        if page == "recommenders.md":
            # What the page's commands write before its Python reads it.
            gp.models.export("vectors.parquet")
            gp.recommend_all("picks.parquet", 20)
        exec(compile(block, page, "exec"), {"gp": gp, "GraphProfile": GraphProfile})


@pytest.mark.parametrize(
    "block", [block for page, block in blocks("toml") if page in ("cli.md", "http.md", "operations.md")]
)
def test_settings_in_the_docs_are_in_order(block: str, tmp_path: Path) -> None:
    from graphprofile.settings import resolve

    (tmp_path / "g.toml").write_text(block, "utf-8")
    settings = resolve(tmp_path / "g.toml")
    if "ANSWERED_SATISFACTION" in block:
        assert settings.vocabulary is not None
        answer = settings.vocabulary.events["satisfaction"]
        assert (answer.minimum, answer.neutral, answer.maximum, answer.feedback) == (0, 5, 10, "explicit")
        assert settings.vocabulary.events["shared"].feedback == "explicit"


def test_a_source_of_ones_own_in_ten_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAPHPROFILE_DATA", str(tmp_path / "data"))
    rows = "".join(f"{n},c{n % 5},s{n % 7},Thing,{n % 28 + 1}/12/2020,9.5\n" for n in range(60))
    Path("orders.csv").write_text("OrderID,CustomerID,StockCode,Description,Date,Price\n" + rows, "utf-8")
    lines = [line for page, line in shell_commands() if page == "mapping.md"]
    assert [line.split()[1] for line in lines] == ["map", "map", "load"]
    for line in lines:
        assert run(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    assert "60 of the rows looked at can be used, 0 would be refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    "block", [block for page, block in blocks("toml") if page in ("mapping.md", "quality.md")]
)
def test_mappings_in_the_docs_are_in_order(block: str) -> None:
    import tomllib

    from graphprofile.ingest.mapped.check import check_rules

    rows = '[events]\nuser_id="u"\nevent_type="e"\nobject_id="o"\ntimestamp="t"\nvalue="Price"\n'
    check_rules(tomllib.loads(block + rows), "the docs", block + rows)
