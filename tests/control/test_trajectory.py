"""From a beam to a field: no axis is asked for more than it may, whatever the plan; resuming changes nothing but the start."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from device_models.interface.image import DT_S
from linac_ctl.control.phases import Phase
from linac_ctl.errors import PlanError
from linac_ctl.plan.model import Beam
from linac_ctl.plan.trajectory import RUN_UP_ACCEL, SLOWEST, Field, axis_limits, prepare
from tests.control.rig import Rig
from tests.support import beam, gap, machine, small_arc, small_sliding_window, small_static, small_step_and_shoot

M = machine("bench_small")
C = M.controller
LIMITS = axis_limits(C)
TIGHT = 1 + 1e-9


@st.composite
def beams(draw: st.DrawFn) -> Beam:
    """Any shape of beam that this machine may be asked for: arcs, steps, dose without motion, motion without dose."""
    n = draw(st.integers(2, 7))
    widths = draw(st.lists(st.sampled_from([0.0, 0.05, 0.4, 3.0, 25.0]), min_size=n - 1, max_size=n - 1))
    assume(sum(widths) > 0.0)
    turns = draw(st.lists(st.sampled_from([0.0, 0.5, 4.0, 20.0]), min_size=n - 1, max_size=n - 1))
    sense = draw(st.sampled_from([1.0, -1.0]))
    gantry = np.clip(draw(st.floats(-100, 100)) + sense * np.concatenate([[0.0], np.cumsum(turns)]), -185, 185)
    middle = np.array([draw(st.lists(st.floats(-40, 40), min_size=10, max_size=10)) for _ in range(n)])
    leaves = gap(M, middle, draw(st.sampled_from([0.0, 5.0, 40.0])))
    it = beam(M, 1, "arc", np.concatenate([[0.0], np.cumsum(widths)]), gantry, leaves,
              mode=draw(st.sampled_from(["6X", "10FFF"])))
    jaws = it.jaw_mm + np.round(np.array([draw(st.lists(st.floats(-15, 15), min_size=4, max_size=4)) for _ in range(n)]), 3)
    return replace(it, collimator_deg=np.round(np.linspace(0.0, draw(st.floats(-30, 30)), n), 3), jaw_mm=jaws,
                   dose_rate_mu_per_min=draw(st.sampled_from([None, 300.0])))


def slopes(field: Field) -> dict[str, Any]:
    """Change per MU of every axis in every segment with dose, (segments, axes)."""
    width = np.diff(field.mu)
    return {name: np.where(width[:, None] > 1e-9, np.diff(table, axis=0) / np.where(width > 1e-9, width, np.inf)[:, None], 0.0)
            for name, table in field.axes.items()}


@given(beams())
@settings(max_examples=60)
def test_no_axis_of_any_segment_is_faster_than_a_trajectory_may_be(planned: Beam) -> None:
    field = prepare(planned, C)
    for name, table in slopes(field).items():
        for i, axis in enumerate(LIMITS[name]):
            assert (np.abs(table[:, i]) * field.rate[:-1] <= axis.beam_speed * TIGHT).all()
    assert (field.rate <= field.max_rate_mu_per_s * TIGHT).all() and (field.rate[:-1][field.move[:-1] == 1] == 0.0).all()
    assert field.max_rate_mu_per_s <= C.beam.modes[planned.mode].max_dose_rate_mu_per_min / 60.0 * TIGHT
    assert planned.dose_rate_mu_per_min is None or field.max_rate_mu_per_s == 5.0


@given(beams())
@settings(max_examples=60)
def test_one_limit_is_reached_or_the_rate_is_the_highest(planned: Beam) -> None:
    field = prepare(planned, C)
    for s in np.flatnonzero(field.move[:-1] == 0):
        shares = [abs(table[s, i]) * field.rate[s] / axis.beam_speed
                  for name, table in slopes(field).items() for i, axis in enumerate(LIMITS[name])]
        assert max(shares) == pytest.approx(1.0) or field.rate[s] == pytest.approx(field.max_rate_mu_per_s)


@given(beams())
@settings(max_examples=60)
def test_rates_at_control_points_can_be_reached_and_left_with_the_accelerations_of_the_axes(planned: Beam) -> None:
    field = prepare(planned, C)
    width = np.maximum(np.diff(field.mu), 0.0)
    for s in np.flatnonzero(field.move[:-1] == 0):
        way = 2 * field.accel[s] * width[s]
        assert field.node_rate2[s + 1] <= (field.node_rate2[s] + way) * TIGHT
        assert field.node_rate2[s] <= (field.node_rate2[s + 1] + way) * TIGHT
        for name, table in slopes(field).items():
            for i, axis in enumerate(LIMITS[name]):
                assert abs(table[s, i]) * field.accel[s] <= axis.accel * TIGHT


@given(beams())
@settings(max_examples=60)
def test_a_bend_is_taken_no_faster_than_the_lag_that_it_may_cause(planned: Beam) -> None:
    field = prepare(planned, C)
    floor = SLOWEST * np.maximum(field.rate[1:-1], field.rate[:-2])
    for name, table in slopes(field).items():
        for i, axis in enumerate(LIMITS[name]):
            jump = np.abs(np.diff(table[:, i])) * np.sqrt(field.node_rate2[1:-1])
            allowed = math.sqrt(2 * axis.accel * axis.catch_up)
            assert ((jump <= allowed * (1 + 1e-6)) | (np.sqrt(field.node_rate2[1:-1]) <= floor * (1 + 1e-6))).all()


@given(beams(), st.floats(0.0, 0.999))
@settings(max_examples=60)
def test_a_resumed_field_is_the_same_field_from_where_it_stopped(planned: Beam, share: float) -> None:
    whole, start = prepare(planned, C), round(share * planned.mu, 6)
    rest = prepare(planned, C, start)
    for name in ("mu", "rate", "node_rate2", "accel", "stop_mu", "move"):
        assert np.array_equal(getattr(whole, name), getattr(rest, name))
    assert all(np.array_equal(whole.axes[name], rest.axes[name]) for name in whole.axes)
    s = rest.segment
    assert rest.move[s] == 0 and whole.mu[s] <= start + 1e-9 and start < whole.mu[s + 1]
    f = (start - whole.mu[s]) / (whole.mu[s + 1] - whole.mu[s])
    for name, place in rest.start.items():
        assert np.allclose(place, whole.axes[name][s] + f * (whole.axes[name][s + 1] - whole.axes[name][s]), atol=0.00051)
    assert rest.start_mu == start and rest.beam_on_s <= whole.beam_on_s * (1 + 1e-6) + 0.5


@given(beams())
@settings(max_examples=60)
def test_stops_lie_before_motions_without_dose_and_at_the_end(planned: Beam) -> None:
    field = prepare(planned, C)
    for s in range(field.points - 1):
        following = [field.mu[k] for k in range(s, field.points - 1) if field.move[k]]
        assert field.stop_mu[s] == (following[0] if following else field.mu[-1])
    assert field.mu[-1] == pytest.approx(planned.mu) and field.mu[0] == 0.0
    assert field.beam_on_s >= planned.mu / field.max_rate_mu_per_s * 0.999


@given(beams())
@settings(max_examples=60)
def test_a_run_up_has_room_and_passes_the_start_at_speed(planned: Beam) -> None:
    field = prepare(planned, C)
    if field.run_up is None:
        return
    up, axis = field.run_up, C.gantry[0]
    assert axis.low <= up.begin_deg <= axis.high and up.to_deg == field.start["gantry"][0]
    assert up.accel == RUN_UP_ACCEL * axis.accel and abs(up.deg_per_s) <= axis.beam_speed * TIGHT
    rising_s = abs(up.deg_per_s) / up.accel
    steady_s = up.cycles * DT_S - rising_s
    assert steady_s >= C.beam.run_up_margin_s - 1e-9
    assert abs(up.to_deg - up.begin_deg) == pytest.approx(abs(up.deg_per_s) * (steady_s + rising_s / 2))
    assert (up.to_deg - up.begin_deg) * up.deg_per_s > 0


@pytest.mark.parametrize("planned", [
    small_arc(M, mu=20.0, mode="6X", gantry=(-40.0, 40.0), points=9), small_arc(M, mode="10FFF", mu=60.0),
    small_sliding_window(M), small_step_and_shoot(M), small_static(M, mode="6X")],
    ids=["arc", "fast arc", "sliding window", "step and shoot", "static"])
def test_the_cycle_delivers_a_field_with_setpoints_that_every_axis_can_follow(planned: Beam) -> None:
    """On obedient wires: speeds of setpoints over 0.1 s, because single pulses make single cycles jump."""
    rig = Rig()
    rig.latency = round(C.beam.beam_on_latency_s / DT_S)
    field = rig.ready(planned)
    if field.run_up:
        rig.image.gantry["setpoint"] = rig.job["gantry_before_deg"] = field.run_up.begin_deg
    rig.enter(Phase.BEAM)
    seen: dict[str, list[Any]] = {name: [] for name in field.axes}
    while rig.phase is Phase.BEAM and len(seen["gantry"]) < 6000:
        rig.cycle()
        for name, rows in seen.items():
            rows.append(getattr(rig.image, name)["setpoint"].copy())
    assert rig.phase is Phase.MOVE and rig.tripped() == []
    assert rig.mu == pytest.approx(planned.mu, abs=0.06)
    for name, rows in seen.items():
        way = np.array(rows)
        speed = np.abs(way[10:] - way[:-10]) / (10 * DT_S)
        for i, axis in enumerate(LIMITS[name]):
            assert speed[:, i].max() <= axis.beam_speed * 1.15 + 0.05
        assert np.allclose(way[-1], field.axes[name][-1], atol=0.6)


def test_dose_without_motion_is_as_fast_as_the_mode() -> None:
    field = prepare(small_static(M, mu=10.0), C)
    assert field.rate[0] == 40.0 and field.run_up is None and field.points == 2 and not field.move.any()
    assert field.beam_on_s == pytest.approx(0.25, rel=0.05)


def test_step_and_shoot_stops_where_leaves_move() -> None:
    field = prepare(small_step_and_shoot(M, segments=3), C)
    assert list(field.move) == [0, 1, 0, 1, 0, 0] and list(field.stop_mu) == [2.0, 2.0, 4.0, 4.0, 6.0, 6.0]


def wide(span_mm: float = 150.0, points: int = 4) -> Beam:
    """Leaf pairs far apart, differently at each control point, so that no one carriage place serves all."""
    middles = np.zeros((points, 10))
    middles[:, 0] = np.linspace(-100.0, 100.0, points)
    return beam(M, 1, "sliding_window", np.linspace(0.0, 30.0, points), 0.0, gap(M, middles, 60.0))


def served(field: Field) -> bool:
    """Every leaf of every control point is within its carriage's span."""
    pairs, span = C.mlc.pairs, C.mlc.span_mm  # type: ignore[union-attr]
    a, b = field.axes["mlc"][:, :pairs], -field.axes["mlc"][:, pairs:]
    at_a, at_b = field.axes["carriages"][:, :1], -field.axes["carriages"][:, 1:]
    return all(((leaf <= at + 1e-3) & (leaf >= at - span - 1e-3)).all() for leaf, at in ((a, at_a), (b, at_b)))


def test_carriages_move_without_dose_where_one_place_does_not_serve_all() -> None:
    planned = wide(points=9)
    field = prepare(planned, C)
    assert field.points > len(planned.cumulative_mu) and field.move.any() and served(field)
    for s in np.flatnonzero(field.move[:-1]):
        assert np.array_equal(field.axes["mlc"][s], field.axes["mlc"][s + 1])  # only carriages differ
        assert not np.array_equal(field.axes["carriages"][s], field.axes["carriages"][s + 1])


@given(beams())
@settings(max_examples=60)
def test_every_leaf_is_within_reach_of_its_carriage(planned: Beam) -> None:
    field = prepare(planned, C)
    assert served(field)
    for i, axis in enumerate(C.carriages):
        at = field.axes["carriages"][:, i]
        assert (at >= axis.low - 1e-9).all() and (at <= axis.high + 1e-9).all()


def test_one_carriage_place_is_kept_where_it_serves_all() -> None:
    field = prepare(small_sliding_window(M), C)
    assert field.points == 5 and not field.move.any() and (np.ptp(field.axes["carriages"], axis=0) == 0.0).all()


def test_travel_that_no_carriage_can_serve_in_one_segment_is_refused_with_its_place() -> None:
    middles = np.zeros((2, 10))
    middles[:, 0], middles[:, 1] = (-110.0, 110.0), (110.0, -110.0)
    planned = beam(M, 1, "sliding_window", [0.0, 30.0], 0.0, gap(M, middles, 20.0))
    with pytest.raises(PlanError, match=r"control points 0 to 1: leaves of one bank need 220\.0 mm of travel .* > 150\.0 mm"):
        prepare(planned, C)


@pytest.mark.parametrize("start_mu", [8.0, 8.5, 100.0])
def test_nothing_is_left_when_all_mu_are_in(start_mu: float) -> None:
    with pytest.raises(PlanError, match=r"nothing left to deliver: \d+\.\d{3} MU of 8\.000 MU are in"):
        prepare(small_arc(M), C, start_mu)


def test_an_arc_that_starts_at_the_end_of_the_range_starts_from_rest() -> None:
    field = prepare(small_arc(M, gantry=(-185.0, -120.0)), C)
    assert field.run_up is None
    slope = abs((field.axes["gantry"][1, 0] - field.axes["gantry"][0, 0]) / (field.mu[1] - field.mu[0]))
    assert field.start_rate_mu_per_s * slope <= 0.1 + 1e-9
    assert prepare(small_arc(M, gantry=(-120.0, -60.0)), C).run_up is not None


def test_what_the_plan_leaves_open_is_parked_open() -> None:
    planned = replace(small_static(M), leaf_mm=None, jaw_mm=np.full((2, 4), np.nan))
    field = prepare(planned, C)
    assert [axis.name for axis in C.jaws] == ["X1", "X2", "Y1", "Y2"]
    assert list(field.axes["jaws"][0]) == [-200.0, 200.0, -200.0, 200.0]
    assert list(field.axes["mlc"][0]) == [200.0] * 10 + [-200.0] * 10


def test_a_machine_without_leaves_has_none_to_place() -> None:
    one = machine("bench_one_axis")
    field = prepare(small_static(one), one.controller)
    assert {name: table.shape[1] for name, table in field.axes.items()} == {
        "gantry": 1, "collimator": 0, "jaws": 0, "mlc": 0, "carriages": 0}
