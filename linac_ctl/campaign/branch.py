"""Branches: a session runs once, and at the instants of many faults a copy of it goes on with one of them.

A branch is armed a little before its first fault, so that the fault finds everything as in a run from the beginning: the cycle
it begins in, the past of the wires it disturbs, the order in which things happen. Its row is the row of that run.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from device_models.faults.action import Alter, Line
from device_models.faults.fault import Fault

from ..errors import FaultScheduleError
from ..judged import foresee
from ..version import code_version
from .arming import Instant, armed_late, entries, instant, memory_cycles, schedule_of
from .case import Case
from .copies import CopyLost, in_copy
from .ended import Ended
from .pages import enlarge, trim
from .row import Row, crashed

BEFORE_CYCLES = 3  # of a session that is armed, before its first fault begins
MOST_LOST = 2  # copies of one run
AT_ONCE, MOST_BYTES = 32, 32 << 20  # sessions that wait to be judged, and memory of their traces
WHOLE_ONLY = (Alter, Line)  # what these change is read, or opened, before the first cycle


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a case leaves the session, and what with."""

    case: Case
    cycle: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Trunk:
    """A session without faults: how to begin it, what its machine can have, and when its phases begin."""

    new: Callable[[], Any]
    order: Any
    place: Any
    entered: dict[str, int]
    cycles: int

    @classmethod
    def of(cls, new: Callable[[], Any]) -> "Trunk":
        """Runs the session once."""
        sim = new()
        entered = entries(sim)
        return cls(new, sim.order, sim.injector.place, entered, sim.engine.cycle)

    def branch(self, case: Case) -> Branch | None:
        """None for a case that can only be done from its beginning."""
        from ..injection.loading import meant, new_live

        try:
            faults = schedule_of(case).faults
            actions = [new_live(fault, self.place, 0).actions for fault in faults]
            for fault in faults:
                meant(fault, self.order)
        except FaultScheduleError:
            return None
        if any(isinstance(action, WHOLE_ONLY) for several in actions for action in several):
            return None
        instants = [instant(fault.when, self.entered) for fault in faults]
        known = [at.due for at in instants if at is not None]
        if not known or not all(at is not None or self._later(fault) for at, fault in zip(instants, faults, strict=True)):
            return None
        cycle = min(known) - BEFORE_CYCLES - max(map(memory_cycles, actions))
        return self._armed(case, cycle, list(zip(faults, instants, strict=True))) if cycle > 0 else None

    def _later(self, fault: Fault) -> bool:
        """Can its moment only come once something has gone wrong?"""
        when = fault.when
        return when.fault is not None or (when.phase is not None and when.phase not in self.entered)

    def _armed(self, case: Case, cycle: int, faults: list[tuple[Fault, Instant | None]]) -> Branch:
        return Branch(case, cycle, tuple(armed_late(fault, at, cycle) for fault, at in faults))


End = Callable[[Any], Ended]
Judged = Callable[[Ended, Case, Any], Row]
Kept = Callable[[Callable[[], Any], Case], Any]  # a row also of what goes wrong


@dataclass(frozen=True, slots=True)
class Back:
    """What a copy has handed back: the session without the beginning of its trace, or a row already."""

    branch: Branch
    run: Ended | Row
    rows: int  # of its trace that are the original's
    leaves: int
    lost: int  # copies
    seconds: float


def branched(trunk: Trunk, branches: Iterable[Branch], end: End, judged: Judged, kept: Kept) -> Iterator[Row]:
    """The rows, in order of the instants. Several are judged one after the other: the first one after a copy is the slow one."""
    waiting = list[Back]()
    foresee(trunk.order)
    with settled():
        sim = trunk.new()
        for branch in sorted(branches, key=lambda one: (one.cycle, one.case.position)):
            sim.step(branch.cycle - sim.engine.cycle)
            waiting.append(gone(sim, branch, end, kept))
            if len(waiting) >= AT_ONCE or sum(one.run.size for one in waiting if isinstance(one.run, Ended)) > MOST_BYTES:
                yield from rows_of(sim, waiting, judged, kept)
                waiting.clear()
        yield from rows_of(sim, waiting, judged, kept)
        sim.abort()  # people in the middle of something would go on with it while they are thrown away
        sim.run()


def gone(sim: Any, branch: Branch, end: End, kept: Kept) -> Back:
    """A copy that dies is replaced once."""
    begin, case = time.perf_counter(), branch.case
    sim.count_rows()
    rows, leaves, lost, how = len(sim.trace.rows()), len(sim.trace.leaves()), 0, ""
    with sim.injector.for_now():
        run = kept(lambda: armed(sim, branch), case)
        while run is None and lost < MOST_LOST:
            try:
                run = in_copy(lambda: kept(lambda: gone_on(sim, end).since(rows, leaves), case))
            except CopyLost as error:
                lost, how = lost + 1, f"its process was {error}, {MOST_LOST} times; run it alone to see why"
    return Back(branch, run or crashed(case, lost, how, code_version()), rows, leaves, lost, time.perf_counter() - begin)


def armed(sim: Any, branch: Branch) -> None:
    """In the original: a copy pays for every page that it touches, and all this is the same there."""
    for fault in branch.faults:
        sim.injector.add(fault)


def gone_on(sim: Any, end: End) -> Ended:
    """In the copy."""
    sim.run()
    return end(sim)


def rows_of(sim: Any, several: list[Back], judged: Judged, kept: Kept) -> Iterator[Row]:
    """In the original, which by now may be further on."""
    rows, leaves = sim.trace.rows(), sim.trace.leaves()
    for one in several:
        begin, case, run = time.perf_counter(), one.branch.case, one.run
        if isinstance(run, Ended):
            found = kept(partial(judged, run.behind(rows[:one.rows], leaves[:one.leaves]), case, sim.order), case)
        else:
            found = run
        seconds = one.seconds + time.perf_counter() - begin
        yield replace(found, fork_of=f"cycle {one.branch.cycle}", retries=one.lost, seconds=round(seconds, 4))


@contextmanager
def settled() -> Iterator[None]:
    """No garbage is collected inside: that touches every object, and so copies its page. What is here now is never looked at again.

    It stays: modules, orders, machine code. To collect all that once more for every batch takes as long as four faults.
    """
    before = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    trim()
    enlarge()
    try:
        yield
    finally:
        if before:
            gc.enable()
