"""Arrays of yes and no along the cycles: how long, since when, where from and to."""

from typing import Any

import numpy as np

LONG = 1 << 40


def run_length(so: Any) -> Any:
    """(n,) for how many cycles in a row this has been so, this one included; 0 where it is not."""
    if not so.any():
        return np.zeros(len(so), np.int64)
    index = np.arange(1, len(so) + 1)
    last_not = np.maximum.accumulate(np.where(so, 0, index))
    return np.where(so, index - last_not, 0)


def forward(event: Any) -> Any:
    """(n,) cycles since this was last so; 0 where it is, very many before the first time."""
    index = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, index, -LONG))
    return index - last


def rises(so: Any) -> Any:
    """Indices at which it becomes so."""
    return np.flatnonzero(so & ~np.concatenate([[False], so[:-1]]))


def falls(so: Any) -> Any:
    """Indices at which it is so no more."""
    return np.flatnonzero(~so & np.concatenate([[False], so[:-1]]))


def pieces(so: Any) -> list[tuple[int, int]]:
    """(first, one past the last) of every stretch in which it is so."""
    return list(zip(rises(so).tolist(), [*falls(so).tolist(), len(so)]))


def before(values: Any, first: Any) -> Any:
    """(n,) the value one cycle earlier; `first` before there is one."""
    return np.concatenate([[first], values[:-1]])
