"""Counters set so high that they soon pass the largest number of a narrower word: nothing may change when they do."""

from typing import TYPE_CHECKING

import numpy as np

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation


def counters(sim: "Simulation", given: Settings) -> Altered:
    """`counter` (pulses, checks or cycle) stands `below` before 2^width now; both ends of a wire agree, so nothing jumps."""
    top = 2 ** int(given["width_bits"]) - 1 - int(given["below"])
    SET[str(given["counter"])](sim, top)
    return done(sim)


def pulses(sim: "Simulation", top: int) -> None:
    """The modulator's counters of pulses and misfires, and what the controller remembers of them."""
    job, wire, truth = sim.control.job, sim.image.beam, sim.plant.beam
    for ours, theirs in (("last_pulses", "pulses"), ("last_missed", "missed_pulses")):
        truth[theirs] = wire[theirs] = job[ours] = top
    job["pulses_at_permit"] = top


def checks(sim: "Simulation", top: int) -> None:
    """For how long each interlock has been fine, each awaited condition not yet, and the permit low."""
    rows, job = sim.control.interlocks, sim.control.job
    rows["good_cycles"] = np.where(rows["good_cycles"] > 0, top, 0)
    if int(job["permit"][0]) == 0:
        job["low_cycles"] = top


def cycle(sim: "Simulation", top: int) -> None:
    """The cycle number itself, and every stamp that is compared with it. The loop keeps its own time."""
    job, on = sim.control.job, top - sim.engine.cycle
    job["cycle"] += on
    sim.image.nodes["sampled_cycle"] += on
    sim.control.interlocks["first_cycle"] += on
    for stamp in ("token_cycle", "target_cycle"):
        if int(job[stamp][0]) >= 0:
            job[stamp] += on
    if int(sim.image.room["surface_cycle"][0]) >= 0:
        sim.image.room["surface_cycle"] += on


SET = {"pulses": pulses, "checks": checks, "cycle": cycle}
ALTERATIONS = {"counters": counters}
