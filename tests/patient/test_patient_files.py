"""The built-in patient as files: planning CT, structure set, plan and session that belong together, and treat."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from device_models.patient.ct_import import load_ct
from device_models.patient.rtstruct_import import load_structures
from device_models.patient.spine import spine
from linac_ctl.errors import PlanError, RecordError
from linac_ctl.imager_link import CT_NOISE_HU, CT_SEED, CT_SPACING_MM, isocentre_of
from linac_ctl.order import resolve
from linac_ctl.patient_files import write_patient
from linac_ctl.patient_room import with_room
from linac_ctl.plan.dicom_import import read_plan
from tests.support import run


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "case"
    write_patient(folder, "spine_sbrt", "c_arm_hd120")
    return folder


def test_the_files_hold_the_planning_ct_and_the_structures_of_the_phantom(case: Path) -> None:
    plan, phantom = read_plan(case / "plan.dcm"), spine()
    ct = load_ct(case / "ct", isocentre_of(plan))
    there = load_structures(case / "structures.dcm", ct, planned_on=plan.structure_set_uid)
    hu = phantom.sampled(CT_SPACING_MM, fine=3, noise_hu=CT_NOISE_HU, seed=CT_SEED)
    assert ct.volume.origin_mm == pytest.approx(hu.origin_mm) and ct.volume.spacing_mm == pytest.approx(hu.spacing_mm)
    assert np.abs(ct.volume.data - np.maximum(hu.data, -1024.0)).max() <= 0.5  # whole HU
    assert {s.name: s.kind for s in there} == {s.name: s.kind for s in phantom.structures} and there[0].kind == "CTV"
    for found in there:
        asked = phantom.structure(found.name)
        assert found.planes_mm == asked.planes_mm and found.centroid() == pytest.approx(asked.centroid(), abs=1e-6)


def test_the_plan_names_its_structure_set_and_is_another_plan_than_the_one_without(case: Path) -> None:
    from linac_ctl.plan.make import make_plan

    plan = read_plan(case / "plan.dcm")
    assert plan.geometry == "PATIENT"
    assert plan.structure_set_uid == pydicom.dcmread(case / "structures.dcm").SOPInstanceUID
    assert plan.sop_instance_uid != make_plan("spine_sbrt", "hd_120").SOPInstanceUID


def test_the_same_call_writes_the_same_bytes(case: Path, tmp_path: Path) -> None:
    again = tmp_path / "case"
    write_patient(again, "spine_sbrt", "c_arm_hd120")
    names = sorted(p.relative_to(case) for p in case.rglob("*.dcm"))
    assert len(names) == 128 + 2 and all((case / n).read_bytes() == (again / n).read_bytes() for n in names)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed (dicom3tools)")
@pytest.mark.parametrize("name", ["structures.dcm", "plan.dcm", "ct/slice-064.dcm"])
def test_a_validator_has_no_errors(case: Path, name: str) -> None:
    said = subprocess.run(["dciodvfy", str(case / name)], capture_output=True, text=True, check=False)
    assert not [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]


def test_a_session_treats_from_ct_and_structures_and_hits_the_target(case: Path, tmp_path: Path) -> None:
    sim = run(with_room(resolve(str(case / "session.yaml"), scratch=tmp_path)))
    assert sim.error is None and sim.residuals[1][0] <= 1.0
    assert sim.suite.imaging.planning.sop_uids and len(sim.suite.imaging.shifts) == 1
    assert [sim.mu(n) for n in (1, 2)] == pytest.approx([1900.0, 1900.0], abs=0.15)


def test_what_is_there_is_never_written_over(case: Path) -> None:
    with pytest.raises(RecordError, match="not an empty folder"):
        write_patient(case, "spine_sbrt", "c_arm_hd120")


def test_a_plan_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    for machine, mu in (("bench_small", None), ("c_arm_hd120", -1.0)):
        with pytest.raises(PlanError):
            write_patient(tmp_path / "case", "spine_sbrt", machine, mu)
    assert not (tmp_path / "case").exists()


# --- what does not belong together: one line, exit 3, no run folder

def changed(path: Path, to: Path, **values: Any) -> Path:
    """A file, or every file of a folder, with these attributes; None removes one."""
    for source in sorted(path.glob("*.dcm")) if path.is_dir() else [path]:
        target = to / source.name if path.is_dir() else to
        target.parent.mkdir(exist_ok=True, parents=True)
        ds = pydicom.dcmread(source)
        for name, value in values.items():
            setattr(ds, name, value)
        ds.save_as(target)
    return to


def gap(case: Path, to: Path) -> dict[str, Path]:
    shutil.copytree(case / "ct", to)
    (to / "slice-050.dcm").unlink()
    return {"ct": to}


def no_target(case: Path, to: Path) -> dict[str, Path]:
    ds = pydicom.dcmread(case / "structures.dcm")
    for seen in ds.RTROIObservationsSequence:
        seen.RTROIInterpretedType = "ORGAN"
    ds.save_as(to)
    return {"structures": to}


def other_ct(**values: Any) -> Any:
    return lambda case, to: {"ct": changed(case / "ct", to, **values)}


def other_structures(**values: Any) -> Any:
    return lambda case, to: {"structures": changed(case / "structures.dcm", to, **values)}


@pytest.mark.parametrize(("change", "words"), [
    (gap, "4.00 mm between z = -31.00 and -27.00 mm, 2.00 mm is usual: slices are missing"),
    (other_ct(ImageOrientationPatient=[1, 0, 0, 0, 0.98, 0.199]), "is not transverse; resample the series without tilt"),
    (other_ct(ImageOrientationPatient=[0, 1, 0, 0, 0, -1]), "is not transverse"),
    (other_ct(FrameOfReferenceUID="1.2.3"), "the CT has 1.2.3; they do not belong together"),
    (other_ct(PatientID="SOMEBODY"), "patient 'SIM-SPINE', the CT is of 'SOMEBODY'; other patient"),
    (other_ct(SeriesInstanceUID="1.2.3"), "the CT is 1.2.3; other CT"),
    (other_ct(PatientPosition="FFS"), "the patient lies HFS, in the CT FFS; plan on this CT again"),
    (no_target, "no structure for the target"),
    (other_structures(SOPInstanceUID="1.2.3"), "is 1.2.3, the plan was made on"),
    (other_structures(PatientID="SOMEBODY"), "patient 'SOMEBODY', the CT is of 'SIM-SPINE'; other patient"),
    (lambda case, to: {"ct": to}, "no such folder"),
    (lambda case, to: {"structures": to}, "cannot be read: No such file"),
    (lambda case, to: {"structures": case / "plan.dcm"}, "this is a RTPLAN; an RTSTRUCT is needed"),
    (lambda case, to: {"target": "Liver"}, "no structure 'Liver'; there are: GTV, CTV, PTV, Cord, Body"),
    (lambda case, to: {"plan": changed(case / "plan.dcm", to, PatientID="SOMEBODY")}, "plan SPINE_SBRT: patient 'SOMEBODY'"),
])
def test_what_does_not_belong_together_is_refused_before_there_is_a_run(case: Path, tmp_path: Path, change: Any, words: str,
                                                                          capsys: pytest.CaptureFixture[str]) -> None:
    from tests.system.cli import inside

    given = {"plan": case / "plan.dcm", "ct": case / "ct", "structures": case / "structures.dcm"}
    options = [str(part) for name, value in (given | change(case, tmp_path / "bad")).items() for part in (f"--{name}", value)]
    assert inside("run", "spine_igrt_quick", *options, "--out", tmp_path / "run") == 3
    said = capsys.readouterr()
    assert words in said.err and said.out == "" and len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_ct_without_its_structures_is_a_usage_error(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.system.cli import inside

    assert inside("run", "spine_igrt_quick", "--ct", case / "ct") == 2 and "give both" in capsys.readouterr().err


def test_a_plan_with_two_isocentres_is_refused(case: Path, tmp_path: Path) -> None:
    ds = pydicom.dcmread(case / "plan.dcm")
    ds.BeamSequence[1].ControlPointSequence[0].IsocenterPosition = [0.0, -10.0, 30.0]
    ds.save_as(tmp_path / "two.dcm")
    with pytest.raises(PlanError, match=r"2 isocentres, .* split the plan"):
        isocentre_of(read_plan(tmp_path / "two.dcm"))


def test_a_trace_with_a_gap_is_refused_before_there_is_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.system.cli import inside

    rows = [f"{0.2 * k:g} 0 {0.1 * k:g} 0" for k in range(20)]
    (tmp_path / "trace.txt").write_text("\n".join(rows[:8] + rows[10:]))
    (tmp_path / "session.yaml").write_text(
        "kind: session\nname: moved\nmachine: c_arm_hd120\nworkflow: spine_igrt\nplan: {make: spine_sbrt, mlc: hd_120}\n"
        "protocol: spine_sbrt\nimaging: quick\npatient:\n  phantom: spine\n  spacing_mm: 2.0\n"
        f"  motion: {{kind: trace, file: \"{tmp_path / 'trace.txt'}\"}}\n")
    assert inside("run", tmp_path / "session.yaml", "--out", tmp_path / "run") == 3
    assert "gap of 0.6 s after row 8 (1.4 s), 0.2 s is usual" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


# --- `match` and `image` on what is no series

def nothing_there(case: Path, to: Path) -> Path:
    return to


def empty(case: Path, to: Path) -> Path:
    to.mkdir()
    return to


def text_only(case: Path, to: Path) -> Path:
    (empty(case, to) / "note.txt").write_text("no slice")
    return to


def one_missing(case: Path, to: Path) -> Path:
    return gap(case, to)["ct"]


@pytest.mark.parametrize(("make", "words"), [
    (nothing_there, "no such folder; give one that holds the slices"), (empty, "0 CT slices; 3 are the least"),
    (text_only, "0 CT slices"), (one_missing, "slices are missing: steps of 2.00 to 4.00 mm"),
    (lambda case, to: case / "plan.dcm", "no such folder"),
])
def test_match_says_in_one_line_what_is_no_series(case: Path, tmp_path: Path, make: Any, words: str,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    from tests.system.cli import inside

    bad, picture = make(case, tmp_path / "bad"), tmp_path / "p.png"
    for pair in ((bad, case / "ct"), (case / "ct", bad)):
        assert inside("match", *pair, "--out", picture) == 5
        said = capsys.readouterr()
        assert words in said.err and said.out == "" and len(said.err.strip().splitlines()) == 1
    assert not picture.exists()


@pytest.mark.parametrize(("make", "words"), [
    (nothing_there, "cannot be read as a DICOM image: No such file"), (empty, "0 CT slices"), (one_missing, "slices are missing"),
    (lambda case, to: case / "structures.dcm", "RTSTRUCT: no picture in it"),
])
def test_image_says_in_one_line_what_shows_nothing(case: Path, tmp_path: Path, make: Any, words: str,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    from tests.system.cli import inside

    assert inside("image", make(case, tmp_path / "bad"), "--out", tmp_path / "p.png") == 5
    said = capsys.readouterr()
    assert words in said.err and len(said.err.strip().splitlines()) == 1 and not (tmp_path / "p.png").exists()


@pytest.mark.parametrize(("values", "words"), [
    ({"PatientID": "SOMEBODY"}, "both must be of one"), ({"FrameOfReferenceUID": "1.2.3"}, "say --any-frame"),
    ({"PatientPosition": "FFS"}, "both must be alike"),
])
def test_match_refuses_series_that_are_not_of_one_patient_and_frame(case: Path, tmp_path: Path, values: Any, words: str,
                                                                     capsys: pytest.CaptureFixture[str]) -> None:
    from tests.system.cli import inside

    assert inside("match", case / "ct", changed(case / "ct", tmp_path / "other", **values)) == 1
    assert words in capsys.readouterr().err


def test_a_match_where_nothing_is_imaged_is_refused(case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.system.cli import inside

    assert inside("match", case / "ct", case / "ct", "--isocentre", 900, 0, 0, "--out", tmp_path / "p.png") == 1
    assert "shows nothing that both images could share" in capsys.readouterr().err and not (tmp_path / "p.png").exists()


def test_a_patient_given_on_the_command_line_is_on_record_for_a_run_that_resumes(case: Path, tmp_path: Path) -> None:
    given = {"ct": str(case / "ct"), "structures": str(case / "structures.dcm")}
    order = resolve("spine_igrt_quick", plan=case / "plan.dcm", patient=given, scratch=tmp_path)
    recorded = order.configuration["session"]["data"]["patient"]
    assert {name: recorded[name] for name in given} == given and "phantom" not in recorded
    assert recorded["motion"] == resolve("spine_igrt_quick", scratch=tmp_path).configuration["session"]["data"]["patient"]["motion"]
