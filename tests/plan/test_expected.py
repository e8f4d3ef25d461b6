"""What somebody else than the file says of a plan: inside, at and outside the limit, not a number, too many beams and too few."""

import math
from dataclasses import replace

import pytest

from linac_ctl.config.session import ExpectConfig
from linac_ctl.plan.check import check, errors
from linac_ctl.plan.expected import Expected
from linac_ctl.plan.model import Plan

SHA = "0123456789abcdef" * 4


@pytest.fixture(scope="session")
def box(made) -> Plan:
    """Four beams of 58 MU, or whatever the recipe gives them."""
    return replace(made("box_3dcrt").plan, sha256=SHA)


def total(plan: Plan) -> float:
    return sum(beam.mu for beam in plan.fraction())


@pytest.mark.parametrize("factor, fits", [(0.949, False), (0.951, True), (1.0, True), (1.049, True), (1.051, False), (10.0, False),
                                          (0.1, False), (math.nan, False), (-1.0, False)])
def test_the_mu_of_a_fraction_may_differ_by_five_percent_and_no_more(box, factor, fits):
    one = replace(box.groups[0], mu=tuple(factor * mu for mu in box.groups[0].mu))
    said = Expected("physics", mu=total(box)).other_dose(replace(box, groups=(one,)), None)
    assert (said == ()) is fits
    assert fits or "by physics" in said[0]


def test_beams_are_compared_one_by_one_so_that_two_errors_do_not_cancel(box):
    mu = list(box.groups[0].mu)
    mu[0], mu[1] = mu[0] + 20.0, mu[1] - 20.0
    swapped = replace(box, groups=(replace(box.groups[0], mu=tuple(mu)),))
    said = {beam.number: beam.mu for beam in box.fraction()}
    assert Expected("physics", mu=total(box)).other_dose(swapped, None) == ()
    assert [text.split(" has")[0] for text in Expected("physics", beams=said).other_dose(swapped, None)] == ["beam 1", "beam 2"]


def test_a_beam_too_many_or_too_few_is_told(box):
    said = {beam.number: beam.mu for beam in box.fraction()}
    (missing,) = Expected("physics", beams=said | {9: 50.0}).other_dose(box, None)
    (strange,) = Expected("physics", beams={n: mu for n, mu in said.items() if n != 2}).other_dose(box, None)
    assert missing.startswith("beam 9 is not there") and strange.startswith("beam 2 with")


@pytest.mark.parametrize("sha256, same", [("", True), (SHA, True), (SHA[:16], True), ("f" * 64, False), ("f" * 16, False)])
def test_a_hash_may_be_shortened_and_has_to_fit(box, sha256, same):
    assert (Expected("record and verify", sha256).other_file(box) == "") is same


@pytest.mark.parametrize("gy, fits", [(2.0, True), (2.1, True), (2.2, False)])
def test_the_prescribed_dose_is_held_against_the_plans_own(box, gy, fits):
    dosed = replace(box, groups=(replace(box.groups[0], dose_gy=(0.5, 0.5, 0.5, 0.5)),))
    assert (Expected("physics", fraction_gy=gy).other_dose(dosed, None) == ()) is fits
    assert Expected("physics", fraction_gy=gy).other_dose(box, None) == ()  # the plan says nothing of dose


@pytest.mark.parametrize("per_gy, fits", [(29.9, False), (30.0, True), (120.0, True), (1000.0, True), (1000.1, False)])
def test_mu_have_to_fit_the_dose_that_the_same_plan_says_they_give(box, m120, per_gy, fits):
    gy = total(box) / per_gy
    dosed = replace(box, groups=(replace(box.groups[0], dose_gy=(gy, 0.0, 0.0, 0.0)),))
    found = [one.keyword for one in errors(check(dosed, m120))]
    assert found == ([] if fits else ["BeamMeterset"])


def test_of_a_dose_that_is_next_to_nothing_nothing_can_be_said(box, m120):
    assert not errors(check(replace(box, groups=(replace(box.groups[0], dose_gy=(0.05, 0.0, 0.0, 0.0)),)), m120))


def test_without_doses_of_beams_the_share_of_the_prescription_counts(box):
    course = replace(box, prescribed_gy=60.0, groups=(replace(box.groups[0], fractions=30),))
    assert course.fraction_gy() == pytest.approx(2.0) and box.fraction_gy() is None


def test_an_expectation_of_nothing_is_refused():
    with pytest.raises(ValueError, match="say what is expected"):
        ExpectConfig()
