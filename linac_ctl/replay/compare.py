"""The first place where two runs differ: an event, or a row and its column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from device_models.interface.image import DT_S

from ..records.events import Event
from ..records.rows import Rows
from ..runtime.overruns import WHO as CLOCK


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two runs part. `one` and `other`: what each of them has there; None = nothing more."""

    kind: str  # event, row or columns
    cycle: int
    what: str  # column, or the event's number
    one: Any
    other: Any
    more: tuple[str, ...] = ()  # further columns of the same row

    @property
    def text(self) -> str:
        """For people."""
        more = f", and {len(self.more)} more columns of that row" if self.more else ""
        return f"cycle {self.cycle} ({self.cycle * DT_S:.2f} s): {self.kind} {self.what}: {self.one} against {self.other}{more}"


def first_divergence(one: tuple[Rows, Sequence[Event]], other: tuple[Rows, Sequence[Event]]) -> Divergence | None:
    """Of rows and events, the earlier; of the same cycle, the row: it is what the event tells of."""
    found = [x for x in (first_row(one[0], other[0]), first_event(one[1], other[1])) if x is not None]
    return min(found, key=lambda x: x.cycle, default=None)


def first_row(one: Rows, other: Rows) -> Divergence | None:
    """Bit for bit; a value that is no number equals itself."""
    if one.columns != other.columns:
        strange = [name for name in (*one.columns, *other.columns) if (name in one.columns) != (name in other.columns)]
        return Divergence("columns", 0, strange[0] if strange else "in another order", len(one.columns), len(other.columns))
    n = min(len(one), len(other))
    a, b = (np.ascontiguousarray(rows.data[:n]).view(np.uint32) for rows in (one, other))
    if len(different := np.flatnonzero((a != b).any(axis=1))):
        return in_row(one, other, int(different[0]), np.flatnonzero(a[different[0]] != b[different[0]]))
    if len(one) != len(other):
        longer = one if len(one) > n else other
        return Divergence("row", int(longer["cycle"][n]), f"{n}, of one run only", f"{len(one)} rows", f"{len(other)} rows")
    return None


def in_row(one: Rows, other: Rows, row: int, columns: Any) -> Divergence:
    """The first column that differs, and the names of the others."""
    first, *more = (one.columns[i] for i in columns)
    return Divergence("row", int(one["cycle"][row]), f"{row}, column {first}", float(one[first][row]), float(other[first][row]),
                      tuple(more))


def first_event(one: Sequence[Event], other: Sequence[Event]) -> Divergence | None:
    """What the computer says of its punctuality is left out: it is of no machine."""
    a, b = ([event for event in events if event.who != CLOCK] for events in (one, other))
    for i, (mine, theirs) in enumerate(zip(a, b)):
        if mine.line() != theirs.line():
            return Divergence("event", min(mine.cycle, theirs.cycle), str(i + 1), told(mine), told(theirs))
    if len(a) != len(b):
        n = min(len(a), len(b))
        return Divergence("event", max(a, b, key=len)[n].cycle, str(n + 1), told_at(a, n), told_at(b, n))
    return None


def told_at(events: Sequence[Event], n: int) -> str | None:
    """None where there is no such event."""
    return told(events[n]) if n < len(events) else None


def told(event: Event) -> str:
    """One line."""
    return f"{event.who}: {event.what}{f' ({event.why})' if event.why else ''}"
