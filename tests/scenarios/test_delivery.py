"""Healthy machine: every technique is delivered, and truth says so."""

from typing import Any

import numpy as np
import pytest

from tests.scenarios.bench import Bench
from tests.support import (
    beam,
    gap,
    machine,
    order_for,
    small_arc,
    small_sliding_window,
    small_static,
    small_step_and_shoot,
)

M = machine()
GANTRY_DEG, COLLIMATOR_DEG, MM = 0.3, 0.1, 1.0  # truth against plan at the MU really given; a leaf starts from rest


def conformal_arc() -> Any:
    """One open aperture that turns with the gantry."""
    return beam(M, 1, "conformal_arc", np.linspace(0, 30, 7), np.linspace(-30, 30, 7), gap(M, np.zeros((7, 1)), 40.0))


def without_leaves() -> Any:
    """Jaws only."""
    return beam(M, 1, "static", [0.0, 12.0], 90.0, None, mode="15X")


def counterclockwise() -> Any:
    """An arc the other way round, slow enough for its dose."""
    return small_arc(M, mu=60.0, points=9, gantry=(25.0, -25.0), mode="6FFF", seed=4)


TECHNIQUES = {
    "static": lambda: small_static(M, mu=15.0), "static FFF": lambda: small_static(M, mu=15.0, mode="6FFF"),
    "sliding window": lambda: small_sliding_window(M), "step and shoot": lambda: small_step_and_shoot(M, mu=12.0),
    "arc": lambda: small_arc(M, mu=40.0, gantry=(-20.0, 20.0)), "arc, other way": counterclockwise,
    "conformal arc": conformal_arc, "no leaves": without_leaves,
}


@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_healthy_machine_gives_the_prescribed_dose_from_the_planned_places(name: str) -> None:
    planned = TECHNIQUES[name]()
    bench = Bench(order_for(beams=[planned]))
    bench.run()
    assert bench.error is None
    assert bench.tripped() == []
    assert bench.mu(1) == pytest.approx(planned.mu, abs=0.1)
    assert bench.outcome().mu_1 == pytest.approx(planned.mu, abs=0.1)
    off = bench.off_plan(planned)
    assert off["gantry"] <= GANTRY_DEG and off["collimator"] <= COLLIMATOR_DEG
    assert off["jaws"] <= MM and off["mlc"] <= MM
    assert len(bench.shapes) > 10


def test_leaves_of_a_step_and_shoot_field_move_only_without_beam() -> None:
    planned = small_step_and_shoot(M, mu=12.0)
    bench = Bench(order_for(beams=[planned]))
    bench.run()
    places = np.array([shape["mlc"] for _, _, shape in bench.shapes])
    stops = np.unique(np.round(places[:, 0], 0))
    assert len(stops) == 3  # three segments, nothing in between
    assert len(bench.linac.holds) >= 2 and bench.mu(1) == pytest.approx(12.0, abs=0.1)


def test_one_press_serves_all_coplanar_beams_and_each_gets_its_own_dose() -> None:
    beams = [small_static(M, number=1, mu=5.0), small_static(M, number=2, mu=7.0, gantry=30.0),
             small_arc(M, number=3, mu=20.0, gantry=(30.0, 10.0))]
    bench = Bench(order_for(beams=beams))
    bench.run()
    assert bench.error is None and len(bench.said("confirm beam-on")) == 1
    for planned in beams:
        assert bench.mu(planned.number) == pytest.approx(planned.mu, abs=0.1)
    assert bench.tripped() == []


def test_the_couch_never_turns_into_a_beam_that_nobody_pressed_for() -> None:
    beams = [small_static(M, number=1), small_static(M, number=2, couch=(0, 0, 0, 20.0, 0, 0))]
    bench = Bench(order_for(beams=beams))
    bench.run()
    assert bench.error is None and len(bench.said("confirm beam-on")) == 2
    assert float(bench.plant.couch["position"][3]) == pytest.approx(20.0, abs=0.1)
    assert [bench.mu(1), bench.mu(2)] == pytest.approx([5.0, 5.0], abs=0.1)


def test_without_auto_sequence_every_beam_is_pressed_for() -> None:
    beams = [small_static(M, number=1, mu=3.0), small_static(M, number=2, mu=3.0, gantry=10.0)]
    steps = [{"step": s} | more for s, more in (("load", {}), ("identify", {"takes_s": 0.1}), ("clear_room", {"takes_s": 0.1}),
                                                ("treat", {"auto_sequence": False}), ("close", {}))]
    bench = Bench(order_for(beams=beams, steps=steps))
    bench.run()
    assert bench.error is None and len(bench.said("confirm beam-on")) == 2


def test_a_field_wider_than_the_span_stops_for_its_carriages_and_goes_on() -> None:
    points = 7
    sweep = np.linspace(-90.0, 90.0, points)[:, None]
    planned = beam(M, 1, "sliding_window", np.linspace(0, 40, points), 0.0, gap(M, sweep), mode="6X",
                   jaw_mm=(-110.0, 110.0, -50.0, 50.0))
    bench = Bench(order_for(beams=[planned]))
    carriages: list[Any] = []
    bench.observers.append((0.01, lambda: carriages.append((bench.pulses, *bench.plant.carriages["position"]))))
    bench.run()
    track = np.array(carriages)
    moved = np.abs(np.diff(track[:, 1:], axis=0)).max(axis=1) > 0.02
    assert bench.error is None and bench.mu(1) == pytest.approx(40.0, abs=0.1)
    assert any("motion without dose" in hold["why"] for hold in bench.linac.holds)
    assert moved[np.flatnonzero(track[:, 0])[0] : np.flatnonzero(track[:, 0])[-1]].any()  # inside the field
    assert not (moved & (track[1:, 0] > 0)).any()  # but never under beam
    assert bench.tripped() == [] and bench.off_plan(planned)["mlc"] <= MM
