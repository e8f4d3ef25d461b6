"""Any two series against each other. Nothing is known of the scan, so the CBCT's shading and sharpness are unknowns."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from linac_ctl.errors import RefusedError

from .clip import ClipBox
from .dicom_series import Series, Triple
from .fit import USUAL, Fit, QualityLimits, complaints
from .reference import Reference
from .register_volume import PointMatcher
from .volume import Volume, halved

WATER_PER_MM = 0.02
REACH_MM, FINEST_MM = 128.0, 1.0
BLURS = (0, 1, 3, 6)  # passes of 1 2 1: a variance of half a voxel squared each
NOTHING = -1.0  # similarity where nothing was compared
HALF_BOX_MM: Triple = (60.0, 55.0, 50.0)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesMatch:
    """`fit.pose`: a point planned at p is at r = R p + t in the CBCT; fixed frame about `isocentre_mm` (DICOM coordinates)."""

    fit: Fit
    complaints: tuple[str, ...]
    isocentre_mm: Triple
    ct: Volume  # HU, fixed frame, both on one grid
    cbct: Volume


def match_series(
    ct: Series, cbct: Series, dof: int = 6, isocentre_mm: Triple | None = None, half_box_mm: Triple = HALF_BOX_MM,
    any_frame: bool = False, limits: QualityLimits = USUAL,
) -> SeriesMatch:
    """The isocentre is the middle of the CBCT unless given; the clip box stands about it."""
    belongs(ct, cbct, any_frame)
    at = isocentre_mm or cbct.centre_mm
    step = max(FINEST_MM, *(round(h, 3) for h in cbct.hu.spacing_mm))
    count = 2 * round(REACH_MM / step)
    both = averaged(ct, at, step, count), averaged(cbct, at, step, count)
    half = np.array(half_box_mm, float)
    x, y, z = (float(v) for v in half)
    reference = attenuation(both[0])
    box, image = ClipBox((-x, -y, -z), (x, y, z)), attenuation(both[1])
    fits = [PointMatcher(Reference(blurred, shading(blurred)), box, dof)(image) for blurred in blurs(reference)]
    fit = max(fits, key=lambda f: f.similarity)
    if fit.similarity <= NOTHING:
        raise RefusedError(f"match: the clip box about DICOM {', '.join(f'{v:g}' for v in at)} mm shows nothing that both images "
                           "could share; look at --isocentre and --box")
    return SeriesMatch(fit, complaints(fit, limits), at, *both)


def belongs(ct: Series, cbct: Series, any_frame: bool) -> None:
    """RefusedError for images of two patients, or of two frames of reference."""
    if ct.patient_id != cbct.patient_id:
        raise RefusedError(f"match: {ct.folder} is of patient {ct.patient_id!r}, {cbct.folder} of {cbct.patient_id!r}; "
                           "both must be of one")
    if ct.patient_position != cbct.patient_position:
        raise RefusedError(f"match: the patient lies {ct.patient_position or '?'} in the CT and "
                           f"{cbct.patient_position or '?'} in the CBCT; both must be alike")
    if ct.frame_of_reference_uid != cbct.frame_of_reference_uid and not any_frame:
        raise RefusedError(f"match: {cbct.folder} is in another frame of reference than {ct.folder}; if their coordinates "
                           "mean the same all the same, say --any-frame")


def averaged(series: Series, isocentre_mm: Triple, step_mm: float, count: int) -> Volume:
    """As `Series.straight`, from finer voxels where the series has them: single ones of a sharp CT would pull a match aside."""
    halvings = 0
    while step_mm / 2 ** (halvings + 1) >= max(series.hu.spacing_mm) * 0.99:
        halvings += 1
    volume = series.straight(isocentre_mm, step_mm / 2**halvings, count * 2**halvings)
    for _ in range(halvings):
        volume = halved(volume)
    return volume


def attenuation(hu: Volume) -> Volume:
    """1/mm."""
    return hu.with_data(np.maximum(1.0 + 1e-3 * hu.data, 0.0) * np.float32(WATER_PER_MM))


def blurs(volume: Volume) -> list[Volume]:
    """The volume as it is and ever less sharp: a CT with edges that the CBCT does not show is drawn aside by them."""
    out, done = [], 0
    data: Any = volume.data
    for times in BLURS:
        for _ in range(times - done):
            for axis in range(3):
                padded = np.pad(data, [(1, 1) if a == axis else (0, 0) for a in range(3)], "edge")
                ahead, behind = (np.moveaxis(padded, axis, 0)[s] for s in (slice(2, None), slice(None, -2)))
                data = np.moveaxis((np.moveaxis(data, axis, 0) * 2 + ahead + behind) / 4, 0, axis)
        done = times
        out.append(volume.with_data(data))
    return out


def shading(reference: Volume) -> tuple[Volume, ...]:
    """What scatter may do to a CBCT, one smooth pattern each: darker towards the middle along X, Y and Z."""
    modes = []
    for axis, place in ((0, 0), (1, 2), (2, 1)):
        shape = [1, 1, 1]
        shape[place] = reference.size[axis]
        square = ((reference.axis_mm(axis) / REACH_MM) ** 2).reshape(shape).astype(np.float32)
        modes.append(reference.with_data(reference.data * square))
    return tuple(modes)
