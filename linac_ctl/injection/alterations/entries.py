"""What somebody types at the console while the machine sets up: it is on the screen and saved, and the machine may not know."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from linac_ctl.control.phases import Phase
from linac_ctl.plan.model import Beam, Plan

from .altered import Altered, Settings, done
from .files import own_plan

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

BETWEEN_EDITS_S = 0.2
ARMED = (int(Phase.READY), int(Phase.BEAM))


def first_beam(plan: Plan, change: Callable[[Beam], Beam]) -> Plan:
    """The plan with its first beam changed."""
    return replace(plan, beams=(change(plan.beams[0]), *plan.beams[1:]))


def other_mode(beam: Beam) -> Beam:
    """Photons of another kind."""
    return replace(beam, mode="10X" if beam.mode != "10X" else "6X")


EDITS: dict[str, Callable[[Plan], Plan]] = {
    "mode": lambda plan: first_beam(plan, other_mode),
    "energy": lambda plan: first_beam(plan, other_mode),
    "mu": lambda plan: first_beam(plan, lambda beam: beam.with_mu(round(2.0 * beam.mu, 3))),
    "angle": lambda plan: first_beam(plan, lambda beam: replace(beam, gantry_deg=np.round(beam.gantry_deg + 5.0, 3))),
    "patient": lambda plan: replace(plan, patient_id=f"{plan.patient_id}-2"),
}


class Screen:
    """The entry as it is shown and saved: the plan of the suite, its file, and the number of a field that is armed."""

    def __init__(self, sim: "Simulation", field: str) -> None:
        self.sim, self.field, self.before = sim, field, sim.suite.plan
        self.path = own_plan(sim)
        self.saved = self.path.read_bytes()

    def write(self, edited: bool) -> None:
        """The edited entry, or the one before it."""
        plan = EDITS[self.field](self.before) if edited else self.before
        object.__setattr__(self.sim.suite, "plan", plan)
        self.path.write_bytes(self.saved + b"\0" if edited else self.saved)
        job = self.sim.control.job[0]
        if int(job["phase"]) in ARMED:
            job["prescription"] = self.number() if edited else job["armed_prescription"]
        self.sim.log("console", f"{self.field} edited" if edited else f"{self.field} edited back")

    def number(self) -> int:
        """Another one than what was armed, the same in every run."""
        text = f"{int(self.sim.control.job['armed_prescription'][0])}/{self.field}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def edit(sim: "Simulation", given: Settings) -> Altered:
    """`field` is edited after `after_ms`, and edited back, and so on: `edits` times in all, so an even number leaves nothing."""
    altered, screen = Altered(), Screen(sim, str(given["field"]))

    def write(i: int) -> None:
        altered.mark(sim.engine.cycle + 1)
        screen.write(i % 2 == 0)

    for i in range(int(given["edits"])):
        sim.loop.call_later(float(given["after_ms"]) / 1000.0 + i * BETWEEN_EDITS_S, write, i)
    return altered


def other_plan(sim: "Simulation", given: Settings) -> Altered:
    """Another patient or plan is opened at the console while this session goes on."""
    before = sim.suite.plan
    other = replace(before, patient_id=f"{before.patient_id}-2") if given["kind"] == "patient" else replace(
        before, sop_instance_uid=f"{before.sop_instance_uid}.2")
    object.__setattr__(sim.suite, "plan", other)
    return done(sim, lambda: object.__setattr__(sim.suite, "plan", before))


ALTERATIONS = {"edit": edit, "other_plan": other_plan}
