"""The Cypher files: each is documented, each is used, and nothing but event types is ever put into one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from graphprofile import queries
from graphprofile.errors import ConfigError, UsageError
from graphprofile.vocabulary import RESERVED_TYPES, Vocabulary

CODE = Path(queries.__file__).parent
NAMES = queries.names()
AREAS = {name.partition("/")[0] for name in NAMES}
FOUND_BY_FOLDER = {"insights"}


def named_in_code() -> tuple[set[str], set[str]]:
    """Query names in the code's strings, and those of f-strings as patterns."""
    names: set[str] = set()
    patterns: set[str] = set()
    for path in CODE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(p.value) if isinstance(p, ast.Constant) else "[a-z0-9_]+" for p in node.values
                ]
                if re.match(rf"({'|'.join(AREAS)})/", "".join(parts)):
                    patterns.add("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
                if re.fullmatch(rf"({'|'.join(AREAS)})/[a-z0-9_]+", node.value):
                    names.add(node.value)
    return names, patterns


def test_every_query_named_in_the_code_exists() -> None:
    names, patterns = named_in_code()
    assert names - set(NAMES) == set()
    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, name) for name in NAMES)] == []


def test_every_file_is_named_in_the_code() -> None:
    names, patterns = named_in_code()
    unused = [
        name
        for name in NAMES
        if name not in names
        and name.partition("/")[0] not in FOUND_BY_FOLDER
        and not any(re.fullmatch(pattern, name) for pattern in patterns)
    ]
    assert unused == []


@pytest.mark.parametrize("name", NAMES)
def test_file_has_a_header_and_parses(name: str) -> None:
    query = queries.load(name)
    assert re.match(r"[A-Z].*[.?]", query.summary), query.summary
    assert query.statement
    assert ";" not in re.sub(r"'[^']*'|//[^\n]*", "", query.statement)
    for field in (*query.parameters, *query.columns):
        assert field.type, f"{name}: {field.name} has no type"
        assert field.text, f"{name}: {field.name} is not explained"


@pytest.mark.parametrize("name", NAMES)
def test_declared_columns_are_the_returned_ones(name: str) -> None:
    query = queries.load(name)
    statement = re.sub(r"//[^\n]*", "", query.statement)
    statement = re.sub(r"^CALL (?:\([\w, ]+\) )?\{\n.*?^\}", "", statement, flags=re.DOTALL | re.MULTILINE)
    # Nothing to compare where a statement returns nothing, or the engine names the columns.
    returned = statement.rpartition("RETURN")[2] if "RETURN" in statement else ""
    returned = re.split(r"\b(?:ORDER BY|LIMIT|SKIP)\b", returned)[0]
    for column in query.columns:
        assert re.search(rf"\b{column.name}\b", returned), (
            f"{name} declares {column.name} but does not return it"
        )
    assert bool(query.columns) == bool(returned.strip()), name


@pytest.mark.parametrize("name", NAMES)
def test_placeholder_becomes_quoted_types(name: str) -> None:
    query = queries.load(name)
    if query.takes_event_types:
        text = queries.text(name, ("PURCHASED", "VIEWED"))
        assert "EVENT_TYPES" not in text
        assert "`PURCHASED`|`VIEWED`" in text
        with pytest.raises(UsageError, match="needs event types"):
            queries.text(name)
    elif query.takes_names:
        text = queries.text(name, names=("my label", "a`b"))
        assert "QUOTED_NAMES" not in text
        assert "`my label`:`a``b`" in text
        with pytest.raises(UsageError, match="needs names"):
            queries.text(name)
    else:
        assert queries.text(name, ("PURCHASED",)) == query.statement


@pytest.mark.parametrize("bad", ["purchased", "A`]->() DETACH DELETE n //", "", "A B", "1A", "A\n", "É"])
def test_nothing_but_a_relationship_type_gets_into_a_statement(bad: str) -> None:
    with pytest.raises(UsageError, match="is no relationship type"):
        queries.quote_types([bad])


@pytest.mark.parametrize("bad", ["", "a\nb", "a\\u0060b", "a\\", "\x00", "\x7f"])
def test_names_that_could_end_their_quotes_are_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="cannot be written in a statement"):
        queries.quote_name(bad)


def test_only_a_copy_of_the_graph_takes_names_of_any_form() -> None:
    assert {name.partition("/")[0] for name in NAMES if queries.load(name).takes_names} == {"backup"}


def test_no_event_type_of_the_vocabulary_is_one_of_the_system() -> None:
    assert not RESERVED_TYPES & set(Vocabulary().types)


def test_header_is_read() -> None:
    query = queries.parse(
        "area/verb",
        "// First line,\n// and a second.\n// Parameters:\n//   id (text): of the user\n"
        "//   limit (int, rows, default 20): rows at most\n// Columns:\n//   id (text): found\n\n"
        "MATCH (u:User {id: $id}) // not $this\nRETURN u.id AS id LIMIT $limit;\n",
    )
    assert query.summary == "First line, and a second."
    assert [(f.name, f.type, f.text, f.default) for f in query.parameters] == [
        ("id", "text", "of the user", None),
        ("limit", "int, rows, default 20", "rows at most", "20"),
    ]
    assert query.columns == (queries.Field("id", "text", "found"),)
    assert query.statement.endswith("LIMIT $limit")
    assert not query.takes_event_types


def test_header_of_a_listed_query_is_read() -> None:
    query = queries.parse(
        "area/verb",
        "// How many?\n// Group: growth\n// Events: all\n// Chart: bar, x day, y n\n// Columns:\n"
        "//   day (int): of the week\n//   n (int): how many\nRETURN 1 AS day, 2 AS n\n",
    )
    assert (query.summary, query.group, query.every_event_type) == ("How many?", "growth", True)
    assert query.chart == queries.Chart("bar", {"x": "day", "y": "n"})
    plain = queries.parse("area/verb", "// How many?\nRETURN 1 AS n")
    assert (plain.group, plain.every_event_type, plain.chart) == ("", False, None)


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        ("pie, x day, y n", "'pie' is none of bar, line"),
        ("bar, x day", "a bar has x, y and may have series"),
        ("bar, x day, y n, size n", "a bar has x, y and may have series"),
        ("bar, x day, y n, y n", "a bar has x, y and may have series"),
        ("table, x day", "a table has no axis"),
        ("bar, x day, y much", "there is no column 'much'"),
        ("bar, x, y n", "there is no column ''"),
        ("", "'' is none of"),
    ],
)
def test_chart_that_cannot_be_drawn_is_refused(chart: str, message: str) -> None:
    columns = [queries.Field("day", "int", "of the week"), queries.Field("n", "int", "how many")]
    with pytest.raises(ConfigError, match=message):
        queries.parse_chart("area/verb", chart, columns)
    assert queries.parse_chart("area/verb", "table", columns).axes == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("// Does it.\n// Events: some\nRETURN 1 AS one", "Events is 'some'; say all, or nothing"),
        ("RETURN 1", "has no header"),
        ("//\nRETURN 1", "has no header"),
        ("// Does it.\nRETURN $x AS x", "parameters used and declared differ: x"),
        (
            "// Does it.\n// Parameters:\n//   y (int): why\nRETURN 1 AS one",
            "parameters used and declared differ: y",
        ),
        ("// Does it.\n// Parameters:\n//   : what\nRETURN 1 AS one", "cannot read the header line"),
    ],
)
def test_broken_file_is_refused(source: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        queries.parse("area/verb", source)


@pytest.mark.parametrize(
    "name", ["insights/nothing", "nothing", "../insights/co_purchase", "insights/", "a/b/c"]
)
def test_unknown_query_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="There is no query"):
        queries.load(name)


def test_names_by_area() -> None:
    insights = queries.names("insights")
    assert insights == sorted(insights)
    assert "insights/co_purchase" in insights
    assert set(insights) <= set(NAMES)
    assert queries.names("nothing") == []


@pytest.mark.parametrize("name", [name for name in NAMES if "USING INDEX" in queries.load(name).statement])
def test_an_index_hint_asks_for_a_seek(name: str) -> None:
    # "USING INDEX" alone is content with a scan of the whole index, and a plan made in a young store may choose it.
    assert not re.search(r"USING INDEX (?!SEEK )", queries.load(name).statement)
