"""Surveys: one response a row, one question a column, as forms export them.

Which columns are what, and what becomes of an answer, stands in ``docs/loaders/survey.md``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

from .answers import HIGH, LONGEST, LOW, word_value
from .headings import survey_heading
from .questions import Layout, Question, layout_of
from .responses import cell, known, moment

if TYPE_CHECKING:
    import polars as pl

CHOSEN = ("yes", "y", "checked", "selected", "true", "x", "✓", "☑")
NOT_CHOSEN = ("no", "n", "unchecked", "not selected", "false", "☐")
"""Answers in the column of an option."""
TEST_RUNS = ("survey preview", "survey test", "spam", "1", "2", "8", "17")
"""Qualtrics' ``Status`` of responses that nobody gave."""
NO_ANSWER, NOT_SUBMITTED = "no answer in the row", "not submitted yet"
TEST_RUN, NO_PROPERTY = "preview, test or spam", "no property of a person"
REFUSED = "refused among the events"
PLACEHOLDER = "1980-01-01"
"""What LimeSurvey writes where it keeps no dates."""
LONGEST_CHOICE = 200
AT_ONCE = 5_000
"""Responses transformed at once: twenty questions make 100,000 events of them."""

_KINDS: tuple[Kind, ...] = ("users", "content", "events")
_EXPORTED = (
    re.compile(r" \(\d+\)$"),
    re.compile(r" - Form Responses \d+$"),
    re.compile(r" \(Responses\)$"),
    re.compile(r"_[A-Z][a-z]+ \d{1,2}, \d{4}_\d{1,2}\.\d{2}$"),
)
"""What exports and browsers put behind the name of a survey."""
_NUMBER = r"^[+-]?\d{1,15}(?:[.,]\d{1,15})?$"
_LEADING = r"^(\d{1,3}(?:[.,]\d+)?)\s*(?:[-–—=:.)(]|\s)\s*\D"


class SurveyLoader:
    """Answers as events on questions and options; questions as content; what a row says of its person as user."""

    name = "survey"
    summary = "Surveys of Google Forms, LimeSurvey, Qualtrics, SurveyMonkey, Typeform: a question a column"
    time_zone = "UTC"

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file once for each kind of record it holds; the file's name is the survey's.

        Raises:
            SourceError: A kind that surveys do not hold.
        """
        if kind is not None and kind not in _KINDS:
            raise _no_such(kind)
        return [
            SourceFile(
                path,
                each,
                heading=survey_heading,
                constants=(("survey", survey_name(path)),),
                at_once=AT_ONCE,
            )
            for each in _KINDS
            if kind in (None, each)
            for path in paths
        ]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Responses as generic columns; one becomes an event for each of its answers.

        Raises:
            SourceError: No column says when a response was given, or a kind that surveys do not hold.
        """
        if kind not in _KINDS:
            raise _no_such(kind)
        layout = layout_of(tuple(frame.columns))
        if not layout.when:
            raise SourceError(
                f"No column says when a response was given; the survey's columns: {', '.join(frame.columns)}.",
                "Name one Timestamp; docs/loaders/survey.md lists the names that are known.",
            )
        responses = _responses(frame, layout)
        return {"events": _events, "users": _users, "content": _content}[kind](frame, layout, responses)


def survey_name(path: Path) -> str:
    """A survey's name after its file's, without what exports and browsers put behind it."""
    name = path.name
    while Path(name).suffix.lower() in (
        ".csv",
        ".tsv",
        ".tab",
        ".parquet",
        ".pq",
        ".gz",
        ".xz",
        ".bz2",
        ".zst",
    ):
        name = name[: -len(Path(name).suffix)]
    for pattern in _EXPORTED:
        name = pattern.sub("", name)
    return " ".join(name.replace("+", " ").split())[:100] or "survey"


def _no_such(kind: Kind) -> SourceError:
    return SourceError(f"Surveys hold no {kind}.", "Their kinds are users, content and events.")


def _responses(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Who gave each response, when, and which it is; why a row is left out or refused."""
    import polars as pl

    cells = frame.select(cell(frame, name).alias(name) for name in frame.columns)
    when = [moment(name, layout.zones.get(name), layout.month_first).alias(name) for name in layout.when]
    times = cells.select(pl.coalesce(when).alias("timestamp"))["timestamp"]
    survey = cells[layout.survey] if layout.survey else pl.Series(["survey"]).new_from_index(0, frame.height)
    user, response = known(cells, layout.who, people=True), known(cells, layout.response)
    given = pl.DataFrame(
        {"survey": survey.fill_null("survey"), "user": user, "given": response, "timestamp": times}
    )
    own = pl.when(pl.col("user").is_not_null()).then(pl.concat_str("user", pl.lit("@"), "timestamp"))
    given = given.with_columns(pl.coalesce("given", own).alias("response"))
    if given["response"].null_count():
        given = given.with_columns(pl.col("response").fill_null(_hashes(cells, layout, times)))
    nobody = pl.concat_str(pl.lit("respondent:"), "survey", pl.lit(":"), "response")
    submitted = pl.lit(True) if layout.submitted is None else cells[layout.submitted].is_not_null()
    status = pl.lit(None, pl.String) if layout.status is None else cells[layout.status].str.to_lowercase()
    return given.select(
        "survey",
        "response",
        pl.coalesce("user", nobody).alias("user_id"),
        "timestamp",
        pl.when(status.is_in(list(TEST_RUNS)))
        .then(pl.lit(TEST_RUN))
        .when(~submitted)
        .then(pl.lit(NOT_SUBMITTED))
        .alias("_skip"),
        pl.when(pl.col("timestamp").is_null())
        .then(pl.lit(f"{layout.when[0]}: is missing: it says when the response was given"))
        .when(pl.col("timestamp").str.starts_with(PLACEHOLDER))
        .then(
            pl.lit(
                f"{layout.when[0]}: is what LimeSurvey writes where it keeps no dates: switch date stamps on"
            )
        )
        .alias("_reject"),
    )


def _hashes(cells: pl.DataFrame, layout: Layout, times: pl.Series) -> pl.Series:
    """Responses without an id by what they say; a question that is added later changes no earlier one."""
    import polars as pl
    import polars_hash

    said = sorted(question.column for question in layout.questions)
    parts = [times.alias("_at"), *(cells[name] for name in said)]
    text = pl.DataFrame([part.alias(str(place)) for place, part in enumerate(parts)]).select(
        said=pl.concat_str(
            [pl.concat_str(pl.lit(f"{name}\x1f"), str(place)) for place, name in enumerate(["", *said])],
            separator="\x1e",
            ignore_nulls=True,
        )
    )
    return text.select(polars_hash.col("said").chash.sha2_256().str.head(20)).to_series()


def _answers(frame: pl.DataFrame, layout: Layout, responses: pl.DataFrame) -> pl.DataFrame:
    """An answer a row: place of its response, its question, what it says; nothing where nothing was said."""
    import polars as pl

    questions = pl.DataFrame(
        [_row(number, question) for number, question in enumerate(layout.questions)],
        orient="row",
        schema={
            "q": pl.UInt16,
            "code": pl.String,
            "title": pl.String,
            "option": pl.String,
            "low": pl.Float64,
            "high": pl.Float64,
            "column": pl.String,
        },
    )
    stays = responses.select(pl.col("_skip").is_null()).to_series()
    wide = frame.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("_row"),
        *(cell(frame, question.column).alias(str(q)) for q, question in enumerate(layout.questions)),
    ).filter(stays)
    long = (
        wide.unpivot(index="_row", variable_name="q", value_name="answer")
        .drop_nulls("answer")
        .with_columns(pl.col("q").cast(pl.UInt16))
        .join(questions, on="q", how="left", maintain_order="left")
    )
    lower = pl.col("answer").str.to_lowercase()
    long = long.filter(pl.col("option").is_null() | ~lower.is_in(list(NOT_CHOSEN)))
    return _valued(_several(long)).sort("_row", "q", maintain_order=True)


def _row(
    number: int, question: Question
) -> tuple[int, str, str, str | None, float | None, float | None, str]:
    low, high = question.scale or (None, None)
    return number, question.code, question.title, question.option, low, high, question.column


def _several(long: pl.DataFrame) -> pl.DataFrame:
    """Answers ``a;b`` to one question as one each; prose has a blank behind its semicolon."""
    import polars as pl

    parts = pl.col("answer").str.split(";")
    many = (
        pl.col("option").is_null()
        & pl.col("low").is_null()
        & pl.col("answer").str.contains(r"[^\s;];[^\s;]")
        & ~pl.col("answer").str.contains(r";\s|&\w+;")
        & (parts.list.eval(pl.element().str.len_chars()).list.max() <= LONGEST_CHOICE)
    )
    marked = long.with_columns(many.alias("many"))
    split = (
        marked.filter("many")
        .with_columns(parts)
        .explode("answer")
        .with_columns(pl.col("answer").str.strip_chars())
        .filter(pl.col("answer") != "")
        .unique(["_row", "q", "answer"], maintain_order=True)
    )
    choice = pl.col("answer").str.replace_all(r"\s+", " ")
    return pl.concat(
        [
            marked.filter(~pl.col("many")).with_columns(pl.lit(None, pl.String).alias("choice")),
            split.with_columns(choice.alias("choice")),
        ]
    )


def _valued(long: pl.DataFrame) -> pl.DataFrame:
    """Values: on a declared scale, by the word, or the bare number."""
    import polars as pl

    answer, low, high = pl.col("answer"), pl.col("low"), pl.col("high")
    number = pl.when(answer.str.contains(_NUMBER)).then(answer)
    number = pl.when(low.is_null()).then(number).otherwise(pl.coalesce(number, answer.str.extract(_LEADING)))
    long = long.with_columns(
        number.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).alias("number"),
        _words(long).alias("word"),
    )
    number = pl.col("number")
    scaled = ((number - low) / (high - low) * (HIGH - LOW) + LOW).round(6)
    on_scale = low.is_not_null() & number.is_not_null()
    bounds = pl.format("{}-{}", low.cast(pl.Int64), high.cast(pl.Int64))
    return long.with_columns(
        pl.when(on_scale).then(scaled).otherwise(pl.coalesce("word", "number")).alias("value"),
        pl.when(on_scale | pl.col("word").is_not_null())
        .then(pl.lit("rated"))
        .otherwise(pl.lit("answered"))
        .alias("event_type"),
        pl.when(on_scale)
        .then(bounds)
        .when(pl.col("word").is_not_null())
        .then(pl.lit("words"))
        .alias("scale"),
        pl.when(on_scale & ~number.is_between(low, high))
        .then(
            pl.format(
                "{}: {} is not on the scale of {} that the question declares", "column", "answer", bounds
            )
        )
        .alias("_off"),
    )


def _words(long: pl.DataFrame) -> pl.Series:
    """Values of answers in words; every distinct short one is looked at once."""
    import polars as pl

    answer = pl.col("answer")
    short = long.filter((answer.str.len_chars() <= LONGEST) & answer.str.contains(r"\pL"))["answer"].unique()
    values = {text: value for text in short.to_list() if (value := word_value(text)) is not None}
    if not values:
        return pl.Series([], dtype=pl.Float64).clear(long.height)
    return long["answer"].replace_strict(values, default=None, return_dtype=pl.Float64)


def _objects(long: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """What each answer is about: its question or option, or the item or content that the option names."""
    import polars as pl

    named = pl.col("option").str.extract_groups(r"^(item|content):\s*(\S.*)$")
    suffix = (
        pl.when(pl.col("choice").is_not_null())
        .then(pl.concat_str(pl.lit(":"), "choice"))
        .otherwise(pl.lit(""))
    )
    joined = long.join(
        responses.drop("_skip").with_row_index("_row").with_columns(pl.col("_row").cast(pl.Int64)),
        on="_row",
        how="left",
        maintain_order="left",
    ).with_columns(suffix.alias("suffix"))
    return joined.with_columns(
        pl.coalesce(
            named.struct.field("2"),
            pl.concat_str(pl.lit("question:"), "survey", pl.lit(":"), "code", "suffix"),
        ).alias("object_id"),
        pl.coalesce(named.struct.field("1"), pl.lit("content")).alias("object_kind"),
        named.struct.field("1").is_not_null().alias("named"),
    )


def _with_the_silent(made: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """The rows, and one that is left out for each response of which nothing was made."""
    import polars as pl

    refused = pl.when(pl.col("_reject").is_not_null()).then(pl.lit(REFUSED))
    silent = responses.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("_row"),
        pl.coalesce("_skip", refused, pl.lit(NO_ANSWER)).alias("_skip"),
    ).join(made.select("_row").unique(), on="_row", how="anti", maintain_order="left")
    return pl.concat([made, silent], how="diagonal").sort("_row", maintain_order=True)


def _events(frame: pl.DataFrame, layout: Layout, responses: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    made = _objects(_answers(frame, layout, responses), responses).select(
        "_row",
        pl.concat_str("survey", pl.lit(":"), "response", pl.lit(":"), "code", "suffix").alias("event_id"),
        *("user_id", "event_type", "object_id", "object_kind", "timestamp", "value"),
        *("answer", "scale", "response"),
        pl.coalesce("_reject", "_off").alias("_reject"),
    )
    return _with_the_silent(made, responses)


def _content(frame: pl.DataFrame, layout: Layout, responses: pl.DataFrame) -> pl.DataFrame:
    """Questions and options that were answered, with their texts."""
    import polars as pl

    choice = pl.coalesce("choice", "option")
    made = _objects(_answers(frame, layout, responses), responses).filter(
        ~pl.col("named") & pl.col("_reject").is_null() & pl.col("_off").is_null()
    )
    made = made.select(
        "_row",
        pl.col("object_id").alias("content_id"),
        pl.when(choice.is_null())
        .then("title")
        .otherwise(pl.format("{} [{}]", "title", choice))
        .alias("title"),
        pl.when(choice.is_not_null()).then("title").alias("question"),
        choice.alias("option"),
        pl.concat_list(pl.concat_str(pl.lit("survey:"), "survey")).alias("tags"),
        pl.col("timestamp").alias("updated_at"),
    )
    return _with_the_silent(made, responses)


def _users(frame: pl.DataFrame, layout: Layout, responses: pl.DataFrame) -> pl.DataFrame:
    """What the columns on the person say, the latest response winning."""
    import polars as pl

    said = frame.select(
        pl.coalesce([cell(frame, name) for name in names]).alias(field)
        for field, names in layout.people.items()
    )
    silent = pl.all_horizontal(pl.all().is_null()) if said.width else pl.lit(True)
    nothing = said.select(silent.alias("nothing"))["nothing"] if said.width else pl.Series([True])
    nothing = nothing if said.width else nothing.new_from_index(0, frame.height)
    return pl.concat(
        [
            responses.select(
                "user_id",
                pl.col("timestamp").alias("updated_at"),
                pl.when(pl.col("_skip").is_not_null())
                .then("_skip")
                .when(pl.col("_reject").is_not_null())
                .then(pl.lit(REFUSED))
                .when(nothing)
                .then(pl.lit(NO_PROPERTY))
                .alias("_skip"),
            ),
            said,
        ],
        how="horizontal",
    )
