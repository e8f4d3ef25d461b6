"""Plans that are damaged, mixed up or absurd before the session has read them: an order in, another order out."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence

from linac_ctl.errors import PlanError
from linac_ctl.plan.dicom_import import read_plan
from linac_ctl.plan.model import Beam, Plan

from .altered import Settings
from .files import own_file

if TYPE_CHECKING:
    from linac_ctl.order import Order

LEAVES, WIDE_MM = "MLCX", 200.0


def with_beams(order: "Order", change: Callable[[Beam], Beam], only_first: bool = True) -> "Order":
    """The order with its plan's beams changed; the file stays as it is."""
    plan = order.plan
    beams = tuple(change(beam) if k == 0 or not only_first else beam for k, beam in enumerate(plan.beams))
    groups = tuple(replace(group, mu=()) for group in plan.groups)
    return replace(order, plan=replace(plan, beams=beams, groups=groups))


def at_home(order: "Order") -> "Order":
    """With patient and planning images of the plan as it was before: it is the plan that gets lost, not the patient."""
    from linac_ctl.patient_room import with_room

    return with_room(order)


def plan_file_damaged(order: "Order", given: Settings) -> "Order":
    """The file is read again, after a part of it was lost; PlanError as anybody would get it."""
    if given["kind"] == "missing_tag":
        return rewritten(order, without_angle)
    data = order.plan_path.read_bytes()
    return read_again(order, data[: len(data) // 2])


def read_again(order: "Order", data: bytes) -> "Order":
    """The order as it would be had the plan file been this one."""
    path = own_file(order.plan_path.name, data)
    return replace(order, plan=read_plan(path), plan_path=path)


def rewritten(order: "Order", change: Callable[[Dataset], None]) -> "Order":
    """The file is saved once more, by something that makes a mistake."""
    try:
        data, buffer = pydicom.dcmread(order.plan_path), io.BytesIO()
        change(data)
        data.save_as(buffer)
    except (InvalidDicomError, AttributeError) as error:
        raise PlanError(f"{order.plan_path}: cannot be saved again: {error}; take a session with a DICOM plan") from None
    return read_again(order, buffer.getvalue())


def without_angle(plan: Dataset) -> None:
    """The first control point does not say where the gantry is."""
    del plan.BeamSequence[0].ControlPointSequence[0].GantryAngle


def without_leaves(plan: Dataset) -> None:
    """No control point has leaf positions any more; the leaves are still named."""
    for point in points_of(plan):
        if "BeamLimitingDevicePositionSequence" in point:
            kept = [d for d in point.BeamLimitingDevicePositionSequence if d.RTBeamLimitingDeviceType != LEAVES]
            point.BeamLimitingDevicePositionSequence = Sequence(kept)


def ends_only(plan: Dataset) -> None:
    """The first and the last control point of every beam, and nothing between them."""
    for beam in plan.BeamSequence:
        beam.ControlPointSequence = Sequence([beam.ControlPointSequence[0], beam.ControlPointSequence[-1]])


def wide_open(plan: Dataset) -> None:
    """Jaws and leaves as far as they go, in every control point that says where they are."""
    for point in points_of(plan):
        for device in point.get("BeamLimitingDevicePositionSequence", []):
            n = len(device.LeafJawPositions) // 2
            device.LeafJawPositions = [-WIDE_MM] * n + [WIDE_MM] * n


def points_of(plan: Dataset) -> list[Dataset]:
    """Control points of all beams."""
    return [point for beam in plan.BeamSequence for point in beam.ControlPointSequence]


LOST: dict[str, Callable[[Dataset], None]] = {"mlc_missing": without_leaves, "last_cp_only": ends_only, "jaws_max": wide_open}


def narrow_leaves(beam: Beam) -> Beam:
    """Leaves of another model: half as many, twice as wide."""
    if beam.leaf_boundaries_mm is None or beam.leaf_mm is None:
        return replace(beam, leaf_boundaries_mm=np.linspace(-200.0, 200.0, 41), leaf_mm=np.zeros((len(beam.cumulative_mu), 80)))
    pairs = len(beam.leaf_boundaries_mm) - 1
    keep = np.r_[0:pairs:2, pairs : 2 * pairs : 2]
    return replace(beam, leaf_boundaries_mm=beam.leaf_boundaries_mm[: pairs + 1 : 2], leaf_mm=beam.leaf_mm[:, keep])


def points(beam: Beam, which: np.ndarray) -> Beam:
    """The beam at some of its control points."""
    tables = {name: getattr(beam, name)[which] for name in ("cumulative_mu", "gantry_deg", "collimator_deg", "jaw_mm", "couch")}
    return replace(beam, **tables, leaf_mm=None if beam.leaf_mm is None else beam.leaf_mm[which])


def negative(beam: Beam) -> Beam:
    """MU below zero."""
    return replace(beam, mu=-beam.mu, cumulative_mu=-beam.cumulative_mu)


def crossed_leaves(beam: Beam) -> Beam:
    """One pair reaches past itself."""
    if beam.leaf_mm is None:
        raise PlanError(f"beam {beam.number}: no leaves that could cross; use another beam")
    leaves, pairs = beam.leaf_mm.copy(), beam.leaf_mm.shape[1] // 2
    leaves[:, pairs // 2], leaves[:, pairs + pairs // 2] = -20.0, 20.0
    return replace(beam, leaf_mm=leaves)


def times(factor: float) -> Callable[[Beam], Beam]:
    """Another dose."""
    return lambda beam: beam.with_mu(round(factor * beam.mu, 3))


ENTRIES: dict[str, Callable[[Beam], Beam]] = {
    "mu_x10": times(10.0), "unit": times(100.0), "mu_negative": negative, "leaf_cross": crossed_leaves,
    "angle_999": lambda beam: replace(beam, gantry_deg=np.full_like(beam.gantry_deg, 999.0)),
    "nan": lambda beam: replace(beam, mu=float("nan"), cumulative_mu=np.full_like(beam.cumulative_mu, np.nan)),
}


def backwards(beam: Beam) -> Beam:
    """MU that fall."""
    mu = beam.cumulative_mu.copy()
    mu[len(mu) // 2] = mu[-1] + 1.0 if len(mu) > 2 else mu[0] - 1.0
    return replace(beam, cumulative_mu=mu)


def hurried(beam: Beam) -> Beam:
    """All of the way within a thousandth of an MU."""
    return replace(beam, mu=1e-3, cumulative_mu=np.round(beam.cumulative_mu / beam.mu * 1e-3, 9),
                   gantry_deg=np.linspace(-170.0, 170.0, len(beam.gantry_deg)))


def outside(beam: Beam) -> Beam:
    """A jaw beyond its range."""
    jaws = beam.jaw_mm.copy()
    jaws[:, 3] = 400.0
    return replace(beam, jaw_mm=jaws)


def doubled(beam: Beam) -> Beam:
    """The last control point once more, at the same dose, with the collimator turned: motion without dose at the end."""
    n = len(beam.cumulative_mu)
    twice = points(beam, np.r_[0:n, n - 1])
    turned = twice.collimator_deg.copy()
    turned[-1] += 999.0
    return replace(twice, collimator_deg=turned)


INFEASIBLE: dict[str, Callable[[Beam], Beam]] = {
    "mu_non_monotone": backwards, "speed": hurried, "acceleration": hurried, "out_of_range": outside, "duplicate_index": doubled,
}
CONVENTIONS: dict[str, Callable[[Plan], Plan]] = {
    "iec61217_vs_native": lambda plan: each(plan, lambda b: replace(b, gantry_deg=np.round(180.0 - b.gantry_deg, 3))),
    "gantry_180": lambda plan: each(plan, lambda b: replace(b, gantry_deg=np.round(wrapped(b.gantry_deg + 180.0), 3))),
    "couch_sign": lambda plan: each(plan, lambda b: replace(b, couch=-b.couch)),
    "HFS_FFS": lambda plan: replace(plan, patient_position="FFS"),
}


def each(plan: Plan, change: Callable[[Beam], Beam]) -> Plan:
    """All beams."""
    return replace(plan, beams=tuple(change(beam) for beam in plan.beams))


def wrapped(deg: np.ndarray) -> np.ndarray:
    """Within -180 .. 180."""
    return (deg + 180.0) % 360.0 - 180.0


WRONG: dict[str, Callable[[Plan], Plan]] = {
    "patient": lambda plan: replace(plan, patient_id=f"{plan.patient_id}-2", patient_name="Other^Patient"),
    "plan": lambda plan: replace(plan, sop_instance_uid=f"{plan.sop_instance_uid}.2", label=f"{plan.label} old",
                                 frame_of_reference_uid=f"{plan.frame_of_reference_uid}.2"),
    "site": lambda plan: replace(plan, frame_of_reference_uid=f"{plan.frame_of_reference_uid}.3", label=f"{plan.label} other site"),
    "field": lambda plan: replace(plan, groups=tuple(replace(g, beams=g.beams[::-1], mu=g.mu[::-1]) for g in plan.groups)),
}


def wrong_plan(order: "Order", given: Settings) -> "Order":
    """Another patient's plan, another plan, site or field than that of the patient who lies there."""
    order = at_home(order)
    return replace(order, plan=WRONG[str(given["kind"])](order.plan))


def convention(order: "Order", given: Settings) -> "Order":
    """The plan was written in another coordinate system than it says."""
    order = at_home(order)
    return replace(order, plan=CONVENTIONS[str(given["kind"])](order.plan))


AT_LOAD: dict[str, Callable[["Order", Settings], "Order"]] = {
    "plan_file_damaged": plan_file_damaged,
    "other_mlc": lambda order, given: with_beams(order, narrow_leaves, only_first=False),
    "points_lost": lambda order, given: rewritten(order, LOST[str(given["kind"])]),
    "entry": lambda order, given: with_beams(order, ENTRIES[str(given["field"])]),
    "infeasible": lambda order, given: with_beams(order, INFEASIBLE[str(given["kind"])]),
    "wrong_plan": wrong_plan, "convention": convention,
}
