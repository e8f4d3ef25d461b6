"""Port images: the field's shape and the patient's position, from the beam itself, before anything is treated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from linac_ctl.order import ImagingOrder, Order
from linac_ctl.plan.model import Beam
from linac_ctl.sequencer.protocol import ProtocolConfig
from tests.scenarios.bench import Bench, Fault, after
from tests.sequencer.guided import APPROVE, BEFORE, CLOSE, MACHINE, MATCH, SHIFT, TREAT, patient, protocol, room, soon
from tests.support import Run, order_for, quick, run, small_arc, small_static

PORT = soon("acquire_port")
RULES = protocol("conventional_port")
ERROR = (4.0, -5.0, 3.0, 0.0, 0.0, 0.0)
WHOLE = [*BEFORE, PORT, MATCH, APPROVE, SHIFT, {"step": "retract_imager"}, TREAT, CLOSE]


def fields(*gantry: float) -> list[Beam]:
    return [small_static(quick(MACHINE), number=n, gantry=angle, mode="6X") for n, angle in enumerate(gantry, 1)]


def ports(beams: Sequence[Beam], steps: Any = WHOLE, rules: ProtocolConfig = RULES, error: Any = ERROR) -> Order:
    order = order_for(quick(MACHINE), beams, steps=[dict(step) for step in steps], reaction_s=0.1)
    return replace(order, imaging=ImagingOrder(patient(error), rules, "quick"))


def session(*args: Any, **kw: Any) -> Run:
    return run(ports(*args, **kw), prepared=room())


@pytest.fixture(scope="module")
def whole() -> Run:
    return session(fields(0.0, 90.0))


def test_two_ports_bring_the_target_within_half_a_millimetre_and_the_fields_are_as_planned(whole: Run) -> None:
    assert whole.error is None and whole.residuals[1][0] <= 0.5
    assert [whole.mu(n) for n in (1, 2)] == pytest.approx([5.0, 5.0], abs=0.1)
    assert [port.beam for port in whole.suite.imaging.ports] == [1, 2]
    assert all(port.edges > 20 and port.worst_mm < 0.5 for port in whole.suite.imaging.ports)
    assert whole.suite.imaging.imaging_mu == pytest.approx(6.0, abs=0.2)
    assert [trip.id for trip in whole.linac.panel.history if trip.stop != "inhibit"] == []


def test_one_port_says_nothing_of_the_direction_it_looks_along() -> None:
    sim = session(fields(0.0))
    x, y, z = sim.suite.imaging.matches[0].error[:3]
    assert (x, y) == pytest.approx(ERROR[:2], abs=0.4) and z == 0.0
    assert sim.error is None and sim.residuals[1][1][2] == pytest.approx(ERROR[2], abs=0.3)  # still there, and nobody knows


def test_opposed_ports_leave_the_same_direction_open() -> None:
    sim = session(fields(0.0, 180.0))
    x, y, z = sim.suite.imaging.matches[0].error[:3]
    assert (x, y) == pytest.approx(ERROR[:2], abs=0.4) and abs(z) < 0.2


def off_by(leaf: int, mm: float) -> Fault:
    """Both encoders of a leaf are wrong by the same: what reads them sees nothing."""

    def slip(bench: Bench) -> None:
        for name in ("position", "coupled"):
            bench.plant.mlc[name][leaf] += mm
        for name in ("bias", "bias_2"):
            bench.plant.mlc[name][leaf] -= mm

    return after("step AcquirePort", 0.0, slip)


def test_a_leaf_whose_encoders_both_lie_is_seen_in_its_port_and_nothing_is_treated() -> None:
    bench = Bench(ports(fields(0.0)), [off_by(30, 5.0)], prepared=room())
    bench.run()
    assert len(bench.applied) == 1 and bench.tripped() == []
    assert "leaf pair 31, X2 side" in str(bench.error) and "limit 3 mm; look at the MLC" in str(bench.error)
    assert bench.suite.imaging.ports[0].worst_mm == pytest.approx(5.0, abs=0.3) and bench.mu(1) == 0.0


def test_a_leaf_within_the_protocols_limit_is_reported_and_treated() -> None:
    bench = Bench(ports(fields(0.0)), [off_by(30, 2.0)], prepared=room())
    bench.run()
    assert bench.error is None and bench.suite.imaging.ports[0].worst_mm == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize(("beams", "rules", "words"), [
    ([small_arc(quick(MACHINE))], RULES, "the plan has no static field"),
    (fields(0.0), protocol("conventional_mv_kv"), "no port images; add `port`"),
    (fields(0.0, 90.0), protocol("conventional_port", mv={"limit_mu": 4.0}), "limit of imaging dose"),
])
def test_ports_that_cannot_be_had_are_refused_before_any_treatment(beams: Any, rules: Any, words: str) -> None:
    sim = session(beams, rules=rules)
    assert words in str(sim.error) and sim.mu(1) == 0.0


def test_ports_alone_are_no_approval() -> None:
    sim = session(fields(0.0, 90.0), [*BEFORE, PORT, TREAT])
    assert "approval: there is none" in str(sim.error) and sim.mu(1) == sim.mu(2) == 0.0


def test_images_of_another_patient_are_no_match() -> None:
    planning, noise = room().planning, np.random.Generator(np.random.Philox(5))
    hu = planning.hu.with_data(noise.normal(0.0, 300.0, planning.hu.data.shape))
    sim = run(ports(fields(0.0, 90.0)), prepared=replace(room(), planning=replace(planning, hu=hu, matchers={})))
    assert "match refused" in str(sim.error) and sim.mu(1) == 0.0
