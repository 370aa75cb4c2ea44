"""Contacts: vCards, and CSV as Google Contacts, Outlook, HubSpot and Salesforce export it, as users.

What is taken and who is who stands in ``docs/loaders/contacts.md``; the grammar of cards in ``vcard.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import SourceError
from graphprofile.records import Kind, Runs, SourceFile

from .headings import plain_heading
from .vcard import BEGIN, END, LEFT_OUT, NESTS, Card, CardError, read_card, split

if TYPE_CHECKING:
    import polars as pl

CARDS = frozenset({".vcf", ".vcard"})
PEOPLE = frozenset({"", "individual"})
"""Kinds of card (RFC 6350, section 6.1.4) that are a person."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "user_id": ("recordid", "contactid", "leadid", "customerid", "userid", "uid", "id"),
    "name": ("name", "fullname", "displayname"),
    "given_name": ("firstname", "givenname"),
    "family_name": ("lastname", "familyname"),
    "nickname": ("nickname",),
    "organisation": (
        "organizationname",
        "organization1name",
        "company",
        "companyname",
        "accountname",
        "associatedcompany",
    ),
    "department": ("organizationdepartment", "organization1department", "department"),
    "title": ("organizationtitle", "organization1title", "jobtitle"),
    "city": ("city", "mailingcity", "homecity", "address1city", "businesscity", "othercity"),
    "region": ("stateregion", "state", "mailingstate", "homestate", "address1region", "businessstate"),
    "country": (
        *(
            "countryregion",
            "country",
            "mailingcountry",
            "homecountryregion",
            "homecountry",
            "address1country",
        ),
        *("businesscountryregion", "businesscountry", "othercountryregion"),
    ),
    "birthday": ("birthday", "birthdate", "dateofbirth"),
    "gender": ("gender",),
    "language": ("preferredlanguage", "language"),
    "lead_source": ("leadsource", "originalsource", "originaltrafficsource"),
    "lifecycle_stage": ("lifecyclestage",),
    "lead_status": ("leadstatus",),
    "email_opt_out": ("emailoptout", "hasoptedoutofemail", "unsubscribedfromallemail"),
    "created_at": ("createdate", "createddate"),
    "updated_at": ("lastmodifieddate", "lastmodified", "systemmodstamp", "updatedat"),
}
"""Columns of each field, without case, blanks and signs; the first that is not blank counts."""
LABELS = ("labels", "groupmembership", "categories", "tags", "listmemberships", "lists")
DELETED, NO_PERSON, BLANK = "deleted in the CRM", "group, organisation or place", "blank row"

_EMAIL = re.compile(
    r"(?:primary|secondary|work|personal|business|home|other)?email\d*(?:address|addresses|value)?$"
)
_PHONE = re.compile(
    r"(?:primary|work|business|home|other|mobile)?(?:tele)?phone(?:number)?\d*(?:value)?$|mobile$"
)
_TRUE = ("true", "yes", "1")
_LISTS = ("emails", "phones", "categories")
_NO_ID = "UID: is missing, and so is EMAIL: one of them says who it is"


class ContactsLoader:
    """People with what a contact book says of them."""

    name = "contacts"
    summary = "Contacts: vCard 2.1 to 4.0, CSV of Google Contacts, Outlook, HubSpot, Salesforce"
    time_zone = "UTC"

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file: cards by the names ``.vcf`` and ``.vcard``, also compressed, tables otherwise.

        Raises:
            SourceError: A kind other than users.
        """
        if kind not in (None, "users"):
            raise SourceError(f"Contacts hold no {kind}.", "They hold users only.")
        cards = Runs(BEGIN, END, LEFT_OUT, NESTS)
        return [
            SourceFile(path, "users", "runs", runs=cards)
            if CARDS & {suffix.lower() for suffix in path.suffixes}
            else SourceFile(path, "users", heading=plain_heading)
            for path in paths
        ]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Cards or rows as users.

        Raises:
            SourceError: A table without ids and addresses.
        """
        return _cards(frame) if "record" in frame.columns else _table(frame)


def _cards(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    rows: list[dict[str, Any]] = []
    for text in frame["record"].to_list():
        try:
            rows.append(_person(read_card(text or "")))
        except CardError as error:
            rows.append({"_reject": str(error)})
    names = [*COLUMNS, "email", "phone", "_skip", "_reject"]
    schema = {name: pl.String for name in names if name not in ("email_opt_out", "created_at")}
    lists = {name: pl.List(pl.String) for name in _LISTS}
    return pl.DataFrame(rows, schema={**schema, **lists})


def _person(card: Card) -> dict[str, Any]:
    """What a card says of a person."""
    kind = (card.first("KIND") or card.first("X-ADDRESSBOOKSERVER-KIND") or "").lower()
    if kind not in PEOPLE:
        return {"_skip": NO_PERSON}
    emails = [text.removeprefix("mailto:") for text in card.texts("EMAIL")]
    phones = [text.removeprefix("tel:") for text in card.texts("TEL")]
    uid = re.sub(r"(?i)^urn:uuid:", "", card.first("UID") or "")
    email = emails[0].lower() if emails else None
    named = [*card.parts("N", ";"), "", ""]
    family, given = named[0] or None, named[1] or None
    name = card.first("FN") or " ".join(part for part in (given, family) if part)
    units = [*card.parts("ORG", ";"), "", ""]
    city, region, country = next(filter(any, map(_place, card.properties.get("ADR", ()))), (None,) * 3)
    labels = [label for value in card.properties.get("CATEGORIES", ()) for label in _labels(value)]
    return {
        "user_id": uid or email,
        "name": name or None,
        "given_name": given,
        "family_name": family,
        "nickname": next(iter(card.parts("NICKNAME", ",")), None) or None,
        "organisation": units[0] or None,
        "department": units[1] or None,
        "title": card.first("TITLE"),
        "city": city,
        "region": region,
        "country": country,
        "birthday": _day(card.first("BDAY")),
        "gender": next(iter(card.parts("GENDER", ";")), None) or None,
        "language": card.first("LANG"),
        "updated_at": _day(card.first("REV")),
        "email": email,
        "phone": phones[0] if phones else None,
        "emails": _several(emails),
        "phones": _several(phones),
        "categories": list(dict.fromkeys(labels)) or None,
        "_reject": None if uid or email else _NO_ID,
    }


def _place(address: str) -> tuple[str | None, str | None, str | None]:
    parts = [*split(address, ";"), *[""] * 7]
    return parts[3] or None, parts[4] or None, parts[6] or None


def _labels(value: str) -> list[str]:
    return [label for label in split(value, ",") if label]


def _day(text: str | None) -> str | None:
    """A day written 19960415, which may also be a number, as ISO 8601; anything else as it is."""
    if text is not None and re.fullmatch(r"\d{8}", text):
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return text


def _several(values: Iterable[str]) -> list[str] | None:
    """All values where there is more than one."""
    found = list(dict.fromkeys(values))
    return found if len(found) > 1 else None


def _table(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    keys: dict[str, str] = {}
    for name in frame.columns:
        keys.setdefault(re.sub(r"[^a-z0-9]", "", name.lower()), name)
    emails = [name for key, name in keys.items() if _EMAIL.match(key) or key == "additionalemailaddresses"]
    phones = [name for key, name in keys.items() if _PHONE.match(key)]
    labels = [keys[key] for key in LABELS if key in keys]
    fields = {field: [keys[key] for key in known if key in keys] for field, known in COLUMNS.items()}
    if not fields["title"] and "title" in keys:
        # Outlook's title is Mr or Dr; its job title then stands beside it.
        fields["title"] = [keys["title"]]
    if not fields["user_id"] and not emails:
        raise SourceError(
            f"No column of record ids or e-mail addresses in the contacts; their columns: {', '.join(frame.columns)}.",
            "docs/loaders/contacts.md lists the names; the loader generic reads any table with --map.",
        )
    made = frame.select(
        *(_first(columns).alias(field) for field, columns in fields.items()),
        emails=_list(emails),
        phones=_list(phones),
        categories=_list(labels, r"\s*:::\s*|;").list.eval(_label(pl.element())).list.drop_nulls(),
        deleted=_first([keys["isdeleted"]] if "isdeleted" in keys else [])
        .str.to_lowercase()
        .is_in(list(_TRUE)),
    )
    email, named = pl.col("emails").list.first().str.to_lowercase(), pl.col("name")
    both = pl.concat_str("given_name", "family_name", separator=" ", ignore_nulls=True)
    is_address = email.str.contains(r"^[^@\s]+@[^@\s]+$")
    return made.select(
        pl.coalesce("user_id", email).alias("user_id"),
        pl.coalesce(named, pl.when(both != "").then(both)).alias("name"),
        pl.exclude("user_id", "name", "birthday", "email_opt_out", "deleted", *_LISTS),
        pl.when(~pl.col("birthday").str.contains(r"^0+/0+/0+$")).then("birthday").alias("birthday"),
        pl.col("email_opt_out").str.to_lowercase().is_in(list(_TRUE)).alias("email_opt_out"),
        email.alias("email"),
        pl.col("phones").list.first().alias("phone"),
        *(pl.when(pl.col(name).list.len() > 1).then(name).alias(name) for name in ("emails", "phones")),
        pl.when(pl.col("categories").list.len() > 0).then("categories").alias("categories"),
        pl.when(pl.col("deleted").fill_null(False))
        .then(pl.lit(DELETED))
        .when(pl.all_horizontal(pl.exclude("categories", "deleted").is_null()))
        .then(pl.lit(BLANK))
        .alias("_skip"),
        pl.when(pl.col("user_id").is_null() & email.is_null())
        .then(pl.lit(f"{(fields['user_id'] or emails)[0]}: is missing, and so is an e-mail address"))
        .when(pl.col("user_id").is_null() & ~is_address)
        .then(pl.format("{}: {} is no address", pl.lit(emails[0] if emails else ""), email))
        .alias("_reject"),
    )


def _first(columns: Sequence[str]) -> pl.Expr:
    """The first of the columns that is not blank."""
    import polars as pl

    return pl.coalesce(*map(_text, columns)) if columns else pl.lit(None, pl.String)


def _text(column: str) -> pl.Expr:
    import polars as pl

    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(["", "null", "n/a", "-", "#n/a"])).then(text)


def _list(columns: Sequence[str], separator: str = r"\s*:::\s*|\s*;\s*") -> pl.Expr:
    """All values of the columns, each once, in order."""
    import polars as pl

    if not columns:
        return pl.lit(None, pl.List(pl.String))
    every = pl.concat_str(*map(_text, columns), separator="\x1f", ignore_nulls=True)
    parts = pl.when(every != "").then(every.str.replace_all(separator, "\x1f").str.split("\x1f"))
    return parts.list.eval(pl.element().filter(pl.element() != "")).list.unique(maintain_order=True)


def _label(label: pl.Expr) -> pl.Expr:
    """A label without Google's star; the group of all contacts is none."""
    import polars as pl

    text = label.str.replace(r"^\*\s*", "").str.strip_chars()
    return pl.when((text != "") & (text != "myContacts")).then(text)
