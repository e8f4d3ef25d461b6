"""Tables in which every two values of different columns meet in some row, in as few rows as the fixed columns allow."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import combinations

Row = tuple[Hashable, ...]


def covered(fixed: Iterable[Row], columns: Sequence[Sequence[Sequence[Hashable]]]) -> Iterator[Row]:
    """Each fixed row with a value for every further column.

    `columns[k][i]`: what column k may be in row i. Each value is the one that makes most new meetings with those before it in the
    row; of equals the one used least, then the first.
    """
    met: set[tuple[int, Hashable, int, Hashable]] = set()
    used: dict[tuple[int, Hashable], int] = {}
    for i, start in enumerate(fixed):
        row = list(start)
        for k, column in enumerate(columns):
            at = len(start) + k
            row.append(min(column[i], key=lambda v: (-_new(met, row, at, v), used.get((at, v), 0))))
            used[at, row[-1]] = used.get((at, row[-1]), 0) + 1
        met.update((a, row[a], b, row[b]) for a, b in combinations(range(len(row)), 2))
        yield tuple(row)


def _new(met: set[tuple[int, Hashable, int, Hashable]], row: list[Hashable], at: int, value: Hashable) -> int:
    return sum((k, before, at, value) not in met for k, before in enumerate(row))
