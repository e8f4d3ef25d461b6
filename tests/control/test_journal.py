"""What was given, of three counts of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.image import Node
from linac_ctl.control.journal import JOURNAL, MOST_MU, SLOTS, settled
from tests.control.rig import Rig

FLOOR_MU, RATIO = 1.0, 0.05
NAN, INF = float("nan"), float("inf")
ANY = st.floats(allow_nan=True, allow_infinity=True)


def of(mu_1: float, mu_2: float, backup_mu: float) -> float:
    return float(settled(mu_1, mu_2, backup_mu, FLOOR_MU, RATIO))


@pytest.mark.parametrize(("counts", "given_mu"), [
    ((40.0, 40.1, 40.0), 40.0), ((40.0, 42.0, 0.0), 40.0), ((40.0, 37.9, 40.5), 40.0),  # chamber 1 is borne out
    ((40.0, 0.0, 40.5), 40.0), ((40.0, NAN, 40.5), 40.0), ((40.0, 40.2, INF), 40.0),
    ((0.0, 20.0, 20.5), 20.5), ((NAN, 20.0, 20.5), 20.5), ((1.7e308, 20.0, 19.5), 20.0), ((INF, 20.0, 19.5), 20.0),  # it is alone
    ((30.0, 20.0, 10.0), 30.0), ((-5.0, 20.0, 10.0), 20.0), ((NAN, NAN, 10.0), 10.0), ((NAN, INF, -1.0), 0.0),  # nobody agrees
    ((40.0, 42.05, 0.0), 42.05), ((0.2, -0.5, 5.0), 5.0), ((MOST_MU, MOST_MU, 0.0), MOST_MU),
    ((10.0, 11.0, 0.0), 10.0), ((10.0, 11.01, 0.0), 11.01), ((10.0, 11.01, 11.5), 11.5),
    ((MOST_MU * 1.01, 3.0, NAN), 3.0), ((100_000.5, 3.0, NAN), 3.0),
    ((0.0, 0.5, NAN), 0.0), ((0.5, 0.75, NAN), 0.5),  # no dose, and hardly any, are doses too
])
def test_chamber_1_counts_while_another_bears_it_out_and_else_the_higher_of_the_others(
        counts: tuple[float, float, float], given_mu: float) -> None:
    assert of(*counts) == given_mu


def test_the_journal_of_a_fraction_is_one_page() -> None:
    assert SLOTS * JOURNAL.itemsize == 4096


@given(st.floats(0.0, 1000.0), ANY)
def test_one_count_that_lies_moves_what_was_given_by_no_more_than_two_may_differ(mu: float, lie: float) -> None:
    for counts in ((lie, mu, mu), (mu, lie, mu), (mu, mu, lie)):
        assert abs(of(*counts) - mu) <= max(FLOOR_MU, RATIO * mu) + 1e-9


@given(ANY, ANY, ANY)
def test_what_was_given_is_always_a_dose(a: float, b: float, c: float) -> None:
    assert 0.0 <= of(a, b, c) <= MOST_MU and math.isfinite(of(a, b, c))


SLOT = 4


@pytest.fixture
def rig() -> Rig:
    """Beam is on, and its doses go into SLOT."""
    rig = Rig()
    rig.beam()
    rig.job["slot"] = SLOT
    rig.cycle(40)
    return rig


def test_chambers_that_nobody_has_heard_of_for_30_ms_count_for_nothing(rig: Rig) -> None:
    given_mu = float(rig.control.journal["mu"][SLOT])
    rig.spoil("beam", "mu_1", given_mu)
    rig.spoil("beam", "mu_2", given_mu)
    rig.spoil("safety", "mu_backup", given_mu + 0.5)
    rig.cycle(2)
    assert rig.control.journal["mu"][SLOT] == given_mu
    rig.spoil("nodes", "sampled_cycle", int(rig.job["cycle"][0]) - 2, int(Node.BEAM))
    rig.cycle(1)
    assert rig.control.journal["mu"][SLOT] == given_mu + 0.5


def test_what_was_given_never_falls_when_both_chambers_lose_their_counts(rig: Rig) -> None:
    before = float(rig.control.journal["mu"][SLOT])
    rig.spoil("beam", "mu_1", 0.0)
    rig.spoil("beam", "mu_2", 0.0)
    rig.cycle(2)
    assert before > 0.0 and rig.control.journal["mu_1"][SLOT] < before <= rig.control.journal["mu"][SLOT]
