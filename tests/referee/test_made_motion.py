"""Sections B and C on traces made by hand: motion, geometry, imaging and shifts."""

from dataclasses import replace

import numpy as np
import pytest

from device_models.referee.columns import Flag
from device_models.referee.judging.facts import ImageFact, InjectedFact
from tests.referee.made import (
    APPROVED,
    COLLISION,
    COUCH,
    CYCLES,
    FIRST,
    IMAGED,
    LAST,
    LEAF_MM,
    MLC_POS,
    MOVE,
    MU,
    READY,
    Alter,
    Made,
    approval,
    beam_fact,
    cases,
    judged,
    move,
    ramp,
    shift,
    shrinks,
)

MID, SOME = 250, 600  # in the beam; long after it
GANTRY, MLC, COUCH_NODE = 1, 8, 32


def unpowered(made: Made, first: int, last: int = CYCLES) -> Made:
    """Drive power is not asked for; the machine hears of it a cycle after it was said."""
    return made.set("enable", first, last, 0).set("asked", first - 1, last, 0)


def unheard(made: Made, first: int, last: int = CYCLES) -> Made:
    """Drive power is not asked for, and a broken link keeps that from the machine."""
    return made.set("asked", first, last, 0)


def kept_back(made: Made, first: int, last: int = CYCLES) -> Made:
    """Drive power is asked for, and the safety channel does not give it."""
    return made.flag(Flag.DRIVES, first, last, on=False)


def faulty(made: Made, cycle: int = 0) -> Made:
    """One fault, effective from `cycle` on."""
    return made.fact(injected=(InjectedFact("f", "", cycle),))


def low_gain(made: Made) -> Made:
    """Chamber 1 says too little, all the time."""
    return made.fact(injected=(InjectedFact("f", "DOS-02", 0),))


def braked(made: Made, name: str, lane: int | None, speed: float, brake: float, at: int = SOME) -> Made:
    """An axis under way at this speed when its power goes, and how it comes to rest."""
    slowing = np.clip(speed - brake * 0.01 * np.arange(1, 200), 0.0, None) * 0.01
    way = np.concatenate([np.full(50, speed * 0.01), slowing])
    move(made, name, lane, at - 49, np.cumsum(way), CYCLES)
    made.rows["gantry_set_deg" if name == "gantry_deg" else "couch_set"][at - 60 :] += 0.0
    return unpowered(made, at + 1)


def arc(made: Made, gantry: float = 1.0) -> Made:
    """The field turns by 20 deg, 1 deg per MU; `gantry`: what it really does of that."""
    made.fact(beams=(beam_fact(gantry_deg=np.linspace(0.0, 20.0, 3)),))
    made.rows["gantry_deg"] = made.rows["total_mu"] * gantry
    made.rows["gantry_set_deg"] = made.rows["total_mu"]
    return made


def leaf(made: Made, off_mm: float, cycles: int, first: int = 100, every: bool = False) -> Made:
    """A leaf (or every leaf) off by so much for so many cycles of the beam."""
    made.leaves[first : first + cycles, slice(None) if every else 1] += off_mm
    return made


def shot(made: Made, at: int, asked: int = 1) -> Made:
    """One kV exposure."""
    return made.set("kv_exposures", at, CYCLES, 1).set("kv_asked", at - 1, CYCLES, asked)


def shifted(made: Made, way: tuple[float, ...], change: tuple[float, ...] | None = None, people: int = 2) -> Made:
    """The couch goes `way` between approval and READY; `change` is what was ordered."""
    made.rows["couch"][APPROVED + 20 :] += np.array(way, np.float32)
    goal = tuple(a + b for a, b in zip(COUCH, change or way, strict=True))
    return made.fact(shifts=(shift(targets=goal, change=change or way, people=people),), approvals=(approval(couch=goal),))


def six(*first: float) -> tuple[float, ...]:
    """Filled up with zeros."""
    return (*first, *[0.0] * (6 - len(first)))


def near(made: Made, cycles: int, mm: float) -> Made:
    """The gantry goes by itself for so long while so little is left."""
    made.set("phase", SOME, SOME + cycles, MOVE).set("clearance_mm", SOME, CYCLES, mm)
    return move(made, "gantry_deg", None, SOME, ramp(3.0, cycles)).add("gantry_set_deg", SOME, CYCLES, 1.5)


def put(made: Made, mm: float) -> Made:
    """A fault puts something so near."""
    return made.set("clearance_mm", SOME, CYCLES, mm).fact(injected=(InjectedFact("f", "ROM-06", SOME),))


VIOLATED: dict[str, dict[str, Alter]] = {
    "SI-16": {
        "the couch drifts without power": lambda m: move(unpowered(m, 500), "couch", 0, SOME, ramp(2.0, 100)),
        "the couch drifts, the channel keeps power back": lambda m: move(kept_back(m, 500), "couch", 0, SOME, ramp(2.0, 100)),
        "the gantry falls without power": lambda m: move(unpowered(m, 500), "gantry_deg", None, SOME, ramp(1.0, 60)),
        "the couch goes where nobody sent it": lambda m: move(m, "couch", 1, SOME, ramp(5.0, 60)),
        "the gantry leaves its setpoint": lambda m: move(m, "gantry_deg", None, SOME, ramp(0.5, 60)),
        "a fault that shows long after the couch has moved": lambda m: faulty(move(m, "couch", 1, SOME, ramp(2.0, 20)), SOME + 60),
        "a fault takes the couch 5 mm away": lambda m: faulty(move(m, "couch", 1, SOME, ramp(5.0, 100))),
    },
    "SI-17": {
        "the gantry takes half a second": lambda m: braked(m, "gantry_deg", None, 6.0, 10.0),
        "the gantry goes on by itself": lambda m: move(kept_back(m, SOME), "gantry_deg", None, SOME - 50, ramp(6.0, 99)),
        "the couch takes 9 mm": lambda m: braked(m, "couch", 1, 40.0, 90.0),
        "the leaves go on": lambda m: unpowered(m, SOME).set("leaf_mm_per_s", SOME, SOME + 30, 5.0),
        "power stays on after a motion stop": lambda m: m.trip(COLLISION, SOME),
    },
    "SI-18": {
        "the gantry at 8 deg/s": lambda m: move(m, "gantry_deg", None, SOME, ramp(8.0, 100)),
        "the couch drops": lambda m: move(m, "couch", 2, SOME, ramp(-100.0, 50)),
        "a leaf at 45 mm/s": lambda m: m.set("leaf_mm_per_s", SOME, SOME + 5, 45.0),
        "pressed on for 15 mm": lambda m: move(unpowered(m.flag(Flag.GUARD, SOME, CYCLES, on=False), SOME + 2), "couch", 2, SOME,
                                               ramp(30.0, 75)),
        "power on after contact": lambda m: m.flag(Flag.GUARD, SOME, CYCLES, on=False),
    },
    "SI-19": {
        "contact": lambda m: m.set("clearance_mm", SOME, SOME + 20, -1.0),
        "automatic motion at 15 mm": lambda m: near(m, 50, 15.0),
        "into what was put so close that it touches": lambda m: put(m, -25.0).set("clearance_mm", SOME + 5, CYCLES, -36.0),
        "into what was put near": lambda m: put(m, 5.0).set("clearance_mm", SOME + 5, CYCLES, -1.0),
        "contact, and something else is put there later": lambda m: put(m, -25.0).set("clearance_mm", SOME - 5, SOME, -1.0),
        "into the patient during the beam": lambda m: m.set("clearance_mm", MID, CYCLES, -30.0),
    },
    "SI-20": {
        "a leaf 2.5 mm off for 50 ms": lambda m: leaf(m, 2.5, 5),
        "a leaf 3 mm off all the time": lambda m: leaf(m, 3.0, 200, 0),
        "all leaves 1.2 mm off": lambda m: leaf(m, 1.2, 200, 0, every=True),
        "all leaves 0.7 mm off all the time": lambda m: leaf(m, 0.7, 200, 0, every=True),
        "the gantry 0.7 deg off": lambda m: m.set("gantry_deg", 0, CYCLES, 0.7),
        "the collimator 0.6 deg off": lambda m: m.set("collimator_deg", 0, CYCLES, 0.6),
        "a jaw 1.5 mm off": lambda m: m.add("jaw_mm", 0, CYCLES, [0, 1.5, 0, 0]),
        "an arc that lags by 1.5 deg": lambda m: arc(m).add("gantry_deg", MID, CYCLES, -1.5),
    },
    "SI-21": {
        "the gantry stalls": lambda m: arc(m).set("gantry_deg", MID, CYCLES, 9.4),
        "the gantry turns half as far": lambda m: arc(m, 0.5),
        "the gantry turns the other way": lambda m: arc(m, -1.0),
        "a lag of 1.2 MU while a leaf is stuck": lambda m: faulty(arc(m).add("gantry_deg", MID, CYCLES, -1.2)),
        "a lag of 2 MU while a chamber says too little": lambda m: low_gain(arc(m).add("gantry_deg", MID, CYCLES, -2.0)),
    },
    "SI-22": {
        "nobody asked": lambda m: shot(m, SOME, asked=0),
        "the door is open": lambda m: shot(m, SOME).flag(Flag.DOOR, 590, CYCLES, on=False),
        "the beam is on": lambda m: shot(m, MID),
        "the arms are parked": lambda m: shot(m, SOME).set("kv_arm_mm", 0, CYCLES, [1000.0, -900.0, 0.0, 0.0]),
    },
    "SI-23": {
        "images of another patient's CT": lambda m: m.fact(approvals=(approval(reference_patient="q"),)),
        "newer images were there": lambda m: m.fact(images=(*m.facts.images, ImageFact(50, ("i2",)))),
        "images that were never taken": lambda m: m.fact(approvals=(approval(uids=("i9",)),)),
        "the couch moved in between": lambda m: m.add("couch", IMAGED + 10, CYCLES, [0.8, 0, 0, 0, 0, 0]),
        "another plan": lambda m: m.fact(approvals=(approval(plan="old"),)),
    },
    "SI-24": {
        "half the way": lambda m: shifted(m, six(3.0), six(6.0)),
        "twice": lambda m: shifted(m, six(10.0), six(5.0)),
        "the wrong axis": lambda m: shifted(m, six(0.0, 4.0), six(4.0)),
        "30 mm on one person's word": lambda m: shifted(m, six(30.0), people=1),
        "60 mm": lambda m: shifted(m, six(60.0)),
        "one approval, two shifts": lambda m: shifted(m, six(4.0)).fact(shifts=(*m.facts.shifts, *m.facts.shifts)),
    },
    "SI-25": {
        "the couch moves, the approval stays": lambda m: m.add("couch", 400, CYCLES, [2.0, 0, 0, 0, 0, 0]),
        "the couch turns, the approval stays": lambda m: m.add("couch", 400, CYCLES, [0, 0, 0, 0.7, 0, 0]),
        "away and back, and beam": lambda m: m.add("couch", READY - 20, READY - 5, [3.0, 0, 0, 0, 0, 0]).trip(
            MLC_POS, READY - 20, READY - 5, react=False),
    },
}

NEAR: dict[str, dict[str, Alter]] = {
    "SI-16": {
        "a fault that shows a tenth of a second later": lambda m: faulty(move(m, "couch", 1, SOME, ramp(2.0, 20)), SOME + 10),
        "a fault takes the couch 2 mm away": lambda m: faulty(move(m, "couch", 1, SOME, ramp(2.0, 100))),
        "a couch outside": lambda m: move(unpowered(m, 500), "couch", 0, SOME, ramp(2.0, 100)).fact(outside=("couch",)),
        "slower than motion": lambda m: move(unpowered(m, 500), "couch", 0, SOME, ramp(0.4, 100)),
        "40 ms of it": lambda m: move(unpowered(m, 500), "couch", 0, SOME, ramp(2.0, 4)),
        "where it was sent": lambda m: move(move(m, "couch", 0, SOME, ramp(10.0, 60)), "couch_set", 0, SOME, ramp(10.0, 60)),
        "back to its setpoint": lambda m: move(m.add("couch", 0, SOME, six(6.0)), "couch", 0, SOME, -ramp(10.0, 60) + 6.0),
    },
    "SI-17": {
        "the gantry coasts 1.1 deg": lambda m: braked(m, "gantry_deg", None, 6.0, 16.0),
        "a couch outside": lambda m: braked(m, "couch", 1, 40.0, 90.0).fact(outside=("couch",)),
        "leaves outside": lambda m: unpowered(m, SOME).set("leaf_mm_per_s", SOME, SOME + 30, 5.0).fact(outside=("mlc",)),
        "the couch takes 2.7 mm": lambda m: braked(m, "couch", 1, 40.0, 300.0),
        "the leaves stop in 100 ms": lambda m: unpowered(m, SOME).set("leaf_mm_per_s", SOME, SOME + 10, 5.0),
        "a motion stop takes the power": lambda m: unpowered(m.trip(COLLISION, SOME), SOME + 1),
        "a motion stop that a broken link keeps from the drives": lambda m: unheard(m.trip(COLLISION, SOME), SOME + 2),
    },
    "SI-18": {
        "the gantry at 7.1 deg/s": lambda m: move(m, "gantry_deg", None, SOME, ramp(7.1, 100)),
        "a couch outside": lambda m: move(m, "couch", 2, SOME, ramp(-100.0, 50)).fact(outside=("couch",)),
        "a drop that is caught": lambda m: move(faulty(m), "couch", 2, SOME, ramp(-60.0, 15)),
        "a leaf at 36 mm/s": lambda m: m.set("leaf_mm_per_s", SOME, SOME + 5, 36.0),
        "contact, and at rest": lambda m: unpowered(m.flag(Flag.GUARD, SOME, CYCLES, on=False), SOME + 2),
    },
    "SI-19": {
        "put so close that it touches": lambda m: put(m, -25.0),
        "put so close that it touches, and 9 mm further": lambda m: put(m, -25.0).set("clearance_mm", SOME + 5, CYCLES, -34.0),
        "3 mm and standing": lambda m: m.set("clearance_mm", SOME, CYCLES, 3.0),
        "automatic motion stopped in 50 ms": lambda m: near(m, 5, 15.0),
        "automatic motion at 21 mm": lambda m: near(m, 50, 21.0),
        "at rest in MOVE at 15 mm": lambda m: m.set("phase", SOME, SOME + 50, MOVE).set("clearance_mm", SOME, CYCLES, 15.0),
    },
    "SI-20": {
        "a leaf 2.5 mm off for 40 ms": lambda m: leaf(m, 2.5, 4),
        "a leaf 1.9 mm off for 0.4 s": lambda m: leaf(m, 1.9, 40),
        "all leaves 0.45 mm off": lambda m: leaf(m, 0.45, 200, 0, every=True),
        "the gantry 0.4 deg off": lambda m: m.set("gantry_deg", 0, CYCLES, 0.4),
        "an arc that lags by 0.9 deg": lambda m: arc(m).add("gantry_deg", MID, CYCLES, -0.9),
        "a leaf that is anywhere without dose": lambda m: m.pulses(MID, MID + 20, 0, 0.0),
    },
    "SI-21": {
        "an arc as planned": arc,
        "a lag of 0.9 MU": lambda m: arc(m).add("gantry_deg", MID, CYCLES, -0.9),
        "a lag of 1.2 MU while a chamber says too little": lambda m: low_gain(arc(m).add("gantry_deg", MID, CYCLES, -1.2)),
        "apart for 20 ms": lambda m: arc(m).add("gantry_deg", MID, MID + 2, -1.4),
    },
    "SI-22": {
        "asked for, door closed, arms out": lambda m: shot(m, SOME),
        "arms 5 mm beside their place": lambda m: shot(m, SOME).set("kv_arm_mm", 0, CYCLES, [1000.0, -505.0, 60.0, 0.0]),
        "triggered images during the beam": lambda m: shot(m, MID).fact(kv_with_beam=True),
        "the door opens afterwards": lambda m: shot(m, SOME).flag(Flag.DOOR, SOME + 5, CYCLES, on=False),
    },
    "SI-23": {
        "its own images": lambda m: m,
        "newer images after the approval": lambda m: m.fact(images=(*m.facts.images, ImageFact(500, ("i2",)))),
        "0.3 mm in between": lambda m: m.add("couch", IMAGED + 10, CYCLES, [0.3, 0, 0, 0, 0, 0]),
    },
    "SI-24": {
        "8 mm as ordered": lambda m: shifted(m, six(8.0)),
        "0.7 mm short": lambda m: shifted(m, six(5.3), six(6.0)),
        "30 mm on two people's word": lambda m: shifted(m, six(30.0)),
        "half the way, and nobody may use it": lambda m: shifted(m, six(3.0), six(6.0)).set("token_cycle", READY, CYCLES, -1).dark(
            FIRST, LAST),
    },
    "SI-25": {
        "moved by 0.9 mm": lambda m: m.add("couch", 400, CYCLES, [0.9, 0, 0, 0, 0, 0]),
        "moved, and void 40 ms later": lambda m: m.add("couch", 400, CYCLES, six(5.0)).set("token_cycle", 404, CYCLES, -1),
        "moved, and an interlock in force": lambda m: m.add("couch", 400, CYCLES, [5.0, 0, 0, 0, 0, 0]).trip(MLC_POS, 403),
    },
}


def made_for(name: str) -> Made:
    """The healthy run; where a property is about something that it has none of, with that."""
    made = Made()
    return {"SI-21": arc, "SI-22": lambda m: shot(m, SOME), "SI-24": lambda m: shifted(m, six(2.0))}.get(name, lambda m: m)(made)


@pytest.mark.parametrize("name, alter", cases(VIOLATED))
def test_the_referee_flags(name: str, alter: Alter) -> None:
    assert (found := judged(name, alter)).outcome == "violated", found


@pytest.mark.parametrize("name, alter", cases(NEAR))
def test_the_referee_does_not_flag(name: str, alter: Alter) -> None:
    assert (found := judged(name, alter)).outcome == "held", found


@pytest.mark.parametrize("name", sorted(VIOLATED))
def test_there_are_three_of_each(name: str) -> None:
    assert len(VIOLATED[name]) >= 3 and len(NEAR[name]) >= 3


@pytest.mark.parametrize("name", sorted(VIOLATED))
def test_a_margin_shrinks_towards_a_violation(name: str) -> None:
    shrinks(name, VIOLATED, made_for(name).verdict(name))


@pytest.mark.parametrize(("mode", "since", "outcome"), [
    ("IMG-14", 0, "not_applicable"), ("IMG-14", 2, "not_applicable"), ("IMG-14", 3, "violated"), ("IMG-14", -1, "violated"),
    ("IMG-13", 0, "violated")])
def test_a_tube_that_fires_by_itself_has_30_ms_to_be_stopped_and_no_other_exposure_has(mode: str, since: int, outcome: str) -> None:
    made = shot(Made(), SOME, asked=0).fact(injected=(InjectedFact("f", mode, SOME - since),))
    assert made.verdict("SI-22").outcome == outcome


def test_leaves_that_move_with_the_dose_are_where_the_plan_has_them() -> None:
    made, mu = Made(), np.linspace(0.0, MU, 3)
    made.fact(beams=(beam_fact(leaf_mm=LEAF_MM + np.array([[0.0], [4.0], [8.0]])),))
    true_mu = made.rows["total_mu"][FIRST:LAST]
    made.leaves = (LEAF_MM + np.interp(true_mu, mu, [0.0, 4.0, 8.0])[:, None]).astype(np.float32)
    assert made.verdict("SI-20").outcome == "held" and made.verdict("SI-20").margin > 0.98
    made.leaves = np.roll(made.leaves, 80, axis=0)
    assert made.verdict("SI-20").outcome == "violated"


def test_a_step_without_dose_may_be_at_either_end() -> None:
    made = Made()
    made.fact(beams=(beam_fact(cumulative_mu=np.array([0.0, 10.0, 10.0, 20.0]), gantry_deg=np.zeros(4), collimator_deg=np.zeros(4),
                               jaw_mm=np.tile([-20.0, 20.0, -20.0, 20.0], (4, 1)),
                               leaf_mm=LEAF_MM + np.array([[0.0], [0.0], [15.0], [15.0]])),))
    made.leaves[100:] += 15.0
    assert made.verdict("SI-20").outcome == "held"
    made.leaves[90:] = made.leaves[-1]
    assert made.verdict("SI-20").outcome == "violated"


def test_what_was_not_done_is_not_judged() -> None:
    made = Made().fact(needs_position=False, approvals=(), images=())
    outcomes = {name: made.verdict(name).outcome for name in ("SI-04", "SI-21", "SI-22", "SI-23", "SI-24", "SI-25")}
    assert set(outcomes.values()) == {"not_applicable"}, outcomes
    assert replace(made.facts, shifts=(shift(),)).shifts
