"""Branches: a session runs once, and at the instants of many faults a copy of it goes on with one of them.

A branch is armed a little before its first fault, so that the fault finds everything as in a run from the beginning: the cycle
it begins in, the past of the wires it disturbs, the order in which things happen. Its row is the row of that run.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from device_models.faults.action import Alter, Line
from device_models.faults.fault import Fault

from ..errors import FaultScheduleError
from ..judged import foresee
from ..version import code_version
from .arming import Instant, armed_late, entries, instant, memory_cycles, schedule_of
from .case import Case
from .copies import CopyLost, in_copy
from .pages import enlarge
from .row import Row, crashed

BEFORE_CYCLES = 3  # of a session that is armed, before its first fault begins
MOST_LOST = 2  # copies of one run
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


Judged = Callable[[Any, Case], Row]
Kept = Callable[[Callable[[], Row], Case], Row]  # a row also of what goes wrong


def branched(trunk: Trunk, branches: Iterable[Branch], judged: Judged, kept: Kept) -> Iterator[Row]:
    """The rows, in order of the instants."""
    sim = trunk.new()
    foresee(sim.order)
    with frozen():
        for branch in sorted(branches, key=lambda one: (one.cycle, one.case.position)):
            sim.step(branch.cycle - sim.engine.cycle)
            yield row(sim, branch, judged, kept)
    sim.abort()  # people in the middle of something would go on with it while they are thrown away
    sim.run()


def row(sim: Any, branch: Branch, judged: Judged, kept: Kept) -> Row:
    """Of one branch. A copy that dies is replaced once."""
    begin = time.perf_counter()
    how = ""
    for lost in range(MOST_LOST):
        try:
            found: Row = in_copy(lambda: kept(lambda: gone_on(sim, branch, judged), branch.case))
            return replace(found, fork_of=f"cycle {branch.cycle}", retries=lost, seconds=round(time.perf_counter() - begin, 4))
        except CopyLost as error:
            how = str(error)
    return crashed(branch.case, MOST_LOST, f"its process was {how}, {MOST_LOST} times; run it alone to see why", code_version())


def gone_on(sim: Any, branch: Branch, judged: Judged) -> Row:
    """In the copy: armed, run to its end, judged."""
    for fault in branch.faults:
        sim.injector.add(fault)
    sim.run()
    return judged(sim, branch.case)


@contextmanager
def frozen() -> Iterator[None]:
    """Objects that are here now are left alone by the collector: copies share them for as long as nobody touches them."""
    gc.collect()
    gc.freeze()
    enlarge()
    try:
        yield
    finally:
        gc.unfreeze()
