"""All signals of a cycle: nodes, the arc's dose and angle, and that every part of the image is measured."""

import math

import pytest

from device_models.interface.image import ALL_TESTED, Node
from linac_ctl.control.measure import measure, measure_arc, measure_nodes
from linac_ctl.control.phases import Hold, Phase
from linac_ctl.control.signals import Signal
from tests.control.bare import UNTOLD, Bare
from tests.control.test_measure_axes import Axes

NAN, INF = float("nan"), float("inf")
DRIVEN = [int(node) for node in Node if node < Node.BEAM]


def same(value: float, expected: float) -> bool:
    """Nearly equal, or both no number."""
    return bool(value == pytest.approx(expected, nan_ok=True))


# --- nodes

def nodes(bare: Bare | None = None) -> Bare:
    """All powered, calibrated, and read in this cycle, 1000."""
    it = (bare or Bare()).set("job", cycle=1000)
    return it.set("nodes", enable=1.0, powered=1.0, calibrated=1.0, sampled_cycle=1000, named=range(len(Node)))


def told(bare: Bare) -> Bare:
    """Measured."""
    measure_nodes(bare.job, bare.signals, bare.image.nodes)
    return bare


def test_nodes_in_which_all_is_well_say_so() -> None:
    bare = told(nodes())
    assert bare.signal(Signal.NODE_AGE_CYCLES) == bare.signal(Signal.NODES_MISNAMED) == 0.0
    assert bare.signal(Signal.DRIVES_OK) == bare.signal(Signal.CALIBRATED) == bare.signal(Signal.MLC_CALIBRATED) == 1.0


@pytest.mark.parametrize("node", list(Node))
@pytest.mark.parametrize("other", [-1, 11])
def test_a_node_that_says_another_name_or_none_is_counted(node: Node, other: int) -> None:
    bare = nodes()
    bare.image.nodes["named"][int(node)] = other
    assert told(bare).signal(Signal.NODES_MISNAMED) == 1.0


def test_two_nodes_that_are_swapped_are_two() -> None:
    bare = nodes()
    bare.image.nodes["named"][[Node.GANTRY, Node.COLLIMATOR]] = [Node.COLLIMATOR, Node.GANTRY]
    assert told(bare).signal(Signal.NODES_MISNAMED) == 2.0


@pytest.mark.parametrize("node", list(Node))
@pytest.mark.parametrize(("sampled", "age"), [(997, 3.0), (1004, 4.0), (-1_000_000, 1_001_000.0)])
def test_the_oldest_reading_of_any_node_counts_and_one_from_the_future_is_as_old(node: Node, sampled: int, age: float) -> None:
    bare = nodes()
    bare.image.nodes["sampled_cycle"] = 999
    bare.image.nodes["sampled_cycle"][int(node)] = sampled
    assert told(bare).signal(Signal.NODE_AGE_CYCLES) == age


@pytest.mark.parametrize("node", DRIVEN)
@pytest.mark.parametrize(("enable", "powered", "fine"), [
    (1.0, 1.0, 1.0), (1.0, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, NAN, NAN), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.0, 0.5, 0.0),
    (0.0, NAN, NAN), (0.5, 0.0, 1.0), (0.51, 0.0, 0.0),
])
def test_every_drive_has_power_where_it_is_asked_for_and_nowhere_else(node: int, enable: float, powered: float,
                                                                      fine: float) -> None:
    bare = nodes()
    bare.image.nodes["enable"][node], bare.image.nodes["powered"][node] = enable, powered
    assert same(told(bare).signal(Signal.DRIVES_OK), fine)


@pytest.mark.parametrize("node", DRIVEN)
@pytest.mark.parametrize(("says", "calibrated"), [(0.0, 0.0), (0.5, 0.0), (NAN, NAN)])
def test_every_drive_has_found_its_reference(node: int, says: float, calibrated: float) -> None:
    bare = nodes()
    bare.image.nodes["calibrated"][node] = says
    told(bare)
    assert same(bare.signal(Signal.CALIBRATED), calibrated)
    assert same(bare.signal(Signal.MLC_CALIBRATED), calibrated if node == Node.MLC else 1.0)


@pytest.mark.parametrize("node", [Node.BEAM, Node.ROOM, Node.SAFETY])
def test_what_has_no_drives_needs_no_power_and_no_reference(node: Node) -> None:
    bare = nodes()
    bare.image.nodes["powered"][int(node)] = bare.image.nodes["calibrated"][int(node)] = NAN
    told(bare)
    assert bare.signal(Signal.DRIVES_OK) == bare.signal(Signal.CALIBRATED) == 1.0


# --- dose and angle of an arc

def arc(off_deg: float = 0.0, off_2_deg: float = 0.0, *, mu: float = 5.0, deg: float = 10.0, begin_deg: float = 30.0,
        **job: float) -> Bare:
    """A field of 100 MU, `mu` in `deg` in the segment in hand; 0.5 MU at 10 MU/s or 1 % of the field may be out of step."""
    bare = Axes()
    bare.set("param", angle_floor_mu=0.5, angle_ratio=0.01)
    t = bare.control.trajectory
    t.mu[:], t.gantry[:, 0] = [0.0, 20.0, 20.0 + mu], [-70.0, begin_deg, begin_deg + deg]
    bare.set("job", **{"segment": 1, "max_rate_mu_per_s": 10.0, "mu_end": 20.0, "phase": int(Phase.BEAM), **job})
    bare.say("gantry", 0, readback=10.0 + off_deg, readback_2=10.0 + off_2_deg)
    measure_arc(bare.job, bare.signals, bare.param, t, bare.image.gantry)
    return bare


@pytest.mark.parametrize(("off_deg", "off_2_deg", "behind"), [
    (0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (-0.5, -0.5, 0.5), (1.0, 0.0, 1.0), (0.0, -1.0, 1.0), (0.5, 1.0, 1.0), (1.0, 0.5, 1.0),
    (NAN, 0.0, NAN), (0.0, NAN, NAN),
])
def test_the_angle_is_behind_by_the_dose_of_the_way_and_the_worse_encoder_counts(off_deg: float, off_2_deg: float,
                                                                                behind: float) -> None:
    bare = arc(off_deg, off_2_deg)  # 0.5 MU per degree, and 0.5 MU are allowed
    assert same(bare.signal(Signal.ANGLE_BEHIND), behind) and same(bare.signal(Signal.MU_ANGLE), behind)


@pytest.mark.parametrize(("mu", "deg", "behind"), [(5.0, -10.0, 1.0), (10.0, 10.0, 2.0), (5.0, 20.0, 0.5), (0.0, 10.0, 0.0),
                                                   (5.0, 0.0, 0.0)])
def test_the_dose_of_a_degree_is_that_of_the_segment_in_hand_and_none_where_nothing_turns(mu: float, deg: float,
                                                                                         behind: float) -> None:
    assert arc(1.0, mu=mu, deg=deg).signal(Signal.ANGLE_BEHIND) == pytest.approx(behind)


@pytest.mark.parametrize(("mu", "deg", "behind"), [(5e-6, 1e-5, 1.0), (5e-7, 1e-6, 0.0), (5e-8, 1e-7, 0.0)])
def test_less_than_a_thousandth_of_a_millidegree_is_no_turn(mu: float, deg: float, behind: float) -> None:
    assert arc(1.0, mu=mu, deg=deg, begin_deg=0.0).signal(Signal.ANGLE_BEHIND) == pytest.approx(behind, rel=1e-6)


@pytest.mark.parametrize(("rate", "mu_end", "behind"), [
    (10.0, 20.0, 1.0), (5.0, 20.0, 1.0), (40.0, 20.0, 0.25), (10.0, 100.0, 0.5), (10.0, 50.0, 1.0), (40.0, 100.0, 0.25),
    (40.0, 400.0, 0.125), (20.0, 100.0, 0.5),
])
def test_a_faster_mode_or_a_larger_field_may_be_out_of_step_by_more(rate: float, mu_end: float, behind: float) -> None:
    assert arc(1.0, max_rate_mu_per_s=rate, mu_end=mu_end).signal(Signal.ANGLE_BEHIND) == pytest.approx(behind)


@pytest.mark.parametrize(("job", "behind", "out_of_step"), [
    ({}, 1.0, 1.0), ({"moving": 1}, 0.0, 0.0), ({"phase": int(Phase.READY)}, 0.0, 0.0), ({"phase": int(Phase.STOPPED)}, 0.0, 0.0),
    ({"hold": int(Hold.HOLD)}, 1.0, 0.0), ({"hold": int(Hold.FREEZE)}, 1.0, 0.0),
])
def test_only_dose_that_flows_can_be_out_of_step_and_the_next_dose_of_a_held_field(job: dict[str, int], behind: float,
                                                                                  out_of_step: float) -> None:
    bare = arc(1.0, **job)
    assert bare.signal(Signal.ANGLE_BEHIND) == behind and bare.signal(Signal.MU_ANGLE) == out_of_step


def test_the_run_up_that_is_left_is_told() -> None:
    assert arc(run_up_left=12).signal(Signal.RUN_UP_LEFT_CYCLES) == 12.0


# --- all of it

def whole() -> Axes:
    """Something to see in every part of the image, and nothing that is not a number."""
    axes = Axes()
    nodes(axes)
    axes.set("param", split_floor_mu=1.0, split_ratio=0.05, angle_floor_mu=0.5, angle_ratio=0.01, chamber_hv_v=300.0,
             per_gantry_hold=2.0, per_jaw_hold=0.5, per_leaf_hold=0.25)
    axes.set("job", max_rate_mu_per_s=10.0, pulse_mu=0.02, mu_end=20.0, surface_reference_mm=0.0)
    axes.set("beam", mu_1=3.0, mu_2=3.0, quadrants=1.0, energy_ratio=1.0, chamber_hv_1_v=300.0, chamber_hv_2_v=300.0)
    axes.set("safety", mu_backup=3.0, beam_s=0.0, passed=ALL_TESTED)
    return axes.set("room", clearance_mm=300.0, surface_mm=0.0, breath_mm=0.0)


def test_every_signal_of_the_image_is_made_anew_in_every_cycle() -> None:
    axes = whole()
    axes.signals[:] = UNTOLD
    measure(axes.control, axes.image)
    assert [s.name for s in Signal if axes.signal(s) == UNTOLD] == ["TRIP_TO_PERMIT_CYCLES"]  # that one comes after the scan
    assert [s.name for s in Signal if math.isnan(axes.signal(s))] == []


def test_speeds_are_seen_before_places_are_forgotten() -> None:
    axes = whole().say("gantry", 0, readback=10.02, readback_2=10.02).say("mlc", 2, readback=10.5, readback_2=10.5)
    measure(axes.control, axes.image)
    assert axes.signal(Signal.GANTRY_UNASKED_DEG_PER_S) == pytest.approx(2.0)
    assert axes.signal(Signal.LEAF_SPEED_MM_PER_S) == pytest.approx(50.0)
    assert axes.signal(Signal.LEAF_RMS_MM) == pytest.approx(math.sqrt(0.005 * 0.25 / 4))


def test_a_mean_without_a_number_is_no_number_for_one_cycle() -> None:
    axes = whole()
    axes.set("beam", quadrants=NAN)
    measure(axes.control, axes.image)
    assert math.isnan(axes.signal(Signal.SYMMETRY))
    axes.set("beam", quadrants=1.0)
    measure(axes.control, axes.image)
    assert axes.signal(Signal.SYMMETRY) == 0.0


@pytest.mark.parametrize(("device", "far", "lag"), [("gantry", 0.25, 0.5), ("jaws", 1.0, 0.5), ("mlc", 2.0, 0.5),
                                                    ("gantry", NAN, NAN), ("jaws", NAN, NAN), ("mlc", NAN, NAN),
                                                    ("couch", 5.0, 0.0)])
def test_motion_lags_by_the_worst_of_gantry_jaws_and_leaves_in_units_of_what_holds_the_beam(device: str, far: float,
                                                                                           lag: float) -> None:
    axes = whole().say(device, 0, readback=10.0 + far)
    measure(axes.control, axes.image)
    assert same(axes.signal(Signal.MOTION_LAG), lag)


@pytest.mark.parametrize(("gantry", "jaw", "leaf", "lag"), [(0.5, 1.0, 1.0, 1.0), (0.25, 3.0, 1.0, 1.5), (0.25, 1.0, 8.0, 2.0)])
def test_of_several_that_lag_the_worst_counts(gantry: float, jaw: float, leaf: float, lag: float) -> None:
    axes = whole().say("gantry", 0, readback=10.0 - gantry).say("jaws", 3, readback=10.0 + jaw).say("mlc", 1, readback=10.0 + leaf)
    measure(axes.control, axes.image)
    assert axes.signal(Signal.MOTION_LAG) == pytest.approx(lag)


def test_controllers_that_know_nothing_find_nothing_fine() -> None:
    bare = Bare()
    measure(bare.control, bare.image)
    unknown = (Signal.GANTRY_OFF_DEG, Signal.LEAF_OFF_MM, Signal.BEYOND_RANGE, Signal.MU_1, Signal.MU_SPLIT, Signal.ENERGY,
               Signal.SYMMETRY, Signal.CLEARANCE_MM, Signal.MOTION_LAG)
    assert all(math.isnan(bare.signal(signal)) for signal in unknown)
    assert bare.signal(Signal.DOOR) == bare.signal(Signal.ESTOP) == bare.signal(Signal.CHANNEL_PERMIT) == 0.0
    assert bare.signal(Signal.NODE_AGE_CYCLES) == 1_000_000.0
