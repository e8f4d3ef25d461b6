"""CT series and structure sets: placed right, and refused with one clear sentence when they do not fit."""

import numpy as np
import pydicom
import pytest

from device_models.patient.ct_import import load_ct
from device_models.patient.errors import PatientError
from device_models.patient.patient import belongs, from_ct
from device_models.patient.rtstruct_import import load_structures
from tests.patient.dicom_files import FRAME, blob, ct_slice, save, series, structure_set

ISOCENTRE = (2.0, -6.0, 9.0)


def bright(volume):
    index = np.unravel_index(int(volume.xyz().argmax()), volume.size)
    return [o + i * h for o, i, h in zip(volume.origin_mm, index, volume.spacing_mm, strict=True)]


def test_a_voxel_is_where_dicom_says(tmp_path):
    ct = load_ct(series(tmp_path / "ct"), ISOCENTRE)
    assert ct.volume.size == (40, 9, 25) and ct.volume.spacing_mm == (1.0, 3.0, 2.0)
    assert bright(ct.volume) == pytest.approx([10.0 - 2.0, 12.0 - 9.0, -(-10.0 + 6.0)])  # X, Y superior, Z anterior
    assert ct.volume.data.max() == 1000.0 and ct.volume.data.min() == -1000.0
    assert ct.identity.frame_of_reference_uid == FRAME and len(ct.identity.sop_uids) == 9
    assert ct.identity.lying.r_deg == (0.0, 0.0, 0.0)


def test_slices_stored_the_other_way_round_are_the_same_patient(tmp_path):
    straight = load_ct(series(tmp_path / "a"), ISOCENTRE).volume
    turned = {"ImageOrientationPatient": [-1, 0, 0, 0, -1, 0], "ImagePositionPatient": None}
    folder = series(tmp_path / "b")
    for k in range(9):
        changes = turned | {"ImagePositionPatient": [19.0, 18.0, 3.0 * k], "PatientPosition": "HFP"}
        save(ct_slice(k, 3.0 * k, blob(k)[::-1, ::-1], **changes), folder / f"ct{k}.dcm")
    prone = load_ct(folder, ISOCENTRE)
    assert np.array_equal(prone.volume.data, straight.data) and prone.volume.origin_mm == pytest.approx(straight.origin_mm)
    assert prone.identity.lying.r_deg == (0.0, 180.0, 0.0)


@pytest.mark.parametrize("changes, skip, says", [
    ({}, (4,), r"6.00 mm between z = 9.00 and 15.00 mm, 3.00 mm is usual: slices are missing"),
    ({4: {"ImagePositionPatient": [-20.0, -30.0, 9.0]}}, (), "two slices at z = 9.00 mm"),
    ({4: {"PatientID": "P2"}}, (), r"2 different patients \(PatientID\): P1 \(8 slices\), P2 \(1 slices\)"),
    ({4: {"FrameOfReferenceUID": "1.2.3"}}, (), "2 different frames of reference"),
    ({4: {"SeriesInstanceUID": "1.2.3"}}, (), "2 different series"),
    ({4: {"PixelSpacing": [2.0, 1.5]}}, (), "2 different pixel spacings"),
    ({4: {"PatientPosition": "FFS"}}, (), "2 different patient positions"),
    ({k: {"PatientPosition": "SITTING"} for k in range(9)}, (), "patient position 'SITTING'; known are HFS"),
    ({k: {"ImageOrientationPatient": [1, 0, 0, 0, 0.98, 0.2]} for k in range(9)}, (), "is not transverse"),
    ({k: {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]} for k in range(9)}, (), "is not transverse"),
    ({k: {"ImagePositionPatient": [-20.0, -30.0 + k, 3.0 * k]} for k in range(9)}, (), "shifted by 8.00 mm"),
    ({4: {"RescaleSlope": None}}, (), "not HU"),
    ({4: {"PixelSpacing": None}}, (), "ct4.dcm: no PixelSpacing"),
    ({4: {"PixelData": b"\0" * 10}}, (), "slice 4 cannot be decoded"),
    ({k: {"FrameOfReferenceUID": None} for k in range(9)}, (), "no FrameOfReferenceUID"),
    ({}, range(7), "2 CT slices"),
])
def test_what_is_no_straight_series_is_refused(tmp_path, changes, skip, says):
    with pytest.raises(PatientError, match=says):
        load_ct(series(tmp_path / "ct", changes=changes, skip=skip), ISOCENTRE)


def test_no_folder_and_no_slices_are_refused(tmp_path):
    with pytest.raises(PatientError, match="no such folder"):
        load_ct(tmp_path / "absent", ISOCENTRE)
    (tmp_path / "note.txt").write_text("not DICOM")
    with pytest.raises(PatientError, match="0 CT slices"):
        load_ct(tmp_path, ISOCENTRE)


def test_contours_lie_over_the_image_and_the_target_comes_first(tmp_path):
    ct = load_ct(series(tmp_path / "ct"), ISOCENTRE)
    cord = [[[0, -20, z], [3, -20, z], [3, -17, z]] for z in (9, 12)]
    found = load_structures(structure_set(tmp_path / "rs.dcm", (("Cord", "ORGAN", cord), ("Boost", "CTV", None))), ct)
    assert [structure.name for structure in found] == ["Boost", "Cord"]
    assert found[0].centroid() == pytest.approx(bright(ct.volume)) and found[0].planes_mm == (0.0, 3.0, 6.0)
    patient = from_ct(ct, found)
    assert patient.target.name == "Boost" and patient.truth(patient.hidden()).residual_mm(0.0, patient.hidden().reference) == 0.0


def test_a_target_can_be_named(tmp_path):
    ct = load_ct(series(tmp_path / "ct"), ISOCENTRE)
    path = structure_set(tmp_path / "rs.dcm", (("A", "CTV", None), ("B", "", None)))
    assert load_structures(path, ct, target="b")[0].name == "B"
    with pytest.raises(PatientError, match="no structure 'C'; there are: A, B"):
        load_structures(path, ct, target="C")


@pytest.mark.parametrize("changes, says", [
    ({"patient": "P2"}, "patient 'P2', the CT is of 'P1'; other patient"),
    ({"frame": "1.2.3"}, "frame of reference 1.2.3"),
    ({"series_uid": "1.2.3"}, "drawn on series 1.2.3"),
    ({"rois": (("Cord", "ORGAN", None),)}, r"no structure for the target: none of Cord \(ORGAN\)"),
    ({"kind": "OPEN_PLANAR"}, "no structure for the target"),
    ({"rois": (("CTV", "CTV", [[[0, 0, 9], [1, 0, 9]]]),)}, "a contour of 6 numbers"),
    ({"rois": (("CTV", "CTV", [[[0, 0, 9], [1, 0, 9], [1, 1, 12]]]),)}, "not in one transverse plane"),
])
def test_a_structure_set_that_does_not_belong_is_refused(tmp_path, changes, says):
    ct = load_ct(series(tmp_path / "ct"), ISOCENTRE)
    with pytest.raises(PatientError, match=says):
        load_structures(structure_set(tmp_path / "rs.dcm", **changes), ct)


def test_a_ct_is_no_structure_set(tmp_path):
    ct = load_ct(series(tmp_path / "ct"), ISOCENTRE)
    with pytest.raises(PatientError, match="this is a CT"):
        load_structures(tmp_path / "ct" / "ct0.dcm", ct)
    (tmp_path / "x.dcm").write_text("no")
    with pytest.raises(PatientError, match="cannot be read as DICOM"):
        load_structures(tmp_path / "x.dcm", ct)


def test_a_target_outside_the_images_is_refused(tmp_path):
    ct = load_ct(series(tmp_path / "ct"), ISOCENTRE)
    far = [[[500, 0, 9], [510, 0, 9], [510, 10, 9]]]
    with pytest.raises(PatientError, match="reaches beyond the CT"):
        from_ct(ct, load_structures(structure_set(tmp_path / "rs.dcm", (("CTV", "CTV", far),)), ct))


def test_plan_and_ct_belong_together_or_are_refused(tmp_path):
    identity = load_ct(series(tmp_path / "ct"), ISOCENTRE).identity
    belongs(identity, "P1", FRAME, "plan")
    with pytest.raises(PatientError, match="plan: patient 'P2'"):
        belongs(identity, "P2", FRAME, "plan")
    with pytest.raises(PatientError, match="do not belong together"):
        belongs(identity, "P1", "", "plan")


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_a_real_series_that_is_tilted_by_a_tenth_of_a_degree_is_refused(real_data):
    with pytest.raises(PatientError, match="is not transverse"):
        load_ct(real_data / "cbct_catphan_8slices", (0.0, 0.0, 0.0))


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # its anonymiser wrote hex digests as UIDs
def test_a_real_series_is_read_once_it_is_straight(real_data, tmp_path):
    for path in (real_data / "cbct_catphan_8slices").glob("*.dcm"):
        ds = pydicom.dcmread(path)
        ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-449.6, -449.6, ds.ImagePositionPatient[2]]
        ds.save_as(tmp_path / path.name)
    ct = load_ct(tmp_path, (0.0, 0.0, 0.0))
    assert ct.volume.size == (512, 8, 512) and ct.volume.spacing_mm[1] == pytest.approx(2.5, abs=1e-3)
    assert -1024.0 <= ct.volume.data.min() < -800.0 and ct.volume.data.max() > 500.0


def test_one_slice_alone_is_refused(real_data):
    with pytest.raises(PatientError, match="1 CT slices"):
        load_ct(real_data / "ct", (0.0, 0.0, 0.0))
