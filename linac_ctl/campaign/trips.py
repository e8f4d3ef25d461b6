"""What the trips of a whole run say, whatever caused them: how fast the permit fell, in which states, and whether for nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from device_models.referee.columns import Flag

from ..control.phases import Phase
from .track import MS, Track

NEEDED = Flag.PERMIT | Flag.CHANNEL | Flag.CHAIN | Flag.HV_ON  # for a pulse


def trip_to_permit_ms(track: Track, history: Sequence[Any]) -> float | None:
    """The worst of all trips that found the permit given; None if none did.

    Where the permit's own wire is the fault the channel's chain is what opens, or the high voltage goes, or the permit is an old
    one, which the beam does not take: without any of them there is no beam.
    """
    given, worst = track.has(NEEDED) & ~track.has(Flag.OLD), None
    for trip in history:
        row = track.at(trip.cycle)
        if trip.stop == "inhibit" or row >= len(given) or not given[row]:
            continue
        low = np.flatnonzero(~given[row:])
        took = (int(track.cycle[row + low[0]]) - trip.cycle if len(low) else len(given) - row) * MS
        worst = took if worst is None else max(worst, took)
    return worst


def visited(track: Track, history: Sequence[Any]) -> tuple[str, ...]:
    """state:interlock, once each."""
    found = set()
    for trip in history:
        row = min(track.at(trip.cycle), len(track.cycle) - 1)
        state = int(track.rows["phase"][row])
        found.add(f"{(Phase(state).name or str(state)).lower()}:{trip.id}")
    return tuple(sorted(found))


def false_trip(history: Sequence[Any]) -> str:
    """The first stop of trips that no fault can have caused; "" for none. A hold that goes by itself is none."""
    return next((trip.id for trip in history if trip.stop in ("interrupt", "terminate", "estop")), "")


def before_faults(events: Sequence[Any], history: Sequence[Any]) -> Sequence[Any]:
    """Trips that were told before the first fault was injected: in order of the record, as a fault may change the cycle count."""
    first = next((k for k, event in enumerate(events) if event.who == "fault"), len(events))
    return history[:sum(event.who == "interlock" for event in events[:first])]
