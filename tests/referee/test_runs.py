"""Stretches of yes along the cycles: however many there are, the count is the same."""

import numpy as np
import pytest

from device_models.referee.judging.runs import FEW, pieces, run_length
from device_models.referee.judging.table import isin


def counted(so):
    """One cycle after the other."""
    found, n = [], 0
    for yes in so:
        n = n + 1 if yes else 0
        found.append(n)
    return found


@pytest.mark.parametrize("changes", [0, 1, 2, 2 * FEW - 1, 2 * FEW, 2 * FEW + 1, 99])
@pytest.mark.parametrize("first", [False, True])
def test_a_run_is_counted_from_its_first_cycle_whether_there_are_few_or_many(changes, first):
    so = np.array([first] * 3)
    for k in range(changes):
        so = np.concatenate([so, [first ^ (k % 2 == 0)] * (1 + k % 3)])
    assert run_length(so).tolist() == counted(so)
    assert [bool(so[a:b].all()) and (a == 0 or not so[a - 1]) for a, b in pieces(so)] == [True] * len(pieces(so))


def test_of_no_cycles_nothing_is_counted():
    assert run_length(np.zeros(0, bool)).tolist() == [] and pieces(np.zeros(0, bool)) == []


def test_whole_numbers_are_found_among_a_few():
    column = np.array([3, -1, 7, 3, 0])
    assert isin(column, (3, 7)).tolist() == np.isin(column, (3, 7)).tolist() and not isin(column, ()).any()
