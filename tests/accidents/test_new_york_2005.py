"""A plan that has lost its leaf positions.

In New York a planning program crashed while it saved a plan. What it left behind had the MU of a modulated plan and no modulation:
the leaves stood open, and three fractions were given like that before anybody looked (New York Times, January 2010). Here the file
of a sliding-window plan loses every leaf position but one, which is wide open.
"""

import numpy as np
import pydicom
import pytest

from linac_ctl.errors import PlanError
from linac_ctl.testing import at_mu

OPEN_MM = 150.0


def leaves_lost(path, there, modulated: bool):
    """The file after the crash; not `modulated`: saved again as two control points of an open field, as nobody would call it."""
    plan = pydicom.dcmread(there)
    for beam in plan.BeamSequence:
        points = beam.ControlPointSequence
        for point in points[1:]:
            if "BeamLimitingDevicePositionSequence" in point:
                del point.BeamLimitingDevicePositionSequence
        leaves = points[0].BeamLimitingDevicePositionSequence[-1]
        n = len(leaves.LeafJawPositions) // 2
        leaves.LeafJawPositions = [-OPEN_MM] * n + [OPEN_MM] * n
        if not modulated:
            points[-1].ControlPointIndex = 1
            beam.ControlPointSequence = [points[0], points[-1]]
            beam.NumberOfControlPoints, beam.BeamType = 2, "STATIC"
    plan.save_as(path)
    return path


def mean_gap_mm(linac):
    """Of the leaf pairs between the jaws, in truth."""
    leaves = np.array(linac.sim.plant.mlc["position"])
    a, b = np.split(leaves, 2)
    return float(np.mean((a - b)[20:40]))


@pytest.mark.linac(session="sliding_window", workflow="bench")
def test_a_modulated_plan_without_its_leaves_is_not_delivered(new_linac, tmp_path):
    linac = new_linac()
    linac.until(at_mu(50, beam=1))
    planned_mm = mean_gap_mm(linac)

    lost = leaves_lost(tmp_path / "lost.dcm", linac.order.plan_path, modulated=True)
    with pytest.raises(PlanError, match=r"parked open behind the jaws .*leaf data were lost: export the plan again"):
        new_linac(plan=lost)

    harmed = new_linac(plan=leaves_lost(tmp_path / "open.dcm", linac.order.plan_path, modulated=False))
    harmed.until(at_mu(99.9, beam=1))
    assert mean_gap_mm(harmed) > 10 * planned_mm  # mm; all of the field's 100 MU went through that
