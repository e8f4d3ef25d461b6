"""Where the target really was, as a file."""

from pathlib import Path

import numpy as np
import pytest

from device_models.interface.volume import Pose
from linac_ctl.errors import RecordError
from linac_ctl.records.target import COLUMNS, TargetOutline, read_target, write_target

CENTRE = np.array([3.0, -4.0, 20.0])
ERROR = Pose((0.4, -0.3, 0.2), (0.5, -1.0, 0.8))


def outline() -> TargetOutline:
    ring = CENTRE + np.array([[5.0, 0.0, 0.0], [0.0, 0.0, 5.0], [-5.0, 0.0, 0.0], [0.0, 0.0, -5.0]])
    return TargetOutline("PTV", CENTRE, (ring, ring + [0.0, 3.0, 0.0]), np.eye(3))


def samples(error: Pose = ERROR) -> np.ndarray:
    off = error.apply(CENTRE) - CENTRE
    return np.array([[1.0, 2.0, 1.0, 12.5, *off, *error.r_deg, *range(6)], [2.0, -1.0, 0.0, 12.5, *off, *error.r_deg, *range(6)]])


def test_a_sample_gives_back_the_whole_error(tmp_path: Path) -> None:
    write_target(tmp_path, samples(), outline())
    truth = read_target(tmp_path)
    assert truth is not None
    points = np.vstack(truth.outline.contours_mm)
    assert np.abs(truth.error(0).apply(points) - ERROR.apply(points)).max() < 1e-3
    assert truth.on.tolist() == [True, False] and truth["beam"].tolist() == [2.0, -1.0]


def test_a_run_without_a_patient_has_none(tmp_path: Path) -> None:
    assert read_target(tmp_path) is None


DAMAGES = [("x_mm", "x_cm", "columns"), ("12.5000", "much", "cannot be read"), (",1.0000", "", "read")]


@pytest.mark.parametrize(("old", "new", "says"), DAMAGES)
def test_a_damaged_file_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    write_target(tmp_path, samples(), outline())
    path = tmp_path / "target.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RecordError, match=says):
        read_target(tmp_path)


def test_columns_are_as_many_as_numbers() -> None:
    assert samples().shape[1] == len(COLUMNS)
