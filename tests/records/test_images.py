"""Images of a session as files, what the report says of them, and looking at them again: a small session all through."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from linac_ctl.app import Simulation
from linac_ctl.cli.main import main
from linac_ctl.errors import LinacError, RecordError, RefusedError
from linac_ctl.imaging.dicom_series import read_series
from linac_ctl.imaging.match_series import match_series
from linac_ctl.imaging.pose import distance, of_six
from linac_ctl.order import Order
from linac_ctl.outcome import complete_record, create_folder
from linac_ctl.records.images_look import look
from linac_ctl.records.report import collect, render
from linac_ctl.records.result import read_result
from linac_ctl.records.run_record import RunRecord
from linac_ctl.records.target import read_target
from linac_ctl.sequencer.protocol import ProtocolConfig
from tests.sequencer.guided import APPROVE, BEFORE, CLOSE, MATCH, SHIFT, SHORT, TREAT, guided, looking, room

HU = (-200.0, 800.0)


def finished(asked: Order, path: Path) -> Path:
    """The run folder of an order, its protocol on record."""
    assert asked.imaging is not None
    data = {"machine": {"controller": asked.machine.controller.model_dump(mode="json")},
            "protocol": asked.imaging.protocol.model_dump(mode="json")}  # fmt: skip
    asked = replace(asked, configuration={name: {"name": name, "data": part, "origin": {}} for name, part in data.items()})
    folder, order = create_folder(asked, path, started="2026-03-04T10:20:30")
    sim = Simulation(order, folder, prepared=room())
    sim.run()
    complete_record(sim, folder, 1.0, 1.0, report=False)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(guided(steps=SHORT), tmp_path_factory.mktemp("guided") / "run")


def read(path: Path):
    return pydicom.dcmread(path)


def test_the_result_names_every_kind_of_file_and_they_are_there(run: Path) -> None:
    files = read_result(run).files
    assert {"planning_ct", "cbct:1", "cbct_matched:1", "registration:1", "overlay_before:1", "overlay_after:1",
            "radiographs:1", "cbct:2"} <= set(files)  # fmt: skip
    assert all((run / name).exists() for name in files.values())
    assert len(list((run / files["radiographs:1"]).glob("*.dcm"))) == 4


def test_all_objects_are_of_one_patient_study_and_frame_of_reference(run: Path) -> None:
    objects = [read(next((run / "images" / name).glob("*.dcm"))) for name in ("planning-ct", "cbct-1", "cbct-1-matched", "kv-1")]
    objects.append(read(run / "images/match-1.dcm"))
    for name in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert len({str(ds.get(name)) for ds in objects}) == 1
    assert len({str(ds.SeriesInstanceUID) for ds in objects}) == len(objects)


def test_the_series_is_the_one_that_the_match_was_made_on(run: Path) -> None:
    assert read(run / "images/cbct-1/slice-001.dcm").SeriesInstanceUID == read_result(run).matches[0].image_uids[0]


def test_acquired_and_matched_series_differ_by_the_match(run: Path) -> None:
    acquired, matched = (read_series(run / "images" / name) for name in ("cbct-1", "cbct-1-matched"))
    found = match_series(matched, acquired, isocentre_mm=acquired.centre_mm)
    mm, deg = distance(found.fit.pose, of_six(read_result(run).matches[0].error))
    assert mm < 0.02 and deg < 0.02


def test_a_series_read_again_lies_where_it_was_planned(run: Path) -> None:
    series = read_series(run / "images/planning-ct")
    hu = room().planning.hu
    isocentre = read_series(run / "images/cbct-1").centre_mm
    again = series.straight(isocentre, hu.spacing_mm[0], 40)
    there = [[round((v - o) / h) for v in again.axis_mm(i)] for i, (o, h) in enumerate(zip(hu.origin_mm, hu.spacing_mm))]
    expected = hu.data[np.ix_(there[0], there[2], there[1])]
    assert np.abs(again.data - expected).max() < 1.0  # HU are whole numbers in a file


def test_the_patient_lies_off_before_and_not_after(run: Path) -> None:
    before, after = (np.asarray(Image.open(run / f"images/match-1-{when}.png"), float)[:216] for when in ("before", "after"))
    assert before.shape == after.shape
    alike = [np.corrcoef(p[16:, :, 0].ravel(), p[16:, :, 1].ravel())[0, 1] for p in (before, after)]  # CT red, CBCT cyan
    assert alike[1] > alike[0] + 0.02


def test_the_report_shows_match_shift_truth_and_both_pictures(run: Path) -> None:
    report = collect(RunRecord.open(run))
    page = render(report)
    assert report.position is not None and report.position.lines[0].match.level == "shift and verify"
    assert any(check.name.startswith("target off") and check.passed for check in report.checks)
    for text in ("<h2>Position</h2>", "shift and verify", "as the patient lay", "achieved", "action level 1 mm"):
        assert text in page
    assert page.count('<figure><img src="data:image/png;base64,') == 2 * len(read_result(run).matches)
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_truth_on_file_is_the_residual_of_the_result(run: Path) -> None:
    truth, result = read_target(run), read_result(run)
    assert truth is not None and result.residual_mm is not None and result.residuals[1] == result.residual_mm
    beam_on_s = next(e.t_s for e in RunRecord.open(run).events() if e.what == "beam 1 on")
    at = int(np.abs(truth["t_s"] - beam_on_s).argmin())  # this beam is shorter than the time between two samples
    assert abs(truth.length_mm[at] - result.residual_mm) < 0.05
    assert np.diff(truth["t_s"][:10]).min() > 1.9  # without beam


def test_the_result_says_who_approved_and_how_much_the_images_cost(run: Path) -> None:
    result = read_result(run)
    assert result.matches[0].approved_by == ("anna", "dana") and result.matches[0].approved_s is not None
    dose = result.imaging_dose
    assert dose is not None and dose.exposures == sum(i.frames for i in result.images) + len(result.tracked)
    assert dose.mgy == pytest.approx(dose.mas * 0.02)


def test_a_target_beyond_the_action_level_fails_the_verdict(run: Path) -> None:
    record = RunRecord.open(run)
    assert record.result is not None
    report = collect(replace(record, result=replace(record.result, residual_mm=1.2)), plots=False)
    assert not report.passed and "BEYOND" in render(report)


@pytest.mark.parametrize("what", ["", "images/cbct-1", "images/cbct-1/slice-030.dcm", "images/kv-1/frame-001.dcm"])
def test_everything_with_pixels_can_be_looked_at(run: Path, what: str) -> None:
    picture = look(run / what, HU)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.std() > 10


def test_a_radiograph_is_seen_head_up_and_bone_bright(run: Path) -> None:
    ds = read(run / "images/kv-1/frame-001.dcm")
    thick = np.unravel_index(int(np.argmin(ds.pixel_array)), ds.pixel_array.shape)
    picture = look(run / "images/kv-1/frame-001.dcm", HU)[16:, :, 0]
    times = picture.shape[1] // ds.pixel_array.shape[1]
    assert picture[thick[0] * times, thick[1] * times] == 255


@pytest.mark.parametrize(("what", "says"), [("result.json", "cannot be read as a DICOM"), ("images/match-1.dcm", "no picture")])
def test_what_has_no_pixels_is_refused(run: Path, what: str, says: str) -> None:
    with pytest.raises(RecordError, match=says):
        look(run / what, HU)


def test_the_commands_answer(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", str(run), "--out", str(tmp_path / "look.png")]) == 0
    assert Image.open(tmp_path / "look.png").width > 600
    images = run / "images"
    assert main(["match", str(images / "cbct-1-matched"), str(images / "cbct-1"), "--json"]) == 0
    assert '"complaints": []' in capsys.readouterr().out


# --- radiographs: a pair and triggered images

PAIR = [*BEFORE, {"step": "acquire_pair", "takes_s": 0.1}, MATCH, APPROVE, SHIFT, TREAT, CLOSE]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rules = looking().model_dump()
    rules["pair"] = {"angles_deg": (-90.0, 0.0), "binning": 8}
    rules["levels"] |= {"verify_mm": 9.0, "verify_deg": 2.0}
    asked = guided(steps=PAIR, rules=ProtocolConfig.model_validate(rules), mu=40.0)
    return finished(asked, tmp_path_factory.mktemp("looked") / "run")


def test_a_matched_pair_has_a_registration_of_its_two_images(looked: Path) -> None:
    ds, result = read(looked / "images/match-1.dcm"), read_result(looked)
    acquired = ds.RegistrationSequence[1].ReferencedImageSequence
    there = {str(read(f).SOPInstanceUID) for f in (looked / "images/kv-1").glob("*.dcm")}
    assert {str(r.ReferencedSOPInstanceUID) for r in acquired} == set(result.matches[0].image_uids) == there
    assert len({str(read(f).SeriesInstanceUID) for f in (looked / "images/kv-1").glob("*.dcm")}) == 1


def test_radiographs_lie_on_the_plan_after_the_match_and_not_before(looked: Path) -> None:
    before, after = (np.asarray(Image.open(looked / f"images/match-1-{when}.png"), float)[16:276] for when in ("before", "after"))
    alike = [np.corrcoef(p[..., 0].ravel(), p[..., 1].ravel())[0, 1] for p in (before, after)]  # plan red, image cyan
    assert alike[1] > 0.98 and alike[1] > alike[0] + 0.02


def test_triggered_images_are_on_file_with_their_numbers(looked: Path) -> None:
    result = read_result(looked)
    assert result.tracked and all(seen.seen == "inside" and seen.beam > 0 for seen in result.tracked)
    names = {str(read(f).SOPInstanceUID) for f in (looked / "images/triggered").glob("*.dcm")}
    assert names and names <= {seen.uid for seen in result.tracked}
    assert any(name.startswith("triggered:") for name in result.files)


def test_the_report_shows_pair_and_triggered_images(looked: Path) -> None:
    page = render(collect(RunRecord.open(looked)))
    for text in ("kV pair 1 on the plan", "Images during treatment", "Achieved margin", "found in triggered images"):
        assert text in page
    assert page.count('alt="triggered image"') == min(8, len(read_result(looked).tracked))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy of dicom3tools is not installed")
def test_the_validator_finds_no_error_in_any_object(looked: Path) -> None:
    for path in (looked / "images/match-1.dcm", *(looked / "images").glob("*/*001.dcm"), looked / "treatment_record.dcm"):
        answer = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
        assert not [line for line in answer.splitlines() if line.startswith("Error")], path


def test_pairs_and_triggered_images_can_be_looked_at(looked: Path) -> None:
    picture = look(looked, HU)
    assert picture.shape[0] > 1000 and picture[-100:].std() > 10  # triggered images come last


# --- series that cannot be matched

@pytest.fixture
def series(run: Path, tmp_path: Path) -> Path:
    shutil.copytree(run / "images/cbct-1", tmp_path / "series")
    return tmp_path / "series"


def change(path: Path, **tags: object) -> None:
    for file in path.glob("*.dcm"):
        ds = read(file)
        for name, value in tags.items():
            setattr(ds, name, value)
        ds.save_as(file)


@pytest.mark.parametrize(("tags", "says"), [
    ({"PatientID": "somebody else"}, "of patient"), ({"FrameOfReferenceUID": "1.2.3"}, "--any-frame"),
    ({"PatientPosition": "FFS"}, "alike"),
])
def test_images_that_do_not_belong_together_are_refused(run: Path, series: Path, tags: dict[str, str], says: str) -> None:
    change(series, **tags)
    with pytest.raises(RefusedError, match=says):
        match_series(read_series(run / "images/cbct-1"), read_series(series))


def test_a_missing_slice_is_noticed(series: Path) -> None:
    (series / "slice-020.dcm").unlink()
    with pytest.raises(RecordError, match="slices are missing"):
        read_series(series)


def test_two_series_in_a_folder_are_noticed(run: Path, series: Path) -> None:
    shutil.copy(run / "images/cbct-2/slice-001.dcm", series / "other.dcm")
    with pytest.raises(RecordError, match="2 different series"):
        read_series(series)


def test_a_folder_without_slices_is_one_clear_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(LinacError, match=r"0 CT slices|no such folder"):
            read_series(path)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
@pytest.mark.parametrize("name", ["planning-ct/slice-001.dcm", "cbct-1/slice-030.dcm", "cbct-1-matched/slice-030.dcm",
                                  "kv-1/frame-001.dcm", "match-1.dcm"])  # fmt: skip
def test_a_validator_finds_no_error(run: Path, name: str) -> None:
    said = subprocess.run(["dciodvfy", str(run / "images" / name)], capture_output=True, text=True, check=False)
    assert [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")] == []
