"""Arrays of yes and no along the cycles: how long, since when, where from and to."""

from typing import Any

import numpy as np

LONG = 1 << 40


def run_length(so: Any) -> Any:
    """(n,) for how many cycles in a row this has been so, this one included; 0 where it is not."""
    found = np.zeros(len(so), np.int64)
    for first, last in pieces(so):
        found[first:last] = np.arange(1, last - first + 1)
    return found


def forward(event: Any) -> Any:
    """(n,) cycles since this was last so; 0 where it is, very many before the first time."""
    index = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, index, -LONG))
    return index - last


def changes(values: Any) -> Any:
    """Indices at which a value is another one than a cycle earlier."""
    return np.flatnonzero(values[1:] != values[:-1]) + 1


def rises(so: Any) -> Any:
    """Indices at which it becomes so."""
    at = changes(so)
    return np.concatenate([[0], at[1::2]]) if len(so) and so[0] else at[::2]


def falls(so: Any) -> Any:
    """Indices at which it is so no more."""
    at = changes(so)
    return at[::2] if len(so) and so[0] else at[1::2]


def pieces(so: Any) -> list[tuple[int, int]]:
    """(first, one past the last) of every stretch in which it is so."""
    ends = [*([0] if len(so) and so[0] else []), *changes(so).tolist(), len(so)]
    return list(zip(ends[::2], ends[1::2]))


def before(values: Any, first: Any) -> Any:
    """(n,) the value one cycle earlier; `first` before there is one."""
    return np.concatenate([[first], values[:-1]])
