"""Every limit of a machine, inside, at and outside, and that all findings come together."""

from dataclasses import replace

import numpy as np
import pytest

from linac_ctl.errors import PlanError
from linac_ctl.plan.check import check, errors, require_deliverable
from linac_ctl.plan.make import KINDS, mlc_names


@pytest.fixture(scope="session")
def box(made):
    return made("box_3dcrt").plan


def with_beam(plan, **changes):
    """The plan with its second beam changed."""
    return replace(plan, beams=(plan.beams[0], replace(plan.beams[1], **changes), *plan.beams[2:]))


def wrong(plan, machine):
    return errors(check(plan, machine))


def filled(table, column, value):
    changed = table.copy()
    changed[:, column] = value
    return changed


@pytest.mark.parametrize("mlc", mlc_names())
@pytest.mark.parametrize("kind", KINDS)
def test_every_made_plan_is_deliverable_on_the_machine_it_was_made_for(kind, mlc, machines, made):
    assert wrong(made(kind, mlc).plan, machines[mlc]) == []


@pytest.mark.parametrize(
    "field, column, keyword",
    [
        ("gantry_deg", None, "GantryAngle"),
        ("collimator_deg", None, "BeamLimitingDeviceAngle"),
        ("jaw_mm", 0, "LeafJawPositions"),
        ("jaw_mm", 1, "LeafJawPositions"),
        ("jaw_mm", 2, "LeafJawPositions"),
        ("jaw_mm", 3, "LeafJawPositions"),
        ("couch", 0, "TableTopLateralPosition"),
        ("couch", 1, "TableTopLongitudinalPosition"),
        ("couch", 2, "TableTopVerticalPosition"),
        ("couch", 3, "PatientSupportAngle"),
        ("couch", 4, "TableTopPitchAngle"),
        ("couch", 5, "TableTopRollAngle"),
    ],
)
@pytest.mark.parametrize("end", ["low", "high"])
def test_an_axis_may_reach_its_limit_and_not_a_step_further(box, m120, field, column, keyword, end):
    axes = {"gantry_deg": m120.gantry, "collimator_deg": m120.collimator, "jaw_mm": m120.jaws, "couch": m120.couch}[
        field
    ]
    axis = axes[column or 0]
    limit, out = getattr(axis, end), -0.001 if end == "low" else 0.001
    for value, outside in ((limit - out, False), (limit, False), (limit + out, True)):
        table = getattr(box.beams[1], field)
        values = np.full_like(table, value) if column is None else filled(table, column, value)
        found = wrong(with_beam(box, **{field: values}), m120)
        assert [f.keyword for f in found] == ([keyword] if outside else [])
        if outside:
            assert (found[0].beam, found[0].beam_name) == (2, "L LAT")
            assert f"{value:g}" in found[0].value and f"{axis.low:g} to {axis.high:g}" in found[0].limit


@pytest.mark.parametrize("bank, sign", [("A", 1.0), ("B", -1.0)])
@pytest.mark.parametrize("end", ["low", "high"])
def test_a_leaf_may_reach_its_limit_and_not_a_step_further(box, m120, bank, sign, end):
    mlc = m120.mlc
    limit, out = getattr(mlc.leaf, end), -0.001 if end == "low" else 0.001
    for value, outside in ((limit, False), (limit + out, True)):
        leaves = box.beams[1].leaf_mm.copy()
        # all leaves of the bank go along and the other bank stays away, so that neither span nor gap is at fault
        leaves[:, : mlc.pairs] = value if bank == "A" else 150.0
        leaves[:, mlc.pairs :] = -value if bank == "B" else -150.0
        found = wrong(with_beam(box, leaf_mm=leaves), m120)
        named = [f for f in found if f"leaf {bank}1 " in f.value]
        assert bool(named) == outside
        if outside:
            assert named[0].point == 0 and f"{sign * value:g} mm" in named[0].value


@pytest.mark.parametrize("span_mm, outside", [(149.9, False), (150.0, False), (150.001, True)])
@pytest.mark.parametrize("bank", ["A", "B"])
def test_leaves_of_one_bank_may_be_as_far_apart_as_the_carriage_span(box, m120, bank, span_mm, outside):
    leaves = box.beams[1].leaf_mm.copy()
    pairs = m120.mlc.pairs
    leaves[:, :pairs], leaves[:, pairs:] = 60.0, -60.0
    leaves[1, 5 if bank == "A" else pairs + 5] = (span_mm - 60.0 - 30.0) * (1.0 if bank == "A" else -1.0) + 0.0
    leaves[1, 6 if bank == "A" else pairs + 6] = -90.0 if bank == "A" else 90.0
    leaves[1, pairs + 6 if bank == "A" else 6] = -95.0 if bank == "A" else 95.0
    found = wrong(with_beam(box, leaf_mm=leaves), replace_accessible(m120))
    spans = [f for f in found if f"spreads bank {bank}" in f.value]
    expected = max(60.0, span_mm - 90.0) + 90.0
    assert bool(spans) == (expected > 150.0 + 5e-4) == outside
    if outside:
        assert spans[0].point == 1 and "leaf" in spans[0].value and spans[0].limit == "150 mm carriage span"


def replace_accessible(machine):
    """The machine without carriages that have to stay inside one segment."""
    return machine.model_copy(update={"carriages": ()})


def test_a_bank_that_travels_further_than_its_span_within_one_segment_is_refused(box, m120):
    pairs, leaves = m120.mlc.pairs, box.beams[1].leaf_mm.copy()
    leaves[:, :pairs], leaves[:, pairs:] = 0.0, -10.0
    leaves[1, :pairs], leaves[1, pairs:] = 160.0, 145.0
    found = wrong(with_beam(box, leaf_mm=leaves), m120)
    assert [f.point for f in found] == [1, 1]
    assert "moves bank A through 160 mm in one segment with dose" in found[0].value
    assert wrong(with_beam(box, leaf_mm=leaves), replace_accessible(m120)) == []


@pytest.mark.parametrize("gap_mm, outside", [(3.0, False), (2.95, False), (2.949, True), (0.0, True)])
def test_opposed_leaves_keep_the_smallest_gap_of_the_machine(box, m120, gap_mm, outside):
    machine = m120.model_copy(update={"mlc": m120.mlc.model_copy(update={"gap_mm": 3.0})})
    leaves = box.beams[1].leaf_mm.copy()
    leaves[:, : m120.mlc.pairs] = np.maximum(leaves[:, : m120.mlc.pairs], leaves[:, m120.mlc.pairs :] + 5.0)
    leaves[1, 7] = round(leaves[1, 67] + gap_mm, 3)
    others = replace(box, beams=(box.beams[1],), groups=(replace(box.groups[0], beams=(2,), mu=(65.0,)),))
    found = wrong(replace(others, beams=(replace(box.beams[1], leaf_mm=leaves),)), machine)
    assert [(f.point, "A8 and B8" in f.value) for f in found] == ([(1, True)] if outside else [])


def test_another_mlc_is_refused_with_both_described(box, machines):
    found = wrong(box, machines["hd_120"])
    assert len(found) == 4
    assert found[0].keyword == "LeafPositionBoundaries"
    assert "60 pairs of 5, 10 mm from -200 to 200 mm" in found[0].value and "hd_120" in found[0].limit
    assert any("no MLC on this machine" in f.limit for f in wrong(box, machines["bench"]))


def test_a_mode_the_machine_does_not_have_is_refused(box, m120):
    found = wrong(with_beam(box, mode="18X"), m120)
    assert [(f.beam, f.keyword) for f in found] == [(2, "NominalBeamEnergy")]
    assert "18X" in found[0].value and "10FFF" in found[0].limit


@pytest.mark.parametrize(
    "rate, severity", [(600.0, None), (None, None), (600.1, "warning"), (720.0, "warning"), (720.1, "error")]
)
def test_a_dose_rate_a_little_too_high_is_delivered_slower_and_far_too_high_is_refused(box, m120, rate, severity):
    found = [f for f in check(with_beam(box, dose_rate_mu_per_min=rate), m120) if f.keyword == "DoseRateSet"]
    assert [f.severity for f in found] == ([severity] if severity else [])


def test_a_machine_without_x_jaws_takes_no_plan_with_x_jaws(box, machines):
    found = [f for f in wrong(box, machines["agility_160"]) if "jaw X" in f.value]
    assert len(found) == 8 and found[0].limit == "no jaw X1 on this machine"


def test_a_machine_without_an_axis_takes_only_zero_for_it(box, m120):
    bare = m120.model_copy(update={"collimator": (), "couch": ()})
    assert wrong(box, bare) == []
    beam = box.beams[1]
    found = wrong(with_beam(box, collimator_deg=np.full(2, 5.0), couch=filled(beam.couch, 3, 10.0)), bare)
    assert [f.limit for f in found] == ["no collimator on this machine", "no couch rotation on this machine"]


@pytest.mark.parametrize("column, keyword", [(0, "TableTopLateralPosition"), (3, "PatientSupportAngle")])
def test_a_couch_that_moves_during_the_beam_is_refused(box, m120, column, keyword):
    couch = box.beams[1].couch.copy()
    couch[1, column] = 2.0
    found = wrong(with_beam(box, couch=couch), m120)
    assert [(f.keyword, f.point) for f in found] == [(keyword, 1)]
    assert "during the beam" in found[0].value


def test_what_has_to_be_fitted_by_hand_is_refused(box, m120):
    found = wrong(with_beam(box, accessory="wedge W30"), m120)
    assert [(f.keyword, f.beam) for f in found] == [("WedgeSequence", 2)]


@pytest.mark.parametrize(
    "approval, severities", [("APPROVED", []), ("UNAPPROVED", ["warning"]), ("", ["warning"]), ("REJECTED", ["error"])]
)
def test_only_a_rejected_plan_is_refused_for_its_approval(box, m120, approval, severities):
    found = [f.severity for f in check(replace(box, approval=approval), m120) if f.keyword == "ApprovalStatus"]
    assert found == severities


def test_two_isocentres_need_couch_translations(box, m120):
    assert wrong(with_beam(box, isocentre_mm=(0.0, 0.0, 99.0)), m120) == []
    found = wrong(with_beam(box, isocentre_mm=(0.0, 0.0, 99.0), couch_is_relative=True), m120)
    assert [(f.keyword, f.beam) for f in found] == [("IsocenterPosition", 2)]


def test_all_errors_are_told_together_and_only_then_raised(box, m120):
    spoilt = with_beam(box, mode="18X", accessory="block B1", gantry_deg=np.full(2, 199.0))
    with pytest.raises(PlanError) as caught:
        require_deliverable(spoilt, m120)
    assert "3 errors" in str(caught.value)
    for part in (
        "NominalBeamEnergy",
        "BlockSequence",
        "(300A,011E) GantryAngle asks for gantry 199 deg; limit: -185 to 185 deg",
    ):
        assert part in str(caught.value)
    assert [f.severity for f in require_deliverable(box, m120)] == ["warning"]  # unapproved


def test_one_fraction_group_is_checked_alone_and_an_unknown_one_is_refused(box, m120):
    spoilt = replace(with_beam(box, mode="18X"), groups=(replace(box.groups[0], beams=(1, 3), mu=(1.0, 2.0)),))
    assert errors(check(spoilt, m120, group=1)) == []
    assert len(wrong(spoilt, m120)) == 1
    with pytest.raises(PlanError, match="no fraction group 7; the plan has 1"):
        check(box, m120, group=7)
