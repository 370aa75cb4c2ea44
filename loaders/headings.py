"""Headers as forms and contact books export them: names that come twice, without a name, over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

CODE = re.compile(r"([A-Za-z0-9]\w*(?:\[\w+\])*)(?:\. (.+))?$")
"""``Q1``, ``Q2[SQ001]``, and either with a full stop and a text behind: ``Q1. How was it?``."""

_IMPORT_ID = re.compile(r'\s*\{\s*"ImportId"')
_ZONES = ("startDate", "endDate", "recordedDate")
_EXTRA = ("response", "open-ended response")


def plain_heading(records: Sequence[Sequence[str]]) -> tuple[int, list[str]]:
    """One record of names, made different from each other."""
    return 1, distinct(records[0])


def survey_heading(records: Sequence[Sequence[str]]) -> tuple[int, list[str]]:
    """One, two (SurveyMonkey) or three (Qualtrics) records as names of the form ``CODE. Question [Option]``."""
    first = records[0]
    if len(records) > 2 and len(records[2]) and all(map(_IMPORT_ID.match, records[2])):
        return 3, distinct(_qualtrics(first, records[1], records[2]))
    if len(records) > 1 and _is_surveymonkey(first, records[1]):
        return 2, distinct(_surveymonkey(first, records[1]))
    return 1, distinct(first)


def distinct(names: Sequence[str]) -> list[str]:
    """Names in one line each, none of them twice; of names with a code the codes too differ."""
    found: list[str] = []
    taken: set[str] = set()
    for place, written in enumerate(names, start=1):
        name = " ".join(written.split()) or f"column {place}"
        code = CODE.match(name)
        text = "" if code is None or code[2] is None else f". {code[2]}"
        start = name if code is None else code[1]
        key, number = start, 1
        while key.casefold() in taken:
            number += 1
            key = f"{start} ({number})" if code is None else f"{start}_{number}"
        taken.add(key.casefold())
        found.append(key + text)
    return found


def _qualtrics(codes: Sequence[str], texts: Sequence[str], imports: Sequence[str]) -> list[str]:
    """Names of the internal code and the question; its item stands behind the last dash."""
    found = []
    for code, written, meaning in zip(codes, texts, imports, strict=True):
        said = _object(meaning)
        zone = said.get("timeZone")
        text = " ".join(written.split())
        code = re.sub(r"\W+", "_", code.strip())
        if said.get("ImportId") in _ZONES and isinstance(zone, str):
            found.append(f"{code}. {text} [{zone}]")
            continue
        text = text.replace(" - Selected Choice", "").removesuffix(" - Text")
        question, _, option = text.rpartition(" - ")
        if question and ("choiceId" in said or re.search(r"_\d+(?:_TEXT)?$", code)):
            text = f"{question} [{_bare(option)}]"
        found.append(f"{code}. {text}" if text else code)
    return found


def _bare(option: str) -> str:
    """An option that brackets can be put around."""
    return option.replace("[", "(").replace("]", ")")


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_surveymonkey(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether the second record goes on with the header: none of what identifies a response stands in it."""
    names = [name.strip().lower() for name in first]
    if "respondent id" not in names or "collector id" not in names or len(first) != len(second):
        return False
    return (
        not second[names.index("respondent id")].strip() and not second[names.index("collector id")].strip()
    )


def _surveymonkey(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """A question stands above the first of its columns, its options in the line below."""
    found, question = [], ""
    for name, option in zip(first, second, strict=True):
        question = name.strip() or question
        option = " ".join(option.split())
        if option.lower() in _EXTRA or not option:
            found.append(name.strip() and question)
        else:
            found.append(f"{question} [{_bare(option)}]")
    return found
