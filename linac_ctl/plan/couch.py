"""Where a plan wants the couch: (n, 6) lateral longitudinal vertical mm, rotation pitch roll deg, IEC 61217."""

import numpy as np

from linac_ctl.plan.angles import signed
from linac_ctl.plan.grid import to_deg, to_mm
from linac_ctl.plan.model import Floats
from linac_ctl.plan.points import Point

SHIFTS = ("TableTopLateralPosition", "TableTopLongitudinalPosition", "TableTopVerticalPosition")


def couch(points: list[Point]) -> tuple[Floats, bool]:
    """(positions, True if the plan leaves the translations to the set-up).

    All three translations or none: two of three say nothing about the place (C.8.8.14.6).
    """
    for point in points:
        for keyword in ("TableTopEccentricAngle", "GantryPitchAngle"):
            if point.values.get(keyword, 0.0) != 0.0:
                raise point.item.where.refuse(
                    keyword, f"is {point.values[keyword]:g} deg; no machine here has this axis", "plan without it"
                )
    relative = any(keyword not in points[0].values for keyword in SHIFTS)
    rows = [[np.nan if relative else point.values[k] for k in SHIFTS] for point in points]
    turns = [
        [signed(point.values.get(k, 0.0)) for k in ("PatientSupportAngle", "TableTopPitchAngle", "TableTopRollAngle")]
        for point in points
    ]
    return np.hstack([to_mm(rows), to_deg(turns)]), relative
