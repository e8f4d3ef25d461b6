"""What happened after a fault took effect, read off the referee's trace and the interlock panel's history; never off log text."""

from dataclasses import dataclass

import numpy as np

from device_models.referee.columns import Flag

from .displaced import misses
from .notice import SETTLE_CYCLES, Noticed, Told, first_noticed, over, reactions
from .track import MS, Track


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
class Acted:
    """A fault that took effect, in cycles of the run."""

    effective: int
    cleared: int | None = None
    expected: tuple[str, ...] = ()  # ids or names of interlocks
    due: int | None = -1  # truth or a wire is off by more than it may be; -1 = from the effective one, None = it never was
    exposure: Exposure = ALWAYS
    declined: int | None = None  # the machine said no to what the fault is, an act of people
    spell: int | None = None  # of a fault that comes and goes: the longest that it was there at once
    limit: int = 0  # cycles from the effective one that there are to notice it


def measure(track: Track, told: Told, fault: Acted) -> Measures:
    """From the effective cycle to the end of the run."""
    first, last = track.at(fault.effective), len(track.cycle) if fault.cleared is None else track.at(fault.cleared)
    noticed = first_noticed(track, told, fault.effective, fault.expected, fault.declined)
    at = track.at(noticed.cycle) if noticed else len(track.cycle)
    stop = track.beam_ends(at) if noticed else len(track.cycle)
    since = first_due(track, fault, first, last)
    beam, motion = track.pulses[since:last] > 0, track.moving(since, last)
    exposed = np.flatnonzero(beam & fault.exposure.beam | motion & fault.exposure.motion)
    start = since + int(exposed[0]) if len(exposed) else None
    done = all_done(track, told, fault, noticed, first, moved=bool(motion.any()))
    worst_mm, weighted_mm = seen_misses(track, first, told.target_mm)
    return Measures(
        noticed=noticed, reactions=done, detection_ms=(noticed.cycle - fault.effective) * MS if noticed else None,
        reaction_ms=_reaction_ms(track, stop, fault.effective, noticed), mu_after_eff=track.total_mu(stop) - track.total_mu(first),
        beam_cycles=int((beam & fault.exposure.beam).sum()), motion_cycles=int((motion & fault.exposure.motion).sum()),
        worst_miss_mm=worst_mm, weighted_miss_mm=weighted_mm, travel_after_stop_mm=_travel(track, at, done),
        rate_mu_per_s=float(np.max(track.rows["rate_mu_per_s"][first:stop], initial=0.0)),
        start_ms=None if start is None else (start - first) * MS, grew=since > first,
        in_beam=start is not None and bool(track.pulses[start] > 0),
        mu_after_start=0.0 if start is None else max(0.0, track.total_mu(max(stop, start)) - track.total_mu(start)),
        gone=noticed is not None and fault.cleared is not None and noticed.cycle > fault.cleared + SETTLE_CYCLES,
        target_mm=told.target_mm, spell_cycles=fault.spell, alone_ms=float((~track.has(Flag.ALIVE)[first:at]).sum()) * MS)


def first_due(track: Track, fault: Acted, first: int, last: int) -> int:
    """The row from which it is more than may be; `last` if it never was."""
    if fault.due is None:
        return last
    return first if fault.due == -1 else min(max(track.at(fault.due), first), last)


def all_done(track: Track, told: Told, fault: Acted, noticed: Noticed | None, first: int, *, moved: bool) -> frozenset[str]:
    """Reactions to it: of the machine, to people who asked for what it is, and of a session that did not begin."""
    done = reactions(track, noticed, told.history, fault.effective + fault.limit) if noticed else frozenset()
    done |= {"prevent_start"} if fault.declined is not None else frozenset()
    if told.refused and not (track.pulses[first:] > 0).any():
        done |= over(nobody_else=noticed is None, motion=moved)
    return done


def seen_misses(track: Track, first: int, target_mm: float | None) -> tuple[float | None, float | None]:
    """As `misses` of the couch; the worst is that of the target where the truth about it is known."""
    worst, weighted = misses(track, first)
    return worst if worst is None or target_mm is None else max(worst, target_mm), weighted


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
