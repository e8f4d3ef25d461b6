"""Gold markers in the target: found in a kV pair, shifted home, and refused when they are not what was planned."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from linac_ctl.imager_link import Prepared, prepare
from linac_ctl.sequencer.protocol import ProtocolConfig
from tests.sequencer.guided import (
    APPROVE,
    BEFORE,
    CLOSE,
    MACHINE,
    MATCH,
    SHIFT,
    TREAT,
    guided,
    patient,
    protocol,
    room,
    soon,
)
from tests.support import Run, plan_of, quick, run, small_arc

PAIR = soon("acquire_pair")
STEPS = [*BEFORE, PAIR, MATCH, APPROVE, SHIFT, TREAT, CLOSE]
TURNED = (5.0, -4.0, 3.0, 0.8, -0.6, 0.9)


@cache
def marked() -> Prepared:
    """The spine with three markers, voxels small enough to hold them."""
    choice = patient().model_copy(update={"fiducials": True, "spacing_mm": 1.0})
    return prepare(choice, plan_of([small_arc(quick(MACHINE))]))


def session(rules: ProtocolConfig | None = None, error: tuple[float, ...] = TURNED, prepared: Prepared | None = None) -> Run:
    return run(guided(error=error, steps=STEPS, rules=rules or protocol("conventional_markers")), prepared=prepared or marked())


def test_markers_bring_the_target_home_even_when_the_patient_is_turned() -> None:
    sim = session()
    assert sim.error is None and sim.residuals[1][0] <= 0.5
    (match,) = sim.suite.imaging.matches
    assert match.method == "markers" and match.dof == 3 and match.good


def test_three_markers_fix_the_turns_too() -> None:
    sim = session(protocol("conventional_markers", registration={"dof": 6}, levels={"no_shift_mm": 1.0, "no_shift_deg": 0.3}))
    found = np.array(sim.suite.imaging.matches[0].error)
    assert np.abs(found[:3] - TURNED[:3]).max() < 0.4 and np.abs(found[3:] - TURNED[3:]).max() < 0.7


def test_a_marker_that_is_not_where_the_others_put_it_is_refused() -> None:
    planning = marked().planning
    (x, y, z), *others = planning.markers_mm
    sim = session(prepared=replace(marked(), planning=replace(planning, markers_mm=((x + 4.0, y, z), *others))))
    assert "markers: marker" in str(sim.error) and "from where the others put it" in str(sim.error)
    assert float(sim.plant.beam["true_total_mu"][0]) == 0.0


def test_a_protocol_of_markers_refuses_a_patient_without() -> None:
    sim = session(prepared=room())
    assert "the planning CT has none" in str(sim.error) and float(sim.plant.beam["true_total_mu"][0]) == 0.0


def test_markers_do_not_fix_four_degrees_of_freedom() -> None:
    with pytest.raises(ValueError, match="3 or 6 degrees of freedom, not 4"):
        protocol("conventional_markers", registration={"dof": 4})
