"""Every way of being no deliverable plan, and what the refusal says."""

import re

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from linac_ctl.errors import PlanError
from linac_ctl.plan.dicom_import import read_plan
from linac_ctl.plan.make import make_plan


def beam(plan, i=1):
    return plan.BeamSequence[i]


def point(plan, k=0, i=1):
    return plan.BeamSequence[i].ControlPointSequence[k]


def put(item, **values):
    for keyword, value in values.items():
        setattr(item, keyword, value)


def crossed(plan):
    leaves = point(plan).BeamLimitingDevicePositionSequence[-1]
    values = list(leaves.LeafJawPositions)
    values[29], values[89] = 12.0, 11.0
    leaves.LeafJawPositions = values


def more_points(plan):
    extra = Dataset()
    put(extra, ControlPointIndex=2, CumulativeMetersetWeight="0.5")
    beam(plan).ControlPointSequence.append(extra)
    beam(plan).NumberOfControlPoints = 3


HERE = 'beam 2 "L LAT"'
REFUSALS = [
    # (what is done to it, beam and control point named, attribute named, what is wrong with it)
    (
        lambda p: put(beam(p), ControlPointSequence=Sequence([])),
        HERE,
        "(300A,0111) ControlPointSequence",
        "no control points",
    ),
    (lambda p: beam(p).ControlPointSequence.pop(), HERE, "(300A,0111) ControlPointSequence", "only one control point"),
    (
        lambda p: put(beam(p), NumberOfControlPoints=5),
        HERE,
        "(300A,0110) NumberOfControlPoints",
        "is 5, but 2 .* are there",
    ),
    (
        lambda p: put(point(p, 1), ControlPointIndex=0),
        f"{HERE}, control point 1",
        "(300A,0112) ControlPointIndex",
        "is 0 where 1",
    ),
    (
        more_points,
        f"{HERE}, control point 2",
        "(300A,0134) CumulativeMetersetWeight",
        "is 0.5, below 1 .* must not fall",
    ),
    (
        lambda p: put(point(p), CumulativeMetersetWeight="0.1"),
        f"{HERE}, control point 0",
        "(300A,0134)",
        "is 0.1, it must start at 0",
    ),
    (
        lambda p: put(point(p, 1), CumulativeMetersetWeight="0.9"),
        f"{HERE}, control point 1",
        "(300A,0134)",
        "ends at 0.9, not at .* 1",
    ),
    (
        lambda p: delattr(point(p, 1), "CumulativeMetersetWeight"),
        f"{HERE}, control point 1",
        "(300A,0134)",
        "is missing",
    ),
    (lambda p: delattr(beam(p), "FinalCumulativeMetersetWeight"), HERE, "(300A,010E)", "is missing"),
    (lambda p: put(beam(p), FinalCumulativeMetersetWeight=0), HERE, "(300A,010E)", "must be above 0"),
    (
        lambda p: delattr(p.FractionGroupSequence[0].ReferencedBeamSequence[1], "BeamMeterset"),
        HERE,
        "(300A,0086)",
        "no MU",
    ),
    (
        lambda p: put(p.FractionGroupSequence[0].ReferencedBeamSequence[1], BeamMeterset=0),
        HERE,
        "(300A,0086)",
        "must be above 0",
    ),
    (
        lambda p: put(p.FractionGroupSequence[0].ReferencedBeamSequence[1], ReferencedBeamNumber=9),
        "",
        "(300C,0006)",
        "no such beam",
    ),
    (
        lambda p: put(p.FractionGroupSequence[0].ReferencedBeamSequence[1], ReferencedBeamNumber=1),
        "",
        "(300C,0006)",
        "named twice",
    ),
    (lambda p: put(p.FractionGroupSequence[0], NumberOfBeams=5), "", "(300A,0080)", "is 5, but 4 .* lost"),
    (lambda p: put(p, FractionGroupSequence=Sequence([])), "", "(300A,0070)", "gives MU to no beam"),
    (lambda p: put(p, BeamSequence=Sequence([])), "", "(300A,00B0)", "no beams"),
    (lambda p: put(beam(p), BeamNumber=1), "", "(300A,00C0)", "used by two beams"),
    (
        crossed,
        f"{HERE}, control point 0",
        "(300A,011C) LeafJawPositions",
        "leaf pair 30: bank B at 12 mm .* 11 mm are crossed",
    ),
    (
        lambda p: put(point(p).BeamLimitingDevicePositionSequence[0], LeafJawPositions=[9, -9]),
        HERE,
        "(300A,011C)",
        "X1 9 mm .* crossed",
    ),
    (
        lambda p: put(point(p).BeamLimitingDevicePositionSequence[-1], LeafJawPositions=[0] * 80),
        HERE,
        "(300A,011C)",
        "80 .*not 120",
    ),
    (lambda p: delattr(point(p), "GantryAngle"), f"{HERE}, control point 0", "(300A,011E) GantryAngle", "is missing"),
    (lambda p: delattr(point(p), "BeamLimitingDeviceAngle"), f"{HERE}, control point 0", "(300A,0120)", "is missing"),
    (lambda p: delattr(point(p), "PatientSupportAngle"), f"{HERE}, control point 0", "(300A,0122)", "is missing"),
    (lambda p: delattr(point(p), "NominalBeamEnergy"), f"{HERE}, control point 0", "(300A,0114)", "is missing"),
    (
        lambda p: put(point(p, 1), GantryAngle=95),
        f"{HERE}, control point 0",
        "(300A,011F) GantryRotationDirection",
        "90 to 95 deg",
    ),
    (
        lambda p: put(point(p), GantryRotationDirection="UP"),
        f"{HERE}, control point 0",
        "(300A,011F)",
        "'UP'; known are CW",
    ),
    (
        lambda p: put(point(p, 1), NominalBeamEnergy="10"),
        f"{HERE}, control point 1",
        "(300A,0114)",
        "changes from 6X to 10X",
    ),
    (lambda p: put(point(p, 1), IsocenterPosition=[0, 0, 9]), f"{HERE}, control point 1", "(300A,012C)", "moves"),
    (lambda p: put(point(p), TableTopEccentricAngle=5), f"{HERE}, control point 0", "(300A,0125)", "is 5 deg"),
    (lambda p: put(beam(p), RadiationType="ELECTRON"), HERE, "(300A,00C6)", "is ELECTRON; .* photons only"),
    (lambda p: put(beam(p), RadiationType="PROTON"), HERE, "(300A,00C6)", "is PROTON"),
    (lambda p: put(beam(p), PrimaryDosimeterUnit="MINUTE"), HERE, "(300A,00B3)", "is MINUTE"),
    (
        lambda p: put(point(p).BeamLimitingDevicePositionSequence[-1], RTBeamLimitingDeviceType="MLCX2"),
        f"{HERE}, control point 0",
        "(300A,00B8)",
        "'MLCX2'; known are X, Y, MLCX",
    ),
    (
        lambda p: put(beam(p).BeamLimitingDeviceSequence[-1], RTBeamLimitingDeviceType="MLCY"),
        HERE,
        "(300A,00B8)",
        "'MLCY'",
    ),
    (
        lambda p: delattr(beam(p).BeamLimitingDeviceSequence[-1], "LeafPositionBoundaries"),
        HERE,
        "(300A,00BE)",
        "0 values",
    ),
    (lambda p: beam(p).BeamLimitingDeviceSequence.pop(), HERE, "(300A,00B6)", "does not declare the MLCX"),
    (lambda p: put(beam(p), NumberOfWedges=1), HERE, "(300A,00D0)", "is 1, but 0 are described"),
    (lambda p: [put(b, TreatmentDeliveryType="SETUP") for b in p.BeamSequence], "", "(300A,00B0)", "no treatment beam"),
    (
        lambda p: (
            put(p.PatientSetupSequence[0], PatientPosition="HFS") or p.PatientSetupSequence.append(other_way_round())
        ),
        "",
        "(0018,5100)",
        "differs between set-ups: FFS, HFS",
    ),
    (lambda p: delattr(p, "SOPInstanceUID"), "", "(0008,0018)", "is missing"),
    (lambda p: put(p, SOPClassUID="1.2.840.10008.5.1.4.1.1.481.8"), "", "(0008,0016)", "an ion plan"),
    (
        lambda p: put(p, SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3"),
        "",
        "(0008,0016)",
        "'RT Structure Set Storage', not RT Plan",
    ),
    (lambda p: put(p, SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), "", "(0008,0016)", "'CT Image Storage', not RT Plan"),
    (lambda p: put(p, ApplicationSetupSequence=Sequence([Dataset()])), "", "(300A,0230)", "brachytherapy"),
]


def other_way_round():
    item = Dataset()
    item.PatientSetupNumber, item.PatientPosition = 2, "FFS"
    return item


@pytest.mark.parametrize(
    "change, place, attribute, problem", REFUSALS, ids=[f"{i}-{r[2][1:10]}-{r[3][:18]}" for i, r in enumerate(REFUSALS)]
)
def test_what_is_wrong_is_named_with_file_beam_control_point_and_attribute(spoil, change, place, attribute, problem):
    path = spoil(change)
    with pytest.raises(PlanError) as caught:
        read_plan(path)
    message = str(caught.value)
    assert message.startswith(f"spoilt.dcm: {place}")
    assert attribute in message
    assert re.search(problem, message), message
    assert "; " in message.split(attribute)[1]  # and what to do


@pytest.mark.parametrize("text", ["NaN", "inf", "-inf", "1e999"])
@pytest.mark.parametrize(
    "keyword", ["GantryAngle", "CumulativeMetersetWeight", "DoseRateSet", "TableTopVerticalPosition"]
)
def test_a_number_that_is_not_finite_is_refused(tmp_path, keyword, text):
    path = tmp_path / "p.dcm"
    plan = make_plan("palliative")
    setattr(plan.BeamSequence[0].ControlPointSequence[0], keyword, "77.125")
    plan.save_as(str(path))
    path.write_bytes(path.read_bytes().replace(b"77.125", text.ljust(6).encode()))
    with pytest.raises(PlanError, match=rf"control point 0: .*{keyword} is .*not a (finite )?number"):
        read_plan(path)


def test_a_leaf_position_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "p.dcm"
    plan = make_plan("box_3dcrt")
    leaves = plan.BeamSequence[0].ControlPointSequence[0].BeamLimitingDevicePositionSequence[-1]
    leaves.LeafJawPositions = [-77.125, *list(leaves.LeafJawPositions)[1:]]
    plan.save_as(str(path))
    path.write_bytes(path.read_bytes().replace(b"-77.125", b"-77x125"))
    with pytest.raises(PlanError, match=r'beam 1 "AP", control point 0: \(300A,011C\) LeafJawPositions'):
        read_plan(path)


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"", "empty"),
        (b"not a plan at all, just text that somebody saved under this name\n" * 20, "not a DICOM file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "not a DICOM file"),
        (b"\x00" * 4096, "not a DICOM file|damaged"),
        (b"\x00" * 128 + b"DICM", "damaged"),
        (bytes((i * 197 + 13) % 256 for i in range(5000)), "not a DICOM file"),
    ],
)
def test_what_is_no_dicom_file_is_refused_as_such(tmp_path, content, problem):
    path = tmp_path / "thing.dcm"
    path.write_bytes(content)
    with pytest.raises(PlanError, match=rf"thing.dcm: .*({problem})"):
        read_plan(path)


def test_a_file_that_is_not_there_is_refused_with_its_path(tmp_path):
    with pytest.raises(PlanError, match=r"nowhere.dcm: cannot be read: No such file"):
        read_plan(tmp_path / "nowhere.dcm")
    with pytest.raises(PlanError, match="cannot be read"):
        read_plan(tmp_path)


def test_a_two_point_full_turn_is_refused_because_it_may_be_none_at_all(spoil):
    def change(plan):
        beam(plan).BeamType = "DYNAMIC"
        point(plan).GantryRotationDirection = "CW"

    with pytest.raises(PlanError, match="a full turn or none"):
        read_plan(spoil(change))
