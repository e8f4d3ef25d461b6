"""How long the beam was on with the couch away from its place, read off hand-made traces."""

import numpy as np
import pytest

from device_models.referee.columns import ROW, Flag
from linac_ctl.campaign.displaced import displaced_ms
from linac_ctl.campaign.track import Track


def trace(away=(), mm=2.5, beam=(0, 100), n=100):
    """Beam from the first to before the second cycle; the couch is away in the cycles of `away`."""
    rows = np.zeros(n, ROW)
    rows["cycle"], rows["bits"] = np.arange(n), int(Flag.PERMIT)
    rows["pulses"][slice(*beam)] = 3
    rows["couch"][slice(*away), 2] = mm if away else 0.0
    return rows


@pytest.mark.parametrize(("mm", "ms"), [(1.99, 0.0), (2.0, 0.0), (2.01, 40.0), (-2.01, 40.0), (np.nan, 40.0)])
def test_beam_counts_while_the_couch_is_further_away_than_the_limit(mm, ms):
    assert displaced_ms(Track(trace((30, 34), mm)), 2.0) == pytest.approx(ms)


def test_without_beam_there_is_nothing_to_measure():
    assert displaced_ms(Track(trace((30, 60), beam=(0, 0))), 2.0) is None


def test_a_couch_that_is_away_while_there_is_no_beam_does_no_harm():
    assert displaced_ms(Track(trace((50, 90), beam=(0, 50))), 2.0) == 0.0


def test_a_gap_between_pulses_does_not_end_a_stretch_and_a_pause_does():
    rows = trace((30, 60))
    rows["pulses"][35:38] = 0
    assert displaced_ms(Track(rows), 2.0) == 300.0
    rows["pulses"][35:50] = 0
    assert displaced_ms(Track(rows), 2.0) == 100.0


def test_a_setpoint_that_moves_in_the_beam_moves_nothing_that_counts():
    rows = trace((30, 60))
    rows["couch_set"][30:, 2] = 2.5
    assert displaced_ms(Track(rows), 2.0) == 300.0


def test_a_couch_that_was_moved_before_the_next_permit_is_where_it_is_meant_to_be():
    rows = trace((30, 60))
    rows["couch"][60:, 2] = rows["couch_set"][30:, 2] = 2.5
    rows["pulses"][30:60] = 0
    rows["bits"][30:60] = 0
    assert displaced_ms(Track(rows), 2.0) == 0.0
