"""Numbers that may be none: what is worse, what is closed, what can be a distance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linac_ctl.control.worst import closed, known_mm, lesser, worst

NAN, INF = float("nan"), float("inf")
NUMBERS = st.floats(allow_nan=False)


@pytest.mark.parametrize(("x", "y", "larger", "smaller"), [
    (1.0, 2.0, 2.0, 1.0), (2.0, 1.0, 2.0, 1.0), (-3.0, -2.0, -2.0, -3.0), (5.0, 5.0, 5.0, 5.0), (0.0, INF, INF, 0.0),
    (-INF, 0.0, 0.0, -INF),
])
def test_of_two_numbers_the_larger_is_worst_and_the_smaller_lesser(x: float, y: float, larger: float, smaller: float) -> None:
    assert (worst(x, y), lesser(x, y)) == (larger, smaller)


@given(NUMBERS, st.booleans())
def test_what_is_no_number_wins_on_either_side(x: float, first: bool) -> None:
    pair = (NAN, x) if first else (x, NAN)
    assert math.isnan(worst(*pair)) and math.isnan(lesser(*pair))


@given(NUMBERS, NUMBERS)
def test_the_order_of_two_numbers_does_not_matter(x: float, y: float) -> None:
    assert worst(x, y) == worst(y, x) >= lesser(x, y) == lesser(y, x)
    assert {worst(x, y), lesser(x, y)} == {x, y}


@pytest.mark.parametrize(("says", "is_closed"), [(1.0, 1.0), (0.0, 0.0), (0.999, 0.0), (1.001, 0.0), (2.0, 0.0), (-1.0, 0.0),
                                                 (INF, 0.0), (-INF, 0.0)])
def test_a_contact_is_closed_when_it_says_one_and_nothing_else(says: float, is_closed: float) -> None:
    assert closed(says) == is_closed


def test_a_contact_that_says_no_number_is_neither_open_nor_closed() -> None:
    assert math.isnan(closed(NAN))


@pytest.mark.parametrize("distance_mm", [0.0, -0.5, 3.25, 1e5, -1e5])
def test_a_distance_in_the_room_is_what_it_is(distance_mm: float) -> None:
    assert known_mm(distance_mm) == distance_mm


@pytest.mark.parametrize("distance_mm", [100000.5, -100000.5, 1e300, INF, -INF, NAN])
def test_a_distance_that_no_room_has_is_unknown(distance_mm: float) -> None:
    assert math.isnan(known_mm(distance_mm))
