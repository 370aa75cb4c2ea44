"""Tags from a short text alone: the words that name a thing, in the singular, and its colours.

What a text gives depends on that text only, so items may come in any order and in any number of files. Words are found
by scikit-learn's analyzer and its English stop words. Only the number of a word is taken back: "lights" and "light" are
one tag, while "painted", "hanging" or "wooden" stay what they say. Plurals come from simplemma's dictionary; a word it
has never seen loses its ending by the rules of the S-stemmer (Harman, How effective is suffixing?, JASIS 1991).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

COLOURS = frozenset("black blue brown green grey orange pink purple red white yellow".split())
"""The eleven basic colour terms of English (Berlin and Kay, Basic Color Terms, 1969)."""
SHORTEST = 3
"""Letters of the shortest word: below are units, initials and sizes."""

_WORD = r"[^\W\d_]+(?:-[^\W\d_]+)*"
_POSSESSIVE = re.compile(r"['’`]s?\b")
_S_RULES = (("ies", "y", ("eies", "aies")), ("es", "e", ("aes", "ees", "oes")), ("s", "", ("us", "ss", "is")))


def tags_of(text: str, ignored: Iterable[str] = ()) -> list[str]:
    """``colour:red``, ``word:bag`` …, each once, in the order of the text.

    Args:
        text: A title or a short description, in English.
        ignored: Words, in the singular, that say nothing in this source.
    """
    left_out = frozenset(ignored)
    found: dict[str, None] = {}
    for word in _analyzer()(text):
        name = singular(word)
        if len(name) >= SHORTEST and name not in left_out:
            found[f"colour:{name}" if name in COLOURS else f"word:{name}"] = None
    return list(found)


@cache
def singular(word: str) -> str:
    """The singular of a small-letter word that looks like a plural; any other word as it is."""
    from simplemma import is_known, lemmatize

    if not word.endswith("s") or len(word) <= SHORTEST:
        return word
    lemma = lemmatize(word, lang="en").lower()
    if lemma != word or is_known(word, lang="en"):
        return lemma
    for ending, instead, except_after in _S_RULES:
        if word.endswith(ending):
            return word if word.endswith(except_after) else word.removesuffix(ending) + instead
    return word


@cache
def _analyzer() -> Callable[[str], list[str]]:
    from sklearn.feature_extraction.text import CountVectorizer

    split: Callable[[str], list[str]] = CountVectorizer(
        preprocessor=lambda text: _POSSESSIVE.sub("", text.lower()), token_pattern=_WORD, stop_words="english"
    ).build_analyzer()
    return split
