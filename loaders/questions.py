"""What the columns of a survey are: questions, or what is known of the response and its person, told by their names.

Names are compared without case, blanks and signs. The lists hold what Google Forms, LimeSurvey, Qualtrics,
SurveyMonkey, Typeform and Microsoft Forms write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .answers import declared_scale
from .headings import CODE

SUBMITTED = ("submitdate", "datesubmitted", "submitdateutc", "submittedat")
"""Blank until the response is given."""
WHEN = (
    *SUBMITTED,
    *("recordeddate", "enddate", "enddateutc", "completiontime", "completedat", "timestamp"),
    *(
        "datestamp",
        "datelastaction",
        "createdat",
        "date",
        "startdate",
        "startdateutc",
        "datestarted",
        "starttime",
    ),
)
WHO = (
    *("userid", "customerid", "memberid", "externaldatareference", "externalreference", "participantid"),
    *("recipientemail", "emailaddress", "email", "username", "token", "accesscode"),
)
RESPONSE = ("responseid", "respondentid", "submissionid", "id")
SURVEY = ("survey", "surveyname", "surveyid", "surveytitle")
PEOPLE = {
    "name": ("name", "fullname"),
    "first_name": ("firstname", "recipientfirstname"),
    "last_name": ("lastname", "recipientlastname"),
    "age": ("age",),
    "age_group": ("agegroup", "agerange"),
    "gender": ("gender", "sex"),
    "country": ("country",),
    "region": ("region", "state"),
    "city": ("city",),
    "language": ("language", "userlanguage", "startlanguage"),
    "education": ("education",),
    "occupation": ("occupation",),
    "job_title": ("jobtitle",),
    "organisation": ("organisation", "organization", "company"),
    "industry": ("industry",),
    "department": ("department",),
}
"""Properties of a person, and the columns that say them."""
IGNORED = frozenset(
    "responsetype ipaddress ipaddr durationinseconds locationlatitude locationlongitude distributionchannel "
    "collectorid lastpage refurl referrerurl networkid customdata1 interviewtime totaltimeseconds".split()
)
"""Columns of the export itself."""
BESIDE = {
    **dict.fromkeys(("status", "progress", "finished"), frozenset({"recordeddate"})),
    "seed": frozenset({"lastpage"}),
    "tags": frozenset({"networkid"}),
    "score": frozenset({"timestamp"}),
}
"""Columns of the export itself where another of its columns is there: else they may be questions."""

_INTERNAL = re.compile(
    r"_DO(?:_.*)?$|_(?:First_?Click|Last_?Click|Page_?Submit|Click_?Count|NPS_GROUP)$|^(?:group|question)time\w*$",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(.*\S)\s*\[([^\[\]]+)\]$")
_LONGEST_CODE = 200


@dataclass(frozen=True)
class Question:
    """A column that holds answers.

    Attributes:
        column: Its name.
        code: What it is called in ids: the export's code, else its text, with the option.
        title: The question's text, else the code.
        option: The option or the thing that the column is about, or None.
        scale: Lowest and highest number that the text declares, or None.
    """

    column: str
    code: str
    title: str
    option: str | None
    scale: tuple[int, int] | None


@dataclass(frozen=True)
class Layout:
    """The columns of a survey by what they hold.

    Attributes:
        questions: Columns of answers, in order.
        when: Times of the response, best first.
        who: Who gave it, best first.
        response: Its id, best first.
        survey: Name of the survey.
        submitted: The time that is blank until the response is given.
        status: Qualtrics' kind of response.
        people: Property of the person -> columns.
        zones: Column of a time -> its zone, where the header says it.
        month_first: Whether 01/02/2026 is the 2nd of January here (SurveyMonkey).
    """

    questions: tuple[Question, ...] = ()
    when: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    survey: str | None = None
    submitted: str | None = None
    status: str | None = None
    people: dict[str, tuple[str, ...]] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    month_first: bool = False


@lru_cache(maxsize=100)
def layout_of(columns: tuple[str, ...]) -> Layout:
    """What the columns of these names hold."""
    places: dict[str, str] = {}
    zones: dict[str, str] = {}
    questions = []
    known = {
        *WHEN,
        *WHO,
        *RESPONSE,
        *SURVEY,
        *IGNORED,
        *(name for names in PEOPLE.values() for name in names),
    }
    read = {column: _read(column) for column in columns}
    every = {_key(name or "") for code, text, _ in read.values() for name in (code, text)}
    known |= {key for key, others in BESIDE.items() if others & every}
    if every & set(WHEN) - {"date"}:
        known.discard("date")
    for column, (code, text, option) in read.items():
        keys = [_key(text), _key(code or "")]
        key = "id" if column.strip() == "#" else next((key for key in keys if key in known), None)
        if key is not None and (option is None or key in WHEN):
            places.setdefault(key, column)
            if option is not None and (zone := _zone(option)) is not None:
                zones[column] = zone
        elif not _INTERNAL.search(code or ""):
            questions.append(_question(column, code, text, option))

    def found(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(places[name] for name in names if name in places)

    people = {name: found(columns) for name, columns in PEOPLE.items() if found(columns)}
    return Layout(
        questions=tuple(questions),
        when=found(WHEN),
        who=found(WHO),
        response=found(RESPONSE),
        survey=next(iter(found(SURVEY)), None),
        submitted=next(iter(found(SUBMITTED)), None),
        status=places.get("status", places.get("responsetype")),
        people=people,
        zones=zones,
        month_first="respondentid" in places and "collectorid" in places,
    )


def _key(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _zone(name: str) -> str | None:
    """The zone of that name; None where there is none."""
    try:
        return ZoneInfo("UTC" if name == "Z" else name).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def _read(column: str) -> tuple[str | None, str, str | None]:
    """Code, text and option of ``CODE. Question [Option]``; any of them may be missing."""
    name = " ".join(column.split())
    found = CODE.match(name)
    code, text = (found[1], found[2] or found[1]) if found else (None, name)
    inner = _OPTION.match(text) if not (found and found[2] is None) else None
    return (code, inner[1], inner[2].strip()) if inner else (code, text, None)


def _question(column: str, code: str | None, text: str, option: str | None) -> Question:
    key = code or (text if option is None else f"{text} [{option}]")
    if len(key) > _LONGEST_CODE:
        key = f"{key[: _LONGEST_CODE - 20]}…{sha256(key.encode()).hexdigest()[:8]}"
    scale = declared_scale(text if option is None else f"{text} [{option}]")
    return Question(column, key, text, option, scale)
