"""Parameters as the driver is given them: with lists that it need not print.

The driver writes the ``repr`` of all parameters of every statement for its debug log, also where nobody listens (5.26
to 6.4). For a thousand vectors of 64 numbers that takes ten times as long as packing and sending them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEW = 8
"""A list this short is printed faster than it is wrapped, and good to see in a log."""


class Unprinted(list[Any]):
    """A list like any other to the driver, which tells its length only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<list of {len(self)}>"


def unprinted(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The same parameters; long lists among them are copied, what they hold is not."""
    return {
        name: Unprinted(value) if type(value) is list and len(value) > FEW else value
        for name, value in parameters.items()
    }
