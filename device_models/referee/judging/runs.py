"""Arrays of yes and no along the cycles: how long, since when, where from and to."""

from typing import Any

import numpy as np

LONG = 1 << 40
FEW = 8  # pieces: with more of them one pass over everything is sooner done


def run_length(so: Any) -> Any:
    """(n,) for how many cycles in a row this has been so, this one included; 0 where it is not."""
    at = changes(so)
    if len(at) > 2 * FEW:
        return counted(so)
    found = np.zeros(len(so), np.int64)
    for first, last in pieces_between(so, at):
        found[first:last] = np.arange(1, last - first + 1)
    return found


def counted(so: Any) -> Any:
    """As `run_length`, in one pass."""
    index = np.arange(1, len(so) + 1)
    return index - np.maximum.accumulate(np.where(so, 0, index))


def forward(event: Any) -> Any:
    """(n,) cycles since this was last so; 0 where it is, very many before the first time."""
    index = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, index, -LONG))
    return index - last


def changes(values: Any) -> Any:
    """Indices at which a value is another one than a cycle earlier."""
    return (values[1:] != values[:-1]).nonzero()[0] + 1


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
    return pieces_between(so, changes(so))


def pieces_between(so: Any, at: Any) -> list[tuple[int, int]]:
    """As `pieces`, where it changes at these indices."""
    ends = [*([0] if len(so) and so[0] else []), *at.tolist(), len(so)]
    return list(zip(ends[::2], ends[1::2]))


def before(values: Any, first: Any) -> Any:
    """(n,) the value one cycle earlier; `first` before there is one."""
    return np.concatenate([[first], values[:-1]])
