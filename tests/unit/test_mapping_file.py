"""Mapping files: what they may say, what they make of rows, and rows that are not as they should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_world import EVENTS, Result, frame, row, rules_of

from graphprofile.errors import ConfigError, SourceError, UsageError
from graphprofile.ingest.mapped.check import from_json, lines_of, read_rules
from graphprofile.ingest.recipes import make_recipe

# --- what a file may say ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[events]\nuser_idd = 'u'", r"shop.toml, line 2: events.user_idd: .* \(did you mean 'user_id'\?\)"),
        ("[sauce]\n", r"line 1: sauce: there is no such key \(did you mean 'source'\?\)"),
        (EVENTS + "[columns.u]\ntrimm = true", r"line 10: columns.u.trimm: .*'trim'"),
        (EVENTS + "[columns.u]\ntrim = 'yes'", r"line 10: columns.u.trim: should be true or false"),
        (EVENTS + "[columns.u]\nmissing = '-'", r"columns.u.missing: should be a list: put it into brackets"),
        (EVENTS + "[columns.u.id]\ntrim = true", r'needs quotes: \[columns."u.id"\]'),
        (EVENTS + "[source]\ntime_zone = 'Pariss'", r"Use a name such as Europe/Paris or UTC\.$"),
        (EVENTS + "[columns.when]\ntrim = true", r"made of this column: take it out"),
        (EVENTS + "[columns.u]\ncase = 'camel'", r"line 10: columns.u.case: .*'lower'"),
        (EVENTS + "[columns.t]\nformats = ['%H:%M']", r"line 10: columns.t.formats.0: '%H:%M' is no time format"),
        (EVENTS + "[source]\ntime_zone = 'Paris'", r"line 10: source.time_zone: Unknown time zone 'Paris'"),
        (EVENTS + "[source]\nencoding = 'utf-9'", r"there is no encoding 'utf-9'"),
        (EVENTS + "[columns.user]\ntrim = true", r"line 9: columns.user: nothing is made of this column"),
        (EVENTS + "[[skip]]\nreason='a'\n[[skip]]\nwhen=[{column='u',matches='('}]", r"line 12: .*unclosed group"),
        (EVENTS + "[[skip]]\nreason='a'\nwhen=[{column='u'}]", r"says nothing: use equals"),
        ("[users]\nuser_id = { column = 'u', constant = 'x' }", r"one of column, constant and template, not col"),
        ("[users]\nuser_id = { template = '{' }", r"line 2: users.user_id"),
        ("[users]\nuser_id = 'u'\ntags = []", r"users.tags: there is no such key"),
        ("[source]\ndecimal = ','", r"says of no row what it is: add \[events\]"),
        ("[events]\nuser_id = 'u'", r"line 1: events.event_type: is missing"),
        (EVENTS + "[columns.v]\nconvert = { factors = [{ unit = 'g', factor = 2 }] }", r"need the column that names"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        rules_of(text)


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rules(path)
    path.write_text("[events\n", "utf-8")
    with pytest.raises(ConfigError, match=r"is no TOML: .*line 1"):
        read_rules(path)
    for value, hint in {
        "yes": "say true, in small letters",
        "iso": "put the text into quotes",
        "[a]": "Mend",
    }.items():
        path.write_text(EVENTS + f"[columns.u]\ntrim = {value}\n", "utf-8")
        with pytest.raises(ConfigError) as wrong:
            read_rules(path)
        assert hint in str(wrong.value.hint)
    path.write_bytes(b"[events]\nuser_id = '\xff'\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_rules(path)
    path.write_bytes(b"\xef\xbb\xbf" + EVENTS.encode())
    assert list(read_rules(path).tables()) == ["events"]


def test_lines_are_found_in_tables_arrays_and_quoted_keys() -> None:
    text = '[a]\nb = 1\n[[c]]\nd = 1\n[[c]]\nd = 2\n[columns."Kunden Nr."]\ntrim = true\nx.y = 1\nz = { q = 1 }\n'
    lines = lines_of(text)
    assert lines[("a", "b")] == 2
    assert lines[("c", 1, "d")] == 6
    assert lines[("columns", "Kunden Nr.", "trim")] == 8
    assert lines[("columns", "Kunden Nr.", "x", "y")] == 9
    assert lines[("columns", "Kunden Nr.", "z", "q")] == 10


def test_comments_and_order_make_no_other_mapping_and_a_rule_does() -> None:
    one = rules_of(EVENTS + "[columns.u]\ntrim = true\ncase = 'lower'")
    same = rules_of("[columns.u]\ncase = 'lower'   # small\ntrim = true\n" + EVENTS)
    other = rules_of(EVENTS + "[columns.u]\ntrim = true\ncase = 'upper'")
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()
    assert from_json(one.to_json()) == one


def test_a_mapping_file_and_what_it_says_itself_do_not_go_together() -> None:
    for option in ({"loader": "movielens"}, {"time_zone": "Europe/Paris"}, {"time_unit": "s"}):
        with pytest.raises(UsageError, match="do not go together"):
            make_recipe(mapping=rules_of(EVENTS), **option)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="says nothing of items"):
        make_recipe(mapping=rules_of(EVENTS), kind="items")


# --- fields -------------------------------------------------------------------------------------------------


def test_one_file_gives_events_things_and_people(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "order,line,who,what,name,groups,price,when,state\n"
        "1,1,ann,t1,Tea,Drinks|Hot,2.5,2020-01-02 03:04,paid\n"
        "1,2,bob,c1,Cup,,3,2020-01-02 03:05,back\n"
        "2,1,bob,c1,Cup,,3,2020-01-02 03:06,lost\n",
        "utf-8",
    )
    found = Result(
        path,
        """
        [events]
        user_id = "who"
        event_type = { column = "state", map = { paid = "purchased", back = "returned" } }
        object_id = "what"
        timestamp = "when"
        value = "price"
        event_id = { template = "{order}-{line}" }
        properties = { rename = { order = "invoice" }, add = { channel = { constant = "web" } } }
        [items]
        item_id = "what"
        title = "name"
        tags = [{ column = "groups", kind = "group", separator = "|", weight = 0.5 }, { column = "state" }]
        [users]
        user_id = "who"
        """,
    )
    assert found.column("event_id") == ["1-1", "1-2"]
    assert found.column("type") == ["PURCHASED", "RETURNED"]
    assert found.column("properties") == ['{"channel":"web","invoice":"1"}'] * 2
    assert found.described["t1"].tags == [
        ("group", "Drinks", 0.5),
        ("group", "Hot", 0.5),
        ("tag", "paid", 1.0),
    ]
    assert found.described["c1"].properties == {"title": "Cup"}
    assert {"ann", "bob"} <= found.described.keys()
    assert found.refused == [(4, "event_type", "'lost' is not in the map (it has paid, back)")]


@pytest.mark.parametrize("separator", ["", ', separator = ";"'])
def test_an_array_in_json_lines_is_a_list_of_tags(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "lessons.jsonl"
    rows = [
        {"id": "l1", "topics": ["python", "music; theory", "", None, 3]},
        {"id": "l2", "topics": "[rock"},
        {"id": "l3", "topics": []},
        {"id": "l4"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    text = f"""
    [content]
    content_id = "id"
    tags = [{{ column = "topics", kind = "topic"{separator} }}]
    """
    found = Result(path, text)
    tags = {name: [tag[1] for tag in row.tags or ()] for name, row in found.described.items()}
    assert tags == {"l1": ["python", "music; theory", "3"], "l2": ["[rock"], "l3": [], "l4": []}
    assert not found.rejected


def test_one_column_of_tags_needs_no_list() -> None:
    rules = '[items]\nitem_id = "o"\ntags = '
    rows = [{"o": "1", "t": "x"}]
    for tags in ('"t"', '["t"]', '{ column = "t" }', '[{ column = "t" }]'):
        assert Result(rows, rules + tags).described["1"].tags == [("tag", "x", 1.0)]


def test_choices_defaults_scales_and_products() -> None:
    text = """
    [events]
    user_id = "u"
    event_type = { column = "p", choices = [{pattern="^C", value="returned"}], default = "rated", unknown = "default" }
    object_id = "o"
    timestamp = "t"
    value = { column = "v", times = "n", absolute = true, scale = { from = [0, 10], to = [1, 5] } }
    """
    found = Result(
        frame(row(p="C1", v="-2", n="5"), row(p="7", v="2.5", n="2"), row(p="", v="11", n="1")), text
    )
    assert found.column("type") == ["RETURNED", "RATED"]
    assert found.column("value") == [5.0, 3.0]
    assert found.refused == [(3, "value", "11 is outside its scale, 0 to 10")]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), min_size=1, max_size=40),
    st.integers(1, 40),
)
def test_natural_keys_number_what_is_equal_whatever_the_chunks(
    pairs: list[tuple[str, str]], size: int
) -> None:
    text = EVENTS.replace('properties = { keep = ["p"] }', 'event_id = { key = ["o"], group = ["p"] }')
    rows = frame(*(row(o=thing, p=order) for order, thing in pairs))
    ids = Result(rows, text).column("event_id")
    assert len(set(ids)) == len(pairs)
    assert Result(rows, text, chunk_rows=size).column("event_id") == ids
    for pair, name in zip(pairs, ids, strict=True):
        assert (len(name) == 32) == (pairs.index(pair) == ids.index(name))


def test_a_key_of_nothing_is_refused() -> None:
    text = EVENTS + '[events.event_id]\nkey = ["k"]\n'
    found = Result(frame(row(k="1"), row(k=None)), text)
    assert found.refused == [(2, "event_id", "all columns of the key are empty: k")]


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceError, match=r"no column 'o', which the mapping names"):
        Result(frame({"u": "1", "t": "2020", "v": "1", "p": "x"}), EVENTS)
    # Rows that bring their own fields may lack one.
    assert Result([{"u": "1"}, row()], EVENTS).refused[0][:2] == (1, "object_id")


def test_rows_in_memory_need_one_table() -> None:
    both = EVENTS + '[users]\nuser_id = "u"\n'
    with pytest.raises(UsageError, match="several tables"):
        Result(iter([row()]), both)
    assert Result(iter([row()]), both, kind="users").described.keys() == {"ann"}


# --- cleaning -----------------------------------------------------------------------------------------------


def cleaned(rules: str, *values: Any) -> Result:
    return Result(frame(*(row(p=value) for value in values)), EVENTS + f"[columns.p]\n{rules}\n")


def shown(found: Result) -> list[Any]:
    import json

    return [None if text is None else json.loads(text).get("p") for text in found.column("properties")]


@pytest.mark.parametrize(
    ("rules", "values", "expected", "counts"),
    [
        ("trim = true", [" a ", "b", None], ["a", "b", None], {"trim": 1}),
        ("nfc = true", ["e\u0301", "a"], ["é", "a"], {"nfc": 1}),
        ("unquote = true", ['"7"', '="007"', "'x'", "a"], ["7", "007", "x", "a"], {"unquote": 3}),
        ("case = 'upper'", ["a", "B"], ["A", "B"], {"case": 1}),
        ("case = 'title'", ["new york", "Paris"], ["New York", "Paris"], {"case": 1}),
        ("case = 'fold'", ["Straße", "STRASSE"], ["strasse", "strasse"], {"case": 2}),
        ("missing = ['NULL', '-']", ["NULL", "-", "x"], [None, None, "x"], {"missing": 2}),
        ("map = { UK = 'United Kingdom' }", ["UK", "FR"], ["United Kingdom", "FR"], {"map": 1}),
        ("map = { UK = 'GB' }\nunknown = 'null'", ["UK", "FR"], ["GB", None], {"map": 2}),
        ("replace = [{ pattern = '(a)(b)', by = '$2$1' }]", ["abab", "c"], ["baba", "c"], {"replace": 1}),
        ("missing=['-']\ndefault = 'n'\non_missing = 'default'", ["-", "x"], ["n", "x"], {"missing": 1, "default": 1}),
        ("type = 'int'", ["1", "-7", "9007199254740993"], [1, -7, 9007199254740993], {}),
        ("type = 'bool'", ["yes", "0", None], [True, False, None], {}),
        ("type = 'list'\nseparator = '|'", ["a | b|", ""], [["a", "b"], None], {}),
        ("type = 'float'\ndecimal = ','\nthousands = '.'", ["1.234,5", "1234,5", ",5"], [1234.5, 1234.5, 0.5], {}),
        ("type = 'float'\ndecimal = ','\nthousands = ' '", ["1\u00a0234,5", "1 234"], [1234.5, 1234.0], {}),
        ("type = 'float'\nconvert = { factors = [{ factor = 0.01 }] }", ["250", "1"], [2.5, 0.01], {"convert": 2}),
        ("type = 'int'\non_invalid = 'null'", ["1", "x"], [1, None], {"invalid": 1}),
    ],
)  # fmt: skip
def test_rules(rules: str, values: list[Any], expected: list[Any], counts: dict[str, int]) -> None:
    found = cleaned(rules, *values)
    assert found.refused == []
    assert shown(found) == expected
    assert found.cleaned == {f"events.p.{rule}": count for rule, count in counts.items()}


@pytest.mark.parametrize(
    ("rules", "value", "reason"),
    [
        ("map = { UK = 'GB' }\nunknown = 'reject'", "FR", "'FR' is not in the map of the column"),
        ("missing = ['-']\non_missing = 'reject'", "-", "is missing"),
        ("type = 'float'\ndecimal = ','\nthousands = '.'", "12.34", "is no number written with ',' and '.'"),
        ("type = 'int'", "1.5", "1.5 is no whole number"),
        ("type = 'bool'", "maybe", "neither true nor false"),
        ("type = 'time'\nformats = ['%d/%m/%Y']", "2020-01-02", "is no time written as %d/%m/%Y"),
    ],
)
def test_what_a_rule_refuses_goes_to_quarantine_alone(rules: str, value: str, reason: str) -> None:
    good = {"FR": "UK", "-": "x", "12.34": "1,5", "1.5": "1", "maybe": "yes", "2020-01-02": "02/01/2020"}[
        value
    ]
    found = cleaned(rules, good, value, good)
    ((line, field, why),) = found.refused
    assert (line, field) == (2, "p")
    assert reason in why
    assert found.events.height == 2
    assert found.rejected[0].row["p"] == value


def test_currencies_by_day() -> None:
    text = (
        EVENTS
        + """
    [columns.v]
    convert = { unit = "p", at = "t", factors = [
      { unit = "EUR", factor = 1 },
      { unit = "USD", factor = 0.5, until = 2020-07-01 },
      { unit = "USD", factor = 0.25, since = 2020-07-01 },
    ] }
    [columns.p]
    case = "upper"
    """
    )
    days = [("eur", "2020-01-01"), ("usd", "2020-06-30"), ("usd", "2020-07-01"), ("chf", "2020-01-01")]
    found = Result(frame(*(row(p=unit, t=day, v="8") for unit, day in days)), text)
    assert found.column("value") == [8.0, 4.0, 2.0]
    assert found.refused == [(4, "v", "no factor for the p 'CHF' on 2020-01-01")]


def test_the_original_is_kept_where_the_rule_says_so() -> None:
    import json

    found = cleaned("trim = true\ncase = 'upper'\nkeep_original = true", " uk", "FR")
    first, second = (json.loads(text) for text in found.column("properties"))
    assert first == {"p": "UK", "original_p": "uk"}
    assert second == {"p": "FR"}


@pytest.mark.parametrize("method", ["mad", "iqr"])
def test_outliers_are_flagged_and_change_no_event(tmp_path: Path, method: str) -> None:
    rows = [row(v=str(10 + n % 7), p=str(n)) for n in range(60)] + [row(v="5000", p="odd")]
    text = EVENTS + f'[columns.v]\noutliers = {{ method = "{method}" }}\n'
    frame(*rows).write_csv(tmp_path / "f.csv")
    found = Result(tmp_path / "f.csv", text)
    assert found.events.height == 61
    assert [text for text in found.column("properties") if "flags" in text] == [
        '{"flags":["outlier: v"],"p":"odd"}'
    ]
    assert found.cleaned == {"events.v.outlier": 1}
    # Alone it is no outlier, and it is the same event.
    frame(rows[-1]).write_csv(tmp_path / "g.csv")
    alone = Result(tmp_path / "g.csv", text)
    assert alone.cleaned == {}
    assert alone.column("hash") == found.column("hash")[-1:]
    assert alone.column("event_id") == found.column("event_id")[-1:]


def test_rows_left_out_are_counted_by_reason() -> None:
    text = (
        EVENTS
        + """
    [[skip]]
    reason = "robots"
    when = [{ column = "agent", matches = "(?i)bot" }]
    [[skip]]
    reason = "our own"
    when = [{ column = "ip", starts_with = "10." }, { column = "u", among = ["ann", "bob"], negate = true }]
    [[skip]]
    reason = "nobody"
    when = [{ column = "u", missing = true }]
    [[skip]]
    reason = "cheap"
    when = [{ column = "v", below = 0 }]
    [columns.u]
    missing = ["-"]
    """
    )
    base = {"agent": "Firefox", "ip": "8.8.8.8"}
    found = Result(
        frame(
            row(**base),
            row(**base | {"agent": "Googlebot"}),
            row(**base | {"ip": "10.0.0.1"}),
            row(**base | {"ip": "10.0.0.1"}, u="cat"),
            row(**base, u="-"),
            row(**base, v="-1"),
        ),
        text,
    )
    assert found.skipped == {"robots": 1, "our own": 1, "nobody": 1, "cheap": 1}
    assert found.events.height == 2
    assert found.refused == []


def test_of_rows_with_one_key_the_first_stays_across_chunks() -> None:
    rows = [row(p=str(n % 3), v=str(n)) for n in range(9)]
    found = Result(frame(*rows), EVENTS + '[duplicates]\nkey = ["p"]\n', chunk_rows=2)
    assert found.column("value") == [0.0, 1.0, 2.0]
    assert found.skipped == {"duplicate of p": 6}


def test_every_column_may_have_a_rule_and_its_own_wins() -> None:
    text = (
        EVENTS
        + '[columns."*"]\ntrim = true\nmissing = ["-"]\n[columns.p]\nmissing = ["none"]\ncase = "upper"\n'
    )
    found = Result(frame(row(u=" ann ", p=" - "), row(p="none")), text)
    assert found.column("user_id") == ["ann", "ann"]
    assert shown(found) == ["-", None]


def test_nothing_depends_on_the_rows_beside_it() -> None:
    """Numbers and texts mixed in a JSON column are cleaned as each of them alone is."""
    text = EVENTS + "[columns.p]\nmissing = ['0']\n"
    values: list[Any] = [1, 2.0, "2.50", True, 0, "x", None, 2.5]
    together = shown(Result([row(p=value) for value in values], text, kind="events"))
    alone = [shown(Result([row(p=value)], text, kind="events"))[0] for value in values]
    assert together == alone == ["1", "2", "2.50", "true", None, "x", None, "2.5"]


def test_a_column_that_only_decides_leaves_nothing_in_a_table() -> None:
    text = """
    [columns.u]
    case = "upper"
    keep_original = true
    [columns.v]
    type = "float"
    outliers = { method = "mad" }
    [[skip]]
    reason = "cheap"
    when = [{ column = "v", below = 1 }, { column = "u", equals = "BOB" }]
    [items]
    item_id = "o"
    """
    rows = [row(v=str(n % 3 + 1)) for n in range(30)] + [
        row(v="9000", o="cup"),
        row(v="x", o="pot"),
        row(u="bob", v="0"),
    ]
    found = Result(frame(*rows), text)
    assert {name: thing.properties for name, thing in found.described.items()} == {
        "tea": {},
        "cup": {},
        "pot": {},
    }
    assert (found.refused, found.cleaned, found.skipped) == ([], {}, {"cheap": 1})
