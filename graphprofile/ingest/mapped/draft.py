"""A guess as a mapping file, with the reasons as comments and what is uncertain said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphprofile.ingest.mapped.doubts import convert_lines, look_for_equal_rows
from graphprofile.ingest.mapped.facts import Facts
from graphprofile.ingest.mapped.guess import Guess, is_agent, numeric_format
from graphprofile.ingest.mapped.sample import Sample
from graphprofile.ingest.mapped.toml import array, key, text

PADDED = 0.001


def draft(sample: Sample, found: Guess) -> str:
    """The text of a first mapping file; what a person must look at is added to ``found.unsure``."""
    columns = list(_columns(found))
    look_for_equal_rows(sample.frame, found)
    head = [
        f"# A first mapping of {sample.path.name}, by `graphprofile map`: look at every line, above all at what is",
        "# marked LOOK. `graphprofile map --check` checks it, `graphprofile load --mapping` uses it.",
        f"# {sample.frame.height:,} rows were looked at{', all there are' if sample.whole else ''}.",
    ]
    head += [f"# LOOK: {text}" for text in (*sample.notes, *found.unsure)]
    return "\n".join([*head, "", *_source(sample, found), *columns, *_tables(found)]) + "\n"


def _source(sample: Sample, found: Guess) -> Iterator[str]:
    yield "[source]"
    if sample.encoding not in ("utf-8", "utf-16"):
        yield f'encoding = "{sample.encoding}"   # LOOK: there are bytes that are no UTF-8'
    if sample.separator is not None and sample.format == "csv" and sample.separator != ",":
        yield f"separator = {text(sample.separator)}"
    continental = [seen for seen in found.facts.values() if seen.comma > 0.01]
    if continental:
        yield f'decimal = ","   # as in {continental[0].name}'
        thousands = next((seen.thousands for seen in continental if seen.thousands), None)
        if thousands:
            yield f"thousands = {text(thousands)}"
    elif separated := [seen for seen in found.facts.values() if seen.thousands == ","]:
        yield f'thousands = ","   # as in {separated[0].name}'
    timed = [seen for seen in found.facts.values() if seen.is_time or seen.name in _time_columns(found)]
    if timed:
        yield 'time_zone = "UTC"   # LOOK: of times that name none; say the zone of those who wrote the file'
        yield 'ambiguous = "earliest"   # a local time that comes twice when clocks go back; or latest, reject'
        yield 'nonexistent = "shift"   # one that is skipped when clocks go forward; or reject'
    yield ""
    words = sorted({word for seen in found.facts.values() for word in seen.missing})
    yield '[columns."*"]   # every column'
    padded = [seen.name for seen in found.facts.values() if seen.padded > PADDED]
    yield "trim = true" + (f"   # blanks around values of {', '.join(padded)}" if padded else "")
    if words:
        yield f"missing = {array(['', *words])}   # texts that stand for nothing, as seen"
    yield ""


def _time_columns(found: Guess) -> set[str]:
    return {found.fields[name] for name in ("timestamp", "updated_at") if name in found.fields}


def _columns(found: Guess) -> Iterator[str]:
    kept = {*found.taken, *_kept(found)}
    for name, seen in found.facts.items():
        lines = list(_column(name, seen, found))
        if lines and name in kept:
            yield f"[columns.{key(name)}]"
            yield from lines
            yield ""


def _column(name: str, seen: Facts, found: Guess) -> Iterator[str]:
    if seen.quoted > 0.5:
        yield f"unquote = true   # {seen.quoted:.0%} of the values stand in quotes, e.g. {seen.common[0]!r}"
    if name in _time_columns(found):
        form = None if seen.is_time else numeric_format(seen)
        if form == "excel":
            found.unsure.append(
                f"{name}: numbers from {seen.low:g} to {seen.high:g}, taken for days as Excel counts them."
            )
            yield 'formats = ["excel"]   # LOOK: days since 1900 as Excel counts them; excel_1904 on old Macs'
        elif form is not None:
            yield f'formats = ["{form}"]   # by the size of the numbers'
        else:
            yield from _formats(name, seen, found)
    elif seen.is_time and seen.formats != ["iso"]:
        yield from _formats(name, seen, found)
        yield 'type = "time"'
    elif seen.is_number and seen.quoted <= 0.5 and name not in _ids(found):
        yield f'type = "{"int" if seen.whole > 0.999 else "float"}"'
    yield from convert_lines(found, name)


def _formats(name: str, seen: Facts, found: Guess) -> Iterator[str]:
    if seen.ambiguous is None:
        yield f"formats = {array(seen.formats)}   # these read {seen.times:.1%} of the values"
        return
    days, months = seen.ambiguous
    told = "values prove both orders" if seen.both else "no value looked at has a number above 12 to tell"
    found.unsure.append(
        f"{name}: day or month first? {told}, e.g. {seen.common[0]!r}. Choose one of the two formats."
    )
    yield f"# LOOK: day or month first? {told}, e.g. {seen.common[0]!r}. Take the # from the right one;"
    yield "# until then no such value can be read."
    yield f"# formats = {array(days)}   # day first"
    yield f"# formats = {array(months)}   # month first"


def _ids(found: Guess) -> set[str]:
    return {
        found.fields[name]
        for name in ("user_id", "object_id", "item_id", "content_id", "event_id")
        if name in found.fields
    }


def _kept(found: Guess) -> list[str]:
    return [name for name in found.facts if name not in found.taken and name not in found.left_out]


def _tables(found: Guess) -> Iterator[str]:
    fields = found.fields
    agents = [name for name in found.facts if is_agent(name) and name not in found.taken]
    if agents:
        yield "[[skip]]   # rows that are nobody's; counted under the reason"
        yield 'reason = "robots"'
        yield f'when = [{{ column = {text(agents[0])}, matches = "(?i)bot|crawl|spider" }}]'
        yield ""
    yield f"[{found.kind}]"
    described = found.describes if found.kind == "events" else None
    of_thing = ("title", "text", "updated_at")
    for name, column in fields.items():
        if name.startswith("tags.") or (described and name in of_thing):
            continue
        if name == "event_type":
            continue
        yield f"{name} = {text(column)}   # {found.why[name]}"
    if found.kind == "events":
        yield from _event_parts(found)
    elif found.kind != "users":
        yield from _tags(found)
    yield from _properties(found)
    if described and any(name == "title" or name.startswith("tags.") for name in fields):
        yield ""
        yield f"[{described}]   # the same rows say what their things are"
        yield f"{'item_id' if described == 'items' else 'content_id'} = {text(fields['object_id'])}"
        for name in ("title", "text"):
            if name in fields:
                yield f"{name} = {text(fields[name])}   # {found.why[name]}"
        if "timestamp" in fields:
            yield f"updated_at = {text(fields['timestamp'])}   # of two descriptions the later one holds"
        yield from _tags(found)
    if found.of_users:
        yield ""
        yield "[users]   # the same rows say who their users are: take out what nobody needs to know"
        yield f"user_id = {text(fields['user_id'])}"
        if "timestamp" in fields:
            yield f"updated_at = {text(fields['timestamp'])}   # of two descriptions the later one holds"
        yield f"properties = {{ keep = {array(found.of_users)} }}"


def _event_parts(found: Guess) -> Iterator[str]:
    if "timestamp" not in found.fields:
        yield 'timestamp = "?"   # LOOK: no column reads as a time'
    if found.describes == "content":
        yield 'object_kind = { constant = "content" }'
    if found.constant:
        yield f"event_type = {{ constant = {text(found.constant)} }}   # LOOK: no column says what happened"
    if "event_id" not in found.fields:
        yield "# No column identifies an event: its id is made from all that is said of it. A key of your own:"
        yield '# event_id = { key = ["COLUMN", "COLUMN"], group = ["ORDER"] }'


def _event_type(found: Guess) -> Iterator[str]:
    yield ""
    yield "[events.event_type]"
    yield f"column = {text(found.fields['event_type'])}   # {found.why['event_type']}"
    yield "[events.event_type.map]   # their word = ours"
    for word, ours in found.events.items():
        if ours is None:
            yield f'# {key(word)} = "?"   # LOOK: no event of the vocabulary is near; such rows are refused'
        else:
            yield f"{key(word)} = {text(ours)}"


def _tags(found: Guess) -> Iterator[str]:
    columns = [column for name, column in found.fields.items() if name.startswith("tags.")]
    if not columns:
        return
    yield "tags = ["
    for column in columns:
        # Of `product.tags` the last word says what they are.
        kind = re.sub(r"[^a-z0-9_-]+", "_", column.lower().rpartition(".")[2]).strip("_")
        kind = kind if re.match(r"[a-z]", kind) else "tag"
        separator = found.facts[column].separator
        parted = f", separator = {text(separator)}" if separator else ""
        yield f"  {{ column = {text(column)}, kind = {text(kind)}{parted} }},"
    yield "]"


def _properties(found: Guess) -> Iterator[str]:
    kept = [name for name in _kept(found) if name not in found.of_users]
    if kept:
        yield f"properties = {{ keep = {array(kept)} }}"
    for name, why in found.left_out.items():
        yield f"# not kept: {key(name)}, which {why}"
    if "event_type" in found.fields:
        yield from _event_type(found)
