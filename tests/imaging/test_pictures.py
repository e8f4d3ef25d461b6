"""Slices stand as people expect them, overlays show an offset, and files are PNG."""

import io

import numpy as np
import pytest
from PIL import Image

from linac_ctl.errors import RefusedError
from linac_ctl.imaging.pictures import checkerboard, cut, overlay_sheet, png, radiograph_picture, red_cyan, windowed
from linac_ctl.imaging.volume import cube, sampled


def marked(x, y, z):
    volume = cube(9, 2.0)
    volume.data[x, z, y] = 1000.0
    return volume


@pytest.mark.parametrize(
    "plane, voxel, row, column",
    [("axial", (8, 4, 8), 0, 8), ("axial", (0, 4, 0), 8, 0), ("coronal", (8, 8, 4), 0, 8), ("coronal", (0, 0, 4), 8, 0),
     ("sagittal", (4, 8, 8), 0, 8), ("sagittal", (4, 0, 0), 8, 0)],
)  # fmt: skip
def test_anterior_or_head_is_up(plane, voxel, row, column):
    picture = cut(marked(*voxel), plane)
    assert np.argwhere(picture == 1000.0).tolist() == [[row, column]]


def test_a_slice_outside_the_volume_is_refused():
    with pytest.raises(RefusedError, match="outside the volume"):
        cut(cube(9, 2.0), "axial", 20.0)
    with pytest.raises(RefusedError, match="known are axial, coronal, sagittal"):
        cut(cube(9, 2.0), "oblique")


def test_equal_pictures_are_grey_and_shifted_ones_are_not():
    a = windowed(cut(marked(4, 4, 4), "axial"), (0.0, 1000.0))
    assert np.ptp(red_cyan(a, a), axis=-1).max() == 0
    assert np.ptp(red_cyan(a, np.roll(a, 1, 1)), axis=-1).max() == 255
    assert (checkerboard(a, a, 3) == a).all()
    with pytest.raises(RefusedError, match="sample both on one grid"):
        red_cyan(a, a[:-1])


def test_a_window_is_fixed():
    assert windowed(np.array([[-300.0, -200.0, 300.0, 900.0]], np.float32), (-200.0, 800.0)).tolist() == [[0, 0, 128, 255]]


def test_a_sheet_of_overlays_is_a_png_and_needs_one_grid():
    volume = marked(4, 4, 4)
    sheet = overlay_sheet(volume, sampled(volume, volume, t_mm=np.array([2.0, 0.0, 0.0])), volume)
    picture = Image.open(io.BytesIO(png(sheet)))
    assert picture.format == "PNG" and picture.size == sheet.shape[1::-1]
    with pytest.raises(RefusedError, match="one grid"):
        overlay_sheet(volume, volume.moved((1.0, 0.0, 0.0)), volume)


def test_a_radiograph_has_its_head_up():
    image = np.zeros((4, 3), np.float32)
    image[1, 2] = 1.0  # column 1, highest row
    assert np.argwhere(radiograph_picture(image, (0.0, 1.0)) == 255).tolist() == [[0, 1]]
