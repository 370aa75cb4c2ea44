"""What the name of a column says: whose it is, a time, an amount, a word that tells who somebody is."""

from __future__ import annotations

import re

NAMES = {
    "user": r"user|customer|client|member|visitor|account|buyer|reader|patron|borrower|subscriber|person|uid"
    r"|student|learner|actor|guest|patient|kunden?|cliente|utilisateur|benutzer|nutzer",
    "object": r"item|product|sku|stock ?code|article|movie|film|book|track|song|asin|isbn|video|course"
    r"|lesson|recipe|game|listing|produkt|artikel|producto|produit",
    "content": r"content|post|page|url|document|story",
    "event": r"event|action|activity|behaviou?r|verb|interaction|status|type|kind",
    "time": r"time|date|timestamp|ts|created|occurred|when|at|datum|fecha|day",
    "rating": r"rating|score|stars?|grade|bewertung",
    "amount": r"price|amount|total|revenue|value|cost|spend|sum|[^\W\d_]*preis|[^\W\d_]*betrag|umsatz"
    r"|prix|precio|montant|importe",
    "title": r"title|name|description|titel|bezeichnung|beschreibung|titre|nom|nombre",
    "tags": r"categor\w*|genres?|tags?|topics?|brand|department|subject|label|class|kategorie|[^\W\d_]*gruppe",
    "text": r"text|body|abstract|summary",
    "key": r"event|order|transaction|invoice|receipt|log|id|uuid|guid",
    "group": r"order|bestellung|bestellnr|rechnung|commande|pedido|transaction|invoice|receipt|session|visit"
    r"|basket|cart|event|log|row|line|uuid|guid",
    "private": r"e?-?mail|phone|mobile|address|street|birth|dob|iban|ssn|passport|password|first|last|surname|ip",
    "agent": r"agent|ua|browser",
    "unit": r"currency|curr|ccy|unit|waehrung|währung|devise|moneda|valuta",
    "code": r"id|code|key|nr|no|number|nummer|sku|asin|isbn|ean|gtin|upc",
    "count": r"views|visits|clicks|count|num|quantity|qty|duration|seconds|minutes|ms|size|length|menge|anzahl",
    "dimension": r"device|os|platform|country|city|region|state|language|lang|locale|channel|source|medium|gender|sex"
    r"|age|version|app|referr?er|campaign|land|stadt|sprache",
    "changed": r"update\w*|modif\w*|change\w*|valid|snapshot",
}


def named(role: str, name: str) -> bool:
    """Whether a column's name has a word of a role."""
    return re.search(rf"(?<![^\W\d_])(?:{NAMES[role]})(?![^\W\d_])", words(name)) is not None


def is_just(role: str, name: str) -> bool:
    """Whether a column's name is a word of a role and nothing else."""
    return re.fullmatch(NAMES[role], words(name)) is not None


def words(name: str) -> str:
    """``CustomerID`` as ``customer id``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    plain = re.sub(r"[\W_]+", " ", parted).strip().lower()
    plain = re.sub(r"\b(user|kunden?|produkt|artikel)(?=(?:name|nr|nummer|id)\b)", r"\1 ", plain)
    return re.sub(r"(?<=[a-z]{3})id\b", " id", plain)
