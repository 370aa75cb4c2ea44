from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from graphprofile.pipeline import ahead, made_ahead


def numbers(made: list[int], closed: list[bool], fail_at: int = -1) -> Generator[int, None, None]:
    try:
        for number in range(5):
            if number == fail_at:
                raise ValueError("no more")
            made.append(number)
            yield number
    finally:
        closed.append(True)


def test_the_same_pieces_one_ahead() -> None:
    made: list[int] = []
    closed: list[bool] = []
    for number in ahead(numbers(made, closed)):
        assert len(made) <= number + 2
    assert made == [0, 1, 2, 3, 4]
    assert closed == [True]


def test_what_making_raises_comes_in_its_place() -> None:
    closed: list[bool] = []
    seen: list[int] = []
    with pytest.raises(ValueError, match="no more"):
        seen.extend(ahead(numbers([], closed, fail_at=3)))
    assert seen == [0, 1, 2]
    assert closed == [True]


def test_who_breaks_off_leaves_no_thread() -> None:
    made: list[int] = []
    closed: list[bool] = []
    before = threading.active_count()
    pieces = ahead(numbers(made, closed))
    assert next(pieces) == 0
    pieces.close()
    assert closed == [True]
    assert len(made) <= 2
    assert threading.active_count() == before


def test_results_made_side_by_side_come_in_order_and_not_too_many_wait() -> None:
    begun: list[int] = []
    both = threading.Barrier(2, timeout=10)

    def make(number: int) -> int:
        begun.append(number)
        both.wait()  # Passes only where two are made at once.
        return number * number

    for number, made in enumerate(made_ahead(make, range(6))):
        assert made == number * number
        assert len(begun) <= number + 3
    assert sorted(begun) == list(range(6))


def test_what_a_thread_raises_comes_in_its_place_and_ends_the_rest() -> None:
    begun: list[int] = []

    def make(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError("no more")
        return number

    seen: list[int] = []
    with pytest.raises(ValueError, match="no more"):
        seen.extend(made_ahead(make, range(100)))
    assert seen == [0, 1]
    assert len(begun) <= 5
