"""The command, with as many times fewer rows in memory, in a block and on disk: ``python scaled.py 10 load FILE …``.

So files of some thousand rows go the ways of files of some hundred thousand, and many more kills fit into an hour.
"""

import sys

from graphprofile.cli import main
from graphprofile.ingest import blocks, stretches

if __name__ == "__main__":
    times = int(sys.argv.pop(1))
    stretches.HELD_ROWS //= times
    # Several lots in one file as well: their borders are where a resumed load could go wrong.
    stretches.LONG_ROWS = 2 * stretches.HELD_ROWS
    blocks.BLOCK_ROWS //= times
    blocks.WORTH_IT //= times
    main()
