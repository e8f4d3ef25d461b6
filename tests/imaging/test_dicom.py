"""CT series, RT Image and Spatial Registration: right geometry, the same bytes twice, and clean for a validator."""

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest

from device_models.interface.volume import Volume
from linac_ctl.errors import RecordError
from linac_ctl.imaging.couch import CouchPosition
from linac_ctl.imaging.dicom_base import Subject, uid
from linac_ctl.imaging.dicom_ct import cbct_series, hounsfield, series_uid_of
from linac_ctl.imaging.dicom_registration import Images, dicom_matrix, spatial_registration
from linac_ctl.imaging.dicom_rtimage import Exposure, rt_image
from linac_ctl.imaging.dicom_template import Template
from linac_ctl.imaging.geometry import Panel, nominal
from linac_ctl.imaging.match import Binding, Match
from linac_ctl.imaging.patient_position import fixed_from_dicom
from linac_ctl.imaging.pose import Pose, of_six
from linac_ctl.imaging.volume import cube

WHEN = datetime(2026, 3, 4, 10, 20, 30, 450000, tzinfo=UTC)
SUBJECT = Subject("P1", "Phantom^Spine", uid("study"), uid("frame"), (12.0, -180.5, 33.0), "HFS", "bench", "1.0")
ERROR = of_six((3.0, 5.0, 2.0, 1.0, -2.0, 0.5))
SAVE = {"write_like_original": False} if pydicom.__version__.startswith("2.") else {"enforce_file_format": True}
CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"


def small_volume():
    volume = cube(6, 2.0, (1.0, -3.0, 5.0))
    return Volume(np.arange(216, dtype=np.float32).reshape(6, 6, 6) - 100, volume.origin_mm, (2.0, 2.0, 2.0))


def read(data):
    return pydicom.dcmread(io.BytesIO(data))


def dicom_place(file, row, column):
    """PS3.3 C.7.6.2.1.1."""
    along, down = np.array(file.ImageOrientationPatient[:3], float), np.array(file.ImageOrientationPatient[3:], float)
    at = np.array(file.ImagePositionPatient, float)
    return at + along * float(file.PixelSpacing[1]) * column + down * float(file.PixelSpacing[0]) * row


@pytest.mark.parametrize("position", ["HFS", "FFS", "HFP", "FFP"])
@pytest.mark.parametrize("error", [Pose(), ERROR], ids=["as acquired", "matched"])
def test_every_voxel_lies_where_the_machine_saw_it_less_the_error(position, error):
    volume, subject = small_volume(), replace(SUBJECT, patient_position=position)
    files = [read(data) for _, data in cbct_series(volume, subject, WHEN, "scan 1", error)]
    to_dicom = fixed_from_dicom(position).T
    for x, y, z in ((0, 0, 0), (5, 1, 2), (3, 4, 0)):
        fixed = np.array([volume.axis_mm(0)[x], volume.axis_mm(1)[y], volume.axis_mm(2)[z]])
        expected = np.array(SUBJECT.isocentre_mm) + to_dicom @ error.inverse().apply(fixed)
        [(file, row, column)] = [(f, *np.argwhere(f.pixel_array == volume.data[x, z, y])[0]) for f in files
                                 if (f.pixel_array == volume.data[x, z, y]).any()]  # fmt: skip
        assert dicom_place(file, row, column) == pytest.approx(expected, abs=1e-5)


def test_slices_run_from_feet_to_head_in_the_planning_frame():
    files = [read(data) for _, data in cbct_series(small_volume(), SUBJECT, WHEN, "scan 1")]
    assert [float(f.ImagePositionPatient[2]) for f in files] == sorted(float(f.ImagePositionPatient[2]) for f in files)
    assert {f.FrameOfReferenceUID for f in files} == {SUBJECT.frame_of_reference_uid}
    assert {f.SeriesInstanceUID for f in files} == {series_uid_of(SUBJECT, "scan 1")}
    assert list(files[0].ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]


def test_the_same_scan_twice_is_the_same_file():
    assert cbct_series(small_volume(), SUBJECT, WHEN, "a") == cbct_series(small_volume(), SUBJECT, WHEN, "a")
    assert cbct_series(small_volume(), SUBJECT, WHEN, "a")[0][0] != cbct_series(small_volume(), SUBJECT, WHEN, "b")[0][0]


def test_a_slice_that_is_a_copy_with_other_values_has_the_bytes_that_the_library_writes():
    for instance, data in cbct_series(small_volume(), SUBJECT, WHEN, "a")[3:]:
        file = read(data)
        assert file.SOPInstanceUID == file.file_meta.MediaStorageSOPInstanceUID == instance
        again = io.BytesIO()
        for element in file.iterall():  # all are taken apart, so that none goes out as it came in
            assert element.VM >= 0
        file.save_as(again, **SAVE)
        assert again.getvalue() == data


@pytest.mark.parametrize("new", [b"1.2.3", b"1.2.34"], ids=["odd", "even"])
def test_a_template_takes_values_of_other_lengths(new):
    file = cbct_series(small_volume(), SUBJECT, WHEN, "a")[0][1]
    meta, own = (0x00020003, "UI"), (0x00080018, "UI")
    old = str(read(file).SOPInstanceUID).encode()
    changed = read(Template(file, {meta: old, own: old}).file({meta: new, own: new}))
    assert changed.SOPInstanceUID == changed.file_meta.MediaStorageSOPInstanceUID == new.decode()
    assert changed.pixel_array.tolist() == read(file).pixel_array.tolist()
    with pytest.raises(RecordError, match="00080018 is not in the file"):
        Template(file, {meta: old, own: b"1.2"})


def test_water_is_0_hu_and_air_is_minus_1000():
    volume = small_volume().with_data(np.tile(np.array([0.0, 0.02], np.float32), 108).reshape(6, 6, 6))
    assert sorted(set(hounsfield(volume, 0.02).data.ravel().tolist())) == [-1000.0, 0.0]


def test_voxels_that_are_no_numbers_are_not_written():
    volume = small_volume()
    volume.data[0, 0, 0] = np.nan
    with pytest.raises(RecordError, match="not finite"):
        cbct_series(volume, SUBJECT, WHEN, "a")


def frames():
    return nominal(Panel(8, 6, 0.776, 0.388), np.array([90.0, 359.9999]), 1000.0, 1500.0, -148.0)


def image(k=0, kind="kV", plan=""):
    counts = np.arange(48, dtype=np.uint16).reshape(8, 6)
    made = Exposure(kind, 100.0 if kind == "kV" else 6000.0, 40.0, 10.0, 3.0, 0.0, 0.0, CouchPosition(1, 2, -3, 350.0, 1.0, -0.5))
    return counts, rt_image(counts, frames(), k, made, SUBJECT, WHEN, "setup 1", plan)[1]


def test_an_rt_image_says_where_source_and_panel_were():
    counts, data = image()
    file = read(data)
    assert float(file.RTImageSID) == 1500.0 and float(file.RadiationMachineSAD) == 1000.0
    assert float(file.GantryAngle) == 90.0  # of the kV source; the gantry is at 0
    assert [float(v) for v in file.XRayImageReceptorTranslation] == [-148.0, 0.0, -500.0]
    assert [float(v) for v in file.ImagePlanePixelSpacing] == [0.388, 0.776]  # between rows, between columns
    assert [float(v) for v in file.RTImagePosition] == pytest.approx([-3.5 * 0.776, 2.5 * 0.388])
    assert file.pixel_array[0, 0] == counts[0, 5]  # row 0 is at +Y
    assert file.pixel_array[5, 7] == counts[7, 0]
    assert float(file.PatientSupportAngle) == 350.0 and float(file.TableTopVerticalPosition) == -3.0


def test_an_angle_of_360_is_written_as_0():
    assert float(read(image(1)[1]).GantryAngle) == 0.0


def test_a_portal_image_counts_its_mu():
    file = read(image(kind="MV")[1])
    assert file.ImageType[2] == "PORTAL" and float(file.ExposureSequence[0].MetersetExposure) == 3.0


def test_pixels_of_another_panel_are_not_written():
    with pytest.raises(RecordError, match="the panel has"):
        rt_image(np.zeros((6, 8), np.uint16), frames(), 0, Exposure("kV", 100.0), SUBJECT, WHEN, "x")


def match():
    bound = Binding("P1", uid("plan"), (uid("cbct"),), uid("ct"), SUBJECT.frame_of_reference_uid, CouchPosition(), 0.0, 12.5)
    return Match(bound, (3.0, 5.0, 2.0, 1.0, -2.0, 0.5), 6, "points", 0.98, 0.5, 0.0, ())


def registration():
    planning = Images(CT_CLASS, uid("ct"), (uid("ct", 0), uid("ct", 1)), uid("planning study"))
    acquired = Images(CT_CLASS, uid("cbct"), (uid("cbct", 0),), SUBJECT.study_uid)
    return spatial_registration(match(), SUBJECT, WHEN, planning, acquired)[1]


@pytest.mark.parametrize("position", ["HFS", "FFS", "HFP", "FFP"])
def test_the_registration_matrix_carries_the_seen_point_to_its_planned_place(position):
    subject = replace(SUBJECT, patient_position=position)
    to_dicom, iso = fixed_from_dicom(position).T, np.array(SUBJECT.isocentre_mm)
    planned = np.array([20.0, -40.0, 15.0])
    seen = ERROR.apply(planned)
    matrix = dicom_matrix(ERROR, subject)
    assert (matrix @ [*(iso + to_dicom @ seen), 1.0])[:3] == pytest.approx(iso + to_dicom @ planned, abs=1e-9)


def test_a_registration_names_both_series_and_the_planning_one_stands_still():
    file = read(registration())
    first, second = file.RegistrationSequence
    still = first.MatrixRegistrationSequence[0].MatrixSequence[0].FrameOfReferenceTransformationMatrix
    moved = second.MatrixRegistrationSequence[0].MatrixSequence[0].FrameOfReferenceTransformationMatrix
    assert [float(v) for v in still] == np.eye(4).ravel().tolist()
    assert np.array(moved, float).reshape(4, 4) == pytest.approx(dicom_matrix(ERROR, SUBJECT), abs=1e-7)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
@pytest.mark.parametrize("kind", ["ct", "matched ct", "kv", "mv", "registration"])
def test_a_validator_finds_no_error(kind, tmp_path):
    data = {
        "ct": lambda: cbct_series(small_volume(), SUBJECT, WHEN, "a")[0][1],
        "matched ct": lambda: cbct_series(small_volume(), SUBJECT, WHEN, "a", ERROR)[2][1],
        "kv": lambda: image(plan=uid("plan"))[1],
        "mv": lambda: image(kind="MV")[1],
        "registration": registration,
    }[kind]()
    path = tmp_path / "x.dcm"
    path.write_bytes(data)
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
    assert errors == []
