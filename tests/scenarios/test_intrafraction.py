"""Looking at the patient while the beam is on: judged on the truth that the controller never sees."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from device_models.interface.volume import Pose
from device_models.patient.couch import CouchPose
from device_models.patient.motion import Jump
from linac_ctl.config.session import MotionConfig
from linac_ctl.control.phases import Hold
from linac_ctl.control.signals import Signal
from linac_ctl.errors import RefusedError
from linac_ctl.order import ImagingOrder
from tests.scenarios.bench import Bench, Fault, after, at_mu
from tests.sequencer.guided import BEFORE, CLOSE, GUIDE, SHORT, TREAT, guided, looking, patient, protocol, room, soon

MU, MODE = 80.0, "6X"  # ten seconds of beam
SKIN = {"limit_mm": 2.0, "patience_s": 0.3, "excursion_mm": 5.0}
TREATED = TREAT | {"approve_s": 0.1}
STEPS = [*BEFORE, *GUIDE, TREATED, CLOSE]


def bench(rules: Any = None, faults: list[Fault] = [], steps: Any = STEPS, **kw: Any) -> Bench:  # noqa: B006
    """A watched session that has been run."""
    it = Bench(guided(rules=rules or looking(), steps=steps, mu=MU, mode=MODE, **kw), faults, prepared=room())
    it.run()
    return it


def jumps(by_mm: tuple[float, float, float]) -> Any:
    """From now on the patient lies elsewhere."""
    def jump(it: Bench) -> None:
        since = it.engine.cycle * 0.01 - it.imager.set_up_s()
        it.imager.motions += (Jump(since, Pose(by_mm)),)
    return jump


def comes_back(it: Bench) -> None:
    it.imager.motions = ()


def tracked(it: Bench) -> list[Any]:
    return it.suite.imaging.tracked


def beam_on(it: Bench) -> Any:
    """(cycles,) bool: dose left the machine."""
    return it.truth()["pulses"] > 0


@pytest.fixture(scope="module")
def quiet() -> Bench:
    return bench()


def test_images_come_at_every_step_of_dose_and_disturb_nothing(quiet: Bench) -> None:
    assert quiet.error is None and quiet.tripped() == []
    assert quiet.mu(1) == pytest.approx(MU, abs=0.2)
    assert [round(t.mu / 10.0) for t in tracked(quiet)] == [0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert [(t.trigger, t.seen, t.beam) for t in tracked(quiet)] == 2 * [("before", "inside", 1)] + 7 * [("mu", "inside", 1)]


def test_of_the_two_images_before_the_beam_one_is_from_the_side_of_the_other(quiet: Bench) -> None:
    aside, first = (t.frame.gantry_deg for t in tracked(quiet)[:2])
    assert abs(np.sin(np.radians(aside - first))) > 0.5 and first == pytest.approx(quiet.order.plan.beams[0].gantry_deg[0], abs=5.0)


def test_a_beam_that_begins_where_the_gantry_stands_has_one_image_before_it() -> None:
    it = bench(faults=[at_mu(1, 25.0, lambda b: b.staff.hands.do("open_door"))])
    again = [t.frame.gantry_deg for t in tracked(it) if t.trigger == "before"]
    assert it.error is None and len(again) == 3 and it.mu(1) == pytest.approx(MU, abs=0.3)


def test_where_the_protocol_wants_none_there_is_no_image_before_the_beam() -> None:
    assert {t.trigger for t in tracked(bench(looking(first=False)))} == {"mu"}


def test_a_patient_who_moves_after_the_approval_is_seen_before_any_dose_and_brought_back() -> None:
    it = bench(faults=[after("position approved", 0.0, jumps((0.0, 4.0, 0.0)))])
    first = tracked(it)[0]
    assert (first.trigger, first.seen, first.mu) == ("before", "outside", 0.0) and it.error is None
    assert it.imager.residual(0.0)[0] < 1.0 and it.residuals[1][0] < 1.0 and it.mu(1) == pytest.approx(MU, abs=0.2)


def test_what_the_images_show_is_where_the_target_really_is(quiet: Bench) -> None:
    moved = bench(looking(limit_mm=9.0), [at_mu(1, 22.0, jumps((2.0, -2.5, 1.5)))])
    for it in (quiet, moved):
        truth = it.imager.prepared.patient.truth(it.imager.hidden())
        for t in tracked(it):
            couch = CouchPose(*t.frame.couch)
            off = truth.centre(t.frame.time_s, couch) - np.array(it.suite.imaging.planning.target_mm)
            angle = np.radians(t.frame.source_angle_deg)
            u = np.array([np.cos(angle), 0.0, -np.sin(angle)])
            assert t.off_mm == pytest.approx((off @ u, off[1]), abs=0.6)
    assert tracked(moved)[3].off_mm[1] == pytest.approx(tracked(quiet)[3].off_mm[1], abs=0.1)
    assert tracked(moved)[4].off_mm[1] == pytest.approx(tracked(quiet)[4].off_mm[1] - 2.5, abs=0.4)


@pytest.mark.parametrize(("asked", "trigger"), [({"every_s": 1.5}, "time"), ({"every_deg": 3.0}, "angle")])
def test_images_come_by_time_or_by_angle(asked: Any, trigger: str) -> None:
    it = bench(looking(**asked))
    assert it.error is None and next(t.trigger for t in tracked(it)) == "before"
    assert {t.trigger for t in tracked(it)[2:]} == {trigger}
    frames = [t.frame for t in tracked(it)[2:]]
    steps = np.diff([f.time_s for f in frames]) if trigger == "time" else np.diff([f.gantry_deg for f in frames])
    assert len(frames) >= 4 and steps == pytest.approx(1.7 if trigger == "time" else 3.0, abs=0.1)


def test_without_dose_an_image_comes_before_it_is_overdue() -> None:
    it = bench(looking(every_mu=1000.0, longest_s=2.0))
    assert it.error is None and it.tripped() == []
    assert {t.trigger for t in tracked(it)[2:]} == {"time"} and len(tracked(it)) >= 6


def test_a_target_that_leaves_its_limit_holds_the_beam_and_is_brought_back_and_the_field_is_completed() -> None:
    it = bench(faults=[at_mu(1, 25.0, jumps((0.0, 4.0, 0.0)))])
    assert len(it.applied) == 1 and it.error is None
    assert it.mu(1) == pytest.approx(MU, abs=0.3)
    assert it.tripped()[0] == "PATIENT_MOTION" and it.outcome().interruptions == 1
    held = next(h for h in it.linac.holds if "PATIENT_MOTION" in h["why"])
    assert 30.0 <= held["mu"] <= 42.0  # the image at 30 MU shows it; answer and patience take 0.7 s
    assert len(it.suite.imaging.shifts) == 2 and it.imager.residual(0.0)[0] < 1.0
    truth, back_s = it.truth(), it.suite.imaging.shifts[1].t_s
    while_out = truth["mu"][beam_on(it) & (truth["cycle"] >= it.applied[0]) & (truth["cycle"] * 0.01 < back_s)]
    assert len(while_out) and while_out.max() <= held["mu"] + 0.5


def test_no_dose_is_given_between_the_hold_and_the_new_approval() -> None:
    it = bench(faults=[at_mu(1, 25.0, jumps((0.0, 4.0, 0.0)))])
    hold_s = next(h for h in it.linac.holds if "PATIENT_MOTION" in h["why"])["start_s"]
    approved_s = [e.t_s for e in it.events if e.what == "position approved"][-1]
    truth = it.truth()
    when = truth["cycle"] * 0.01
    assert hold_s < approved_s and not (beam_on(it) & (when > hold_s + 0.02) & (when < approved_s)).any()


def test_a_target_that_comes_back_by_itself_releases_the_beam_without_anybody() -> None:
    it = bench(faults=[at_mu(1, 25.0, jumps((0.0, 4.0, 0.0))), after("PATIENT_MOTION", 0.6, comes_back)])
    assert len(it.applied) == 2 and it.error is None and it.mu(1) == pytest.approx(MU, abs=0.2)
    assert it.outcome().interruptions == 0 and len(it.suite.imaging.shifts) == 1
    assert {t.seen for t in tracked(it)} == {"inside", "outside"} and "held" in {t.trigger for t in tracked(it)}


def test_where_the_protocol_says_stop_the_field_ends_with_what_was_given() -> None:
    it = bench(looking(then="stop"), [at_mu(1, 25.0, jumps((0.0, 4.0, 0.0)))])
    assert "the protocol ends it here: target seen 4." in str(it.error) and "limit 1.5 mm, 4 images in a row" in str(it.error)
    assert 30.0 < it.mu(1) < 45.0 and not it.outcome().complete and it.image.beam["permit"][0] == 0.0


def test_a_target_that_cannot_be_seen_holds_the_beam_and_images_that_show_nothing_do_not_bring_it_back() -> None:
    def dark(it: Bench) -> None:
        it.imager.imager.tube.broken = 1.0

    it = bench(faults=[at_mu(1, 25.0, dark)])
    assert "not found" in str(it.error) and "shows nothing" in str(it.error)
    assert it.tripped()[0] == "PATIENT_MOTION" and tracked(it)[-1].seen == "not found" and it.mu(1) < 45.0


def test_an_exposure_switch_that_is_let_go_stops_the_beam_because_nobody_looks() -> None:
    it = bench(faults=[at_mu(1, 25.0, lambda b: b.staff.hands.do("release_exposure"))])
    assert it.said("exposure switch is not held") and it.outcome().interruptions == 1
    assert it.error is None and it.mu(1) == pytest.approx(MU, abs=0.3)  # pressed again, it goes on


def test_images_that_stay_away_hold_the_beam() -> None:
    def stuck(it: Bench) -> None:
        it.imager.expose = lambda technique: None  # type: ignore[method-assign]
        it.imager.read = lambda: ()  # type: ignore[method-assign]

    it = bench(faults=[at_mu(1, 25.0, stuck)])
    assert it.said("no frame came of a triggered exposure") and it.error is not None and it.mu(1) < 35.0


def test_an_exposure_that_nobody_asked_for_ends_the_field() -> None:
    def alone(it: Bench) -> None:
        it.image.room["kv_exposures"] += 1

    it = bench(faults=[at_mu(1, 25.0, alone)])
    assert it.tripped()[0] == "KV_MV_EXCL" and "terminated" in str(it.error) and it.mu(1) < 26.0


# --- the surface monitor

def test_a_monitor_that_watches_a_still_patient_trips_nothing() -> None:
    it = bench(looking(SKIN))
    assert it.error is None and it.tripped() == [] and it.linac.signal(Signal.SURFACE_OUT_S) < 0.0


def test_a_skin_that_moves_holds_the_beam_long_before_the_next_image() -> None:
    it = bench(looking(SKIN, every_mu=1000.0), [at_mu(1, 25.0, jumps((0.0, 0.0, 3.0))), after("SURF_MOTION", 1.0, comes_back)])
    assert it.tripped() == ["SURF_MOTION"] and it.error is None and it.mu(1) == pytest.approx(MU, abs=0.2)
    held = next(h for h in it.linac.holds if "SURF_MOTION" in h["why"])
    assert held["mu"] - 25.0 <= 10.0 * 0.65  # latency 0.1 to 0.2 s, patience 0.3 s, 10 MU/s
    assert it.outcome().interruptions == 0


def test_a_silent_monitor_holds_the_beam_and_after_five_seconds_somebody_has_to_look() -> None:
    def mute(it: Bench) -> None:
        it.imager.monitor.silent = True

    it = bench(looking(SKIN), [at_mu(1, 25.0, mute)])
    assert it.tripped()[0] == "SURF_STALE" and it.mu(1) <= 25.0 + 10.0 * 0.65
    assert it.error is not None and not it.outcome().complete


def test_an_excursion_ends_the_approval_in_the_cycle_that_sees_it() -> None:
    it = bench(looking(SKIN), [at_mu(1, 25.0, jumps((0.0, 8.0, 0.0)))])
    assert it.said("the approval is over") and it.error is None  # brought back, and completed
    assert it.mu(1) == pytest.approx(MU, abs=0.3) and it.imager.residual(0.0)[0] < 1.0
    jump, truth = it.applied[0], it.truth()
    between = beam_on(it) & (truth["cycle"] > jump + 25) & (truth["cycle"] < jump + 500)
    assert not between.any()


def test_an_excursion_before_the_beam_leaves_no_approval_and_no_beam() -> None:
    it = bench(looking(SKIN), [after("position approved", 0.5, jumps((0.0, 8.0, 0.0)))],
               steps=[*BEFORE, *GUIDE, soon("clear_room", takes_s=2.0), TREATED, CLOSE])
    assert "the skin moved by more than 5 mm since" in str(it.error) and float(it.plant.beam["true_total_mu"][0]) == 0.0


# --- breathing

BREATH = MotionConfig(kind="breathing", amplitude_mm=(0.0, 2.0, 8.0), period_s=4.0)
GATED = SKIN | {"limit_mm": 12.0, "excursion_mm": 20.0, "gate_mm": 3.0}


def test_a_gate_gives_dose_only_near_exhale_and_images_at_its_opening() -> None:
    it = bench(looking(GATED, limit_mm=3.5, every_gates=1), motion=BREATH)
    assert it.error is None and it.mu(1) == pytest.approx(MU, abs=0.3)
    assert next(t.trigger for t in tracked(it)) == "before" and {t.trigger for t in tracked(it)[2:]} == {"gate"}
    assert it.tripped().count("GATE") >= 3
    truth = it.truth()
    since = truth["cycle"][beam_on(it)] * 0.01 - it.imager.set_up_s()
    height = np.array([it.imager.motions[0].at(float(t)).t_mm[2] for t in since])
    assert height.max() < 3.0 + 8.0 * np.pi / 4.0 * 0.25 + 0.4  # as far as the chest goes in latency, picture and beam-off


def test_the_hold_of_a_gate_is_a_hold_and_no_interruption() -> None:
    it = bench(looking(GATED, limit_mm=3.5, every_gates=1), motion=BREATH)
    assert it.outcome().interruptions == 0
    assert all(h["end_s"] is not None for h in it.linac.holds) and int(it.control.job["hold"][0]) == int(Hold.HOLD)


def test_fluoroscopy_shows_how_far_the_target_moves() -> None:
    rules = protocol(fluoroscopy={"most_mm": 20.0})
    it = bench(rules, steps=[*BEFORE, {"step": "fluoroscopy"}, CLOSE], motion=BREATH, error=(0.0,) * 6)
    assert it.error is None
    rows = [t for t in tracked(it) if t.trigger == "fluoroscopy"]
    v = [t.off_mm[1] for t in rows]
    assert len(rows) == 61 and max(v) - min(v) == pytest.approx(2.0, abs=0.4)


def test_a_target_that_moves_more_than_the_protocol_treats_is_refused_after_fluoroscopy() -> None:
    rules = protocol(fluoroscopy={"most_mm": 1.0})
    it = bench(rules, steps=[*BEFORE, {"step": "fluoroscopy"}, *GUIDE, TREATED, CLOSE], motion=BREATH, error=(0.0,) * 6)
    assert isinstance(it.error, RefusedError) and "limit 1 mm" in str(it.error)
    assert float(it.plant.beam["true_total_mu"][0]) == 0.0


def test_fluoroscopy_ends_an_approval() -> None:
    it = bench(steps=[*BEFORE, *GUIDE, {"step": "fluoroscopy"}, TREATED, CLOSE])
    assert "position not approved" in str(it.error)


def test_a_protocol_without_fluoroscopy_takes_none() -> None:
    it = bench(protocol("conventional_pair"), steps=[*BEFORE, {"step": "fluoroscopy"}])
    assert "no fluoroscopy" in str(it.error)


# --- same bytes

@pytest.mark.parametrize("max_block", [7, 20_000])
def test_block_length_does_not_matter_with_a_watched_beam(max_block: int) -> None:
    order = guided(rules=looking(SKIN), steps=STEPS, mu=20.0, mode=MODE)
    digests = []
    for block in (3, max_block):
        it = Bench(order, prepared=room(), max_block=block)
        it.run()
        digests.append(it.finish())
    assert digests[0] == digests[1]


def test_more_than_one_motion_adds_up() -> None:
    order = guided(rules=looking(), steps=SHORT)
    still = patient((0.0,) * 6, MotionConfig(kind="jump", after_s=0.0, by=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)))
    both = still.model_copy(update={"more_motion": (MotionConfig(kind="jump", after_s=0.0, by=(0.0, 2.0, 0.0, 0.0, 0.0, 0.0)),)})
    it = Bench(replace(order, imaging=ImagingOrder(both, looking(), "quick")), prepared=room())
    it.run()
    assert it.suite.imaging.matches[0].error[:2] == pytest.approx((1.0, 2.0), abs=0.4)
