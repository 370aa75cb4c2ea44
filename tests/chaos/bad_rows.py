"""Rows with one thing wrong in each, made by Hypothesis: all in quarantine with line, field and reason."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from graphprofile.ingest.quarantine import read_quarantine

from .faults import Round, Setting
from .generate import COLUMNS, Data, Row, event_row, expected
from .world import PARTIAL

Bad = tuple[str, Any]
"""Name of the field that is wrong, and its value; ``row`` with the whole line as bytes."""

_WORDS = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=12)
_CONTROL = st.tuples(_WORDS, st.sampled_from("\x01\x02\x07\x1b\x7f"), _WORDS).map("".join)
_BLANK = st.sampled_from(["", " ", "\t ", "\u00a0"])
_LONG = st.integers(1025, 3000).map(lambda length: "u" * length)
_NO_TIME = st.one_of(
    _WORDS.map(lambda text: f"at {text}"),
    st.dates().map(lambda day: day.strftime("%d/%m/%Y")),
    st.integers(2100, 9000).map(lambda year: f"{year}-01-01"),
    st.tuples(st.integers(1980, 2020), st.integers(13, 99)).map(lambda t: f"{t[0]}-{t[1]}-01"),
    st.sampled_from(["20101201", "2010-02-30", "2010-12-01T25:00:00", "1e400", "nan", ""]),
)
_NO_NUMBER = st.one_of(
    _WORDS.map(lambda text: f"{text} euros"),
    st.sampled_from(["nan", "inf", "-Infinity", "1,5", "0x10", "--1", "1e999"]),
)
_FIELDS: st.SearchStrategy[Bad] = st.one_of(
    st.tuples(st.just("user_id"), st.one_of(_BLANK, _CONTROL, _LONG)),
    st.tuples(st.just("object_id"), st.one_of(_BLANK, _CONTROL, _LONG)),
    st.tuples(st.just("event_id"), st.one_of(_CONTROL, _LONG)),
    st.tuples(st.just("event_type"), st.one_of(_BLANK, _WORDS.map(lambda text: f"no {text}"))),
    st.tuples(st.just("timestamp"), _NO_TIME),
    st.tuples(st.just("value"), st.one_of(_NO_NUMBER, st.floats(-1e6, -0.5).map(str))),
)
_TYPED: st.SearchStrategy[Bad] = st.one_of(
    st.tuples(
        st.sampled_from(["user_id", "object_id"]),
        st.one_of(st.none(), st.booleans(), st.lists(st.integers(), max_size=3), st.floats(0.1, 0.9)),
    ),
    st.tuples(st.just("event_type"), st.one_of(st.integers(), st.none(), st.booleans())),
    st.tuples(st.just("timestamp"), st.one_of(st.booleans(), st.lists(st.integers(), max_size=3), st.none())),
    st.tuples(st.just("value"), st.one_of(st.booleans(), st.dictionaries(_WORDS, st.integers(), max_size=2))),
)
_CSV_LINES = st.one_of(
    st.lists(_WORDS, min_size=1, max_size=len(COLUMNS) - 1).map(lambda cells: ",".join(cells).encode()),
    st.lists(_WORDS, min_size=len(COLUMNS) + 1, max_size=20).map(lambda cells: ",".join(cells).encode()),
    st.tuples(_WORDS, st.sampled_from([b"\xff", b"\xc3(", b"\x00", b"\xed\xa0\x80"])).map(
        lambda t: t[0].encode() + t[1] + b",u1,viewed,i1,2020-01-01,1,web"
    ),
    _WORDS.map(lambda text: b'e,"' + text.encode() + b",viewed,i1,2020-01-01,1,web"),
)
_JSON_LINES = st.one_of(
    st.recursive(st.integers() | _WORDS | st.booleans(), lambda inner: st.lists(inner, max_size=3)).map(
        lambda value: json.dumps(value).encode()
    ),
    st.tuples(st.integers(1, 60), _WORDS).map(
        lambda t: json.dumps(
            {"event_id": t[1], "user_id": "u1", "event_type": "viewed", "object_id": "i1"}
        ).encode()[: t[0]]
    ),
    st.sampled_from([b'{"user_id": "\xff"}', b"{'user_id': 1}", b"{}", b'{"a": 1,}', b"{} {}"]),
)
_CSV: st.SearchStrategy[Bad] = st.one_of(_FIELDS, _FIELDS, st.tuples(st.just("row"), _CSV_LINES))
_JSON: st.SearchStrategy[Bad] = st.one_of(_FIELDS, _TYPED, st.tuples(st.just("row"), _JSON_LINES))


def make_bad(strategy: st.SearchStrategy[Bad], number: int, chance: int) -> list[Bad]:
    """So many different ones; only made, never shrunk."""
    made: list[Bad] = []

    @seed(chance)
    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(bad: Bad) -> None:
        made.append(bad)

    collect()
    return made[:number]


def bad_rows(setting: Setting, times: int) -> Iterator[Round]:
    """Bad rows among as many good ones, half in CSV and half in JSON Lines; the same files twice."""
    world, rng = setting.world, setting.rng
    world.fresh()
    world.up()
    folder = world.folder / "bad-rows"
    folder.mkdir(parents=True, exist_ok=True)
    chance = rng.randrange(1 << 30)
    csv_good, csv_bad = _csv(folder / "bad.csv", rng, make_bad(_CSV, times // 2, chance))
    json_good, json_bad = _jsonl(folder / "bad.jsonl", rng, make_bad(_JSON, times // 2, chance))
    data = Data((folder / "bad.csv", folder / "bad.jsonl"), expected(csv_good + json_good), {})
    wrongs: list[str] = []
    for _ in range(2):
        command = world.start("load", "--json", "--kind", "events", *map(str, data.files))
        ended = command.end()
        wrongs += ended.wrongs(PARTIAL)
        kept = {
            (Path(row.rejection.source).name, row.rejection.line): row.rejection
            for path in (world.settings.data_dir / "quarantine").glob("*.jsonl")
            for row in read_quarantine(path)
        }
        rows = sum(
            1
            for path in (world.settings.data_dir / "quarantine").glob("*.jsonl")
            for _ in read_quarantine(path)
        )
        for name, bad in (("bad.csv", csv_bad), ("bad.jsonl", json_bad)):
            for line, (field, value) in bad.items():
                refused = kept.pop((name, line), None)
                if refused is None:
                    wrongs.append(f"{name}, line {line}: {field} {value!r} was taken")
                elif not refused.reason or (field not in ("row", refused.field)):
                    wrongs.append(
                        f"{name}, line {line}: {refused.field} {refused.reason!r} for {field} {value!r}"
                    )
        wrongs += [
            f"{key}: refused, and good: {row.field} {row.reason}" for key, row in list(kept.items())[:5]
        ]
        if rows != len(csv_bad) + len(json_bad):
            wrongs.append(f"{rows} rows in quarantine instead of {len(csv_bad) + len(json_bad)}")
    _, more = world.look(data)
    yield Round(len(csv_bad) + len(json_bad), [*wrongs[:20], *more], f"among {data.rows} good ones")


def _csv(path: Path, rng: random.Random, bad: list[Bad]) -> tuple[list[Row], dict[int, Bad]]:
    def line(row: Row) -> bytes:
        return ",".join(_cell(row[name]) for name in COLUMNS).encode()

    good, refused, lines = _mixed(rng, bad, line, first_line=2)
    path.write_bytes(b"\n".join([",".join(COLUMNS).encode(), *lines, b""]))
    return good, refused


def _jsonl(path: Path, rng: random.Random, bad: list[Bad]) -> tuple[list[Row], dict[int, Bad]]:
    good, refused, lines = _mixed(rng, bad, lambda row: json.dumps(row).encode(), first_line=1)
    path.write_bytes(b"\n".join([*lines, b""]))
    return good, refused


def _mixed(
    rng: random.Random, bad: list[Bad], write: Any, first_line: int
) -> tuple[list[Row], dict[int, Bad], list[bytes]]:
    good: list[Row] = []
    refused: dict[int, Bad] = {}
    lines: list[bytes] = []
    prefix = "c" if first_line == 2 else "j"
    for number, (field, value) in enumerate(bad):
        for _ in range(rng.randrange(3)):
            row = event_row(rng, f"{prefix}{len(lines)}", 50, 50)
            good.append(row)
            lines.append(write(row))
        refused[len(lines) + first_line] = (field, value)
        if field == "row":
            lines.append(value)
            continue
        row = event_row(rng, f"{prefix}-bad-{number}", 50, 50)
        if field == "value":
            row["event_type"] = "purchased"
        lines.append(write({**row, field: value}))
    return good, refused, lines


def _cell(value: Any) -> str:
    text = str(value)
    return f'"{text}"' if "," in text else text
