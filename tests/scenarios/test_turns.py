"""The couch turns between beams, the patient does not quite turn with it, and is looked at again before the next beam."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from linac_ctl.config.session import TurnShiftConfig
from linac_ctl.errors import RefusedError
from linac_ctl.imaging.couch import CouchMechanics, CouchPosition
from linac_ctl.imaging.match import Binding, Match
from linac_ctl.imaging.pose import Pose, distance
from linac_ctl.order import ImagingOrder, Order
from linac_ctl.sequencer.acquire_mv_pair import angles_for
from linac_ctl.sequencer.approval import Approval
from linac_ctl.sequencer.protocol import PairConfig, ProtocolConfig
from linac_ctl.sequencer.turn import turned_place
from tests.sequencer.guided import BEFORE, CLOSE, ERROR, GUIDE, MACHINE, TREAT, patient, protocol, room
from tests.support import Run, order_for, quick, run, small_arc

RULES = protocol("noncoplanar")
WAYS = {10.0: (-10.0, 10.0), 45.0: (-40.0, 0.0), 90.0: (-25.0, 25.0)}
STEPS = [*BEFORE, *GUIDE, {"step": "retract_imager"}, TREAT, CLOSE]


def turning(angle: float, rules: ProtocolConfig = RULES, shift_mm: float = 0.0, seed: int = 1) -> Order:
    """An arc at couch 0, then one at `angle`; a turn moves the patient by so much (sigma, each axis, at 90 deg)."""
    machine = quick(MACHINE)
    beams = [small_arc(machine), small_arc(machine, number=2, gantry=WAYS[angle], couch=(0, 0, 0, angle, 0, 0))]
    order = order_for(machine, beams, seed, steps=[dict(step) for step in STEPS], reaction_s=0.1)
    lies = patient(ERROR).model_copy(update={"turn_shift": TurnShiftConfig(sigma_mm_at_90=shift_mm)})
    return replace(order, imaging=ImagingOrder(lies, rules, "quick"))


def session(*args: Any, **kw: Any) -> Run:
    return run(turning(*args, **kw), prepared=room())


@pytest.mark.parametrize("angle", [45.0, 90.0])
def test_after_a_turn_the_patient_is_looked_at_again_and_the_next_beam_meets_the_target(angle: float) -> None:
    sim = session(angle)
    assert sim.error is None and [round(sim.mu(n)) for n in (1, 2)] == [8, 8]
    assert sim.residuals[2][0] <= 0.5
    assert [images.kind for images in sim.suite.imaging.images] == ["cbct", "cbct", "mv_pair"]
    assert sim.suite.imaging.images[-1].couch[3] == pytest.approx(angle, abs=1.5)  # and the correction of couch 0
    assert [trip.id for trip in sim.linac.panel.history if trip.stop != "inhibit"] == []


@pytest.mark.parametrize("image", ["pair", "cbct"])
def test_at_small_angles_the_kv_arms_come_out_again_where_the_protocol_wants_them(image: str) -> None:
    turn = RULES.after_turn.model_copy(update={"image": image})
    rules = RULES.model_copy(update={"after_turn": turn, "pair": PairConfig(angles_deg=(0.0, -90.0), binning=8)})
    sim = session(10.0, rules=rules, shift_mm=4.0)
    assert sim.error is None and sim.residuals[2][0] <= 0.7 and sim.suite.imaging.imaging_mu == 0.0
    assert {images.kind for images in sim.suite.imaging.images if images.couch_angle_deg == 10.0} == {image}
    assert [trip.id for trip in sim.linac.panel.history if trip.stop != "inhibit"] == []


def test_what_the_turn_did_to_the_patient_is_found_and_shifted() -> None:
    sim = session(90.0, shift_mm=1.5)
    moved = np.linalg.norm(sim.imager.turn.at_angle(90.0).t_mm)
    turned = [match for match in sim.suite.imaging.matches if match.binding.couch_angle_deg == 90.0]
    assert sim.error is None and moved > 1.0
    assert np.linalg.norm(turned[0].error[:3]) == pytest.approx(moved, abs=0.5)
    assert len(turned) == 2 and np.linalg.norm(turned[1].error[:3]) < 0.5
    assert sim.residuals[2][0] <= 0.6 < moved


def test_the_approved_place_turns_about_the_isocentre_whatever_was_corrected_before() -> None:
    stood = CouchPosition(4.7, -3.1, 0.8, -0.7, 0.4, -0.9)
    binding = Binding("p", "1", ("2",), "3", "4", CouchPosition(), 0.0, 0.0)
    given = Approval(Match(binding, (0.0,) * 6, 6, "test", 1.0, -1.0, 0.0, ()), stood, ("anna",), 0, 0)
    top = CouchMechanics()
    there = top.table_top(CouchPosition(*map(float, turned_place(given, 45.0))))
    wanted = Pose((0.0, 0.0, 0.0), (0.0, 0.0, 45.0)).after(top.table_top(stood))
    assert max(distance(there, wanted)) < 1e-3


def test_a_protocol_that_does_not_look_again_gives_no_beam_at_another_couch_angle() -> None:
    sim = session(45.0, rules=protocol("spine_sbrt", intrafraction={"triggered": None, "surface": None}))
    assert "the beam turns the couch by 45.0 deg, image again after the turn" in str(sim.error)
    assert sim.mu(1) == pytest.approx(8.0, abs=0.15) and sim.mu(2) == 0.0


def test_a_look_that_is_not_possible_ends_the_session_with_the_beams_before_it_on_record() -> None:
    sim = session(45.0, rules=protocol("noncoplanar", mv={"limit_mu": 4.0}))
    assert "beam 2" in str(sim.error) and "limit of imaging dose" in str(sim.error)
    assert [(o.number, o.complete) for o in sim.session.outcomes] == [(1, True)]
    assert sim.mu(2) == 0.0 and sim.suite.imaging.imaging_mu == pytest.approx(3.0, abs=0.1)


def test_a_patient_whom_a_turn_moves_too_far_is_not_shifted_but_set_up_again() -> None:
    sim = session(90.0, shift_mm=25.0)
    assert any(words in str(sim.error) for words in ("set the patient up again", "call the physicist", "match refused"))
    assert sim.mu(1) == pytest.approx(8.0, abs=0.15) and sim.mu(2) == 0.0


@pytest.mark.parametrize(("way", "angles"), [
    ((0.0, -40.0), (-40.0, 0.0)), ((-150.0, 150.0), (-45.0, 45.0)), ((10.0, 70.0), (10.0, 70.0)),
])
def test_the_pair_is_taken_from_where_the_beams_move_and_at_most_at_right_angles(way: Any, angles: Any) -> None:
    beams = (small_arc(number=1, gantry=way, couch=(0, 0, 0, 45.0, 0, 0)), small_arc(number=2, gantry=(-170.0, 170.0)))
    assert angles_for(beams, 45.0, 0.5) == pytest.approx(angles)


def test_beams_that_all_come_from_one_side_give_no_pair() -> None:
    beams = (small_arc(gantry=(0.0, 29.0), couch=(0, 0, 0, 45.0, 0, 0)),)
    with pytest.raises(RefusedError, match="depth needs 30 deg"):
        angles_for(beams, 45.0, 0.5)
