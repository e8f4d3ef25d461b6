"""Carries out cases: prepare the session, let it run, judge it. Everything a worker does, and all that it remembers."""

import asyncio
import errno
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

from ..errors import ControllerGone, DeviceError, FaultScheduleError, LinacError, RecordError, RefusedError
from ..judged import judged
from ..version import code_version
from .arming import nothing, schedule_of
from .branch import Branch, Trunk, branched
from .case import Case
from .displaced import BAR_MM, GOAL_MM, displaced_ms
from .ended import Ended, ended
from .measure import Measures, Told, false_trip, measure, strongest, trip_to_permit_ms, visited
from .row import Outcome, Row, of_case
from .track import MS, Track
from .verdict import Due, decide, fault_free, worst_of

Place = tuple[str, str | None, str | None]
_orders: dict[Place, Any] = {}  # of this worker: reading the files and making a plan takes longer than some runs
_seeded: dict[tuple[str, str | None, str | None, int], tuple[Any, Any]] = {}  # and what each was made of
_trunks: dict[tuple[str, str | None, str | None, int], Trunk] = {}
_scratch: list[Any] = []
MOST_ORDERS = 16
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SCRATCH = re.compile(r"\S*/linac-ctl-[^/\s]*/")  # damaged plans lie in folders with names of their own every time


def run_batch(batch: tuple[Case, ...]) -> list[Row]:
    """What an engine calls: branches where the campaign wants them, all else from its beginning."""
    rows = [run_case(case) for case in batch if case.way == "whole"]
    forks = [case for case in batch if case.way == "fork"]
    for place in dict.fromkeys(case.place for case in forks):
        rows += run_branches([case for case in forks if case.place == place])
    return rows


def run_whole(batch: tuple[Case, ...]) -> list[Row]:
    """What an engine calls whose workers have threads: those cannot be copied."""
    return [run_case(case) for case in batch]


def run_case(case: Case) -> Row:
    """From power-up to verdict."""
    begin = time.perf_counter()
    row = kept(lambda: whole(case), case)
    return replace(row, way="whole", seconds=round(time.perf_counter() - begin, 4))


def whole(case: Case) -> Row:
    """A fault of the data may be noticed before there is a machine."""
    try:
        sim = prepare(case)
    except (FaultScheduleError, RecordError):
        raise
    except LinacError as error:
        return refused(case, error)
    try:
        sim.run()
        return judge(end(sim), case, sim.order)
    finally:
        forget(sim)


def forget(sim: Any) -> None:
    """A session that broke off has people in the middle of something: end that here, not when memory is swept."""
    for task in asyncio.all_tasks(sim.loop):
        with suppress(RuntimeError):  # they want to go on with it
            task.get_coro().close()


def kept(row: Callable[[], Row], case: Case) -> Row:
    """A session that breaks in a way that nobody meant is a finding, not the end of the campaign; a full disk is that end."""
    try:
        return row()
    except RecordError:
        raise
    except FaultScheduleError as error:
        found = of_case(case, code_version())
        return replace(found, verdict="not_reachable", outcome="refused", reason=str(error), severity=severity(modes_of(case)))
    except Exception as error:  # a defect of ours: the campaign goes on, and the row says what it was
        if isinstance(error, OSError) and error.errno in FULL:
            raise no_room(error) from None
        found = of_case(case, code_version())
        return replace(found, reason=f"{type(error).__name__}: {str(error)[:300]}", severity=severity(modes_of(case)))


def no_room(error: OSError) -> RecordError:
    """Nothing that a run did: it is done again once there is room."""
    return RecordError(f"{error.filename or tempfile.gettempdir()}: {error.strerror}: no room for what a run writes for itself; "
                       "every finished run is in the ledger: free space, or set TMPDIR, then `linac-ctl campaign resume`")


def run_branches(cases: list[Case]) -> list[Row]:
    """Of one session and seed. Those that cannot branch are done whole."""
    trunk = trunk_of(cases[0])
    found = [(case, trunk.branch(case)) for case in cases]
    rows = [run_case(case) for case, branch in found if branch is None]
    branches: list[Branch] = [branch for _, branch in found if branch is not None]
    return rows + list(branched(trunk, branches, end, judge, kept))


def trunk_of(case: Case) -> Trunk:
    """Found once for all cases of this session and seed."""
    if case.place not in _trunks:
        if len(_trunks) >= MOST_ORDERS:
            _trunks.clear()
        from ..app import Simulation

        order = seeded(case)
        run_case(replace(case, way="whole"))  # whatever judging needs is loaded now, and copies share it
        _trunks[case.place] = Trunk.of(lambda: Simulation(order, faults=nothing()))
    return _trunks[case.place]


def prepare(case: Case) -> Any:
    """The session with its faults armed, before its first cycle."""
    from ..app import Simulation

    return Simulation(seeded(case), faults=schedule_of(case))


def seeded(case: Case) -> Any:
    """One order for all cases of a session and seed: what follows from an order is worked out once."""
    order = order_of(case)
    base, found = _seeded.get(case.place, (None, None))
    if base is not order:
        if len(_seeded) >= MOST_ORDERS:
            _seeded.clear()
        found = replace(order, seed=case.seed)
        _seeded[case.place] = order, found
    return found


def order_of(case: Case) -> Any:
    """Read once for all cases of the same session."""
    from ..order import resolve
    from ..patient_room import with_room

    place = case.place[:3]
    if place not in _orders:
        if not _scratch:
            _scratch.append(tempfile.TemporaryDirectory(prefix="linac-ctl-"))
        if len(_orders) >= MOST_ORDERS:
            _orders.clear()
        session, workflow, machine = place
        _orders[place] = with_room(resolve(session, workflow=workflow, machine=machine, scratch=Path(_scratch[0].name)))
    return _orders[place]


def adopt(case: Case, order: Any) -> None:
    """Cases of this session are of this order from now on."""
    from ..patient_room import with_room

    _orders[case.place[:3]] = with_room(order)


@cache
def catalogue() -> dict[str, Any]:
    """Read once."""
    from . import catalogue as known

    return known.catalogue()


def modes_by_fault(case: Case) -> dict[str, Any]:
    """Id of a fault -> its mode; those that are none of the catalogue are left out."""
    known = catalogue()
    return {one["id"]: known[one["mode"]] for one in case.faults if one.get("mode") in known}


def modes_of(case: Case) -> list[Any]:
    """Of the catalogue."""
    return list(modes_by_fault(case).values())


def severity(modes: list[Any]) -> str:
    """The worst of all."""
    return max((str(mode.severity) for mode in modes), default="")


def refused(case: Case, error: LinacError) -> Row:
    """The data were not taken: there was no machine, so there is nothing to judge either."""
    modes = modes_of(case)
    return replace(of_case(case, code_version()), verdict="passed", outcome="refused", activated=True, due=True,
                   first_out="REFUSED", detected="REFUSED", reaction="prevent_start",
                   reason=SCRATCH.sub("", str(error))[:300], severity=severity(modes))


def end(sim: Any) -> Ended:
    """Of a session that is over."""
    return ended(sim, outcome(sim), reason(sim), isinstance(sim.error, RefusedError | DeviceError), excess_mu(sim))


def judge(run: Ended, case: Case, order: Any) -> Row:
    """Its row."""
    verdicts, track = judged(order, run.seen, run.rows, run.leaves), Track(run.rows)
    violated = tuple(verdict.id for verdict in verdicts.violated)
    row = replace(
        of_case(case, code_version()), outcome=run.outcome, digest=run.digest, severity=severity(modes_of(case)),
        judged=bool(verdicts.judged), violated=violated,
        margins={name: (float(value), unit) for name, (value, unit) in verdicts.margins.items() if isfinite(value)},
        liveness=" ".join(f"{v.id}:{v.outcome}" for v in verdicts if v.id.startswith("LV")),
        trip_to_permit_ms=trip_to_permit_ms(track, run.trips), visited=visited(track, run.trips),
        displaced_ms=displaced_ms(track, BAR_MM), displaced_goal_ms=displaced_ms(track, GOAL_MM),
        excess_mu=run.excess_mu, simulated_s=round(run.cycles * MS / 1000.0, 2))
    if not case.faults:
        wrong = "" if run.seen.provoked else false_trip(run.trips)
        verdict, why = fault_free(judged=row.judged, violated=violated, false_trip=wrong, outcome=run.outcome)
        return replace(row, false_trip=wrong, verdict=verdict, reason=why or run.reason)
    return _with_faults(run, case, row, track)


def _with_faults(run: Ended, case: Case, row: Row, track: Track) -> Row:
    injected = [one.injected_cycle for one in run.evidence if one.injected_cycle is not None]
    active = sorted((one for one in run.evidence if one.effective_cycle is not None), key=lambda one: one.effective_cycle)
    modes, settings = modes_by_fault(case), {one["id"]: one.get("set", {}) for one in case.faults}
    told = Told(run.trips, run.refused, run.seen.provoked, run.target_mm)
    acted = [(due, measure(track, told, one.effective_cycle, one.cleared_cycle, mode.expected if mode else (), one.due_cycle,
                           due.exposure, one.refused_cycle, one.longest_cycles))
             for one in active for mode in (modes.get(one.id),)
             for due in (Due.of(mode, settings[one.id], one.devices),)]
    wrong = "" if run.seen.provoked else false_trip(run.early)
    verdict, why = decide(injected=bool(injected), acted=acted, judged=row.judged, violated=row.violated, false_trip=wrong,
                          outcome=row.outcome)
    row = replace(row, verdict=verdict, reason=why or run.reason, false_trip=wrong, activated=bool(active),
                  injected_s=None if not injected else round(min(injected) * MS / 1000.0, 2))
    if not acted:
        return row
    worst = worst_of(acted)
    return _measured(replace(row, effective_ms=active[worst].effective_cycle * MS), acted[worst][1], acted[worst][0])


def _measured(row: Row, m: Measures, due: Due) -> Row:
    first_out = m.noticed.name if m.noticed else ("REFUSED" if m.reactions else "")
    return replace(
        row, due=due.owed(m), detection_limit_ms=due.deadline_ms(m), due_ms=m.start_ms, first_out=first_out,
        detected=first_out if first_out and due.in_time(m) else "", reaction=strongest(m.reactions),
        detection_ms=m.detection_ms, reaction_ms=m.reaction_ms, mu_after_eff=rounded(m.mu_after_eff),
        mu_limit=due.mu_allowed(m), worst_miss_mm=rounded(m.worst_miss_mm),
        weighted_miss_mm=rounded(m.weighted_miss_mm), travel_after_stop_mm=rounded(m.travel_after_stop_mm))


def rounded(value: float | None) -> float | None:
    """To a millionth: what is left are digits that nobody reads."""
    return None if value is None else round(float(value), 6)


def excess_mu(sim: Any) -> float | None:
    """The most that any beam has had above its prescription, by truth; below is negative. None without beam."""
    planned = {beam.number: beam.mu for beam in sim.order.plan.fraction(sim.order.group)}
    over = [mu - planned[number] for number, mu in sim.true_mu().items() if number in planned and mu > 0.0]
    return rounded(max(over)) if over else None


def outcome(sim: Any) -> Outcome:
    """How the session ended."""
    planned, done = sim.order.plan.fraction(sim.order.group), sim.session.outcomes
    if isinstance(sim.error, ControllerGone):
        return "killed"
    if sim.error is None:
        return "completed" if len(done) == len(planned) and all(one.complete for one in done) else "abandoned"
    if sim.engine.cycle * MS / 1000.0 >= sim.order.longest_s:
        return "stuck"
    return "refused" if isinstance(sim.error, RefusedError) and not any(sim.true_mu().values()) else "abandoned"


def reason(sim: Any) -> str:
    """What ended the session, for people."""
    return "" if sim.error is None else SCRATCH.sub("", str(sim.error))[:300]
