"""CBCT and planning CT of a run as another program shows them: files, SimpleITK and pydicom only, no geometry of ours.

Runs where SimpleITK is installed (extra `itk`).
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from tests.records.test_images import finished
from tests.sequencer.guided import ERROR, SHORT, guided

sitk: Any = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra itk)")
AIR_HU, BONE_HU = -1000.0, 200.0
HALF_MM, STEP_MM = 40.0, 1.5  # what is compared: a cube around the middle of the scan
SHIFTS_MM = (4.0, 2.0, 1.0, 0.5, 0.25, 0.125)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with a known set-up error, its images as files."""
    return finished(guided(steps=SHORT), tmp_path_factory.mktemp("viewed") / "run") / "images"


def shown(folder: Path) -> Any:
    """A series as SimpleITK places it in the patient's coordinates (mm)."""
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    assert len(files) == len(list(folder.glob("*.dcm")))
    return sitk.ReadImage(files, sitk.sitkFloat32)


def registration(path: Path, series: Path) -> Any:
    """Where the registration object puts a point of that series (mm to mm)."""
    own = {str(pydicom.dcmread(f, stop_before_pixels=True).SOPInstanceUID) for f in series.glob("*.dcm")}
    items = pydicom.dcmread(path).RegistrationSequence
    [item] = [i for i in items if {str(r.ReferencedSOPInstanceUID) for r in i.ReferencedImageSequence} == own]
    numbers = item.MatrixRegistrationSequence[0].MatrixSequence[0].FrameOfReferenceTransformationMatrix
    matrix = np.array(numbers, float).reshape(4, 4)
    return sitk.AffineTransform(matrix[:3, :3].ravel().tolist(), matrix[:3, 3].tolist())


def region(scan: Any) -> Any:
    """An empty grid along the patient's axes around the middle of a scan."""
    count = int(2 * HALF_MM / STEP_MM)
    grid = sitk.Image([count] * 3, sitk.sitkFloat32)
    middle = scan.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in scan.GetSize()])
    grid.SetSpacing([STEP_MM] * 3)
    grid.SetOrigin([float(m) - STEP_MM * (count - 1) / 2 for m in middle])
    return grid


class Overlay:
    """A CBCT laid over the planning CT. `move`: a point of the CT -> a point of the CBCT."""

    def __init__(self, ct: Any, scan: Any, grid: Any, move: Any) -> None:
        self.scan, self.grid, self.move = scan, grid, move
        self.ct = sitk.GetArrayFromImage(sitk.Resample(ct, grid, sitk.Transform(), sitk.sitkLinear, AIR_HU))
        bone = sitk.BinaryDilate(sitk.GetImageFromArray((self.ct > BONE_HU).astype(np.uint8)), [3, 3, 3])
        self.near_bone = sitk.GetArrayFromImage(bone) > 0

    def alike(self, shift_mm: Any = (0.0, 0.0, 0.0)) -> float:
        """Correlation of HU in and around bone when the CBCT is pushed by so much."""
        both = sitk.CompositeTransform(3)  # the one added last comes first
        both.AddTransform(self.move)
        both.AddTransform(sitk.TranslationTransform(3, [float(-s) for s in shift_mm]))
        seen = sitk.GetArrayFromImage(sitk.Resample(self.scan, self.grid, both, sitk.sitkLinear, AIR_HU))
        return float(np.corrcoef(self.ct[self.near_bone], seen[self.near_bone])[0, 1])

    def residual_mm(self) -> Any:
        """(3,) the push that makes both most alike: of 27 neighbours the best, in ever smaller steps."""
        at = np.zeros(3)
        for step in SHIFTS_MM:
            for _ in range(4):
                tried = [at + step * np.array(d) for d in product((-1, 0, 1), repeat=3)]
                best = max(tried, key=self.alike)
                if (best == at).all():
                    break
                at = best
        return at


def back(error: Any) -> list[float]:
    """What undoes an error: left, head, front (head first supine) -> left, back, head as in DICOM, mm."""
    return [-error[0], error[2], -error[1]]


@pytest.fixture(scope="module")
def before(images: Path) -> Overlay:
    ct, scan = shown(images / "planning-ct"), shown(images / "cbct-1")
    return Overlay(ct, scan, region(scan), sitk.Transform())


def test_as_acquired_the_patient_lies_off_by_the_set_up_error(before: Overlay) -> None:
    assert before.residual_mm() == pytest.approx(back(ERROR), abs=0.5)


def test_through_the_registration_object_the_cbct_lies_on_the_planning_ct(images: Path, before: Overlay) -> None:
    move = registration(images / "match-1.dcm", images / "cbct-1").GetInverse()
    after = Overlay(shown(images / "planning-ct"), before.scan, before.grid, move)
    assert after.alike() > before.alike() + 0.1
    assert np.linalg.norm(after.residual_mm()) < 0.5


def test_the_matched_series_lies_on_the_planning_ct_without_any_registration(images: Path, before: Overlay) -> None:
    after = Overlay(shown(images / "planning-ct"), shown(images / "cbct-1-matched"), before.grid, sitk.Transform())
    assert after.alike() > before.alike() + 0.1
    assert np.linalg.norm(after.residual_mm()) < 0.5


def test_after_the_shift_the_verification_scan_shows_what_the_result_says_is_left(images: Path) -> None:
    scan = shown(images / "cbct-2")
    after = Overlay(shown(images / "planning-ct"), scan, region(scan), sitk.Transform())
    truth = json.loads((images.parent / "result.json").read_bytes())["residual_6dof"]
    assert after.residual_mm() == pytest.approx(back(truth), abs=0.3)
