"""The referee in a test: it judges truth, so that a test of a fault passes only where the machine was right."""

import pytest

from linac_ctl.testing import at_mu, beam_off


def test_a_run_without_faults_is_judged_and_passes(linac, referee):
    found = referee.passes()
    assert linac.sim.finished and len(found.judged) > 15 and referee.violated == ()


def test_a_run_whose_machine_reacted_passes(linac, inject, referee):
    linac.until(at_mu(5))
    inject(signal="beam.mu_1", behaviour="freeze")
    linac.expect(beam_off, within_ms=300)
    referee.passes()


@pytest.mark.linac(without=("PULSE_LOW", "MU_DIS", "RATE_PLAUS", "DOSE_RATE_LO"))
def test_a_run_whose_machine_did_not_react_does_not_pass(linac, inject, referee):
    linac.until(at_mu(5))
    inject(parameter="plant.chambers[0].gain", value=1.0 / 3.7)
    with pytest.raises(AssertionError, match=r"referee: .* VIOLATED.*SI-07"):
        referee.passes()
    assert referee["SI-07"].margin < 0.0


def test_a_fault_that_never_acted_proves_nothing(linac, inject, referee):
    inject("ACT-04", leaf=17, when={"truth": "plant.beam.true_mu >= 5000"})
    with pytest.raises(AssertionError, match="ACT-04 never had an effect, so this run proves nothing"):
        referee.passes()


def test_a_property_that_there_is_not_is_told_which_there_are(linac, referee):
    with pytest.raises(KeyError, match="no property 'SI-99'; there are SI-01"):
        referee["SI-99"]


FORGETS = """
import pytest

def test_forgets_to_ask(linac, referee):
    linac.run_for(1.0)

@pytest.mark.linac(without=("PULSE_LOW", "MU_DIS", "RATE_PLAUS", "DOSE_RATE_LO"))
def test_fails(linac, inject, referee):
    inject(parameter="plant.chambers[0].gain", value=1.0 / 3.7)
    referee.passes()
"""


def test_one_that_is_never_asked_fails_the_test_and_a_failed_test_says_what_is_violated(project):
    done = project(FORGETS)
    done.assert_outcomes(passed=1, failed=1, errors=1)
    done.stdout.fnmatch_lines(["referee: was never asked; *"])
    done.stdout.fnmatch_lines(["referee     SI-07 violated, margin *"])
