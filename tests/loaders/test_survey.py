"""Surveys: a few rows in the form of each export, and a few for every decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from graphprofile.loaders.survey import (
    NO_ANSWER,
    NO_PROPERTY,
    NOT_SUBMITTED,
    REFUSED,
    TEST_RUN,
    SurveyLoader,
    survey_name,
)

from graphprofile.errors import SourceError
from graphprofile.testing import Loaded, LoaderContract

QUALTRICS_HEAD = (
    "StartDate,Status,ResponseId,RecipientEmail,RecordedDate,UserLanguage,Q1,Q2_1,Q2_2,Q3_1,Q3_2,Q4,Q1_NPS_GROUP\n"
    'Start Date,Response Type,Response ID,Recipient Email,Recorded Date,User Language,"How likely are you to\n'
    'recommend us to a friend?",How satisfied are you with - Delivery,How satisfied are you with - Price,'
    "Which? - Selected Choice - Mail,Which? - Selected Choice - Chat,Why?,NPS\n"
    '"{""ImportId"":""startDate"",""timeZone"":""America/Denver""}","{""ImportId"":""status""}",'
    '"{""ImportId"":""_recordId""}","{""ImportId"":""recipientEmail""}",'
    '"{""ImportId"":""recordedDate"",""timeZone"":""America/Denver""}","{""ImportId"":""userLanguage""}",'
    '"{""ImportId"":""QID1""}","{""ImportId"":""QID2_1""}","{""ImportId"":""QID2_2""}",'
    '"{""ImportId"":""QID3"",""choiceId"":""1""}","{""ImportId"":""QID3"",""choiceId"":""2""}",'
    '"{""ImportId"":""QID4_TEXT""}","{""ImportId"":""QID1_NPS_GROUP""}"\n'
)
Q_ANN = "2025-07-01 11:13:44,IP Address,R_1,Ann@x.org,2025-07-01 11:14:19,EN,9,Somewhat satisfied,"
Q_ROWS = [
    Q_ANN + "Extremely dissatisfied,Mail,Chat,because,Promoter\n",
    '2025-01-01 11:13:44,IP Address,R_2,,2025-01-01 11:14:19,EN,11,,,,,"so\nso",\n',
    "2025-07-01 11:13:44,Survey Preview,R_3,,2025-07-01 11:14:19,EN,1,,,,,,\n",
    ",IP Address,R_4,,,EN,1,Neutral,,,,,\n",
    "2025-07-01 11:13:44,IP Address,R_5,,2025-07-01 11:14:19,,,-,N/A,,,,\n",
]


class TestQualtrics(LoaderContract):
    loader = SurveyLoader
    files = {"Delivery_July 2, 2025_10.11.csv": QUALTRICS_HEAD + "".join(Q_ROWS)}
    good = {"events": 7, "users": 2, "content": 6}
    refused = [
        (
            "events",
            "Delivery_July 2, 2025_10.11.csv",
            6,
            "Q1. How likely are you to recommend us to a friend?",
        ),
        ("events", "Delivery_July 2, 2025_10.11.csv", 9, "RecordedDate. Recorded Date [America/Denver]"),
    ]
    skipped = {
        "events": {TEST_RUN: 1, NO_ANSWER: 1},
        "content": {TEST_RUN: 1, NO_ANSWER: 1, REFUSED: 1},
        "users": {TEST_RUN: 1, NO_PROPERTY: 1, REFUSED: 1},
    }
    earliest, latest = "2025-01-01", "2025-07-02"

    def stretches(self, content: bytes, has_header: bool) -> tuple[bytes, list[bytes]]:
        rows = b"".join(row.encode() for row in Q_ROWS)
        newline = b"\r\n" if b"\r\n" in content else b"\n"
        whole = [row.encode().replace(b"\n", newline) for row in Q_ROWS]
        return content[: len(content) - len(rows.replace(b"\n", newline))], whole


GOOGLE = (
    '"Timestamp","Email Address","How do you like the office? (1-5)","What do you use?","Rate [Coffee]",'
    '"Rate [item:T-1]","Any comments","Any comments","Age"\n'
)
G_ROWS = [
    '"2020/10/22 10:55:16 AM GMT+1","Ann@x.org","4,5","Mail;Chat;Mail","Very good","Poor","good; slow","b","34"\n',
    '"2020/10/22 12:05:16 AM GMT+1","bob@x.org","9","Mail","","","","",""\n',
    '"22/10/2020 10:55","cy@x.org","4","","","","","",""\n',
    '"2020/10/22 12:05:16 AM GMT+1","","3","","","","","",""\n',
    '"44126.5","dee@x.org","","","","","late","","N/A"\n',
]


class TestGoogle(LoaderContract):
    loader = SurveyLoader
    files = {"Office (Responses) - Form Responses 1.csv": GOOGLE + "".join(G_ROWS)}
    good = {"events": 10, "users": 1, "content": 7}
    refused = [
        ("events", "Office (Responses) - Form Responses 1.csv", 3, "How do you like the office? (1-5)"),
        ("events", "Office (Responses) - Form Responses 1.csv", 4, "timestamp"),
        ("content", "Office (Responses) - Form Responses 1.csv", 4, "updated_at"),
    ]
    skipped = {"users": {NO_PROPERTY: 4}}
    earliest, latest = "2020-10-21", "2020-10-23"


LIMESURVEY = (
    '"id. Response ID";"submitdate. Date submitted";"lastpage. Last page";"startlanguage. Start language";"seed. Seed"'
    ';"token. Token";"G01Q01. How was it?";"G01Q02[SQ001]. Which? [Mail]";"G01Q02[SQ002]. Which? [Chat]";"Q3. Why"\n'
)
L_ROWS = [
    '"1";"2024-01-02 03:04:05";"2";"en";"77";"abc";"Strongly agree";"Yes";"No";""\n',
    '"2";"";"1";"en";"78";"abd";"Agree";"";"";""\n',
    '"3";"1980-01-01 00:00:00";"2";"en";"79";"abe";"Agree";"";"";""\n',
    '"4";"2024-01-02 03:04:06";"2";"en";"80";"";"7";"Y";"Y";"ragged"\n',
]


class TestLimeSurvey(LoaderContract):
    loader = SurveyLoader
    files = {"results-survey4711.csv": "\ufeff" + LIMESURVEY + "".join(L_ROWS)}
    good = {"events": 6, "users": 2, "content": 4}
    refused = [("events", "results-survey4711.csv", 4, "submitdate. Date submitted")]
    skipped = {
        kind: {NOT_SUBMITTED: 1, **({REFUSED: 1} if kind != "events" else {})}
        for kind in ("events", "content", "users")
    }


def load(folder: Path, content: str | bytes, name: str = "s.csv") -> Loaded:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Loaded.of(SurveyLoader(), [path])


def events(loaded: Loaded, *fields: str) -> list[tuple[Any, ...]]:
    rows = [{**row, **json.loads(row["properties"] or "{}")} for row in loaded.rows["events"]]
    return [tuple(row.get(name) for name in fields) for row in rows]


def test_what_qualtrics_exports(tmp_path: Path) -> None:
    loaded = load(tmp_path, QUALTRICS_HEAD + Q_ROWS[0] + Q_ROWS[1].replace(",11,", ",0,"), "Delivery.csv")
    who, at = "ann@x.org", 1_751_390_059_000
    assert events(loaded, "type", "event_id", "user_id", "object_id", "ts", "value", "answer", "scale") == [
        ("RATED", "Delivery:R_1:Q1", who, "question:Delivery:Q1", at, 4.6, "9", "0-10"),
        ("RATED", "Delivery:R_1:Q2_1", who, "question:Delivery:Q2_1", at, 3.5, "Somewhat satisfied", "words"),
        (
            "RATED",
            "Delivery:R_1:Q2_2",
            who,
            "question:Delivery:Q2_2",
            at,
            1.0,
            "Extremely dissatisfied",
            "words",
        ),
        ("ANSWERED", "Delivery:R_1:Q3_1", who, "question:Delivery:Q3_1", at, None, "Mail", None),
        ("ANSWERED", "Delivery:R_1:Q3_2", who, "question:Delivery:Q3_2", at, None, "Chat", None),
        ("ANSWERED", "Delivery:R_1:Q4", who, "question:Delivery:Q4", at, None, "because", None),
        # In winter Denver is seven hours behind.
        *(
            (kind, f"Delivery:R_2:{code}", "respondent:Delivery:R_2", f"question:Delivery:{code}", *rest)
            for kind, code, *rest in (
                ("RATED", "Q1", 1_735_755_259_000, 1.0, "0", "0-10"),
                ("ANSWERED", "Q4", 1_735_755_259_000, None, "so\nso", None),
            )
        ),
    ]
    texts = {row.id: (row.properties, row.tags) for row in loaded.rows["content"]}
    tags = [("survey", "Delivery", 1.0)]
    assert texts["question:Delivery:Q1"] == (
        {"title": "How likely are you to recommend us to a friend?"},
        tags,
    )
    assert texts["question:Delivery:Q3_2"] == (
        {"title": "Which? [Chat]", "question": "Which?", "option": "Chat"},
        tags,
    )


def test_what_google_forms_exports(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOGLE + G_ROWS[0] + G_ROWS[4], "Office.csv")
    assert events(loaded, "type", "object_kind", "object_id", "value", "answer") == [
        ("RATED", "content", "question:Office:How do you like the office? (1-5)", 4.5, "4,5"),
        ("ANSWERED", "content", "question:Office:What do you use?:Mail", None, "Mail"),
        ("ANSWERED", "content", "question:Office:What do you use?:Chat", None, "Chat"),
        ("RATED", "content", "question:Office:Rate [Coffee]", 4.5, "Very good"),
        ("RATED", "item", "T-1", 2.0, "Poor"),
        ("ANSWERED", "content", "question:Office:Any comments", None, "good; slow"),
        ("ANSWERED", "content", "question:Office:Any comments (2)", None, "b"),
        ("ANSWERED", "content", "question:Office:Any comments", None, "late"),
    ]
    # 10:55 in a zone one hour ahead, and noon of an Excel day.
    assert {row[0] for row in events(loaded, "ts")} == {1_603_360_516_000, 1_603_368_000_000}
    assert [(row.id, row.properties) for row in loaded.rows["users"]] == [("ann@x.org", {"age": "34"})]


def test_what_surveymonkey_exports(tmp_path: Path) -> None:
    text = (
        "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,Last Name,Custom Data 1,"
        "How do you rate us?,,Comments,\n"
        ",,,,,,,,,Speed,Price,Open-Ended Response,\n"
        '118,4,01/31/2024 10:11:12 AM,02/01/2024 12:00:01 AM,1.2.3.4,,Ann,Lee,,Excellent,3,"so, so",\n'
    )
    loaded = load(tmp_path, text, "Us.csv")
    assert events(loaded, "type", "event_id", "user_id", "ts", "value", "answer") == [
        (
            "RATED",
            "Us:118:How do you rate us? [Speed]",
            "respondent:Us:118",
            1_706_745_601_000,
            5.0,
            "Excellent",
        ),
        ("ANSWERED", "Us:118:How do you rate us? [Price]", "respondent:Us:118", 1_706_745_601_000, 3.0, "3"),
        ("ANSWERED", "Us:118:Comments", "respondent:Us:118", 1_706_745_601_000, None, "so, so"),
    ]
    assert [row.properties for row in loaded.rows["users"]] == [{"first_name": "Ann", "last_name": "Lee"}]


def test_what_typeform_exports_also_with_tabs_and_as_parquet(tmp_path: Path) -> None:
    text = "#,How was it?,Start Date (UTC),Submit Date (UTC),Network ID\nf1,Not at all likely,2018-04-03 09:05:14,"
    rows = events(load(tmp_path, text + "2018-04-03 09:05:40,d3\n"), "event_id", "value", "ts")
    assert rows == [("s:f1:How was it?", 1.0, 1_522_746_340_000)]
    assert rows == events(
        load(tmp_path, (text + "2018-04-03 09:05:40,d3\n").replace(",", "\t"), "s.tsv"),
        "event_id",
        "value",
        "ts",
    )
    columns = {"#": ["f1"], "How was it?": ["Not at all likely"]}
    frame = pl.DataFrame({**columns, "Submit Date (UTC)": ["2018-04-03T09:05:40"], "NPS (0-10)": [10.0]})
    frame.with_columns(pl.col("Submit Date (UTC)").str.to_datetime()).write_parquet(tmp_path / "s.parquet")
    loaded = Loaded.of(SurveyLoader(), [tmp_path / "s.parquet"])
    assert events(loaded, "event_id", "value", "ts") == [*rows, ("s:f1:NPS (0-10)", 5.0, 1_522_746_340_000)]


def test_a_newer_export_changes_no_event(tmp_path: Path) -> None:
    head, row = 'Timestamp,"How was it?",Why?\n', "2024/01/02 3:04:05 PM GMT+1,Agree,x\n"
    before = load(tmp_path, head + row).events()
    newer = 'Timestamp,Why?,"How was it?",New?\n' + "2024/01/02 4:04:05 PM GMT+2,x,Agree,\n" * 2
    assert set(load(tmp_path, newer + "2024/01/03 3:04:05 PM GMT+1,y,Agree,z\n").events()) > set(before)


def test_two_respondents_with_one_id_are_a_conflict(tmp_path: Path) -> None:
    rows = "R1,ann@x.org,2024-01-02,Agree\nR1,bob@x.org,2024-01-02,Agree\n"
    found = load(tmp_path, f"Response ID,Email,Timestamp,Q1\n{rows}").events()
    assert len({(kind, event) for kind, event, _ in found}) == 1
    assert len(found) == 2


def test_other_names_of_files_are_other_surveys() -> None:
    names = [
        "a.csv",
        "a (1).csv",
        "a (Responses) - Form Responses 1.csv",
        "a_May 5, 2024_10.11.csv.gz",
        "a.tsv",
    ]
    assert {survey_name(Path(name)) for name in names} == {"a"}
    assert survey_name(Path("My+Survey.parquet")) == "My Survey"
    assert survey_name(Path("results-survey1.csv")) == "results-survey1"


def test_a_column_may_name_the_survey(tmp_path: Path) -> None:
    loaded = load(tmp_path, "Survey,Timestamp,Q1\nwave 2,2024-01-02,Agree\n")
    assert [row[0] for row in events(loaded, "object_id")] == ["question:wave 2:Q1"]


def test_words_that_exports_use_may_be_questions(tmp_path: Path) -> None:
    loaded = load(tmp_path, "Timestamp,Status,Date,Tags,Progress\n2024-01-02,Agree,never,a;b,x\n")
    assert [row[0] for row in events(loaded, "object_id")] == [
        *(
            "question:s:Status",
            "question:s:Date",
            "question:s:Tags:a",
            "question:s:Tags:b",
            "question:s:Progress",
        )
    ]


@pytest.mark.parametrize(
    ("when", "ts"),
    [
        ("2024/1/2 3:04:05 PM EST", 1_704_225_845_000),
        ("1/2/2024 12:04 AM", 1_704_153_840_000),
        ("45293.128", 1_704_164_659_000),
        ("2024-01-02T03:04:05+01:00", 1_704_161_045_000),
    ],
)
def test_times_without_doubt(tmp_path: Path, when: str, ts: int) -> None:
    ((found,),) = events(load(tmp_path, f"Timestamp,Q1\n{when},x\n"), "ts")
    assert found == ts


@pytest.mark.parametrize("when", ["1/2/2024 15:04", "2024/1/2 3:04:05 PM XYZ", "31/31/2024 1:00 PM", "soon"])
def test_times_in_doubt_are_refused(tmp_path: Path, when: str) -> None:
    (refused,) = load(tmp_path, f"Timestamp,Q1\n{when},x\n").rejected["events"]
    assert (refused.line, refused.field) == (2, "timestamp")


def test_a_time_that_clocks_skip_or_repeat_in_the_zone_of_the_header(tmp_path: Path) -> None:
    head = (
        "RecordedDate,Q1\nRecorded Date,Q\n"
        + '"{""ImportId"":""recordedDate"",""timeZone"":""Europe/Paris""}",'
    )
    rows = "2024-03-31 02:30:00,a\n2024-10-27 02:30:00,b\n"
    loaded = load(tmp_path, head + '"{""ImportId"":""QID1""}"\n' + rows)
    assert [row[0] // 1000 for row in events(loaded, "ts")] == [1_711_848_600, 1_729_989_000]


def test_ragged_and_unreadable_rows_cost_only_themselves(tmp_path: Path) -> None:
    text = b"Timestamp,Email,Q1\n2024-01-02,ann@x.org,a\n2024-01-02,b\n2024-01-02,\xe9,c\n2024-01-02,cy@x.org,d\n"
    loaded = load(tmp_path, text)
    assert [row[0] for row in events(loaded, "answer")] == ["a", "d"]
    assert [(one.line, one.field, one.constants) for one in loaded.rejected["events"]] == [
        (3, "row", (("survey", "s"),)),
        (4, "row", (("survey", "s"),)),
    ]


def test_columns_without_answers_or_names(tmp_path: Path) -> None:
    loaded = load(tmp_path, "Timestamp,Q1,Q2,\n2024-01-02,a,,x\n")
    assert [row[0] for row in events(loaded, "object_id")] == ["question:s:Q1", "question:s:column 4"]


def test_long_questions_have_short_ids(tmp_path: Path) -> None:
    question = "Really? " * 300
    ((found,),) = events(load(tmp_path, f'Timestamp,"{question}"\n2024-01-02,a\n'), "object_id")
    assert len(found) < 220


def test_other_tables_and_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Surveys hold no items"):
        SurveyLoader().sources([tmp_path / "a.csv"], "items")
    with pytest.raises(SourceError, match="No column says when a response was given"):
        load(tmp_path, "a,b\n1,2\n")
