"""Real files from several planning systems: what is in them, and which machine takes them."""

import pytest

from linac_ctl.plan.check import check, errors
from linac_ctl.plan.dicom_import import read_plan

# file, MLC of the machine, [(number, technique, mode, MU, control points, first and last gantry angle)]
EXPECTED = [
    (
        "T0.2_PicketFenceStatic_HD120_TB_Rev02.dcm",
        "hd_120",
        [(n, "sliding_window", "6X", 100.0, 21, g, g) for n, g in ((1, 180.0), (2, 90.0), (3, 0.0), (4, -90.0))],
    ),
    ("T1.1_PicketFenceRA_M120_TB_Rev02.dcm", "millennium_120", [(0, "conformal_arc", "6X", 480.0, 21, 179.0, -173.0)]),
    (
        "T2_DoseRateGantrySpeed_M120_TB_Rev02.dcm",
        "millennium_120",
        [(1, "arc", "6X", 400.0, 16, 179.0, -117.24), (2, "static", "6X", 400.0, 2, -117.24, -117.24)],
    ),
    ("elekta_agility_6fff_example.dcm", "agility_160", [(1, "static", "6FFF", 301.937836, 2, 0.0, 0.0)]),
    (
        "elekta_agility_vmat_example.dcm",
        "agility_160",
        [(1, "arc", "6X", 157.238693, 32, 90.0, 150.0), (2, "arc", "6X", 158.782211, 31, -90.0, -150.0)],
    ),
    ("pydicom_static_rtplan.dcm", "millennium_120", [(1, "static", "6X", 116.00367, 2, 0.0, 0.0)]),
]
NAMES = [name for name, _, _ in EXPECTED]


@pytest.mark.parametrize("name, mlc, beams", EXPECTED, ids=NAMES)
def test_a_real_plan_is_read_and_deliverable_on_a_fitting_machine(real_plans, machines, name, mlc, beams):
    plan = read_plan(real_plans / name)
    seen = [
        (b.number, b.technique, b.mode, b.mu, len(b.cumulative_mu), b.gantry_deg[0], b.gantry_deg[-1])
        for b in plan.beams
    ]
    assert seen == beams
    assert errors(check(plan, machines[mlc])) == []


@pytest.mark.parametrize("name, mlc", [(name, mlc) for name, mlc, _ in EXPECTED if "static_rtplan" not in name])
def test_a_real_plan_is_refused_on_every_machine_with_another_mlc(real_plans, machines, name, mlc):
    plan = read_plan(real_plans / name)
    for other in ("millennium_120", "hd_120", "agility_160", "mlci_80", "bench"):
        assert bool(errors(check(plan, machines[other]))) == (other != mlc)


def test_a_real_picket_fence_has_its_leaves_on_the_right_side(real_plans):
    beam = read_plan(real_plans / "T1.1_PicketFenceRA_M120_TB_Rev02.dcm").beams[0]
    assert beam.leaf_mm[0, 0] == -74.0 and beam.leaf_mm[0, 60] == -75.0  # A closes towards B from +X
    assert list(beam.jaw_mm[20]) == [-100.0, 100.0, -100.0, 100.0]  # given at control point 0 only
    assert beam.isocentre_mm == (210.0, 210.0, 0.0)


def test_real_agility_plans_have_no_x_jaw_no_preamble_and_no_couch(real_plans):
    plan = read_plan(real_plans / "elekta_agility_vmat_example.dcm")
    beam = plan.beams[0]
    assert beam.jaw_mm[0, 2:].tolist() == [-5.0, 8.0] and beam.couch_is_relative
    assert beam.leaf_mm.shape == (32, 160)
    assert "without Part-10 preamble" in plan.notes[0]
    assert beam.dose_rate_mu_per_min is None  # the file says 0
