"""Sections D and E on traces made by hand: interlocks, record, liveness."""

import numpy as np
import pytest

from device_models.referee.columns import Flag
from device_models.referee.judging.facts import Cause, InjectedFact, ResetFact
from tests.referee.made import (
    BEAM,
    CYCLES,
    ESTOP,
    FIRST,
    LAST,
    MLC_POS,
    MOVE,
    MU,
    MU_DIS,
    ON,
    PER_CYCLE,
    Alter,
    Made,
    beam_fact,
    cases,
    judged,
)

MID = 250


def faults(made: Made, *cleared: int | None) -> Made:
    """One fault for each, effective at MID, cleared then."""
    return made.fact(injected=tuple(InjectedFact(f"f{i}", "", MID, at) for i, at in enumerate(cleared)))


def reset(made: Made, row: str, cycle: int) -> Made:
    """Somebody clears a row."""
    return made.fact(resets=(*made.facts.resets, ResetFact(row, cycle)))


def held(made: Made, first: int, last: int) -> Made:
    """A hold without a trip: no permit, no pulses."""
    return made.dark(first, last)


def reread(made: Made, by: float, first: int = FIRST, last: int = LAST) -> Made:
    """The journal is off by so much."""
    return made.add("record_mu", first, last, by)


VIOLATED: dict[str, dict[str, Alter]] = {
    "SI-26": {
        "a latched row clears by itself": lambda m: m.trip(MU_DIS, 500, 600),
        "reset before it tripped": lambda m: reset(m.trip(MU_DIS, 500, 600), "MU_DIS", 450),
        "another row was reset": lambda m: reset(m.trip(MU_DIS, 500, 600), "MLC_POS", 600),
        "a routine row clears after 100 ms": lambda m: m.trip(MLC_POS, 500, 510),
        "a routine row clears after 6 s": lambda m: m.trip(MLC_POS, 380, 990),
    },
    "SI-27": {
        "a row is not looked at": lambda m: m.set("evaluated", 500, CYCLES, 4),
        "nothing is looked at for 30 ms": lambda m: m.set("evaluated", 500, 503, 0),
        "a cycle is missing": lambda m: m.add("cycle", 500, CYCLES, 1).add("clock", 500, CYCLES, 1),
        "the clock jumps": lambda m: m.add("clock", 500, CYCLES, -40),
    },
    "SI-28": {
        "the permit falls, and nobody knows why": lambda m: held(m, MID, MID + 20),
        "the permit falls behind an old frame, and nobody knows why": lambda m: held(m, MID, MID + 20).flag(
            Flag.OLD, MID - 3, MID + 3),
        "a trip half a second later": lambda m: held(m, MID, MID + 60).know(Cause(MID + 50, "MU_DIS", "why")),
        "a trip without a text": lambda m: held(m, MID, MID + 20).know(Cause(MID - 1, "MU_DIS", "")),
        "the channel falls, and nobody knows why": lambda m: m.dark(MID + 1, LAST).flag(Flag.CHANNEL, MID, CYCLES, on=False),
    },
    "SI-30": {
        "the journal stands still": lambda m: m.set("record_mu", MID, CYCLES, 9.4),
        "the journal is 2 MU ahead": lambda m: reread(m, 2.0),
        "the journal starts at nought": lambda m: reread(m, -5.0, MID),
        "less on paper than was given": lambda m: m.fact(beams=(beam_fact(recorded_mu=MU - 0.6),)),
        "more on paper than was given": lambda m: m.fact(beams=(beam_fact(recorded_mu=MU + 0.6),)),
    },
    "LV-1": {
        "MU_DIS without a reason": lambda m: m.trip(MU_DIS, MID),
        "an emergency stop that nobody pressed": lambda m: m.trip(ESTOP, 600),
        "a trip for one cycle": lambda m: m.trip(MU_DIS, 600, 601),
    },
    "LV-2": {
        "stuck": lambda m: m.fact(ended="stuck"),
        "stuck although the fault was cleared": lambda m: faults(m, 300).fact(ended="stuck"),
        "stuck with two faults": lambda m: faults(m, 300, 310).fact(ended="stuck"),
    },
    "LV-3": {
        "8 s in MOVE with a limit of 5": lambda m: m.set("phase", 100, 900, MOVE).fact(longest_state_s=5.0),
        "a beam without end": lambda m: m.set("phase", ON, CYCLES, BEAM).fact(longest_state_s=8.0),
        "a phase that nobody knows": lambda m: m.set("phase", 0, CYCLES, 7).fact(longest_state_s=9.0),
    },
}

NEAR: dict[str, dict[str, Alter]] = {
    "SI-26": {
        "reset by hand": lambda m: reset(m.trip(MU_DIS, 500, 600), "MU_DIS", 599),
        "a routine row clears after 200 ms": lambda m: m.trip(MLC_POS, 500, 520),
        "in force to the end": lambda m: m.trip(MU_DIS, 500),
        "a routine row clears after 5 s": lambda m: m.trip(MLC_POS, 400, 901),
    },
    "SI-27": {
        "one cycle short": lambda m: m.set("evaluated", 500, 501, 4),
        "short, and it tripped": lambda m: m.set("evaluated", 500, CYCLES, 4).trip(MU_DIS, 501),
        "dead, so nothing is looked at": lambda m: m.flag(Flag.ALIVE, 500, CYCLES, on=False).set("evaluated", 500, CYCLES, 0).set(
            "clock", 500, CYCLES, 499),
    },
    "SI-28": {
        "a trip in the cycle before": lambda m: m.trip(MU_DIS, MID),
        "a hold that is on record": lambda m: held(m, MID, MID + 20).know(Cause(MID - 1, "hold", "motion without dose"),
                                                                                Cause(LAST, "beam 1 stopped", "left")),
        "the end of the dose": lambda m: m,
        "a wire that was stuck falls when no beam can come of it": lambda m: m.trip(MU_DIS, MID - 10).flag(
            Flag.PERMIT, MID - 9, MID + 20).flag(Flag.HV_ON, MID - 9, CYCLES, on=False),
        "old frames without a permit": lambda m: m.flag(Flag.OLD, MID, MID + 2).dark(MID, MID + 2),
        "the channel opens on a controller that does not answer": lambda m: m.flag(Flag.HEARTBEAT, MID - 5, CYCLES, on=False).dark(
            MID, LAST),
        "the controller dies in the cycle in which the channel falls": lambda m: m.flag(Flag.ALIVE, MID, CYCLES, on=False).dark(
            MID + 1, LAST).flag(Flag.CHANNEL, MID, CYCLES, on=False),
        "the controller is dead": lambda m: m.flag(Flag.ALIVE, MID - 5, CYCLES, on=False).dark(MID, LAST),
    },
    "SI-30": {
        "0.9 MU behind": lambda m: reread(m, -0.9),
        "0.09 MU ahead": lambda m: reread(m, 0.09),
        "0.4 MU less on paper": lambda m: m.fact(beams=(beam_fact(recorded_mu=MU - 0.4),)),
        "a gain fault": lambda m: faults(reread(m, -1.9, MID), None),
    },
    "LV-1": {
        "a routine hold": lambda m: m.trip(MLC_POS, MID, MID + 30),
        "a fault was injected": lambda m: faults(m, None),
        "a device outside has gone": lambda m: m.trip(MU_DIS, MID).fact(outside=("couch",)),
        "a device outside, and nothing tripped": lambda m: m.fact(outside=("couch",)),
        "nothing at all": lambda m: m,
    },
    "LV-2": {
        "completed": lambda m: m,
        "abandoned after its fault": lambda m: faults(m, 300).fact(ended="abandoned"),
        "completed after two faults": lambda m: faults(m, 300, 310),
    },
    "LV-3": {
        "4 s in MOVE with a limit of 5": lambda m: m.set("phase", 500, 900, MOVE).fact(longest_state_s=5.0),
        "idle for ever": lambda m: m.fact(longest_state_s=3.0),
        "twice 4 s": lambda m: m.set("phase", 100, 500, MOVE).set("phase", 501, 900, MOVE).fact(longest_state_s=5.0),
    },
}


@pytest.mark.parametrize("name, alter", cases(VIOLATED))
def test_the_referee_flags(name: str, alter: Alter) -> None:
    assert (found := judged(name, alter)).outcome == "violated", found


@pytest.mark.parametrize("name, alter", cases(NEAR))
def test_the_referee_does_not_flag(name: str, alter: Alter) -> None:
    assert (found := judged(name, alter)).outcome != "violated", found


@pytest.mark.parametrize("name", sorted(VIOLATED))
def test_there_are_three_of_each(name: str) -> None:
    assert len(VIOLATED[name]) >= 3 and len(NEAR[name]) >= 3


@pytest.mark.parametrize(("mode", "at", "outcome"), [
    ("CTL-09", 500, "held"), ("CTL-09", 499, "violated"), ("CTL-09", 501, "violated"), ("CTL-08", 500, "violated")])
def test_a_counter_may_jump_in_the_cycle_in_which_a_fault_sets_it_and_in_no_other(mode: str, at: int, outcome: str) -> None:
    made = Made().add("clock", 500, CYCLES, -40).fact(injected=(InjectedFact("f", mode, at),))
    assert made.verdict("SI-27").outcome == outcome


@pytest.mark.parametrize(("jump", "outcome"), [(10, "held"), (9, "violated"), (11, "violated")])
def test_who_was_away_comes_back_and_knows_what_time_it_is(jump: int, outcome: str) -> None:
    made = Made().flag(Flag.ALIVE, 500, 510, on=False).set("clock", 500, 510, int(Made().rows["clock"][499]))
    made = made.add("clock", 510, CYCLES, jump - 10)
    assert made.verdict("SI-27").outcome == outcome


def test_what_people_do_to_a_machine_is_no_false_trip() -> None:
    made = Made().trip(ESTOP, 600).fact(provoked=("press_estop",))
    assert made.verdict("LV-1").outcome == "not_applicable"
    assert Made().trip(ESTOP, 600).verdict("LV-1").outcome == "violated"


def test_dose_is_what_the_trace_says() -> None:
    assert np.diff(Made().rows["total_mu"]).max() == pytest.approx(PER_CYCLE)
