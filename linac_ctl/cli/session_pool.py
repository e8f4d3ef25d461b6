"""Whole sessions over many seeds, in processes of one thread each; real controller, whole virtual machine, nothing on disk."""

import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from .study_pool import one_thread_each

_order: dict[str, Any] = {}  # of this worker process, filled once when it starts


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session, as the table has it. Lists are joined with spaces."""

    seed: int
    outcome: str
    reason: str
    simulated_s: float
    residual_mm: float | None  # truth, at the first beam-on
    last_residual_mm: float | None  # truth, at the last
    levels: str  # what the protocol made of each match
    images: int
    shifts: int
    triggered: int
    holds: int
    interlocks: str  # rows that did more than prevent a start
    mu_off: float | None  # largest difference of true and planned MU of a beam that is complete
    digest: str

    def cells(self) -> dict[str, str]:
        """For the CSV."""
        return {name: "" if value is None else str(value) for name, value in asdict(self).items()}


def begin(session: str) -> None:
    """In a new process. Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from ..order import resolve
    from ..patient_room import with_room

    scratch = _order["scratch"] = tempfile.TemporaryDirectory(prefix="linac-ctl-")
    _order["order"] = with_room(resolve(session, scratch=Path(scratch.name)))


def one(seed: int) -> SessionRow:
    """In a worker."""
    from dataclasses import replace

    from ..app import Simulation

    sim = Simulation(replace(_order["order"], seed=seed))
    sim.run()
    return row_of(sim, seed)


def row_of(sim: Any, seed: int) -> SessionRow:
    """What the table keeps of a session."""
    desk, outcomes = sim.suite.imaging, sim.session.outcomes
    planned = {beam.number: beam.mu for beam in sim.order.plan.fraction(sim.order.group)}
    whole = len(outcomes) == len(planned) and all(o.complete for o in outcomes)
    residuals = [mm for mm, _ in sim.residuals.values()]
    true = sim.true_mu()
    off = [abs(true.get(o.number, 0.0) - planned[o.number]) for o in outcomes if o.complete]
    stops = [trip.id for trip in sim.linac.panel.history if trip.stop != "inhibit"]
    return SessionRow(
        seed, "delivered" if whole else ("partial" if any(true.values()) else "refused"), str(sim.error or ""),
        round(sim.engine.cycle * 0.01, 2), residuals[0] if residuals else None, residuals[-1] if residuals else None,
        " ".join(desk.decisions[k].level.value.replace(" ", "_") for k in sorted(desk.decisions)) if desk else "",
        len(desk.images) if desk else 0, len(desk.shifts) if desk else 0, len(desk.tracked) if desk else 0,
        len(sim.linac.holds), " ".join(stops), round(max(off), 4) if off else None, sim.finish())


def all_of(session: str, seeds: list[int], processes: int, done: Callable[[SessionRow], None]) -> bool:
    """Every seed once, in any order; -> False if Ctrl-C ended it early: sessions that have begun are finished and told of."""
    with one_thread_each():
        pool = ProcessPoolExecutor(min(processes, len(seeds)), get_context("spawn"), begin, (session,))
        futures = [pool.submit(one, seeds[0])]
        try:
            done(futures[0].result())  # the first alone: it leaves compiled code for all
            futures += [pool.submit(one, seed) for seed in seeds[1:]]
            for future in as_completed(futures[1:]):
                done(future.result())
            return True
        except KeyboardInterrupt:
            return False
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
