"""DICOM RT Beams Treatment Record."""

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.tag import Tag

from linac_ctl.errors import RecordError
from linac_ctl.records.result import ImageResult, InterlockTrip, Result, ShiftResult, TrackedResult
from linac_ctl.records.rows import Rows
from linac_ctl.records.treatment_record import Delivery, termination, treatment_record
from linac_ctl.records.treatment_setup import COUCH
from tests.records.synthetic import arc, beam_data, machine, one_beam, plan, result, rows_of

WHEN = Delivery(datetime(2026, 1, 2, 3, 4, 5), "test_machine", "Alex", code_version="0.1.0")  # noqa: DTZ001


def cut_short() -> tuple[Rows, Result]:
    rows = rows_of(beam_data(arc(), machine(), first_cycle=1000, cut_at=0.4))
    return rows, result(rows, outcome="partial", reason="stopped", interlocks=(), overrides=())


def read(rows: Rows, done: Result) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(treatment_record(plan(), done, rows, WHEN)))


def test_the_same_run_gives_the_same_bytes_and_another_run_another_uid() -> None:
    first = treatment_record(plan(), result(), one_beam(), WHEN)
    assert first == treatment_record(plan(), result(), one_beam(), WHEN)
    other = read(one_beam(), result(digest="fedcba9876543210"))
    assert other.SOPInstanceUID != pydicom.dcmread(io.BytesIO(first)).SOPInstanceUID


def test_the_record_names_plan_beam_and_both_chambers() -> None:
    d = read(one_beam(), result())
    assert d.SOPClassUID == "1.2.840.10008.5.1.4.1.1.481.4"
    assert d.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == plan().sop_instance_uid
    assert (d.PatientID, d.TreatmentDate, d.TreatmentTime[:6]) == ("SIM001", "20260102", "030405")
    beam = d.TreatmentSessionBeamSequence[0]
    assert (beam.ReferencedBeamNumber, beam.BeamName, beam.BeamType) == (1, "CW_arc", "DYNAMIC")
    assert (float(beam.SpecifiedPrimaryMeterset), float(beam.DeliveredPrimaryMeterset)) == (60.0, 60.01)
    assert float(beam.DeliveredSecondaryMeterset) == 60.12
    assert beam.TreatmentTerminationStatus == "NORMAL"


def test_every_control_point_has_what_was_asked_and_what_was_given() -> None:
    points = read(one_beam(), result()).TreatmentSessionBeamSequence[0].ControlPointDeliverySequence
    assert [float(p.SpecifiedMeterset) for p in points] == pytest.approx(arc().cumulative_mu, abs=1e-3)
    assert [float(p.DeliveredMeterset) for p in points][-1] == 60.01
    assert [float(p.GantryAngle) for p in points] == pytest.approx(arc().gantry_deg % 360, abs=1e-3)
    assert [p.get("GantryRotationDirection") for p in points] == ["CW", *[None] * 19, "NONE"]  # only where it changes
    leaves = points[3].BeamLimitingDevicePositionSequence[-1]
    assert leaves.RTBeamLimitingDeviceType == "MLCX"
    assert arc().leaf_mm is not None
    assert [float(x) for x in leaves.LeafJawPositions] == pytest.approx(
        np.roll(arc().leaf_mm[3], 60), abs=1e-3
    )  # B first
    times = [p.TreatmentControlPointTime for p in points]
    assert times == sorted(times) and times[0] != times[-1]


def test_jaws_that_do_not_move_are_given_once() -> None:
    points = read(one_beam(), result()).TreatmentSessionBeamSequence[0].ControlPointDeliverySequence
    kinds = [[d.RTBeamLimitingDeviceType for d in p.BeamLimitingDevicePositionSequence] for p in points[:2]]
    assert kinds == [["ASYMX", "ASYMY", "MLCX"], ["MLCX"]]


def test_a_beam_that_was_cut_has_a_last_point_where_it_stopped() -> None:
    points = read(*cut_short()).TreatmentSessionBeamSequence[0].ControlPointDeliverySequence
    reached = int((arc().cumulative_mu <= 24.01 + 0.1).sum())
    assert len(points) == reached + 1
    assert float(points[-1].DeliveredMeterset) == 24.01 < float(points[-1].SpecifiedMeterset)
    assert float(points[-1].DoseRateDelivered) == 0.0


@pytest.mark.parametrize(
    ("kind", "is_reset", "status"),
    [
        (None, False, "OPERATOR"),
        ("hold", False, "OPERATOR"),
        ("terminate", False, "MACHINE"),
        ("interrupt", False, "MACHINE"),
        ("interrupt", True, "OPERATOR"),
    ],
)
def test_who_ended_the_beam(kind: str | None, is_reset: bool, status: str) -> None:
    _, done = cut_short()
    reset = result().interlocks[0].reset if is_reset else None
    trips = () if kind is None else (InterlockTrip("X", kind, 1, 0.01, 1.0, 0.5, True, reset),)
    assert termination(done.beams[0], replace(done, interlocks=trips)) == status


def test_a_complete_beam_ended_normally_even_if_the_run_did_not() -> None:
    done = result(outcome="terminated")
    assert termination(done.beams[0], done) == "NORMAL"


def test_an_override_is_on_record_with_its_reason() -> None:
    beam = read(one_beam(), result()).TreatmentSessionBeamSequence[0]
    item = beam.ControlPointDeliverySequence[0].OverrideSequence[0]
    assert (item.OperatorsName, item.OverrideReason) == ("Kim", "couch vertical tolerance: 5.0 -> 8.0: test")
    assert beam.TreatmentVerificationStatus == "VERIFIED_OVR"


def test_a_resumed_beam_is_a_continuation() -> None:
    done = result()
    resumed = replace(done, beams=(replace(done.beams[0], start_mu=20.0),))
    assert read(one_beam(), resumed).TreatmentSessionBeamSequence[0].TreatmentDeliveryType == "CONTINUATION"


def test_a_run_in_which_no_beam_was_started_has_no_record() -> None:
    done = result()
    nothing = replace(done, beams=(replace(done.beams[0], delivered_mu=0.0, delivered_mu_2=0.0, beam_on_s=0.0),))
    with pytest.raises(RecordError, match="no beam was started"):
        treatment_record(plan(), nothing, one_beam().span(0, 0), WHEN)


def test_a_beam_without_leaves_and_couch_positions_is_recorded_without_them() -> None:
    bare = replace(arc(), leaf_mm=None, leaf_boundaries_mm=None, couch=np.full((21, 6), np.nan))
    rows, done = with_couch(np.full((1, 6), np.nan)), result()
    d = pydicom.dcmread(io.BytesIO(treatment_record(plan(bare), done, rows, WHEN)))
    point = d.TreatmentSessionBeamSequence[0].ControlPointDeliverySequence[0]
    assert [i.RTBeamLimitingDeviceType for i in point.BeamLimitingDevicePositionSequence] == ["ASYMX", "ASYMY"]
    assert point.TableTopVerticalPosition is None and float(point.PatientSupportAngle) == 0.0


# --- couch and shifts

STOOD = np.array([7.0, 1203.0, -101.5, -0.75, 0.4, -0.25])  # where readbacks say the couch is; the plan says otherwise


def with_couch(stood: np.ndarray) -> Rows:
    """One beam with these readbacks of the couch: (n or 1, 6) mm, deg."""
    rows = one_beam()
    at = [i for i, name in enumerate(rows.columns) if name.startswith("couch") and "readback" in name]
    data = rows.data.copy()
    data[:, at] = stood
    return Rows(data, rows.columns, rows.cycle_s)


def shifted() -> Result:
    """A shift before the beam (which begins at 10 s) that missed by 0.1 mm, a second one, and one that came after it."""
    missed = (6.0, 1202.0, -101.0, -0.5, 0.4, 0.0), (6.1, 1202.0, -101.0, -0.5, 0.4, 0.0)
    there = tuple(STOOD), tuple(STOOD)
    shifts = (
        ShiftResult(3.0, *missed, change=(1.0, 2.0, -1.0, -0.5, 0.4, 0.0)),
        ShiftResult(5.0, *there, change=(0.9, 1.0, -0.5, -0.25, 0.0, -0.25)),
        ShiftResult(99.0, *there, change=(50.0, 0.0, 0.0, 0.0, 0.0, 0.0)),
    )
    seen = [(1, "1.2.3"), (2, "1.2.4"), (-1, "1.2.5")]
    tracked = tuple(TrackedResult(11.0, beam, 20.0, 0.0, "mu", (0.1, 0.1), "inside", 0.9, uid) for beam, uid in seen)
    return result(overrides=(), shifts=shifts, tracked=tracked)


def test_the_couch_is_recorded_where_it_stood_and_not_where_the_plan_had_it() -> None:
    first, *others = read(with_couch(STOOD), result()).TreatmentSessionBeamSequence[0].ControlPointDeliverySequence
    six = [first[name].value for name in COUCH.values()]
    assert [float(v) for v in six] == pytest.approx([7.0, 1203.0, -101.5, 359.25, 0.4, -0.25], abs=1e-6)
    assert not any(name in point for point in others for name in COUCH.values())  # only what changes is repeated


def test_a_couch_that_drifts_during_the_beam_is_seen_in_its_control_points() -> None:
    n = len(one_beam())
    rows = with_couch(STOOD + np.outer(np.linspace(0, 1, n), [0, 0, -2.0, 0, 0, 0]))
    points = read(rows, result()).TreatmentSessionBeamSequence[0].ControlPointDeliverySequence
    heights = [float(p.TableTopVerticalPosition) for p in points]
    assert heights[0] == pytest.approx(-101.5, abs=0.1) and heights[-1] == pytest.approx(-103.5, abs=0.1)
    assert heights == sorted(heights, reverse=True)


def test_shifts_before_a_beam_are_its_correction_and_its_set_up() -> None:
    d = read(with_couch(STOOD), shifted())
    beam = d.TreatmentSessionBeamSequence[0]
    asked = {i.ParameterPointer: i.CorrectionValue for i in beam.ControlPointDeliverySequence[0].CorrectedParameterSequence}
    expected = dict(zip(COUCH.values(), (1.9, 3.0, -1.5, -0.75, 0.4, -0.25)))
    assert asked == pytest.approx({Tag(tag_for_keyword(name)): value for name, value in expected.items()}, abs=1e-6)
    assert {i.ParameterSequencePointer for i in beam.ControlPointDeliverySequence[0].CorrectedParameterSequence} == {0x300A0111}
    own = next(i for i in d.PatientSetupSequence if i.PatientSetupNumber == beam.ReferencedPatientSetupNumber)
    moved = [float(own[f"TableTop{axis}SetupDisplacement"].value) for axis in ("Lateral", "Longitudinal", "Vertical")]
    assert moved == pytest.approx([2.0, 3.0, -1.5])  # what the first one missed included
    assert own.PatientSetupLabel == "after couch shift 2" and "achieved 7.00 1203.00 -101.50" in own.SetupTechniqueDescription


def test_a_shift_after_the_beam_is_on_record_and_no_correction_of_it() -> None:
    d = read(with_couch(STOOD), shifted())
    assert [int(i.PatientSetupNumber) for i in d.PatientSetupSequence] == [1, 2, 3, 4]
    assert float(d.PatientSetupSequence[3].TableTopLateralSetupDisplacement) == pytest.approx(52.0)
    assert int(d.TreatmentSessionBeamSequence[0].ReferencedPatientSetupNumber) == 3


def test_images_taken_during_a_beam_are_its_verification_images() -> None:
    beam = read(one_beam(), shifted()).TreatmentSessionBeamSequence[0]
    assert [i.ReferencedSOPInstanceUID for i in beam.ReferencedVerificationImageSequence] == ["1.2.3"]


def test_a_session_without_shifts_says_nothing_of_set_ups() -> None:
    d = read(one_beam(), result())
    beam = d.TreatmentSessionBeamSequence[0]
    assert "PatientSetupSequence" not in d and "ReferencedPatientSetupNumber" not in beam
    assert "CorrectedParameterSequence" not in beam.ControlPointDeliverySequence[0]


# --- fields that made images


def imaged(*kinds: str, mu: float = 3.0) -> tuple[Rows, Result]:
    """A beam, before it two fields of the next number at 1 s and 4 s; acquisitions that end after the last, or after each."""
    given = [(arc(number=2, mu=mu, start_deg=start), cycle) for start, cycle in ((-60.0, 100), (0.0, 400))]
    fields = [beam_data(field, machine(), first_cycle=cycle) for field, cycle in given]
    rows = rows_of(*fields, beam_data(arc(), machine(), first_cycle=1000))
    times = (3.0, 6.0)[-len(kinds) :]
    images = tuple(ImageResult(kind, ("1.2.9",), 2, t, 0.0, 0.0, (0.0,) * 6, 0.0, 0.0) for kind, t in zip(kinds, times))
    return rows, result(rows, overrides=(), images=images)


def test_fields_that_made_images_are_on_record_with_their_mu_and_on_no_beam_of_the_plan() -> None:
    rows, done = imaged("mv_kv", "mv_kv")
    treated, *images = read(rows, done).TreatmentSessionBeamSequence
    assert treated.ReferencedBeamNumber == 1 and float(treated.DeliveredPrimaryMeterset) == 60.01
    assert [float(b.DeliveredPrimaryMeterset) for b in images] == [3.01, 3.01]
    assert not any("ReferencedBeamNumber" in b or "SpecifiedPrimaryMeterset" in b for b in images)
    assert [b.TreatmentDeliveryType for b in images] == ["OPEN_PORTFILM"] * 2
    at = [float(b.ControlPointDeliverySequence[0].GantryAngle) for b in images]
    assert at == pytest.approx([0.0, 60.0], abs=5.0)  # as read half way through the field


@pytest.mark.parametrize(
    ("kinds", "types"),
    [
        (("port",), ["TRMT_PORTFILM", "OPEN_PORTFILM"]),
        (("mv_pair",), ["OPEN_PORTFILM", "OPEN_PORTFILM"]),
        (("mv_kv", "mv_kv"), ["OPEN_PORTFILM", "OPEN_PORTFILM"]),
        (("cbct", "mv_kv"), ["", "OPEN_PORTFILM"]),  # the first field was given up
        (("mv_kv", "cbct"), ["OPEN_PORTFILM", ""]),
        ((), ["", ""]),
    ],
)
def test_what_an_imaging_field_was_for_is_said_by_the_acquisition(kinds: tuple[str, ...], types: list[str]) -> None:
    images = read(*imaged(*kinds)).TreatmentSessionBeamSequence[1:]
    assert [b.TreatmentDeliveryType or "" for b in images] == types
    assert [b.TreatmentTerminationStatus for b in images] == ["NORMAL" if t else "UNKNOWN" for t in types]


def test_a_field_that_gave_nothing_is_not_on_record() -> None:
    rows, done = imaged("mv_pair")
    rows.data[rows["beam"] == 2, rows.columns.index("mu_1")] = 0.0
    assert len(read(rows, done).TreatmentSessionBeamSequence) == 1


CASES = {
    "complete, overridden": lambda: (one_beam(), result()),
    "complete": lambda: (one_beam(), result(overrides=())),
    "cut short": cut_short,
    "imaged": lambda: imaged("port"),
    "imaged, no image": imaged,
    "shifted": lambda: (with_couch(STOOD), shifted()),
    "couch unknown": lambda: (with_couch(np.full((1, 6), np.nan)), result()),
}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian dicom3tools) is not installed")
@pytest.mark.parametrize("case", CASES)
def test_dciodvfy_finds_no_error(tmp_path: Path, case: str) -> None:
    rows, done = CASES[case]()
    path = tmp_path / "record.dcm"
    path.write_bytes(treatment_record(plan(), done, rows, WHEN))
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
    assert "RTBeamsTreatmentRecord" in said
    assert [line for line in said.splitlines() if line.startswith("Error")] == []
