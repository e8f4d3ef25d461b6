"""Who noticed a fault first, and what was done about it: read off the referee's trace and the interlock panel's history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from device_models.interface.image import SafetyOpen
from device_models.referee.columns import Flag

from ..control.phases import Reaction as Bit
from .row import Reaction
from .track import Track

SETTLE_CYCLES = 8  # a reaction shows itself in all its parts
STOPS = {"hold": "beam_hold", "interrupt": "beam_off", "terminate": "beam_off", "estop": "motion_stop"}
BITS = {Bit.BEAM_HOLD: "beam_hold", Bit.BEAM_OFF: "beam_off", Bit.TERMINATE: "beam_off", Bit.MOTION_STOP: "motion_stop",
        Bit.PREVENT_START: "prevent_start", Bit.PREVENT_MOTION: "prevent_motion"}
IMPLIED = {"beam_off": ("beam_hold", "prevent_start"), "beam_hold": ("prevent_start",), "motion_stop": ("prevent_motion",)}
OWN = {"open_door": "DOOR", "press_estop": "ESTOP", "press_stop": "ABORT"}  # what people do, and what has to trip for it
STRONGEST: tuple[Reaction, ...] = ("motion_stop", "beam_off", "beam_hold", "prevent_motion", "prevent_start", "none")


@dataclass(frozen=True, slots=True)
class Noticed:
    """Who noticed something first, and in which cycle."""

    name: str
    cycle: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a run beside its trace. `provoked`: acts of people in the session's own script that stop a machine: what
    trips for them is nobody's notice of a fault.
    """

    history: Sequence[Any]  # trips of the panel
    refused: bool = False  # the session ended with a refusal, which is a reaction too
    provoked: Sequence[str] = ()
    target_mm: float | None = None  # worst of all beams: the target off its place at the first pulse, truth; None = nobody knows


def own_trips(provoked: Iterable[str]) -> frozenset[str]:
    """Names of the interlocks that trip because of the session's own people."""
    return frozenset(OWN[act] for act in provoked if act in OWN)


def first_noticed(track: Track, told: Told, effective: int, expected: tuple[str, ...], declined: int | None) -> Noticed | None:
    """The first trip that stops something, or that was expected; what the safety channel opened for; or a no to people."""
    own = own_trips(told.provoked) - {*expected}
    found = [Noticed(trip.id, trip.cycle) for trip in told.history
             if trip.cycle >= effective and (trip.stop != "inhibit" or trip.id in expected or trip.name in expected)
             and trip.name not in own]
    said_no = [] if declined is None else [Noticed("REFUSED", declined)]
    return min([*found, *channel_noticed(track, track.at(effective), own), *said_no], key=lambda one: one.cycle, default=None)


def channel_noticed(track: Track, first: int, own: frozenset[str] = frozenset()) -> list[Noticed]:
    """What the safety channel opened for: silence of the controller at any time, all else only while there was a permit.

    Without one a door may open as it likes, a preset may be missing; and in its self-test the channel opens for everything.
    """
    theirs = sum(int(bit) for bit in SafetyOpen if bit.name in own)
    before = max(first - 1, 0)
    opened, given, test = (column[before:] for column in (track.rows["open"], track.has(Flag.PERMIT), track.has(Flag.SELFTEST)))
    looked = np.where(given[:-1], -1, int(SafetyOpen.HEARTBEAT)) & np.where(test[1:] | test[:-1], 0, -1) & ~theirs
    fresh = opened[1:] & ~opened[:-1] & looked
    at = np.flatnonzero(fresh) + 1
    if not len(at):
        return []
    name = next((bit.name for bit in SafetyOpen if int(fresh[at[0] - 1]) & bit), "OTHER")
    return [Noticed(f"CHANNEL_{name}", int(track.cycle[before + at[0]]))]


def reactions(track: Track, noticed: Noticed, history: Sequence[Any], until: int = 0) -> frozenset[str]:
    """What was done from then on: by the rows in force, by the safety channel, by the chain of switches.

    `until`: cycle up to which there is time, if that is later than a reaction takes. What trips first may be about another fault.
    """
    last = max(noticed.cycle + SETTLE_CYCLES, until)
    rows = slice(track.at(noticed.cycle), track.at(last))
    claimed = int(np.bitwise_or.reduce(track.rows["reactions"][rows], initial=0))
    found = {name for bit, name in BITS.items() if claimed & int(bit)}
    found |= {STOPS[trip.stop] for trip in history if noticed.cycle <= trip.cycle < last
              and trip.stop in STOPS}
    if not track.has(Flag.CHANNEL)[rows].all():
        found.add("beam_off")
    if not track.has(Flag.CHAIN)[rows].all():
        found |= {"beam_off", "motion_stop"}
    if track.unpowered()[rows].any():
        found.add("motion_stop")
    return frozenset(found | {implied for name in sorted(found) for implied in IMPLIED.get(name, ())})


def over(*, nobody_else: bool, motion: bool) -> frozenset[str]:
    """A session that ended with a refusal and without a pulse: it may not start, and of what it did not do it is stopped."""
    stopped = {"beam_hold", "beam_off"} if nobody_else else set()
    return frozenset({"prevent_start", "prevent_motion"} | stopped | ({"motion_stop"} if stopped and not motion else set()))


def strongest(done: Iterable[str]) -> Reaction:
    """One word for the row."""
    known = {*done}
    return next(name for name in STRONGEST if name in known or name == "none")
