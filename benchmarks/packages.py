"""Makes a matrix for ``benchmarks/retrieval.py`` out of an index of Debian packages: who depends on what.

    /usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*_main_*Packages* | python benchmarks/packages.py OUT.npz

Rows are packages, columns what they depend on (the first of alternatives, versions left out), each pair once. Rows and
columns with fewer than ``--least`` pairs are left out until none is left. No setting of ours was ever chosen on it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp

FIELDS = ("Depends", "Pre-Depends")
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*")


def pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(package, what it depends on); fields of an index are never folded."""
    package = ""
    for line in lines:
        field, _, text = line.partition(": ")
        if field == "Package":
            package = text.strip()
        elif field in FIELDS:
            for part in text.split(","):
                name = NAME.match(part.strip())
                if name:
                    yield package, name[0]


def core(found: np.ndarray, least: int) -> np.ndarray:
    """The pairs of rows and columns that have so many [num_pairs, 2]."""
    while len(found):
        enough = np.ones(len(found), dtype=np.bool_)
        for side in (0, 1):
            _, place, count = np.unique(found[:, side], return_inverse=True, return_counts=True)
            enough &= count[place] >= least
        if enough.all():
            break
        found = found[enough]
    return found


def main() -> int:
    """Read the index from standard input, and write the matrix."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT.npz")
    parser.add_argument("--least", type=int, default=5, help="pairs of a row or a column")
    arguments = parser.parse_args()
    found = core(np.array(sorted(set(pairs(sys.stdin)))), arguments.least)
    if not len(found):
        parser.error("standard input holds no index of packages")
    rows, row = np.unique(found[:, 0], return_inverse=True)
    columns, column = np.unique(found[:, 1], return_inverse=True)
    ones = np.ones(len(found), dtype=np.float32)
    matrix = sp.csr_matrix((ones, (row, column)), shape=(len(rows), len(columns)))
    sp.save_npz(arguments.out, matrix)
    print(f"{len(found):,} pairs of {len(rows):,} packages and {len(columns):,} others in {arguments.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
