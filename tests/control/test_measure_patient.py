"""Is the patient still where somebody approved? Couch, target, skin, breath, exposures."""

import math
from typing import Any

import pytest

from device_models.interface.image import DT_S
from linac_ctl.control.measure_patient import ENDED_BY_SKIN, measure_approval, measure_patient
from linac_ctl.control.signals import FIRST_GUARD, Guard, Signal
from tests.control.bare import Bare

NAN = float("nan")
APPROVED = FIRST_GUARD + int(Guard.POSITION_APPROVED)
APPROVED_AT = (10.0, -20.0, 30.0, 1.0, -2.0, 3.0)


# --- the couch and the images

def moved(*by: float, **job: Any) -> Bare:
    """A couch that stands so far from where it was approved, in cycle 1000, by images of cycle 400."""
    bare = Bare().set("job", **{"token_couch": APPROVED_AT, "token_needed": 1.0, "token_cycle": 400, "cycle": 1000, **job})
    bare.set("couch", readback=[at + far for at, far in zip(APPROVED_AT, by, strict=True)])
    measure_approval(bare.job, bare.signals, bare.image.couch)
    return bare


@pytest.mark.parametrize(("by", "way_mm", "turn_deg"), [
    ((0, 0, 0, 0, 0, 0), 0.0, 0.0),
    ((2, 0, 0, 0, 0, 0), 2.0, 0.0), ((0, -2, 0, 0, 0, 0), 2.0, 0.0), ((0, 0, 2, 0, 0, 0), 2.0, 0.0),
    ((3, -4, 12, 0, 0, 0), 13.0, 0.0),
    ((0, 0, 0, 0.5, 0, 0), 0.0, 0.5), ((0, 0, 0, 0, -0.5, 0), 0.0, 0.5), ((0, 0, 0, 0, 0, 0.5), 0.0, 0.5),
    ((0, 0, 0, 0.5, -0.75, 0.25), 0.0, 0.75),
])
def test_the_way_of_the_couch_is_its_length_and_of_its_turns_the_worst_counts(by: tuple[float, ...], way_mm: float,
                                                                              turn_deg: float) -> None:
    bare = moved(*by)
    assert bare.signal(Signal.POSITION_MOVED_MM) == pytest.approx(way_mm)
    assert bare.signal(Signal.POSITION_MOVED_DEG) == pytest.approx(turn_deg)


def imaged(*by: float, **job: Any) -> Bare:
    """As `moved`, since the latest images."""
    return moved(0, 0, 0, 0, 0, 0, image_couch=[at - far for at, far in zip(APPROVED_AT, by, strict=True)], **job)


@pytest.mark.parametrize(("by", "before", "way_mm", "turn_deg"), [
    ((3, -4, 12, 0, 0, 0), (0.0, 0.0), 13.0, 0.0), ((0, 0, 0, 0.5, -0.75, 0.25), (0.0, 0.0), 0.0, 0.75),
    ((0, 0, 0, 0, 0, 0), (6.0, 2.0), 6.0, 2.0), ((1, 0, 0, 0, 3, 0), (6.0, 2.0), 6.0, 3.0)])
@pytest.mark.parametrize("needed", [0.0, 1.0])
def test_how_far_the_couch_has_been_since_the_images_is_kept_though_it_is_back(by: Any, before: Any, way_mm: float, turn_deg: float,
                                                                              needed: float) -> None:
    bare = imaged(*by, image_moved_mm=before[0], image_moved_deg=before[1], token_needed=needed)
    assert bare.job["image_moved_mm"] == pytest.approx(way_mm) and bare.job["image_moved_deg"] == pytest.approx(turn_deg)


@pytest.mark.parametrize("at", range(6))
def test_a_couch_that_said_nothing_once_since_the_images_may_have_been_anywhere(at: int) -> None:
    bare = imaged(*[NAN if i == at else 0.0 for i in range(6)])
    assert math.isnan(bare.job["image_moved_mm"]) is (at < 3) and math.isnan(bare.job["image_moved_deg"]) is (at >= 3)
    bare.set("job", image_couch=APPROVED_AT)
    measure_approval(bare.job, bare.signals, bare.image.couch)
    assert math.isnan(bare.job["image_moved_mm"]) is (at < 3) and math.isnan(bare.job["image_moved_deg"]) is (at >= 3)


@pytest.mark.parametrize("at", range(6))
def test_an_axis_without_a_reading_may_be_anywhere(at: int) -> None:
    bare = moved(*[NAN if i == at else 0.0 for i in range(6)])
    assert math.isnan(bare.signal(Signal.POSITION_MOVED_MM)) is (at < 3)
    assert math.isnan(bare.signal(Signal.POSITION_MOVED_DEG)) is (at >= 3)


@pytest.mark.parametrize("needed", [1.0, 0.5, -1.0, NAN])
def test_where_an_approval_is_needed_in_any_way_the_couch_and_the_images_count(needed: float) -> None:
    bare = moved(5, 0, 0, 5, 0, 0, token_needed=needed)
    assert bare.signal(Signal.POSITION_MOVED_MM) == 5.0 and bare.signal(Signal.POSITION_MOVED_DEG) == 5.0
    assert bare.signal(Signal.IMAGE_AGE_S) == pytest.approx(6.0)


def test_where_none_is_needed_nothing_of_it_counts() -> None:
    bare = moved(5, 0, 0, 5, 0, 0, token_needed=0.0)
    assert [bare.signal(s) for s in (Signal.POSITION_MOVED_MM, Signal.POSITION_MOVED_DEG, Signal.IMAGE_AGE_S)] == [0.0] * 3


@pytest.mark.parametrize("cycle", [-1, ENDED_BY_SKIN])
def test_without_an_approval_in_force_the_age_of_its_images_is_unknown(cycle: int) -> None:
    bare = moved(5, 0, 0, 5, 0, 0, token_cycle=cycle)
    assert bare.signal(Signal.POSITION_MOVED_MM) == 0.0 and bare.signal(Signal.POSITION_MOVED_DEG) == 0.0
    assert math.isnan(bare.signal(Signal.IMAGE_AGE_S))


def test_an_approval_by_images_of_the_very_first_cycle_is_in_force() -> None:
    bare = moved(5, 0, 0, 5, 0, 0, token_cycle=0)
    assert bare.signal(Signal.POSITION_MOVED_MM) == 5.0 and bare.signal(Signal.POSITION_MOVED_DEG) == 5.0
    assert bare.signal(Signal.IMAGE_AGE_S) == pytest.approx(10.0)


# --- the target in triggered images

def patient(bare: Bare) -> Bare:
    """One cycle."""
    measure_patient(bare.job, bare.signals, bare.room)
    return bare


def target(**job: Any) -> Bare:
    """A watched target within 1.5 mm, with 0.05 s of patience and images every 40 s; cycle 1000, last image in cycle 600."""
    return Bare().set("job", **{"target_watched": 1.0, "target_limit_mm": 1.5, "target_patience_s": 0.05, "target_longest_s": 40.0,
                                "cycle": 1000, "target_cycle": 600, **job})


@pytest.mark.parametrize(("off_mm", "out"), [(0.0, False), (1.5, False), (1.501, True), (NAN, True)])
def test_a_target_out_of_its_limit_or_not_found_is_out_and_the_time_is_counted(off_mm: float, out: bool) -> None:
    bare = target(target_off_mm=off_mm, target_out=3)
    assert patient(bare).signal(Signal.TARGET_OUT_S) == pytest.approx(4 * DT_S - 0.05 if out else -0.05)
    assert patient(bare).signal(Signal.TARGET_OUT_S) == pytest.approx(5 * DT_S - 0.05 if out else -0.05)


def test_a_target_that_comes_back_begins_the_count_again() -> None:
    bare = patient(target(target_off_mm=2.0, target_out=90))
    assert patient(bare.set("job", target_off_mm=1.0)).job["target_out"] == 0


@pytest.mark.parametrize(("cycle", "unseen"), [(600, 0.1), (1000, 0.0), (-3000, 1.0)])
def test_a_target_is_unseen_for_a_share_of_the_longest_time_between_images(cycle: int, unseen: float) -> None:
    assert patient(target(target_cycle=cycle)).signal(Signal.TARGET_UNSEEN) == pytest.approx(unseen)


def test_where_nobody_watches_the_target_it_is_neither_out_nor_unseen() -> None:
    bare = patient(target(target_watched=0.0, target_off_mm=NAN))
    assert bare.signal(Signal.TARGET_OUT_S) == 0.0 and bare.signal(Signal.TARGET_UNSEEN) == 0.0


@pytest.mark.parametrize("watched", [1.0, 0.5, NAN])
def test_whoever_says_anything_but_zero_watches(watched: float) -> None:
    assert patient(target(target_watched=watched)).signal(Signal.TARGET_UNSEEN) > 0.0
    assert patient(skin(0.0, surface_watched=watched)).signal(Signal.SURFACE_AGE_S) > 0.0


# --- the skin

def skin(*off_mm: float, seen: int = 990, **job: Any) -> Bare:
    """A skin so far from its reference, seen in cycle 990 of 1000; limit 2.5 mm for 0.1 s, excursion 5 mm."""
    bare = Bare().set("job", **{
        "surface_watched": 1.0, "surface_limit_mm": 2.5, "surface_patience_s": 0.1, "surface_excursion_mm": 5.0,
        "surface_reference_mm": (4.0, 5.0, 6.0), "cycle": 1000, "token_cycle": 400, **job})
    far = (*off_mm, 0.0, 0.0, 0.0)[:3]
    bare.signals[APPROVED] = 1.0
    return bare.set("room", surface_mm=(4.0 + far[0], 5.0 + far[1], 6.0 + far[2]), surface_cycle=seen)


@pytest.mark.parametrize(("off_mm", "way_mm"), [
    ((2.0, 0.0, 0.0), 2.0), ((0.0, -2.0, 0.0), 2.0), ((0.0, 0.0, 2.0), 2.0), ((0.5, -1.0, 1.0), 1.5)])
def test_the_way_of_the_skin_is_its_length(off_mm: tuple[float, ...], way_mm: float) -> None:
    assert patient(skin(*off_mm)).signal(Signal.SURFACE_OFF_MM) == pytest.approx(way_mm)


@pytest.mark.parametrize(("off_mm", "out"), [(0.0, False), (2.5, False), (2.501, True), (NAN, True)])
def test_a_skin_out_of_its_limit_or_unknown_is_out_and_the_time_is_counted(off_mm: float, out: bool) -> None:
    bare = skin(off_mm, surface_out=7)
    assert patient(bare).signal(Signal.SURFACE_OUT_S) == pytest.approx(8 * DT_S - 0.1 if out else -0.1)
    assert patient(bare).signal(Signal.SURFACE_OUT_S) == pytest.approx(9 * DT_S - 0.1 if out else -0.1)


@pytest.mark.parametrize(("off_mm", "ended"), [(5.0, False), (5.001, True), (-5.001, True), (NAN, False)])
def test_a_skin_too_far_away_ends_the_approval_in_this_very_cycle(off_mm: float, ended: bool) -> None:
    bare = patient(skin(off_mm))
    assert bare.job["token_cycle"] == (-2 if ended else 400)
    assert bare.signals[APPROVED] == (0.0 if ended else 1.0)


@pytest.mark.parametrize(("seen", "age_s"), [(1000, 0.0), (990, 0.1), (1020, 0.2), (-1, 10.01)])
def test_news_of_the_skin_is_as_old_as_it_is_or_from_the_future(seen: int, age_s: float) -> None:
    assert patient(skin(0.0, seen=seen)).signal(Signal.SURFACE_AGE_S) == pytest.approx(age_s)


def test_where_nobody_watches_the_skin_nothing_of_it_counts() -> None:
    bare = patient(skin(9.0, surface_watched=0.0))
    assert [bare.signal(s) for s in (Signal.SURFACE_OFF_MM, Signal.SURFACE_OUT_S, Signal.SURFACE_AGE_S)] == [0.0] * 3
    assert bare.job["token_cycle"] == 400 and bare.signals[APPROVED] == 1.0


# --- breath and exposures

@pytest.mark.parametrize(("breath_mm", "gate_mm", "shut"), [
    (2.0, 3.0, 0.0), (3.0, 3.0, 0.0), (3.001, 3.0, 1.0), (-50.0, 3.0, 0.0), (NAN, 3.0, 1.0), (-1e6, 3.0, 1.0),
    (float("-inf"), 3.0, 1.0), (50.0, 0.0, 0.0), (NAN, 0.0, 0.0), (0.75, 0.5, 1.0),
])
def test_the_gate_is_shut_above_its_height_and_when_the_height_is_unknown(breath_mm: float, gate_mm: float, shut: float) -> None:
    bare = Bare().set("job", gate_mm=gate_mm).set("room", breath_mm=breath_mm)
    assert patient(bare).signal(Signal.GATE_SHUT) == shut


@pytest.mark.parametrize(("made", "asked", "unasked"), [(7, 7, 0.0), (8, 7, 1.0), (10, 7, 3.0), (6, 7, -1.0)])
def test_exposures_that_nobody_asked_for_are_counted(made: int, asked: int, unasked: float) -> None:
    bare = Bare().set("job", kv_asked=asked).set("room", kv_exposures=made)
    assert patient(bare).signal(Signal.KV_UNASKED) == unasked
