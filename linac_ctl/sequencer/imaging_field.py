"""A beam that makes an image: a few MU from a standing gantry, by the same machinery and under the same interlocks as any other.

It needs no approved position, because it is given to find one; its MU are counted by themselves, never on a beam of the plan.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from device_models.interface.image import Couch

from ..config.machine import MachineConfig
from ..control.journal import SLOTS
from ..control.phases import Phase
from ..control.signals import Guard
from ..errors import RefusedError
from ..plan.model import Beam
from ..plan.trajectory import prepare
from ..subsystems.beam import Delivered
from ..subsystems.mv_frames import MvFrame
from . import approval
from .images import Imaging
from .readiness import check_bytes, let_go, longest_s, position, prescription_number, ready, time_limit_s
from .session import Suite


async def mv_image(suite: Suite, imaging: Imaging, beam: Beam) -> MvFrame:
    """The image of this field; RefusedError beyond the protocol's MU, or when the panel is not out."""
    imaging.mv.check_ready()
    check_dose(imaging, beam.mu)
    linac, slot = suite.linac, free_slot(suite, imaging)
    field = prepare(beam, linac.config)
    linac.panel.new_field()
    linac.guard(Guard.RESUME, True)
    linac.guard(Guard.RECORD, suite.record.can_go_on())
    try:
        await position(linac, field)
        await linac.beam.warm(beam.mode)
        with approval.not_needed(linac):
            await linac.beam.arm(field, slot=slot, time_limit_s=time_limit_s(field, linac.config.beam),
                                 session=suite.session_number, prescription=prescription_number(field))
            return await _beam_on(suite, imaging, beam, longest_s(field))
    finally:
        await let_go(linac)
        linac.enter(Phase.IDLE)


async def _beam_on(suite: Suite, imaging: Imaging, beam: Beam, longest: float) -> MvFrame:
    """From the button to the picture; whatever was given counts."""
    linac = suite.linac
    await suite.staff.confirm(f"imaging beam-on, {beam.mu:g} MU")
    check_bytes(suite)
    await ready(linac)
    why = f"{beam.mode}, gantry {beam.gantry_deg[0]:.1f} deg"
    linac.log("sequencer", f"imaging field on: {beam.name}", why=why, new=f"{beam.mu:g} MU")

    async def deliver() -> Delivered:
        try:
            return await linac.beam.deliver(longest)
        finally:
            imaging.imaging_mu += (given := linac.beam.delivered().mu_1)
            linac.log("sequencer", f"imaging field over: {beam.name}", new=f"{given:.3f} MU; {imaging.imaging_mu:.3f} MU in all")

    return await imaging.mv.image(imaging.mv_rules.binning, beam.mode, deliver)


def check_dose(imaging: Imaging, mu: float) -> None:
    """RefusedError when this image would be too much."""
    if not (total := imaging.imaging_mu + mu) <= (limit := imaging.mv_rules.limit_mu):
        raise RefusedError(f"MV image: {mu:g} MU on top of {imaging.imaging_mu:.2f} MU are {total:.2f} MU > {limit:g} MU, the "
                           f"protocol's limit of imaging dose in a fraction; use kV images, or ask the physicist")


def free_slot(suite: Suite, imaging: Imaging) -> int:
    """A journal record of its own, from the far end: those of the plan's beams stay as they are."""
    beams = len(suite.plan.fraction(suite.group))
    imaging.imaging_fields += 1
    if (slot := SLOTS - imaging.imaging_fields) < beams:
        raise RefusedError(f"MV image: {SLOTS - beams} images are the most that the dose journal holds beside {beams} beams")
    return slot


def carry_over(suite: Suite, mu: float) -> None:
    """MU that an earlier run of this fraction gave for images, into this run's count and its journal."""
    assert suite.imaging is not None
    entry = suite.linac.control.journal[free_slot(suite, suite.imaging)]
    entry["beam"], entry["started"], entry["complete"] = number_for(suite), 1, 1
    entry["mu"] = entry["mu_1"] = entry["mu_2"] = entry["mu_backup"] = suite.imaging.imaging_mu = mu


def open_field(suite: Suite, imaging: Imaging, gantry_deg: float) -> Beam:
    """The protocol's open field from this gantry angle, collimator at 0; the couch stays where it is."""
    rules, config = imaging.mv_rules, suite.linac.config
    x, y = (edge / 2.0 for edge in rules.aperture_mm)
    jaws = np.tile([-x, x, -y, y], (2, 1))
    has_x = {axis.name for axis in config.jaws} >= {"X1", "X2"}
    leaves = None if has_x or config.mlc is None else np.tile(np.repeat([x, -x], config.mlc.pairs), (2, 1))
    return Beam(
        number=number_for(suite), name=f"open {2 * x:g} x {2 * y:g} mm", technique="static", mode=rules.mode, mu=rules.mu,
        dose_rate_mu_per_min=None, cumulative_mu=np.array([0.0, rules.mu]), gantry_deg=np.full(2, gantry_deg),
        collimator_deg=np.zeros(2), jaw_mm=jaws, leaf_mm=leaves, leaf_boundaries_mm=sides(config), couch=standing(),
    )


def shaped_field(suite: Suite, imaging: Imaging, beam: Beam) -> Beam:
    """The field of a beam of the plan, as it begins, with the MU of an image."""
    rules = imaging.mv_rules
    return replace(
        beam, number=number_for(suite), name=f"port of {beam.name}", technique="static", mode=rules.mode, mu=rules.mu,
        dose_rate_mu_per_min=None, cumulative_mu=np.array([0.0, rules.mu]), gantry_deg=twice(beam.gantry_deg),
        collimator_deg=twice(beam.collimator_deg), jaw_mm=twice(beam.jaw_mm), couch=standing(),
        leaf_mm=None if beam.leaf_mm is None else twice(beam.leaf_mm),
    )


def twice(table: Any) -> Any:
    """A beam's first control point, as two that do not differ."""
    return np.repeat(table[:1], 2, axis=0)


def number_for(suite: Suite) -> int:
    """A beam number that the plan does not use: MU are booked by it."""
    return 1 + max(beam.number for beam in suite.plan.beams)


def standing() -> np.ndarray:
    """(2, 6) couch of a field that leaves it where it is."""
    return np.full((2, len(Couch)), math.nan)


def sides(config: MachineConfig) -> np.ndarray | None:
    """Leaf sides."""
    return None if config.mlc is None else np.array(config.mlc.boundaries_mm)


