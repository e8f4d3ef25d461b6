"""What a good file becomes, in all the ways in which it may be written."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from linac_ctl.plan.dicom_import import read_plan
from linac_ctl.plan.make import KINDS, make_plan, mlc_names


def read(plan, path):
    plan.save_as(str(path))
    return read_plan(path)


@pytest.fixture
def box(spoil):
    return lambda change: read_plan(spoil(change))


@pytest.mark.parametrize("mlc", mlc_names())
@pytest.mark.parametrize("kind", KINDS)
def test_every_made_plan_reads_back_on_the_grid(kind, mlc, made):
    for beam in made(kind, mlc).plan.fraction():
        assert beam.cumulative_mu[0] == 0.0 and beam.cumulative_mu[-1] == beam.mu
        assert (np.diff(beam.cumulative_mu) >= 0.0).all()
        for values, per_unit in ((beam.gantry_deg, 1000), (beam.cumulative_mu, 1e6), (beam.leaf_mm, 1000)):
            assert values is None or np.array_equal(np.rint(values * per_unit) / per_unit, values)
        assert np.abs(beam.gantry_deg).max() <= 185.0


def test_leaves_are_turned_from_the_files_order_to_bank_a_first(box):
    def change(plan):
        values = plan.BeamSequence[0].ControlPointSequence[0].BeamLimitingDevicePositionSequence[-1]
        values.LeafJawPositions = [*range(-60, 0), *range(1, 61)]

    beam = box(change).beams[0]
    assert list(beam.leaf_mm[0, :60]) == list(range(1, 61))
    assert list(beam.leaf_mm[1, 60:]) == list(range(-60, 0))  # kept from control point 0


def test_symmetric_jaws_and_a_missing_x_jaw_are_read(box):
    def symmetric(plan):
        for point in (plan.BeamSequence[0], plan.BeamSequence[0].ControlPointSequence[0]):
            for device in point.get("BeamLimitingDeviceSequence") or point.BeamLimitingDevicePositionSequence:
                device.RTBeamLimitingDeviceType = device.RTBeamLimitingDeviceType.removeprefix("ASYM")

    def no_x(plan):
        beam = plan.BeamSequence[0]
        del beam.BeamLimitingDeviceSequence[0]
        del beam.ControlPointSequence[0].BeamLimitingDevicePositionSequence[0]

    assert list(box(symmetric).beams[0].jaw_mm[1]) == list(box(lambda plan: None).beams[0].jaw_mm[0])
    jaws = box(no_x).beams[0].jaw_mm
    assert np.isnan(jaws[:, :2]).all() and np.isfinite(jaws[:, 2:]).all()


def test_couch_translations_are_all_there_or_left_to_the_set_up(box):
    present = box(lambda plan: None).beams[0]
    assert not present.couch_is_relative and list(present.couch[0]) == [0.0] * 6

    def empty(plan):
        for beam in plan.BeamSequence:
            beam.ControlPointSequence[0].TableTopVerticalPosition = None

    absent = box(empty)
    assert absent.beams[0].couch_is_relative and np.isnan(absent.beams[0].couch[:, :3]).all()
    assert any("couch translations not given" in note for note in absent.notes)


def test_a_couch_angle_of_315_is_minus_45(tmp_path):
    plan = read(make_plan("noncoplanar"), tmp_path / "p.dcm")
    assert [beam.couch[0, 3] for beam in plan.beams] == [0.0, 45.0, 90.0, -45.0]


@pytest.mark.parametrize(
    "energy, fluence, identity, mode",
    [
        ("6", None, None, "6X"),
        ("10.0", "STANDARD", None, "10X"),
        ("6", "NON_STANDARD", "FFF", "6FFF"),
        ("10", "NON_STANDARD", "10FFF", "10FFF"),
        ("6", "NON_STANDARD", "SRS", "6X SRS"),
        ("6", "NON_STANDARD", None, "6X NON_STANDARD"),
        ("15", "", None, "15X"),
    ],
)
def test_energy_and_fluence_mode_name_the_beam_mode(box, energy, fluence, identity, mode):
    def change(plan):
        for beam in plan.BeamSequence:
            beam.ControlPointSequence[0].NominalBeamEnergy = energy
            item = Dataset()
            if fluence is not None:
                item.FluenceMode = fluence
            if identity is not None:
                item.FluenceModeID = identity
            beam.PrimaryFluenceModeSequence = Sequence([item])

    assert box(change).beams[0].mode == mode


def test_a_file_without_preamble_is_read(tmp_path):
    made = make_plan("box_3dcrt")
    path = tmp_path / "p.dcm"
    made.save_as(str(path))
    raw = path.read_bytes()
    start = raw.index(b"\x08\x00\x16\x00UI")  # the data set itself, without the file meta information
    (tmp_path / "bare.dcm").write_bytes(raw[start:])
    plan = read_plan(tmp_path / "bare.dcm")
    assert len(plan.beams) == 4
    assert "without Part-10 preamble" in plan.notes[0]


def test_set_up_beams_are_named_and_not_delivered(box):
    def change(plan):
        plan.BeamSequence[1].TreatmentDeliveryType = "SETUP"
        del plan.BeamSequence[1].FinalCumulativeMetersetWeight
        del plan.FractionGroupSequence[0].ReferencedBeamSequence[1].BeamMeterset

    plan = box(change)
    assert plan.setup_beams == ("L LAT",)
    assert [beam.number for beam in plan.fraction()] == [1, 3, 4]


def test_two_fraction_groups_may_share_a_beam_with_different_mu(box):
    def change(plan):
        second = Dataset()
        second.FractionGroupNumber, second.NumberOfFractionsPlanned, second.NumberOfBeams = 2, 5, 2
        second.NumberOfBrachyApplicationSetups = 0
        references = []
        for number, mu in ((3, 10.0), (1, 20.0)):
            reference = Dataset()
            reference.ReferencedBeamNumber, reference.BeamMeterset = number, mu
            references.append(reference)
        second.ReferencedBeamSequence = Sequence(references)
        plan.FractionGroupSequence.append(second)

    plan = box(change)
    assert [(beam.number, beam.mu) for beam in plan.fraction(2)] == [(3, 10.0), (1, 20.0)]
    assert [beam.mu for beam in plan.fraction()] == [65.0] * 4
    assert plan.fraction(2)[1].cumulative_mu[-1] == 20.0
    assert plan.groups[1].fractions == 5


def test_weights_may_count_in_any_unit(box):
    def change(plan):
        for beam in plan.BeamSequence:
            beam.FinalCumulativeMetersetWeight = 100
            beam.ControlPointSequence[1].CumulativeMetersetWeight = 99.999999

    assert list(box(change).beams[0].cumulative_mu) == [0.0, 65.0]


def test_a_wedge_is_noted_unless_it_stays_out(box):
    def wedge(plan, position):
        item, at = Dataset(), Dataset()
        item.WedgeNumber, item.WedgeID, item.WedgeType, item.WedgeAngle, item.WedgeOrientation = (
            1,
            "W30",
            "STANDARD",
            30,
            0,
        )
        at.ReferencedWedgeNumber, at.WedgePosition = 1, position
        plan.BeamSequence[0].NumberOfWedges, plan.BeamSequence[0].WedgeSequence = 1, Sequence([item])
        plan.BeamSequence[0].ControlPointSequence[0].WedgePositionSequence = Sequence([at])

    assert box(lambda plan: wedge(plan, "IN")).beams[0].accessory == "wedge W30"
    assert box(lambda plan: wedge(plan, "OUT")).beams[0].accessory == ""


def test_an_mlc_without_positions_leaves_no_leaves_and_says_so(box):
    def change(plan):
        del plan.BeamSequence[0].ControlPointSequence[0].BeamLimitingDevicePositionSequence[-1]

    plan = box(change)
    assert plan.beams[0].leaf_mm is None
    assert any("declares an MLC but gives no leaf positions" in note for note in plan.notes)
