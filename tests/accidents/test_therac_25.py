"""An entry that is edited while the machine sets up for the one before.

The operator of a Therac-25 typed the wrong mode, saw it, corrected it within eight seconds, and pressed start. The screen showed
the correction; a part of the machine had been set for the first entry and did not look again. Six people were hurt (Leveson
and Turner, IEEE Computer 26(7), 1993). Here the MU of the first field are corrected between arming and beam-on.
"""

import pytest

from linac_ctl.testing import finished, interlock, phase

SNAPSHOT = ("RX_CHANGED", "RX_HASH", "PLAN_INTEGRITY", "PLAN_BIND")  # what is armed against what is entered, in memory and on file


def correct(linac):
    """While the first field is armed and nobody has pressed beam-on."""
    linac.until(phase("ready"))
    return linac.inject("OPR-01", field="mu", t_after_setup_ms=0)


@pytest.mark.linac(session="box", workflow="bench", armed=True)
def test_what_was_edited_after_arming_is_not_delivered(new_linac):
    linac = new_linac()
    fault = correct(linac)
    linac.expect(interlock("RX_CHANGED"), within_ms=20)
    linac.until(finished)
    assert fault.acted and linac.total_mu == 0.0

    harmed = new_linac(without=SNAPSHOT)
    fault = correct(harmed)
    harmed.until(finished)
    assert fault.acted and harmed.error is None and harmed.first_out == []
    shown_mu, given_mu = harmed.sim.suite.plan.beams[0].mu, harmed.sim.true_mu()[1]
    assert shown_mu == pytest.approx(130.0) and given_mu == pytest.approx(65.0, abs=0.1)  # half of what the screen says
