"""From rows to margins, on populations whose parts are known."""

import numpy as np
import pytest

from linac_ctl.errors import RefusedError
from linac_ctl.study.margins import Sample, arm_result, drawn, quantities, with_intervals
from linac_ctl.study.rows import PatientRow, SessionRow, needed
from tests.study.worlds import usual


def normal(count, key):
    """Sum of twelve less six: mean 0, sigma 1."""
    return drawn(12 * count, np.uint64(key)).reshape(count, 12).sum(1) - 6.0


def population(patients=400, fractions=5, systematic=2.0, random=1.0, spread=0.5):
    ever = systematic * normal(3 * patients, 1).reshape(patients, 1, 3)
    mean = ever + random * normal(3 * patients * fractions, 2).reshape(patients, fractions, 3)
    size = np.abs(mean).max((1, 2))
    return Sample(mean, np.full_like(mean, spread), size, size)


def test_both_parts_are_found_again():
    found = quantities(population())
    for axis in "xyz":
        assert found[f"systematic_{axis}_mm"] == pytest.approx(2.0, rel=0.1)
        assert found[f"random_{axis}_mm"] == pytest.approx(np.hypot(1.0, 0.5), rel=0.05)
    assert found["recipe_mm"] == pytest.approx(2.5 * 2.0 + 0.7 * np.hypot(1.0, 0.5), rel=0.1)


def test_few_fractions_make_the_random_part_partly_systematic():
    found = quantities(population(systematic=0.0, fractions=3, spread=0.0, patients=2000))
    assert found["systematic_x_mm"] < 0.2
    assert found["recipe_few_x_mm"] == pytest.approx(2.5 / np.sqrt(3) + 0.7 * np.sqrt(2 / 3), rel=0.06)


def test_what_all_share_is_no_part_of_the_recipe():
    data = population()
    shifted = Sample(data.mean + 5.0, data.spread, data.margin_mean, data.margin)
    assert quantities(shifted)["recipe_mm"] == pytest.approx(quantities(data)["recipe_mm"])
    assert quantities(shifted)["bias_x_mm"] == pytest.approx(5.0 + quantities(data)["bias_x_mm"])


@pytest.mark.parametrize("share, least", [(0.90, 9.0), (0.91, 10.0), (0.95, 10.0), (1.0, 10.0), (0.05, 1.0)])
def test_a_share_of_patients_is_covered_and_not_one_less(share, least):
    assert needed(np.arange(10.0, 0.0, -1.0), share) == least


def test_intervals_hold_the_truth_and_are_the_same_twice():
    data = population(patients=60)
    found = with_intervals(data, 300, 1, "arm")
    assert found == with_intervals(data, 300, 1, "arm") != with_intervals(data, 300, 2, "arm")
    number = found["systematic_x_mm"]
    assert number.low < 2.0 < number.high and number.low < number.value < number.high


def test_more_patients_narrow_the_interval():
    wide, narrow = (with_intervals(population(patients=n), 200, 1, "a")["recipe_x_mm"] for n in (30, 480))
    assert (narrow.high - narrow.low) < 0.5 * (wide.high - wide.low)


def row(patient, fraction, x, treated=True):
    nan = float("nan")
    places = ((x, 0.0, 0.0), (x, 0.0, 0.0), (0.0, 0.0, 0.0)) if treated else ((nan,) * 3,) * 3
    sizes = (abs(x),) * 3 if treated else (nan,) * 3
    return SessionRow("none", patient, fraction, treated, (0.0,) * 6, *places, *sizes, 1, 1, 0, 0, 600.0)


def test_sessions_that_were_given_up_are_counted_and_not_averaged():
    study = usual()
    rows = [row(p, f, 1.0 + p, treated=(p, f) != (2, 1)) for p in range(4) for f in range(2)]
    patients = [PatientRow("none", p, 1 if p == 2 else 2, 1.0, 1.0) for p in range(4)]
    found = arm_result(study.arms[0], study, 1, rows, patients)
    assert (found.patients, found.sessions, found.given_up) == (4, 7, 1)
    assert found.numbers["bias_x_mm"].value == pytest.approx(2.5)


def test_an_arm_that_treats_nobody_is_an_error():
    study = usual()
    rows = [row(p, f, 1.0, treated=False) for p in range(3) for f in range(2)]
    with pytest.raises(RefusedError, match="fewer than two patients were treated"):
        arm_result(study.arms[0], study, 1, rows, [PatientRow("none", p, 0, float("nan"), float("nan")) for p in range(3)])
