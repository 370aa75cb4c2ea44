"""Contacts: the examples of RFC 6350 and RFC 2426, and a few rows in the form of each contact book."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from graphprofile.loaders.contacts import BLANK, DELETED, NO_PERSON, ContactsLoader
from graphprofile.loaders.vcard import CardError, read_card, split

from graphprofile.errors import SourceError
from graphprofile.testing import Loaded, LoaderContract

SIMON = """\
BEGIN:VCARD
VERSION:4.0
FN:Simon Perreault
N:Perreault;Simon;;;ing. jr,M.Sc.
BDAY:--0203
ANNIVERSARY:20090808T1430-0500
GENDER:M
LANG;PREF=1:fr
LANG;PREF=2:en
ORG;TYPE=work:Viagenie
ADR;TYPE=work:;Suite D2-630;2875 Laurier;Quebec;QC;G1V 2M2;Canada
TEL;VALUE=uri;TYPE="work,voice";PREF=1:tel:+1-418-656-9254;ext=102
TEL;VALUE=uri;TYPE="work,cell,voice,video,text":tel:+1-418-262-6501
EMAIL;TYPE=work:simon.perreault@viagenie.ca
GEO;TYPE=work:geo:46.772673,-71.282945
KEY;TYPE=work;VALUE=uri:http://www.viagenie.ca/simon.perreault/simon.asc
TZ:-0500
URL;TYPE=home:http://nomis80.org
END:VCARD
"""
"""RFC 6350, section 8."""
FRANK = """\
BEGIN:vCard
VERSION:3.0
FN:Frank Dawson
ORG:Lotus Development Corporation
ADR;TYPE=WORK,POSTAL,PARCEL:;;6544 Battleford Drive
 ;Raleigh;NC;27613-3502;U.S.A.
TEL;TYPE=VOICE,MSG,WORK:+1-919-676-9515
TEL;TYPE=FAX,WORK:+1-919-676-9564
EMAIL;TYPE=INTERNET,PREF:Frank_Dawson@Lotus.com
EMAIL;TYPE=INTERNET:fdawson@earthlink.net
URL:http://home.earthlink.net/~fdawson
END:vCard
"""
"""RFC 2426, section 7."""
GROUP = """\
BEGIN:VCARD
VERSION:4.0
KIND:group
FN:The Doe family
MEMBER:urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af
END:VCARD
"""
"""RFC 6350, section 6.1.4."""
JANE = """\
BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:4FBE8971-0bc3-424c-9c26-36c3e1eff6b1
N:Doe;Jane;;;
NICKNAME:Jen\\, the,J
item1.EMAIL;PREF=1:jane@example.com
item1.X-ABLabel:Obsolete?
ORG:Acme\\, Inc.;R\\;D
TITLE:Head of Tea\\nand Soap
BDAY:19960415
CATEGORIES:news\\,weekly,vip
CATEGORIES:vip
NOTE:owes me money
REV:19951031T222710Z
END:VCARD
"""
ALICE = """\
BEGIN:VCARD
VERSION:2.1
FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Al=EFce =
M=FCller
EMAIL;INTERNET:alice@example.com
AGENT:
BEGIN:VCARD
FN:Not Alice
EMAIL:not@example.com
END:VCARD
PHOTO;ENCODING=BASE64;JPEG:
 /9j/4AAQSkZJRgABAQ

REV:2008-04-24T19:52:43Z
END:VCARD
"""
NOBODY = "BEGIN:VCARD\nVERSION:3.0\nFN:Nobody\nTEL:+1 555 0100\nEND:VCARD\n"
NONSENSE = "BEGIN:VCARD\nVERSION:3.0\nUID:x\nnonsense\nEND:VCARD\n"
ENDLESS = "BEGIN:VCARD\nVERSION:3.0\nUID:y\n"
CARDS = [SIMON, FRANK, GROUP, JANE, ALICE, NOBODY, NONSENSE, ENDLESS]


class TestCards(LoaderContract):
    loader = ContactsLoader
    files = {"people.vcf": "".join([*CARDS, FRANK])}
    good = {"users": 4}
    refused = [
        ("users", "people.vcf", 68, "UID"),
        ("users", "people.vcf", 73, "record"),
        ("users", "people.vcf", 78, "record"),
    ]
    skipped = {"users": {NO_PERSON: 1}}
    earliest, latest = "1995-10-31", "2008-04-25"

    def stretches(self, content: bytes, has_header: bool) -> tuple[bytes, list[bytes]]:
        # The card without an end stays with the one after it, which it would take in otherwise.
        cards = [card.encode() for card in CARDS]
        return b"", [*cards[:-1], cards[-1] + FRANK.encode()]


GOOGLE = (
    "First Name,Middle Name,Last Name,Nickname,Organization Name,Organization Title,Birthday,Notes,Labels,"
    "E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,"
    "Address 1 - City,Address 1 - Country\n"
)
GRACE = (
    "Grace,Brewster,Hopper,Amazing,US Navy,Rear Admiral,1906-12-09,private,* myContacts ::: Navy ::: * starred,"
    "* Work,Grace@navy.example ::: g2@navy.example,Other,g3@example.com,Mobile,+1 555 0199,Arlington,USA\n"
)
NO_ID = "Ada,,Lovelace,,,,,,* myContacts,,,,,,+44,London,\n"
NO_ADDRESS = "Bob,,B,,,,,,* myContacts,,bob at home,,,,,,\n"


class TestGoogle(LoaderContract):
    loader = ContactsLoader
    files = {
        "contacts.csv": GOOGLE
        + GRACE
        + NO_ID
        + NO_ADDRESS
        + "," * 16
        + "\n"
        + 'Cy,,C,,,,,"a\nb",,,c@x.org,,,,,,\n'
    }
    good = {"users": 2}
    refused = [
        ("users", "contacts.csv", 3, "E-mail 1 - Value"),
        ("users", "contacts.csv", 4, "E-mail 1 - Value"),
    ]
    skipped = {"users": {BLANK: 1}}

    def stretches(self, content: bytes, has_header: bool) -> tuple[bytes, list[bytes]]:
        head, *lines = content.splitlines(keepends=True)
        return head, [*lines[:-2], lines[-2] + lines[-1]]


def load(folder: Path, content: str | bytes, name: str = "c.vcf") -> Loaded:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Loaded.of(ContactsLoader(), [path])


def people(folder: Path, content: str | bytes, name: str = "c.vcf") -> dict[str, dict[str, Any]]:
    loaded = load(folder, content, name)
    assert not any(loaded.rejected.values()), loaded.rejected
    return {one.id: one.properties for one in loaded.rows["users"]}


def test_the_cards_of_the_specifications(tmp_path: Path) -> None:
    assert people(tmp_path, SIMON + FRANK) == {
        "simon.perreault@viagenie.ca": {
            "name": "Simon Perreault",
            "given_name": "Simon",
            "family_name": "Perreault",
            "birthday": "--0203",
            "gender": "M",
            "language": "fr",
            "organisation": "Viagenie",
            "city": "Quebec",
            "region": "QC",
            "country": "Canada",
            "phone": "+1-418-656-9254;ext=102",
            "phones": ["+1-418-656-9254;ext=102", "+1-418-262-6501"],
            "email": "simon.perreault@viagenie.ca",
        },
        "frank_dawson@lotus.com": {
            "name": "Frank Dawson",
            "organisation": "Lotus Development Corporation",
            "city": "Raleigh",
            "region": "NC",
            "country": "U.S.A.",
            "phone": "+1-919-676-9515",
            "email": "frank_dawson@lotus.com",
            "emails": ["Frank_Dawson@Lotus.com", "fdawson@earthlink.net"],
        },
    }


def test_escapes_groups_and_ids(tmp_path: Path) -> None:
    assert people(tmp_path, JANE) == {
        "4FBE8971-0bc3-424c-9c26-36c3e1eff6b1": {
            "name": "Jane Doe",
            "given_name": "Jane",
            "family_name": "Doe",
            "nickname": "Jen, the",
            "organisation": "Acme, Inc.",
            "department": "R;D",
            "title": "Head of Tea\nand Soap",
            "birthday": "1996-04-15",
            "categories": ["news,weekly", "vip"],
            "email": "jane@example.com",
        }
    }
    (row,) = load(tmp_path, JANE).rows["users"]
    assert row.updated_at == 815_178_430_000


def test_cards_of_old_telephones(tmp_path: Path) -> None:
    assert people(tmp_path, ALICE) == {
        "alice@example.com": {"name": "Alïce Müller", "email": "alice@example.com"}
    }
    wrong = ALICE.replace("ISO-8859-1", "UTF-8")
    (refused,) = load(tmp_path, wrong).rejected["users"]
    assert (refused.field, refused.reason) == ("FN", "its quoted-printable text is not UTF-8")


def test_a_card_in_another_encoding_is_refused_and_the_rest_is_not(tmp_path: Path) -> None:
    loaded = load(tmp_path, FRANK.replace("Frank D", "Françk D").encode("cp1252") + SIMON.encode())
    (refused,) = loaded.rejected["users"]
    assert (refused.line, refused.field) == (1, "row")
    assert refused.reason == "is not UTF-8 in its field 3, 'FN:Fran\\\\xe7k Dawson': save the file as UTF-8"
    assert [row.id for row in loaded.rows["users"]] == ["simon.perreault@viagenie.ca"]
    assert people(tmp_path, SIMON.replace("Simon P", "Simön P").encode("utf-16")).popitem()[1]["name"] == (
        "Simön Perreault"
    )


@pytest.mark.parametrize(
    ("card", "field", "reason"),
    [
        (NOBODY, "UID", "is missing, and so is EMAIL: one of them says who it is"),
        (NONSENSE, "record", "'nonsense' is no property of a card: NAME:value"),
        (ENDLESS, "record", "does not end in END:VCARD: it is cut, or another card begins within it"),
        ("END:VCARD\n", "record", "stands outside of BEGIN:VCARD and END:VCARD"),
        (JANE.replace("19951031T222710Z", "soon"), "updated_at", "'soon' is no time"),
    ],
)
def test_bad_cards_say_what_is_wrong(tmp_path: Path, card: str, field: str, reason: str) -> None:
    loaded = load(tmp_path, SIMON + card + SIMON.replace("simon", "other"))
    (refused,) = loaded.rejected["users"]
    assert (refused.line, refused.field, refused.reason[: len(reason)]) == (20, field, reason)
    assert len(loaded.rows["users"]) == 2


def test_of_two_cards_of_one_person_both_are_read(tmp_path: Path) -> None:
    rows = load(tmp_path, JANE + JANE.replace("1995", "1996").replace("Tea", "Coffee")).rows["users"]
    assert [(row.id, row.properties["title"].split()[2]) for row in rows] == [
        ("4FBE8971-0bc3-424c-9c26-36c3e1eff6b1", "Tea"),
        ("4FBE8971-0bc3-424c-9c26-36c3e1eff6b1", "Coffee"),
    ]


def test_compressed_cards(tmp_path: Path) -> None:
    assert list(people(tmp_path, gzip.compress(SIMON.encode()), "c.vcf.gz")) == [
        "simon.perreault@viagenie.ca"
    ]


def test_google_contacts_of_either_time(tmp_path: Path) -> None:
    assert people(tmp_path, GOOGLE + GRACE, "contacts.csv") == {
        "grace@navy.example": {
            "name": "Grace Hopper",
            "given_name": "Grace",
            "family_name": "Hopper",
            "nickname": "Amazing",
            "organisation": "US Navy",
            "title": "Rear Admiral",
            "birthday": "1906-12-09",
            "categories": ["Navy", "starred"],
            "email": "grace@navy.example",
            "emails": ["Grace@navy.example", "g2@navy.example", "g3@example.com"],
            "phone": "+1 555 0199",
            "city": "Arlington",
            "country": "USA",
        }
    }
    older = (
        "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Organization 1 - Name\n"
        "Ann Lee,Ann,Lee,* myContacts,* Home,ann@x.org,Acme\n"
    )
    assert people(tmp_path, older, "contacts.csv")["ann@x.org"] == {
        **{"name": "Ann Lee", "given_name": "Ann", "family_name": "Lee", "email": "ann@x.org"},
        "organisation": "Acme",
    }


def test_outlook(tmp_path: Path) -> None:
    text = (
        "Title,First Name,Last Name,Company,Job Title,E-mail Address,E-mail 2 Address,Mobile Phone,Business Fax,"
        "Business City,Business Country/Region,Birthday,Categories,Notes\n"
        "Dr,Bob,Builder,BuildCo,Foreman,bob@x.org,b2@x.org,081,02,Leeds,UK,0/0/00,Friends;VIP,x\n"
    )
    assert people(tmp_path, text, "outlook.csv") == {
        "bob@x.org": {
            **{
                "name": "Bob Builder",
                "given_name": "Bob",
                "family_name": "Builder",
                "organisation": "BuildCo",
            },
            **{"title": "Foreman", "email": "bob@x.org", "emails": ["bob@x.org", "b2@x.org"], "phone": "081"},
            **{"city": "Leeds", "country": "UK", "categories": ["Friends", "VIP"]},
        }
    }


def test_hubspot(tmp_path: Path) -> None:
    text = (
        "Record ID,First Name,Last Name,Email,Phone Number,Lifecycle Stage,Lead Status,Original Source,Create Date,"
        "Last Modified Date,Email Domain\n"
        "101,Camille,Durand,Camille@x.org,N/A,Customer,OPEN,Organic Search,2024-03-12 09:14,2024-03-13 09:14,x.org\n"
    )
    (row,) = load(tmp_path, text, "hubspot.csv").rows["users"]
    assert (row.id, row.updated_at) == ("101", 1_710_321_240_000)
    assert row.properties == {
        **{
            "name": "Camille Durand",
            "given_name": "Camille",
            "family_name": "Durand",
            "email": "camille@x.org",
        },
        **{"lifecycle_stage": "Customer", "lead_status": "OPEN", "lead_source": "Organic Search"},
        "created_at": "2024-03-12 09:14",
    }


def test_salesforce(tmp_path: Path) -> None:
    text = (
        "Id,IsDeleted,FirstName,LastName,Title,Email,MobilePhone,MailingCity,LeadSource,HasOptedOutOfEmail,"
        "LastModifiedDate\n"
        "003A,false,Ann,Lee,Buyer,ann@x.org,1,Leeds,Web,1,2024-01-15T10:00:00.000Z\n"
        "003B,true,Bob,Lee,,,,,,0,2024-01-15T10:00:00.000Z\n"
        "003C,false,Cy,Lee,,,,,,0,1/15/2024\n"
    )
    loaded = load(tmp_path, text, "Contact.csv")
    (row,) = loaded.rows["users"]
    assert row.properties == {
        **{
            "name": "Ann Lee",
            "given_name": "Ann",
            "family_name": "Lee",
            "title": "Buyer",
            "email": "ann@x.org",
        },
        **{"phone": "1", "city": "Leeds", "lead_source": "Web", "email_opt_out": True},
    }
    assert loaded.skipped["users"] == {DELETED: 1}
    (refused,) = loaded.rejected["users"]
    assert (refused.line, refused.field) == (4, "updated_at")


def test_headers_with_names_twice_newlines_and_none(tmp_path: Path) -> None:
    text = 'Email,"Notes\n(private)",Notes,Notes,\nann@x.org,a,b,c,d\n'
    assert people(tmp_path, text, "c.csv") == {"ann@x.org": {"email": "ann@x.org"}}


def test_other_tables_and_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Contacts hold no events"):
        ContactsLoader().sources([tmp_path / "a.vcf"], "events")
    with pytest.raises(SourceError, match="No column of record ids or e-mail addresses"):
        load(tmp_path, "a,b\n1,2\n", "a.csv")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("", [""]),
        ("a,b", ["a", "b"]),
        (r"a\,b,c", ["a,b", "c"]),
        (r"\\,a", ["\\", "a"]),
        (r"a\,b,", ["a,b", ""]),
    ],
)
def test_values_are_split_where_nothing_escapes(value: str, parts: list[str]) -> None:
    assert split(value, ",") == parts


@pytest.mark.parametrize("line", [":value", "A B:c", 'TEL;TYPE="a:b', "FN"])
def test_lines_that_are_no_properties(line: str) -> None:
    with pytest.raises(CardError, match="is no property of a card"):
        read_card(f"BEGIN:VCARD\n{line}\nEND:VCARD")
