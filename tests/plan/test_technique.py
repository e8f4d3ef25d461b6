"""What kind of delivery a beam is."""

import numpy as np
import pytest

from linac_ctl.plan.technique import technique

JAWS = np.tile([-50.0, 50.0, -50.0, 50.0], (4, 1))
STILL = np.zeros((4, 4))
MOVING = np.arange(16.0).reshape(4, 4)


@pytest.mark.parametrize(
    "cumulative_mu, gantry_deg, leaves, expected",
    [
        ([0, 0, 0, 9], [0, 0, 0, 0], None, "static"),
        ([0, 3, 6, 9], [0, 0, 0, 0], STILL, "static"),
        ([0, 3, 6, 9], [0, 0, 0, 0], MOVING, "sliding_window"),
        ([0, 4, 4, 9], [0, 0, 0, 0], MOVING[[0, 0, 1, 1]], "step_and_shoot"),
        ([0, 3, 6, 9], [0, 1, 2, 3], MOVING, "conformal_arc"),
        ([0, 3, 6, 9], [0, 1, 2, 3], STILL, "conformal_arc"),
        ([0, 3, 4, 9], [0, 1, 2, 3], STILL, "arc"),
        ([0, 3, 6, 9], [0, 0, 2, 3], STILL, "arc"),  # dose at rest, then on the way
    ],
)
def test_the_technique_follows_from_what_moves_while_dose_is_given(cumulative_mu, gantry_deg, leaves, expected):
    mu, gantry = np.array(cumulative_mu, dtype=float), np.array(gantry_deg, dtype=float)
    assert technique(mu, gantry, JAWS, leaves) == expected


def test_a_jaw_that_moves_with_dose_makes_a_window_even_without_leaves():
    jaws = JAWS.copy()
    jaws[:, 1] += [0, 1, 2, 3]
    assert technique(np.array([0.0, 1, 2, 3]), np.zeros(4), jaws, None) == "sliding_window"
    assert technique(np.array([0.0, 1, 2, 3]), np.zeros(4), np.full((4, 4), np.nan), None) == "static"
