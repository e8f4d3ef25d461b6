"""Looking at MV images: what jaws cover is black, and the window is that of the patient in the field."""

import numpy as np

from linac_ctl.records.images_look import inside_field


def test_what_the_jaws_cover_is_black_and_bone_in_the_field_is_bright() -> None:
    counts = np.full((100, 80), 300.0, np.float32)  # leakage
    counts[20:80, 20:60] = 10_000.0
    counts[48:52, 38:42] = 7_000.0  # bone
    counts[19], counts[80] = 5_000.0, 5_000.0  # penumbra
    counts[:, :20] = counts[:, 60:] = 300.0
    shown = inside_field(counts, np.log(10_001.0 / counts))
    assert shown[5, 5] == shown.min() and shown[30, 30] == shown.min()
    assert shown[50, 40] == shown.max() > shown[30, 30]


def test_an_image_in_which_nothing_is_lit_stays_black() -> None:
    counts = np.zeros((20, 20), np.float32)
    assert np.ptp(inside_field(counts, np.full((20, 20), 3.0, np.float32))) == 0.0
