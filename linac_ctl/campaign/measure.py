"""What happened after a fault took effect, read off the referee's trace and the interlock panel's history; never off log text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from device_models.interface.image import SafetyOpen
from device_models.referee.columns import Flag

from ..control.phases import Phase
from ..control.phases import Reaction as Bit
from .displaced import misses
from .row import Reaction
from .track import MS, Track

NEEDED = Flag.PERMIT | Flag.CHANNEL | Flag.CHAIN | Flag.HV_ON  # for a pulse
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
class Measures:
    """Columns of a row. Times from the effective cycle."""

    noticed: Noticed | None
    reactions: frozenset[str]  # what was done, and what that implies
    detection_ms: float | None
    reaction_ms: float | None
    mu_after_eff: float
    beam_cycles: int  # with pulses while the fault was there and too much
    motion_cycles: int  # in which an axis moved meanwhile
    worst_miss_mm: float | None
    weighted_miss_mm: float | None
    travel_after_stop_mm: float | None
    rate_mu_per_s: float
    start_ms: float | None = 0.0  # from here on somebody has to notice: it is too much, with beam or motion; None = never
    grew: bool = False  # it took effect before it was too much
    in_beam: bool = True  # there was beam when it had to be noticed
    mu_after_start: float | None = None  # None = as `mu_after_eff`
    gone: bool = False  # the fault was, when somebody noticed something
    target_mm: float | None = None  # worst of all beams: the target off its place at the first pulse, truth; None = nobody knows
    spell_cycles: int | None = None  # of a fault that comes and goes: the longest that it was there at once
    alone_ms: float = 0.0  # of the time until somebody noticed: how long no controller was there


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a reaction is for: with which of these somebody has to notice."""

    beam: bool = True
    motion: bool = True


ALWAYS = Exposure()


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a run beside its trace. `provoked`: acts of people in the session's own script that stop a machine: what
    trips for them is nobody's notice of a fault.
    """

    history: Sequence[Any]  # trips of the panel
    refused: bool = False  # the session ended with a refusal, which is a reaction too
    provoked: Sequence[str] = ()
    target_mm: float | None = None  # worst of all beams: the target off its place at the first pulse, truth; None = nobody knows


def measure(track: Track, told: Told, effective: int, cleared: int | None, expected: Iterable[str], due: int | None = -1,
            exposure: Exposure = ALWAYS, declined: int | None = None, spell: int | None = None) -> Measures:
    """`due`: cycle in which truth or a wire is off by more than it may be; -1 = the effective one, None = it never was.
    `declined`: in which the machine said no to what the fault is, an act of people. `spell`: cycles that it was there at once.
    """
    first, last = track.at(effective), len(track.cycle) if cleared is None else track.at(cleared)
    noticed = first_noticed(track, first, effective, told, tuple(expected), declined)
    at = track.at(noticed.cycle) if noticed else len(track.cycle)
    stop = track.beam_ends(at) if noticed else len(track.cycle)
    done = reactions(track, at, noticed, told.history) if noticed else frozenset()
    done |= {"prevent_start"} if declined is not None else frozenset()
    since = first if due == -1 else last if due is None else min(max(track.at(due), first), last)
    beam, motion = track.pulses[since:last] > 0, track.moving(since, last)
    start = _start(since, beam & exposure.beam | motion & exposure.motion)
    if told.refused and not (track.pulses[first:] > 0).any():
        done |= over(nobody_else=noticed is None, motion=bool(motion.any()))
    return Measures(
        noticed, done, (noticed.cycle - effective) * MS if noticed else None, _reaction_ms(track, stop, effective, noticed),
        track.total_mu(stop) - track.total_mu(first), int((beam & exposure.beam).sum()), int((motion & exposure.motion).sum()),
        *seen_misses(track, first, told.target_mm), _travel(track, at, done),
        float(np.max(track.rows["rate_mu_per_s"][first:stop], initial=0.0)),
        None if start is None else (start - first) * MS, since > first, start is not None and bool(track.pulses[start] > 0),
        0.0 if start is None else max(0.0, track.total_mu(max(stop, start)) - track.total_mu(start)),
        noticed is not None and cleared is not None and noticed.cycle > cleared + SETTLE_CYCLES, told.target_mm, spell,
        float((~track.has(Flag.ALIVE)[first:at]).sum()) * MS)


def seen_misses(track: Track, first: int, target_mm: float | None) -> tuple[float | None, float | None]:
    """As `misses` of the couch; the worst is that of the target where the truth about it is known."""
    worst, weighted = misses(track, first)
    return worst if worst is None or target_mm is None else max(worst, target_mm), weighted


def over(*, nobody_else: bool, motion: bool) -> frozenset[str]:
    """A session that ended with a refusal and without a pulse: it may not start, and of what it did not do it is stopped."""
    stopped = {"beam_hold", "beam_off"} if nobody_else else set()
    return frozenset({"prevent_start", "prevent_motion"} | stopped | ({"motion_stop"} if stopped and not motion else set()))


def _start(since: int, exposed: Any) -> int | None:
    """First row in which somebody has to notice."""
    found = np.flatnonzero(exposed)
    return since + int(found[0]) if len(found) else None


def own_trips(provoked: Iterable[str]) -> frozenset[str]:
    """Names of the interlocks that trip because of the session's own people."""
    return frozenset(OWN[act] for act in provoked if act in OWN)


def first_noticed(track: Track, first: int, effective: int, told: Told, expected: tuple[str, ...],
                  declined: int | None) -> Noticed | None:
    """The first trip that stops something, or that was expected; what the safety channel opened for; or a no to people."""
    own = own_trips(told.provoked) - {*expected}
    found = [Noticed(trip.id, trip.cycle) for trip in told.history
             if trip.cycle >= effective and (trip.stop != "inhibit" or trip.id in expected or trip.name in expected)
             and trip.name not in own]
    said_no = [] if declined is None else [Noticed("REFUSED", declined)]
    return min([*found, *channel_noticed(track, first, own), *said_no], key=lambda one: one.cycle, default=None)


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


def reactions(track: Track, at: int, noticed: Noticed, history: Sequence[Any]) -> frozenset[str]:
    """What was done from then on: by the rows in force, by the safety channel, by the chain of switches."""
    rows = slice(at, at + SETTLE_CYCLES)
    claimed = int(np.bitwise_or.reduce(track.rows["reactions"][rows], initial=0))
    found = {name for bit, name in BITS.items() if claimed & int(bit)}
    found |= {STOPS[trip.stop] for trip in history if noticed.cycle <= trip.cycle < noticed.cycle + SETTLE_CYCLES
              and trip.stop in STOPS}
    if not track.has(Flag.CHANNEL)[rows].all():
        found.add("beam_off")
    if not track.has(Flag.CHAIN)[rows].all():
        found |= {"beam_off", "motion_stop"}
    if track.unpowered()[rows].any():
        found.add("motion_stop")
    return frozenset(found | {implied for name in sorted(found) for implied in IMPLIED.get(name, ())})


def _reaction_ms(track: Track, stop: int, effective: int, noticed: Noticed | None) -> float | None:
    if noticed is None:
        return None
    last = int(track.cycle[stop]) if stop < len(track.cycle) else int(track.cycle[-1]) + 1
    return max(last - effective, noticed.cycle - effective) * MS


def _travel(track: Track, at: int, done: frozenset[str]) -> float | None:
    """How far the couch goes after its power has been taken away, mm; None where nothing was stopped."""
    if "motion_stop" not in done or at >= len(track.cycle):
        return None
    off = np.flatnonzero(track.unpowered()[at:at + 100])
    if not len(off):
        return None
    couch = track.rows["couch"][at + off[0]:at + off[0] + 200, :3]
    return float(np.linalg.norm(couch - couch[0], axis=1).max())


def strongest(done: Iterable[str]) -> Reaction:
    """One word for the row."""
    known = {*done}
    return next(name for name in STRONGEST if name in known or name == "none")


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
