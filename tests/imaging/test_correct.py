"""Raw counts to line integrals."""

import numpy as np
import pytest

from linac_ctl.errors import RefusedError
from linac_ctl.imaging.correct import PanelCalibration, line_integrals


def panel(dead=()):
    rows, columns = 5, 6
    gain = 1000.0 + 50.0 * np.arange(30, dtype=np.float32).reshape(rows, columns)
    mask = np.zeros((rows, columns), bool)
    for at in dead:
        mask[at] = True
    dark = np.full((rows, columns), 90.0, np.float32)
    return PanelCalibration(dark, dark + np.float32(20) * gain, 1.0, mask), gain


def raw_of(line, mas, gain, dead=()):
    """Counts of (columns, rows) line integrals."""
    counts = np.rint(90.0 + 20.0 * gain * mas * np.exp(-line.T)).astype(np.uint16)
    for at in dead:
        counts[at] = 7
    return counts[None]


LINE = np.linspace(0.5, 2.5, 30, dtype=np.float32).reshape(6, 5)


@pytest.mark.parametrize("mas", [0.5, 1.0, 1.4])
def test_gain_offset_and_tube_output_drop_out(mas):
    calibration, gain = panel()
    assert line_integrals(raw_of(LINE, mas, gain), np.array([mas]), calibration)[0] == pytest.approx(LINE, abs=2e-3)


def test_dead_pixels_are_filled_from_their_neighbours_also_in_clusters():
    dead = [(2, 2), (2, 3), (0, 0)]
    calibration, gain = panel(dead)
    flat = np.full((6, 5), 1.3, np.float32)
    assert line_integrals(raw_of(flat, 1.0, gain, dead), np.array([1.0]), calibration)[0] == pytest.approx(flat, abs=2e-3)


def test_a_pixel_without_any_photon_stays_finite():
    calibration, gain = panel()
    assert np.isfinite(line_integrals(raw_of(LINE + 40, 1.0, gain), np.array([1.0]), calibration)).all()


def test_frames_without_exposure_saturated_or_binned_otherwise_are_refused():
    calibration, gain = panel()
    raw = raw_of(LINE, 1.0, gain)
    with pytest.raises(RefusedError, match="a projection is missing"):
        line_integrals(raw, np.array([0.0]), calibration)
    with pytest.raises(RefusedError, match="saturated"):
        line_integrals(np.full_like(raw, 65535), np.array([1.0]), calibration)
    with pytest.raises(RefusedError, match="binned differently"):
        line_integrals(raw[:, :4], np.array([1.0]), calibration)


def test_a_calibration_with_a_pixel_that_counts_nothing_is_refused():
    calibration, _ = panel()
    flood = calibration.flood.copy()
    flood[1, 1] = 90.0
    with pytest.raises(RefusedError, match="calibrate the panel"):
        PanelCalibration(calibration.dark, flood, 1.0, calibration.dead)
