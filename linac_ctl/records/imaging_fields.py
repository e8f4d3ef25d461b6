"""Fields that made MV images, as beams of a treatment record: no plan has them, so rows say what they were."""

import math
from collections.abc import Sequence as Many
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from linac_ctl.plan.model import Beam

from .deviations import beam_on_s
from .result import BeamResult, ImageResult
from .rows import Rows

OPEN, SHAPED = "OPEN_PORTFILM", "TRMT_PORTFILM"  # treatment delivery types
MV = {"mv_kv": (OPEN,), "mv_pair": (OPEN,), "port": (SHAPED, OPEN)}  # kind of acquisition -> its fields in turn
UNASKED = ("ReferencedBeamNumber", "SpecifiedPrimaryMeterset", "SpecifiedSecondaryMeterset")
OF_THE_PLAN = ("NominalBeamEnergy", "NominalBeamEnergyUnit", "OverrideSequence", "CorrectedParameterSequence")
LEAST_MU = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class ImagingField:
    """One field: the machine as it stood, what it gave, its rows."""

    beam: Beam
    done: BeamResult
    rows: Rows
    delivery_type: str  # empty: it made no image


def imaging_fields(rows: Rows, last_beam: int, images: Many[ImageResult]) -> list[ImagingField]:
    """In order of time. `last_beam`: the highest number in the plan; MU of images are booked above it."""
    own = rows.where(rows["beam"] > last_beam)
    cuts = np.flatnonzero(np.diff(own["cycle"]) > 1.5 * own.row_s / own.cycle_s) + 1
    parts = [own.span(int(a), int(b)) for a, b in zip([0, *cuts], [*cuts, len(own)])]
    given = [part for part in parts if len(part) and part["mu_1"].max() > LEAST_MU]
    return [_field(k, part, kind) for k, (part, kind) in enumerate(zip(given, _kinds(given, images)), 1)]


def _kinds(fields: Many[Rows], images: Many[ImageResult]) -> list[str]:
    """Treatment delivery type of each: the last fields before an acquisition made it, any earlier ones were given up."""
    found = [""] * len(fields)
    before = -math.inf
    for image in (i for i in images if i.kind in MV):
        own = [k for k, f in enumerate(fields) if before < f.t_s[0] < image.t_s]
        made = own[-(1 if image.kind == "mv_kv" else image.frames) :]
        for k, kind in zip(made, cycle(MV[image.kind])):
            found[k] = kind
        before = image.t_s
    return found


def _field(k: int, rows: Rows, kind: str) -> ImagingField:
    number, mu, mu_2 = int(rows["beam"][0]), float(rows["mu_1"].max()), float(rows["mu_2"].max())
    done = BeamResult(number, f"MV image {k}", mu, mu, mu_2, None, 0.0, beam_on_s(rows, number), {})
    return ImagingField(_beam(number, done.name, mu, rows), done, rows, kind)


def _beam(number: int, name: str, mu: float, rows: Rows) -> Beam:
    """From readbacks while the beam was on: nothing of it moved."""
    on = int(np.searchsorted(np.maximum.accumulate(rows["mu_1"]), mu / 2))
    here = rows.span(on, on + 1)
    leaves = [axis.name for axis in rows.axes() if axis.is_leaf]
    return Beam(number=number, name=name, technique="static", mode="", mu=mu, dose_rate_mu_per_min=None,
                cumulative_mu=np.array([0.0, mu]), gantry_deg=_twice(here, ["gantry"])[:, 0],
                collimator_deg=_twice(here, ["collimator"])[:, 0], jaw_mm=_twice(here, ["X1", "X2", "Y1", "Y2"]),
                leaf_mm=_twice(here, leaves) if leaves else None, leaf_boundaries_mm=None, couch=np.full((2, 6), np.nan))


def _twice(row: Rows, names: Many[str]) -> NDArray[np.float64]:
    """(2, names) readbacks, mm or deg; not a number for what the machine does not have."""
    found = [row.axis(name) for name in names]
    values = [np.nan if axis is None else float(row.readback(axis)[0]) for axis in found]
    return np.round(np.tile(values, (2, 1)), 3)


def as_imaging(item: Dataset, field: ImagingField) -> Dataset:
    """A session beam without what only a plan could say. A field that made no image ended nobody knows how."""
    for keyword in UNASKED:
        delattr(item, keyword)
    item.BeamDescription, item.TreatmentDeliveryType = "Made an image; on no beam of the plan", field.delivery_type
    item.TreatmentTerminationStatus = "NORMAL" if field.delivery_type else "UNKNOWN"
    for point in item.ControlPointDeliverySequence:
        point.SpecifiedMeterset = point.DoseRateSet = None
        for keyword in OF_THE_PLAN:
            if keyword in point:
                delattr(point, keyword)
    return item
