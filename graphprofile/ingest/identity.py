"""What an event is (its content as a hash), and an id for events that bring none."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from graphprofile.ingest.columns import first, numbers_as_json, texts_as_json
from graphprofile.ingest.occurrences import Occurrences


def content_digests(checked: pl.DataFrame) -> bytes:
    """SHA-256 of every row's canonical text, 32 bytes each, one after the other."""
    if not checked.height:
        return b""
    text = checked.select(
        pl.concat_str(
            pl.lit('["'),
            "type",
            pl.lit('",'),
            texts_as_json(checked["user_id"]),
            pl.lit(',"'),
            "object_kind",
            pl.lit('",'),
            texts_as_json(checked["object_id"]),
            pl.lit(","),
            "ts",
            pl.lit(","),
            numbers_as_json(checked["value"]).fill_null("null"),
            pl.lit(","),
            texts_as_json(checked["ts_precision"]).fill_null("null"),
            pl.lit(","),
            "canonical",
            pl.lit("]"),
        ).cast(pl.Binary)
    ).to_series()
    # A copy of a started hash is a quarter cheaper than a new one, and this line is half of all checking.
    fresh = hashlib.sha256().copy
    digests = []
    for row in text.to_list():
        digest = fresh()
        digest.update(row)
        digests.append(digest.digest())
    return b"".join(digests)


def hex_digits(digests: bytes) -> pl.Series:
    """The first 32 hex digits of each digest."""
    import pyarrow as pa

    count = len(digests) // 32
    halves = np.frombuffer(digests, dtype=np.uint8).reshape(count, 32)[:, :16].tobytes()
    array = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(halves)])
    return pl.Series("hash", array, dtype=pl.Binary).bin.encode("hex")


def complete_ids(given: pl.Series, digests: bytes, hashes: pl.Series, occurrences: Occurrences) -> pl.Series:
    """Ids for events without one: the hash of their content, and a number from the second of a kind on."""
    open_rows = given.is_null()
    if not open_rows.any():
        return given
    keys = np.frombuffer(digests, dtype=">u8").reshape(-1, 4)[:, 0].astype(np.uint64)
    mask = open_rows.to_numpy()
    number = np.ones(len(keys), dtype=np.int64)
    number[mask] = occurrences.number(keys[mask])
    later = pl.Series(number)
    made = pl.select(
        pl.when(later > 1)
        .then(pl.lit(hashes) + "-" + pl.lit(later.cast(pl.String)))
        .otherwise(pl.lit(hashes))
    ).to_series()
    return first(given, made)
