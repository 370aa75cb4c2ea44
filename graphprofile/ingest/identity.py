"""What an event is (its content as a hash), and an id for events that bring none."""

from __future__ import annotations

import numpy as np
import polars as pl
import polars_hash

from graphprofile.ingest.columns import first, numbers_as_json, texts_as_json, texts_in_json
from graphprofile.ingest.occurrences import Occurrences


def content_hashes(checked: pl.DataFrame) -> pl.Series:
    """``content_hash`` of every row's ``canonical_event``."""
    texts = checked.select(
        pl.format(
            '["{}","{}","{}","{}",{},{},{},{}]',
            "type",
            texts_in_json(checked["user_id"]),
            "object_kind",
            texts_in_json(checked["object_id"]),
            "ts",
            numbers_as_json(checked["value"]).fill_null("null"),
            texts_as_json(checked["ts_precision"]).fill_null("null"),
            "canonical",
        ).alias("hash")
    )
    # A column at once and outside of Python: hashlib takes four times as long, one call a row.
    return texts.select(polars_hash.col("hash").chash.sha2_256().str.head(32)).to_series()


def complete_ids(given: pl.Series, hashes: pl.Series, occurrences: Occurrences) -> pl.Series:
    """Ids for events without one: the hash of their content, and a number from the second of a kind on."""
    mask = given.is_null()
    if not mask.any():
        return given
    keys = hashes.filter(mask).str.head(16).str.to_integer(base=16, dtype=pl.UInt64)
    number = np.ones(len(given), dtype=np.int64)
    number[mask.to_numpy()] = occurrences.number(keys.to_numpy())
    if number.max() == 1:
        return first(given, hashes)
    later = pl.Series(number)
    made = pl.select(pl.when(later > 1).then(pl.format("{}-{}", hashes, later)).otherwise(hashes)).to_series()
    return first(given, made)
