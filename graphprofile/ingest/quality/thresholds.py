"""Thresholds that stop a batch before it is applied: what may be declared, and how a batch stands to it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from graphprofile.errors import UsageError
from graphprofile.ingest.mapped.parts import Strict

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Psi = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Rows = Annotated[int, Field(ge=0)]
FailOn = Sequence[str] | Mapping[str, Any] | str
"""Thresholds as they may be given: ``NAME=VALUE`` texts, names and values, or ``none``."""
NONE = "none"


class MaxDrift(Strict):
    """The largest population stability index of each distribution."""

    event_types: Psi | None = None
    value: Psi | None = None
    hours: Psi | None = None


def _of_each(given: Any) -> Any:
    """One number holds for all distributions."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return dict.fromkeys(MaxDrift.model_fields, given)
    return given


class Thresholds(Strict):
    """What a batch must meet, the table ``[quality]`` of a mapping file; shares lie between 0 and 1.

    Attributes:
        min_rows: Rows read at least, and ``max_rows`` at most, rows of files seen before too.
        max_rows: As said.
        min_completeness: Field -> least share of rows with a value, in each kind that has the field.
        max_quarantined: Largest share of rows refused.
        max_duplicates: Of the events, those that are there already.
        max_conflicts: Of the events, those that are there with other content.
        max_late: Of the applied events, those older than the newest one before the batch.
        max_future: Of the events, those whose time has not come.
        max_drift: Largest population stability index against earlier batches: one number, or one for each of
            ``event_types``, ``value`` and ``hours``.
    """

    min_rows: Rows | None = None
    max_rows: Rows | None = None
    min_completeness: dict[str, Share] = Field({})
    max_quarantined: Share | None = None
    max_duplicates: Share | None = None
    max_conflicts: Share | None = None
    max_late: Share | None = None
    max_future: Share | None = None
    max_drift: Annotated[MaxDrift | None, BeforeValidator(_of_each)] = None

    @model_validator(mode="after")
    def _has_room(self) -> Thresholds:
        if self.min_rows is not None and self.max_rows is not None and self.min_rows > self.max_rows:
            raise ValueError(f"min_rows = {self.min_rows} is above max_rows = {self.max_rows}")
        return self

    def limits(self) -> dict[str, float]:
        """All that are declared, by dotted name: ``min_completeness.timestamp`` -> 0.99."""
        found: dict[str, float] = {}
        for name, value in self.model_dump(exclude_none=True).items():
            if isinstance(value, dict):
                found.update({f"{name}.{key}": limit for key, limit in value.items()})
            else:
                found[name] = value
        return found


def thresholds_of(declared: Thresholds | None, given: FailOn = ()) -> Thresholds | None:
    """What holds: those of the mapping file, each one given beside it in the place of its namesake.

    Args:
        declared: Of the mapping file.
        given: ``none`` switches off those of the file.

    Returns:
        None where none holds.

    Raises:
        UsageError: No such threshold, or no such value.
    """
    pairs = _pairs(given)
    document: dict[str, Any] = {}
    if declared is not None and NONE not in pairs:
        document = declared.model_dump(exclude_none=True)
    pairs.pop(NONE, None)
    for name, value in pairs.items():
        table, _, key = name.partition(".")
        _require_known(name, table)
        if not key:
            document[table] = value
            continue
        inner = document.get(table)
        document[table] = {**(inner if isinstance(inner, dict) else {}), key: value}
    try:
        found = Thresholds.model_validate(document)
    except ValidationError as error:
        raise UsageError(_said(error), "docs/quality.md says what may be declared.") from error
    return found if found.limits() else None


def _pairs(given: FailOn) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {
            str(name) if not isinstance(value, Mapping) else f"{name}.{key}": limit
            for name, value in given.items()
            for key, limit in (value.items() if isinstance(value, Mapping) else [("", value)])
        }
    pairs: dict[str, Any] = {}
    for text in [given] if isinstance(given, str) else given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name == NONE and not equals:
            pairs[NONE] = None
        elif not equals or not value:
            _require_known(name, name.partition(".")[0])
            raise UsageError(f"--fail-on {text}: says no value.", f"Write --fail-on {name}=0.05, or none.")
        else:
            pairs[name] = _number(name, value)
    return pairs


def _number(name: str, value: str) -> int | float:
    try:
        number = float(value)
    except ValueError:
        raise UsageError(
            f"--fail-on {name}={value}: {value!r} is no number.", "Shares are written like 0.05."
        ) from None
    return int(value) if value.lstrip("+-").isdigit() else number


def _require_known(name: str, table: str) -> None:
    known = list(Thresholds.model_fields)
    if table not in known:
        near = difflib.get_close_matches(table, known, n=1)
        mean = f" (did you mean {near[0]!r}?)" if near else ""
        raise UsageError(f"--fail-on: there is no threshold {name!r}{mean}.", f"Known: {', '.join(known)}.")


def _said(error: ValidationError) -> str:
    told = []
    for entry in error.errors():
        name = ".".join(str(part) for part in entry["loc"])
        message = str(entry["msg"]).removeprefix("Value error, ")
        if entry["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(entry["loc"][-1]), MaxDrift.model_fields, n=1)
            message = "there is no such distribution" + (f" (did you mean {near[0]!r}?)" if near else "")
        told.append(f"--fail-on {name}: {message[0].lower()}{message[1:]}." if name else f"{message}.")
    return "\n".join(told)
