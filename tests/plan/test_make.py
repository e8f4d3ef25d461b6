"""Made plans are valid, always the same, aimed at the target and kept off what is spared."""

import hashlib
import math
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from linac_ctl.errors import ConfigError, PlanError
from linac_ctl.plan.make import KINDS, Target, load_target, make_plan, mlc_names
from linac_ctl.plan.make.aperture import within_travel
from linac_ctl.plan.make.mlc import find_mlc
from linac_ctl.plan.make.project import View, project


@pytest.fixture(scope="session")
def plans(made):
    return lambda kind, mlc="millennium_120": made(kind, mlc).path


@pytest.fixture(scope="session")
def beams_of(made):
    return lambda kind, mlc="millennium_120": made(kind, mlc).plan.beams


def exposed(beam, i, points):
    """(m,) True for the points (mm from the isocentre) that control point i does not block."""
    pairs = len(beam.leaf_boundaries_mm) - 1
    flat = project(points, View(beam.gantry_deg[i], beam.collimator_deg[i], beam.couch[i, 3]))
    pair = np.clip(np.searchsorted(beam.leaf_boundaries_mm, flat[:, 1], side="right") - 1, 0, pairs - 1)
    between_leaves = (flat[:, 0] < beam.leaf_mm[i, pair]) & (flat[:, 0] > beam.leaf_mm[i, pairs + pair])
    x1, x2, y1, y2 = np.where(np.isnan(beam.jaw_mm[i]), [-999, 999, -999, 999], beam.jaw_mm[i])
    return between_leaves & (flat[:, 0] > x1) & (flat[:, 0] < x2) & (flat[:, 1] > y1) & (flat[:, 1] < y2)


def open_share(beams, points):
    """(m,) share of all MU that sees each point without leaf or jaw before it."""
    seen = np.zeros(len(points))
    for beam in beams:
        for i, mu in enumerate(np.diff(beam.cumulative_mu)):
            seen += mu / 2.0 * (exposed(beam, i, points).astype(float) + exposed(beam, i + 1, points))
    return seen / sum(beam.mu for beam in beams)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("mlc", mlc_names())
@pytest.mark.parametrize("kind", KINDS)
def test_dciodvfy_finds_no_error(plans, kind, mlc):
    done = subprocess.run(["dciodvfy", str(plans(kind, mlc))], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "RTPlan" in said
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


def test_the_same_plan_has_the_same_bytes_in_another_process_with_another_hash_seed(plans, tmp_path):
    code = "import sys; from linac_ctl.plan.make import write_plan; write_plan(sys.argv[1], 'step_and_shoot')"
    other = tmp_path / "other.dcm"
    subprocess.run([sys.executable, "-c", code, str(other)], check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert other.read_bytes() == plans("step_and_shoot").read_bytes()


def test_another_plan_has_another_name_and_the_same_study(plans):
    import pydicom

    a, b, c = (
        pydicom.dcmread(path) for path in (plans("box_3dcrt"), plans("box_3dcrt", "hd_120"), plans("arc_conformal"))
    )
    assert len({plan.SOPInstanceUID for plan in (a, b, c)}) == 3
    assert len({plan.FrameOfReferenceUID for plan in (a, b, c)}) == 1
    assert make_plan("box_3dcrt", mu=100.0).SOPInstanceUID != a.SOPInstanceUID
    assert make_plan("box_3dcrt", date="20270102").RTPlanDate == "20270102"


def test_a_made_plan_says_that_it_is_not_for_patients():
    plan = make_plan("palliative")
    assert "NOT FOR CLINICAL USE" in plan.RTPlanDescription
    assert plan.ApprovalStatus == "UNAPPROVED" and plan.PatientName == "SIMULATOR^SPINE"


@pytest.mark.parametrize("view", [View(0, 0), View(90, 0), View(37, 20, 0), View(-120, 345, 45), View(200, 10, -80)])
def test_a_point_is_seen_where_its_ray_meets_the_plane_of_the_isocentre(view):
    """Independently of the code: the source and the plane's axes are set up in the room, and rays are drawn."""
    patient = np.array([[12.0, -7.0, 30.0], [-25.0, 14.0, -3.0], [0.0, 0.0, 0.0]])
    g, c, t = (math.radians(a) for a in (view.gantry_deg, view.collimator_deg, view.couch_deg))
    support = np.column_stack([patient[:, 0], patient[:, 2], -patient[:, 1]])
    turn = np.array([[math.cos(t), -math.sin(t), 0.0], [math.sin(t), math.cos(t), 0.0], [0.0, 0.0, 1.0]])
    room = support @ turn.T  # counter-clockwise seen from above
    towards_source = np.array([math.sin(g), 0.0, math.cos(g)])
    right, up = np.array([math.cos(g), 0.0, -math.sin(g)]), np.array([0.0, 1.0, 0.0])
    x_axis, y_axis = right * math.cos(c) + up * math.sin(c), up * math.cos(c) - right * math.sin(c)
    source = 1000.0 * towards_source
    rays = room - source
    hits = source + rays * (-(source @ towards_source) / (rays @ towards_source))[:, None]
    assert np.allclose(project(patient, view), np.column_stack([hits @ x_axis, hits @ y_axis]), atol=1e-9)


def test_from_the_left_the_patients_back_is_at_minus_x():
    """Head first supine, gantry 90: the source is at the patient's left, +X of the view points to the floor, the back."""
    assert project(np.array([[0.0, 50.0, 0.0]]), View(90.0, 0.0))[0] == pytest.approx([50.0, 0.0])
    assert project(np.array([[10.0, 0.0, 20.0]]), View(0.0, 0.0))[0] == pytest.approx([10.0, 20.0])


@pytest.mark.parametrize("mlc", mlc_names())
@pytest.mark.parametrize(
    "kind, target, margin_mm",
    [("box_3dcrt", "pelvis", 7.0), ("arc_conformal", "pelvis", 6.0), ("noncoplanar", "head", 2.0)],
)
def test_conformal_apertures_show_the_whole_target_and_little_else(beams_of, kind, mlc, target, margin_mm):
    points = load_target(target).target_points()
    for beam in beams_of(kind, mlc):
        pairs, sides = len(beam.leaf_boundaries_mm) - 1, beam.leaf_boundaries_mm
        for i in range(0, len(beam.cumulative_mu), 7):
            assert exposed(beam, i, points).all()
            flat = project(points, View(beam.gantry_deg[i], beam.collimator_deg[i], beam.couch[i, 3]))
            (left, low), (right, high) = flat.min(axis=0) - margin_mm - 0.2, flat.max(axis=0) + margin_mm + 0.2
            opened = beam.leaf_mm[i, :pairs] - beam.leaf_mm[i, pairs:] > find_mlc(mlc).gap_mm + 0.2
            assert (beam.leaf_mm[i, :pairs][opened] <= right).all() and (beam.leaf_mm[i, pairs:][opened] >= left).all()
            assert sides[:-1][opened].max() <= high and sides[1:][opened].min() >= low


@pytest.mark.parametrize("mlc", mlc_names())
def test_the_spine_arcs_cover_the_target_and_spare_the_cord(beams_of, mlc):
    beams = beams_of("spine_sbrt", mlc)
    spine = load_target("spine")
    target, cord = open_share(beams, spine.target_points()[::5]), open_share(beams, spine.spare_points()[::5])
    assert target.min() > 0.12 and target.mean() > 0.28
    assert cord.max() < 0.06
    assert cord.max() < 0.4 * target.min()


def test_the_spine_plan_is_two_full_10fff_arcs_with_varying_dose_and_moving_leaves(beams_of):
    first, second = beams_of("spine_sbrt", "hd_120")
    assert (first.mode, second.mode, first.technique, second.technique) == ("10FFF", "10FFF", "arc", "arc")
    assert first.gantry_deg[0] == -179.0 and first.gantry_deg[-1] == 179.0
    assert second.gantry_deg[0] == 179.0 and second.gantry_deg[-1] == -179.0
    assert 1500.0 <= first.mu <= 2500.0
    per_deg = np.diff(first.cumulative_mu) / np.diff(first.gantry_deg)
    assert per_deg.max() > 2.0 * per_deg.min() > 0.0
    assert (np.abs(np.diff(per_deg)) < 0.5 * per_deg.max()).all()


@pytest.mark.parametrize("mlc", mlc_names())
@pytest.mark.parametrize("kind", ["spine_sbrt", "arc_conformal", "noncoplanar"])
def test_leaves_keep_up_with_the_gantry_at_full_speed(beams_of, kind, mlc):
    for beam in beams_of(kind, mlc):
        seconds = np.abs(np.diff(beam.gantry_deg)) / 6.0
        speed = np.abs(np.diff(beam.leaf_mm, axis=0)) / seconds[:, None]
        assert speed.max() <= find_mlc(mlc).leaf_mm_per_s


@pytest.mark.parametrize("mlc", mlc_names())
@pytest.mark.parametrize("kind", KINDS)
def test_opposed_leaves_keep_the_gap_of_their_mlc(beams_of, kind, mlc):
    for beam in beams_of(kind, mlc):
        if beam.leaf_mm is not None:
            pairs = beam.leaf_mm.shape[1] // 2
            assert (beam.leaf_mm[:, :pairs] - beam.leaf_mm[:, pairs:]).min() > find_mlc(mlc).gap_mm - 1e-9


def test_sliding_windows_sweep_one_way_and_give_less_dose_to_what_is_spared(beams_of):
    pelvis = load_target("pelvis")
    for beam in beams_of("sliding_window"):
        assert (np.diff(beam.leaf_mm, axis=0) >= -0.11).all()  # the grid on which leaves stand
    beam = beams_of("sliding_window")[0]
    middle, rectum = np.array([[22.0, 0.0, 0.0]]), np.array([[0.0, 10.0, 0.0]])
    isocentre = np.array(pelvis.isocentre_mm)
    assert open_share([beam], middle - isocentre)[0] > 1.8 * open_share([beam], rectum - isocentre)[0] > 0.0


def test_mu_are_shared_among_the_beams():
    plan = make_plan("spine_sbrt", "mlci_80", mu=1000.0)
    assert [float(r.BeamMeterset) for r in plan.FractionGroupSequence[0].ReferencedBeamSequence] == [500.0, 500.0]


@pytest.mark.parametrize(
    "arguments, problem",
    [
        ({"kind": "spine"}, "no kind named 'spine'; there are spine_sbrt"),
        ({"kind": "palliative", "mlc": "hd"}, "no MLC named 'hd'; there are millennium_120"),
        ({"kind": "palliative", "mu": 0.0}, "0 MU cannot be planned"),
        ({"kind": "palliative", "mu": float("nan")}, "nan MU cannot be planned"),
    ],
)
def test_a_plan_that_cannot_be_made_is_refused_by_name(arguments, problem):
    with pytest.raises(PlanError, match=problem):
        make_plan(**arguments)


def test_a_target_longer_than_the_leaf_bank_is_refused():
    long = Target(
        name="long",
        isocentre_mm=(0, 0, 0),
        target=({"kind": "ellipsoid", "centre_mm": (0, 0, 0), "radii_mm": (9, 9, 120)},),
    )
    with pytest.raises(PlanError, match=r"reaches 120 mm .* that the leaves of hd_120 cover"):
        make_plan("arc_conformal", "hd_120", long)
    assert len(make_plan("box_3dcrt", "millennium_120", long).BeamSequence) == 4


def test_a_target_file_may_be_given_and_is_checked(tmp_path):
    good, bad = tmp_path / "ball.yaml", tmp_path / "bad.yaml"
    good.write_text(
        "name: ball\nisocentre_mm: [5, 5, 5]\ntarget: [{kind: ellipsoid, centre_mm: [5, 5, 5], radii_mm: [9, 9, 9]}]\n"
    )
    bad.write_text(
        "name: ball\nisocentre_mm: [5, 5]\ntarget: [{kind: ellipsoid, centre_mm: [5, 5, 5], radii_mm: [9, 9, 0]}]\n"
    )
    assert make_plan("box_3dcrt", target=load_target(good)).PatientID == "SIM-BALL"
    with pytest.raises(ConfigError, match=r"(?s)isocentre_mm.*radii_mm.*above 0 mm"):
        load_target(bad)
    with pytest.raises(ConfigError, match="built in are head, pelvis, spine"):
        load_target("nothing")


def test_a_limited_travel_never_opens_more_than_wanted():
    wanted = np.zeros((9, 1, 2))
    wanted[:4, 0], wanted[4:, 0] = (-30.0, -20.0), (10.0, 40.0)
    kept = within_travel(wanted, np.full(8, 12.0))
    assert (np.abs(np.diff(kept, axis=0)) <= 12.0 + 1e-9).all()
    opened = kept[:, 0, 1] - kept[:, 0, 0] > 1e-9
    assert opened.any()
    assert (kept[opened, 0, 0] >= wanted[opened, 0, 0]).all() and (kept[opened, 0, 1] <= wanted[opened, 0, 1]).all()


def test_the_bytes_of_the_default_plan_are_known(plans):
    """They change with recipe and writer, never with the computer; then the default session's digest changes too."""
    assert hashlib.sha256(plans("spine_sbrt", "hd_120").read_bytes()).hexdigest()[:16] == "eb5c0db14d328a0b"
