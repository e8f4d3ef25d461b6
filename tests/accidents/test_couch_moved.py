"""A couch that is moved after the position was approved.

Shifts that were not applied, applied twice, or undone by somebody who needed room are the most frequent reports of treatment in the
wrong place (for example PMC9278683: couch overrides in one fraction of nine). Here the couch is jogged by 4 mm at the pendant
while the first arc of an image-guided session is armed; the patient was imaged, matched, shifted and approved before.
"""

import pytest

from linac_ctl.testing import beam_off, beam_on, finished, interlock, phase

ENCODERS, SKIN, TARGET = "POS_CHANGED", "SURF_MOTION", "PATIENT_MOTION"  # couch; surface monitor; kV images during the beam
LATE_S = 1.2


def jog(linac, after_s=0.0, axis="lateral"):
    """A second later the image before the beam has been taken, and sideways is along its ray anyway."""
    linac.until(phase("ready"))
    linac.run_for(after_s)
    return linac.inject("OPR-07", d_mm=4, axis=axis)


@pytest.mark.linac(session="spine_igrt_quick", armed=True)
def test_a_couch_that_moves_ends_the_approval(new_linac):
    linac = new_linac()
    fault = jog(linac)
    linac.expect(interlock("POS_CHANGED"), within_ms=400)  # 1 mm, from a standing start
    linac.until(finished)
    assert fault.acted and linac.total_mu == 0.0

    early = new_linac(without=ENCODERS)  # then the image before the beam shows the target beside its place, and it is brought back
    jog(early, axis="vertical")
    early.until(finished)
    assert len(early.sim.suite.imaging.shifts) == 2 and early.sim.residuals[1][0] < 1.0

    second = new_linac(without=ENCODERS)  # after that image: the skin is where the surface monitor did not see it before
    jog(second, after_s=LATE_S)
    second.expect(interlock(SKIN), within_ms=3000)
    assert second.total_mu == 0.0

    third = new_linac(without=(ENCODERS, SKIN))  # then a kV image in the beam shows it
    jog(third, after_s=LATE_S)
    third.until(interlock(TARGET))
    third.until(beam_off)
    assert third.mu == pytest.approx(241.5, abs=5.0)  # of 1900, 4 mm beside

    harmed = new_linac(without=(ENCODERS, SKIN, TARGET))
    fault = jog(harmed, after_s=LATE_S)
    harmed.until(beam_on)
    assert fault.acted and harmed.sim.residuals[1][0] == pytest.approx(4.1, abs=0.3)  # mm, from 0.2
    harmed.until(beam_off)
    assert harmed.mu == pytest.approx(440.7, abs=5.0)  # MU; eight images beside the place end it
