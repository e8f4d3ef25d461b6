"""What the analyser gets: tags that a Winston-Lutz or CatPhan analysis reads, and images that hold what was put in."""

import io

import numpy as np
import pydicom
import pytest

from linac_ctl.imaging.volume import cube
from tools.qa_images import _thick, kv_ball, winston_lutz

BALL = (0.0, 6.0, 0.0)


def read(folder):
    return [pydicom.dcmread(io.BytesIO(path.read_bytes())) for path in sorted(folder.glob("*.dcm"))]


def lowest_mm(image):
    """Where the ball's shadow is darkest about the middle, at the isocentre: across and along, mm."""
    rows, columns = image.pixel_array.shape
    half = 40
    part = image.pixel_array[rows // 2 - half : rows // 2 + half, columns // 2 - half : columns // 2 + half].astype(float)
    row, column = np.argwhere(part < part.min() + 0.3 * (np.median(part) - part.min())).mean(axis=0)
    scale = float(image.ImagePlanePixelSpacing[0]) * float(image.RadiationMachineSAD) / float(image.RTImageSID)
    return (column - half + 0.5) * scale, (half - 0.5 - row) * scale


@pytest.mark.parametrize("make, modality", [(winston_lutz, "MV"), (kv_ball, "kV")], ids=["MV", "kV"])
def test_a_ball_towards_the_head_lies_in_the_upper_half_of_every_image(make, modality, tmp_path):
    make(tmp_path, BALL, angles=(0.0, 90.0))
    images = read(tmp_path)
    assert [float(image.GantryAngle) for image in images] == [0.0, 90.0]
    assert all(image.RTImageDescription.startswith(modality) for image in images)
    for image in images:
        assert lowest_mm(image) == pytest.approx((0.0, 6.0), abs=0.5)


def test_an_offset_of_the_panel_moves_the_field_and_not_what_is_said_of_it(tmp_path):
    for name, off in (("here", (0.0, 0.0)), ("off", (5.0, 0.0))):
        winston_lutz(tmp_path / name, BALL, off, angles=(0.0,))
    (here,), (off,) = read(tmp_path / "here"), read(tmp_path / "off")
    assert here.XRayImageReceptorTranslation == off.XRayImageReceptorTranslation
    columns = [np.argwhere(image.pixel_array > 0.5 * image.pixel_array.max())[:, 1].mean() for image in (here, off)]
    assert (columns[0] - columns[1]) * 0.336 == pytest.approx(5.0, abs=0.1)


def test_thick_slices_keep_their_place_and_leave_out_where_the_cone_ends():
    volume = cube(256, 1.0)
    volume.data[:] = volume.axis_mm(1).astype(np.float32)
    thick = _thick(volume)
    assert thick.spacing_mm == (1.0, 2.0, 1.0) and np.abs(thick.axis_mm(1)).max() <= 90.0
    assert thick.data[3, 5] == pytest.approx(thick.axis_mm(1), abs=1e-4)
