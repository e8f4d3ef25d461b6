"""A dose monitor that reads too little.

Loyd and others shifted filters, foils and shutters of a clinical linac on purpose: in some places the dose was wrong by up to
+270 %, and the machine went on (Med. Phys. 1989, doi 10.1118/1.596384). Here chamber 1, which ends the field, loses all but
1 / 3.7 of its signal in the middle of a beam. It has no way to notice that by itself: two chambers have to agree.
"""

import pytest

from linac_ctl.testing import at_mu, beam_off

# chamber 1 against itself, the others, the count of pulses, the planned rate, and the planned beam-on time
AGREEMENT = ("PULSE_LOW", "MU_DIS", "RATE_PLAUS", "DOSE_RATE_LO", "FIELD_TIME")
LAST_LINE = 3  # comparators of the safety channel: own dose (1), own timer (2)
FACTOR = 3.7  # +270 %


def lose_signal(linac):
    """Chamber 1 goes at 10 of 65 MU; -> the fault."""
    linac.until(at_mu(10, beam=1))
    return linac.inject(parameter="plant.chambers[0].gain", value=1.0 / FACTOR)


@pytest.mark.linac(session="power_dip.yaml", armed=True)
def test_a_chamber_that_reads_too_little_is_found_by_the_other(new_linac):
    linac = new_linac()
    fault = lose_signal(linac)
    linac.expect(beam_off, within_ms=200)  # 1 MU of disagreement at 10 MU/s, two cycles, and the pulse in flight
    assert fault.acted and linac.first_out == ["PULSE_LOW"]
    assert linac.mu < 10.0 + 2.0  # MU

    harmed = new_linac(without=AGREEMENT)
    fault = lose_signal(harmed)
    harmed.inject(parameter="plant.safety.dead", value=LAST_LINE)
    harmed.until(beam_off, within_s=60.0)
    assert fault.acted and harmed.first_out == ["ABORT"]  # nothing of the machine: the referee stops the run
    assert "SI-05 violated: 6.59 MU above the prescription" in str(harmed.error)

    watched = new_linac(without=AGREEMENT, referee="watch")
    fault = lose_signal(watched)
    watched.inject(parameter="plant.safety.dead", value=LAST_LINE)
    watched.until(beam_off, within_s=60.0)
    assert watched.first_out == [] and watched.mu == pytest.approx(213.2, abs=0.5)  # of 65: the chamber that lies ends the field
