"""The controller's process starts again while the machine goes on: memory is gone, what is on disk is read again.

Prepared at load (the steps of the workflow go into one that can be begun again), done at its moment.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from device_models.interface.image import AXIS_DEVICES
from linac_ctl.control.phases import Phase
from linac_ctl.control.signals import NO_PORTS, Guard
from linac_ctl.control.state import new_control
from linac_ctl.image_guidance import new_imaging
from linac_ctl.interlocks.table import compile_parameters, compile_table
from linac_ctl.sequencer.session import Session, Step, Suite
from linac_ctl.subsystems.linac import Linac

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation
    from linac_ctl.order import Order

KEPT = ("journal", "rows")  # on disk, in mapped files
STILL_UNDER_WAY = ("gantry_asked_deg_per_s", "couch_asked_mm_per_s")  # a process that boots for seconds finds all at rest; here it
# follows at once, and what comes to rest meanwhile was asked for by the one before
BOOT_S = 2.0  # from the end of the old process to the first cycle of the new one, beyond what the machine needs to notice


class Begun(Exception):
    """Ends the steps that were under way when the process ended."""


@dataclass(slots=True, eq=False)
class Restartable:
    """All steps of a workflow as one; begun again in another suite when somebody asks for it."""

    steps: tuple[Step, ...]
    again: Suite | None = None
    task: "asyncio.Task[Session] | None" = None

    async def run(self, suite: Suite, session: Session) -> Session:
        """The last session, however often it was begun."""
        while True:
            self.task = asyncio.get_running_loop().create_task(self._run(suite, session))
            try:
                return await self.task
            except asyncio.CancelledError:
                if self.again is None:
                    raise
            except Exception:
                if self.again is None:
                    raise
            suite, self.again, session = self.again, None, Session()
            await asyncio.sleep(BOOT_S)

    async def _run(self, suite: Suite, session: Session) -> Session:
        for step in self.steps:
            suite.linac.log("sequencer", f"step {type(step).__name__}")
            session = await step.run(suite, session)
        return session


def restartable(order: "Order", given: Settings) -> "Order":
    """An order whose controller can start again; otherwise the same."""
    if any(isinstance(step, Restartable) for step in order.steps):
        return order
    return replace(order, steps=(Restartable(order.steps),))


def restart(sim: "Simulation", given: Settings) -> Altered:
    """Now. `age_s`: so old is what the new process finds in the journal; 0: what was written in the last cycle."""
    whole = next((step for step in sim.order.steps if isinstance(step, Restartable)), None)
    if whole is None or whole.task is None:
        return Altered()
    sim.true_mu()  # booked while it is known for which beam
    lost_mu = float(given["age_s"]) * float(sim.control.job["rate_mean_mu_per_s"][0])
    take_back(sim, lost_mu)
    latches, before = sim.linac.panel.latches(), sim.linac
    sim.record.partials = partials(sim)
    forget(sim)
    sim.linac = Linac(sim.order.machine.controller, sim.order.table, sim.control, sim.image, sim.log)
    sim.linac.panel.restore(latches)
    keep_record(before, sim.linac)
    sim.linac.guard(Guard.NOT_ABORTED, True)
    sim.linac.guard(Guard.RECOVERY, False)
    sim.suite = replace(sim.suite, linac=sim.linac, resumed=True, imaging=new_imaging(sim))
    whole.again = sim.suite
    whole.task.cancel()
    return done(sim)


def keep_record(before: Linac, linac: Linac) -> None:
    """What the old process has put on record of trips, resets and holds stays there; a hold that was on is over."""
    linac.panel.history[:0], linac.panel.resets[:0] = before.panel.history, before.panel.resets
    linac.holds[:0] = [hold | {"end_s": linac.time_s if hold["end_s"] is None else hold["end_s"]} for hold in before.holds]


def take_back(sim: "Simulation", mu: float) -> None:
    """The journal's open entry is older than the last dose."""
    slot = int(sim.control.job["slot"][0])
    if slot >= 0 and mu > 0.0:
        for name in ("mu", "mu_1", "mu_2", "mu_backup"):
            sim.control.journal[name][slot] = max(0.0, float(sim.control.journal[name][slot]) - mu)


def partials(sim: "Simulation") -> dict[int, tuple[float, bool]]:
    """As a resumed run takes them from its record."""
    found = dict(sim.record.partials)
    for entry in sim.control.journal:
        if entry["started"]:
            found[int(entry["beam"])] = float(entry["mu"]), bool(entry["complete"])
    return found


def forget(sim: "Simulation") -> None:
    """Everything that the controller knew, but for what is on disk; it takes up where the axes stand, and says nothing more."""
    control, machine, cycle = sim.control, sim.order.machine.controller, sim.engine.cycle
    fresh = new_control(machine, compile_table(sim.order.table), compile_parameters(sim.order.table, machine),
                        points=len(control.trajectory.mu), rows=control.rows[:1])
    row, asked = int(control.job["row"][0]), {name: control.job[name].copy() for name in STILL_UNDER_WAY}
    for name in [name for name in control._fields if name not in KEPT]:
        copy_into(getattr(control, name), getattr(fresh, name))
    for name, speed in asked.items():
        control.job[name] = speed
    control.job["cycle"], control.job["row"], control.job["phase"] = cycle, row, int(Phase.IDLE)
    for guard, fine in NO_PORTS.items():
        sim.engine.set_guard(guard, fine)
    for out in ("permit", "hv_request", "rate_mu_per_s", "clear_dose"):
        sim.image.beam[out] = 0.0
    for name in AXIS_DEVICES:
        wires, aims = getattr(sim.image, name), getattr(control, name)
        wires["setpoint"] = aims["goal"] = aims["seen"] = aims["asked"] = wires["readback"]
        aims["pace"] = aims["speed"]  # it may be coming to rest from as fast as it goes
        aims["seen_2"] = wires["readback_2"]
    beam = sim.image.beam[0]
    for ours, theirs in (("last_mu_1", "mu_1"), ("last_mu_2", "mu_2"), ("last_pulses", "pulses"), ("last_missed", "missed_pulses")):
        control.job[ours] = beam[theirs]
    control.job["kv_asked"] = sim.image.room["kv_exposures"]


def copy_into(mine: Any, theirs: Any) -> None:
    """An array, or a tuple of them."""
    if isinstance(mine, tuple):
        for ours, other in zip(mine, theirs, strict=True):
            copy_into(ours, other)
        return
    np.asarray(mine)[...] = np.asarray(theirs)


ALTERATIONS = {"restart": restart}
AT_LOAD = {"restart": restartable}
