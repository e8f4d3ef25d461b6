"""From a session that is over to its row: the referee's verdicts, what every fault did, and whether that was due."""

from dataclasses import replace
from functools import cache
from math import ceil, isfinite
from typing import Any

from ..errors import LinacError
from ..judged import judged
from ..version import code_version
from .case import Case
from .displaced import BAR_MM, GOAL_MM, displaced_ms
from .ended import Ended
from .measure import Acted, Measures, measure
from .notice import Told, strongest
from .numbers import rounded
from .row import Row, of_case, why
from .track import MS, Track
from .trips import false_trip, trip_to_permit_ms, visited
from .verdict import Due, decide, fault_free, worst_of


def judge(run: Ended, case: Case, order: Any) -> Row:
    """Its row."""
    verdicts, track = judged(order, run.seen, run.rows, run.leaves), Track(run.rows)
    violated = tuple(verdict.id for verdict in verdicts.violated)
    row = replace(
        blank(case), outcome=run.outcome, digest=run.digest, judged=bool(verdicts.judged), violated=violated,
        margins={name: (float(value), unit) for name, (value, unit) in verdicts.margins.items() if isfinite(value)},
        liveness=" ".join(f"{v.id}:{v.outcome}" for v in verdicts if v.id.startswith("LV")),
        trip_to_permit_ms=trip_to_permit_ms(track, run.trips), visited=visited(track, run.trips),
        displaced_ms=displaced_ms(track, BAR_MM), displaced_goal_ms=displaced_ms(track, GOAL_MM),
        excess_mu=run.excess_mu, simulated_s=round(run.cycles * MS / 1000.0, 2))
    if not case.faults:
        wrong = "" if run.seen.provoked else false_trip(run.trips)
        verdict, reason = fault_free(judged=row.judged, violated=violated, false_trip=wrong, outcome=run.outcome)
        return replace(row, false_trip=wrong, verdict=verdict, reason=reason or run.reason)
    return _with_faults(run, case, row, track)


def _with_faults(run: Ended, case: Case, row: Row, track: Track) -> Row:
    injected = [one.injected_cycle for one in run.evidence if one.injected_cycle is not None]
    active = sorted((one for one in run.evidence if one.effective_cycle is not None), key=lambda one: one.effective_cycle)
    modes, settings = modes_by_fault(case), {one["id"]: one.get("set", {}) for one in case.faults}
    told = Told(run.trips, run.refused, run.seen.provoked, run.target_mm)
    acted = [measured(one, modes.get(one.id), settings[one.id], track, told) for one in active]
    wrong = "" if run.seen.provoked else false_trip(run.early)
    verdict, reason = decide(injected=bool(injected), acted=acted, judged=row.judged, violated=row.violated, false_trip=wrong,
                             outcome=row.outcome)
    row = replace(row, verdict=verdict, reason=reason or run.reason, false_trip=wrong, activated=bool(active),
                  injected_s=None if not injected else round(min(injected) * MS / 1000.0, 2))
    if not acted:
        return row
    worst = worst_of(acted)
    return _measured(replace(row, effective_ms=active[worst].effective_cycle * MS), acted[worst][1], acted[worst][0])


def measured(one: Any, mode: Any | None, given: Any, track: Track, told: Told) -> tuple[Due, Measures]:
    """What is due after one fault, from its evidence, and what happened."""
    due = Due.of(mode, given, one.devices)
    fault = Acted(one.effective_cycle, one.cleared_cycle, mode.expected if mode else (), one.due_cycle, due.exposure,
                  one.refused_cycle, one.longest_cycles, ceil((due.limit_ms or 0.0) / MS))
    return due, measure(track, told, fault)


def _measured(row: Row, m: Measures, due: Due) -> Row:
    first_out = m.noticed.name if m.noticed else ("REFUSED" if m.reactions else "")
    return replace(
        row, due=due.owed(m), detection_limit_ms=due.deadline_ms(m), due_ms=m.start_ms, first_out=first_out,
        detected=first_out if first_out and due.in_time(m) else "", reaction=strongest(m.reactions),
        detection_ms=m.detection_ms, reaction_ms=m.reaction_ms, mu_after_eff=rounded(m.mu_after_eff),
        mu_limit=due.mu_allowed(m), worst_miss_mm=rounded(m.worst_miss_mm),
        weighted_miss_mm=rounded(m.weighted_miss_mm), travel_after_stop_mm=rounded(m.travel_after_stop_mm))


def refused(case: Case, error: LinacError) -> Row:
    """The data were not taken: there was no machine, so there is nothing to judge either."""
    return replace(blank(case), verdict="passed", outcome="refused", activated=True, due=True, first_out="REFUSED",
                   detected="REFUSED", reaction="prevent_start", reason=why(error))


def blank(case: Case) -> Row:
    """Before the run: what is known of the case, and how bad its worst fault is."""
    worst = max((str(mode.severity) for mode in modes_by_fault(case).values()), default="")
    return replace(of_case(case, code_version()), severity=worst)


def modes_by_fault(case: Case) -> dict[str, Any]:
    """Id of a fault -> its mode; those that are none of the catalogue are left out."""
    known = catalogue()
    return {one["id"]: known[one["mode"]] for one in case.faults if one.get("mode") in known}


@cache
def catalogue() -> dict[str, Any]:
    """Read once."""
    from . import catalogue as known

    return known.catalogue()
