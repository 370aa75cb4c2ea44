"""What an answer says on a scale: numbers on one that the question declares, and words of agreement and the like.

All scales become one of 1 to 5 with 3 in the middle, as Likert's (1932) has it, so that answers can be compared.
"""

from __future__ import annotations

import re
from functools import lru_cache

LOW, HIGH = 1.0, 5.0
LONGEST = 40
"""Characters of the longest answer that may be a word of a scale."""

_TOPS = "4|5|6|7|8|9|10|100"
_RANGES = (
    re.compile(rf"[(\[]\s*([01])\s*(?:-|–|—|to|\.\.)\s*({_TOPS})\s*[)\]]", re.IGNORECASE),
    re.compile(
        rf"\b(?:scale|from)\b[^.?!]{{0,40}}?\b([01])\s*(?:-|–|—|to|\.\.)\s*({_TOPS})\b", re.IGNORECASE
    ),
    re.compile(rf"\b([01])\s*(?:=|:|is|being)\s*[^\d]{{2,60}}\b({_TOPS})\s*(?:=|:|is|being)", re.IGNORECASE),
)
_RECOMMEND = re.compile(r"\bhow likely\b.*\brecommend", re.IGNORECASE)

_DEGREES = {
    **dict.fromkeys(("strongly", "completely", "totally", "entirely", "fully", "very", "extremely"), 2.0),
    **dict.fromkeys(("", "mostly", "quite", "rather", "tend to", "generally"), 1.0),
    **dict.fromkeys(("somewhat", "slightly", "a little", "partly", "moderately", "fairly"), 0.5),
}
_WORDS = {
    **dict.fromkeys(("agree", "satisfied", "likely", "happy", "easy", "useful", "helpful"), 1),
    **dict.fromkeys(
        ("disagree", "dissatisfied", "unsatisfied", "unlikely", "unhappy", "difficult", "useless"), -1
    ),
    **dict.fromkeys(("unhelpful",), -1),
}
_FIXED = {
    # How often (Vagias's anchors and their kin).
    **dict.fromkeys(("always", "every time"), 5.0),
    **dict.fromkeys(
        ("often", "very often", "frequently", "very frequently", "usually", "almost always"), 4.0
    ),
    **dict.fromkeys(("sometimes", "occasionally"), 3.0),
    **dict.fromkeys(("rarely", "seldom", "very rarely", "almost never", "hardly ever"), 2.0),
    "never": 1.0,
    # How good.
    **dict.fromkeys(("excellent", "outstanding"), 5.0),
    "very good": 4.5,
    "good": 4.0,
    **dict.fromkeys(("average", "fair", "acceptable", "okay", "ok"), 3.0),
    **dict.fromkeys(("poor", "bad", "below average"), 2.0),
    "above average": 4.0,
    **dict.fromkeys(("very poor", "very bad", "terrible", "awful"), 1.0),
    # How important.
    **dict.fromkeys(("extremely important", "very important"), 5.0),
    "important": 4.0,
    **dict.fromkeys(("moderately important", "somewhat important"), 3.0),
    "slightly important": 2.0,
    **dict.fromkeys(("unimportant", "not important", "not at all important"), 1.0),
    # In the middle.
    **dict.fromkeys(("neutral", "undecided", "neither", "neither good nor bad"), 3.0),
}
_NEITHER = re.compile(r"neither (\w+) (?:nor|or) (\w+)$")
_NOT = re.compile(r"not (at all|so|very|really|) ?(\w+)$")
_WITH_NUMBER = re.compile(r"\d{1,3}\s*(?:[-–—=:.)]|\s)\s*(\D.*)$|(\D.*?)\s*[(\[]\s*\d{1,3}\s*[)\]]$")


@lru_cache(maxsize=10_000)
def declared_scale(question: str) -> tuple[int, int] | None:
    """The scale that a question's text declares, ``(1-5)`` or ``on a scale of 0 to 10``.

    *How likely are you to recommend …* is the question of the Net Promoter Score (Reichheld 2003): 0 to 10.
    """
    for pattern in _RANGES:
        found = pattern.search(question)
        if found:
            return int(found[1]), int(found[2])
    return (0, 10) if _RECOMMEND.search(question) else None


@lru_cache(maxsize=100_000)
def word_value(answer: str) -> float | None:
    """Where an answer in words stands between 1 and 5; None where it is none of a scale.

    A word has its place whatever the others of its question are: what an answer says must not depend on who else
    answered.
    """
    text = " ".join(answer.lower().replace("’", "'").split()).rstrip(".!")
    found = _WITH_NUMBER.match(text)
    if found:
        text = (found[1] or found[2]).strip()
    if text in _FIXED:
        return _FIXED[text]
    neither = _NEITHER.match(text)
    if neither:
        known = [_WORDS.get(word) for word in neither.groups()]
        return 3.0 if known[0] is not None and known[1] is not None else None
    negated = _NOT.match(text)
    if negated and _WORDS.get(negated[2]) == 1:
        return 1.0 if negated[1] == "at all" else 2.0
    degree, _, word = text.rpartition(" ")
    if word not in _WORDS:
        # "agree strongly", "agree somewhat"
        word, _, degree = text.partition(" ")
    if word not in _WORDS or degree not in _DEGREES:
        return None
    return 3.0 + _WORDS[word] * _DEGREES[degree]
