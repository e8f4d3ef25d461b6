"""Section A on traces made by hand: for every property at least three that violate it, and three near misses."""

from dataclasses import replace

import numpy as np
import pytest

from device_models.referee.columns import Flag
from device_models.referee.judging.facts import InjectedFact
from tests.referee.made import (
    ARMED,
    BEAM,
    CYCLES,
    FIRST,
    IMAGED,
    LAST,
    MLC_POS,
    MU,
    MU_DIS,
    OFF,
    ON,
    PER_CYCLE,
    READY,
    READY_PHASE,
    STOPPED,
    Alter,
    Made,
    approval,
    beam_fact,
    cases,
    judged,
    shrinks,
)

MID = 250


def faulty(made: Made, n: int = 1, mode: str = "", cycle: int = 0) -> Made:
    """So many faults, effective from `cycle` on."""
    return made.fact(injected=tuple(InjectedFact(f"f{i}", mode, cycle) for i in range(n)))


def tail(made: Made, cycles: int, mu: float = PER_CYCLE) -> Made:
    """The beam goes on for so many cycles after its end."""
    return made.pulses(LAST, LAST + cycles, 4, mu).flag(Flag.PERMIT, LAST, LAST + cycles)


def gap(made: Made, flag: Flag, cycles: int) -> Made:
    """These bits are missing for so many cycles in the middle of the beam."""
    return made.flag(flag, MID, MID + cycles, on=False)


def rearmed(made: Made, cycle: int) -> Made:
    """Armed once more, counters kept."""
    return made.flag(Flag.ARM, cycle, cycle + 2)


def late_phase(made: Made, cycles: int) -> Made:
    """The controller believes for so long that it is not treating."""
    return made.set("phase", MID, MID + cycles, READY_PHASE)


def split(made: Made, by: float, cycles: int, *, dark: int) -> Made:
    """Chamber 2 is off by so much for so long; the beam stops so many cycles after the first of it."""
    made.dark(MID + dark, LAST)
    return made.add("mu_2", MID, MID + cycles, by)


def burst(made: Made, mu: float, cycles: int, *, dark: bool = True) -> Made:
    """So much dose in each of so many cycles, then none."""
    made.pulses(MID, MID + cycles, 4, mu)
    return made.dark(MID + cycles, LAST) if dark else made


def back(made: Made, row: int, cycles: int, *, away: int = 20) -> Made:
    """A trip ends the beam; so many cycles later it is back for a while."""
    return made.trip(row, MID).pulses(MID + 1 + away, MID + 1 + away + cycles, 4, PER_CYCLE)


def stuck_on_old(made: Made, cycles: int) -> Made:
    """Readings get old, the permit falls, and pulses go on for so many cycles."""
    made.set("age_cycles", MID, MID + 10, 4).flag(Flag.HV_ON, MID, CYCLES, on=False)
    return made.flag(Flag.PERMIT, MID, LAST, on=False).dark(MID + cycles, LAST)


def paused(made: Made) -> Made:
    """A hold of 200 ms in the middle of the beam."""
    return made.trip(MLC_POS, MID, MID + 20)


VIOLATED: dict[str, dict[str, Alter]] = {
    "SI-01": {
        "pulses 20 ms after a trip": lambda m: m.trip(MU_DIS, MID, react=False).dark(MID + 3, LAST),
        "a hold that holds nothing": lambda m: m.trip(MLC_POS, MID, MID + 50, react=False),
        "the controller says no and beams on": lambda m: m.flag(Flag.INHIBIT, MID, MID + 3),
        "a trigger that sticks in a hold, and nothing stops it": lambda m: faulty(back(m, MLC_POS, 4)),
        "a permit that comes back in a hold, beside another fault": lambda m: faulty(
            back(m, MLC_POS, 1).flag(Flag.PERMIT, MID + 21, MID + 22)),
        "pulses in a hold, and nothing is wrong": lambda m: back(m, MLC_POS, 1),
        "the beam goes on with a fault": lambda m: faulty(m.trip(MLC_POS, MID, react=False).dark(MID + 4, LAST)),
        "the contactor ignores the chain": lambda m: gap(m, Flag.CHAIN, 2),
    },
    "SI-02": {
        "one pulse without a permit": lambda m: gap(m, Flag.PERMIT, 1),
        "one pulse with a permit of the cycle before last": lambda m: m.flag(Flag.OLD, MID, MID + 1),
        "one pulse past the channel": lambda m: gap(m, Flag.CHANNEL, 1),
        "permit one cycle before the first pulse": lambda m: m.flag(Flag.PERMIT, ON, FIRST - 1, on=False),
        "a stuck trigger that nothing stops": lambda m: faulty(gap(m, Flag.PERMIT, 4)),
    },
    "SI-03": {
        "pulses in READY": lambda m: late_phase(m, 3),
        "pulses after STOPPED": lambda m: m.set("phase", MID, CYCLES, STOPPED),
        "the session changes during the beam": lambda m: m.set("session", MID, CYCLES, 6),
        "a stuck permit that nothing stops": lambda m: faulty(late_phase(m, 6)),
        "a beam that was never armed": lambda m: m.flag(Flag.ARM, ARMED, ARMED + 2, on=False),
    },
    "SI-04": {
        "no approval at all": lambda m: m.set("token_cycle", 0, CYCLES, -1),
        "images of 16 minutes ago": lambda m: m.add("cycle", READY, CYCLES, 96_000),
        "another patient's approval": lambda m: m.fact(approvals=(approval(patient="q"),)),
        "another plan's approval": lambda m: m.fact(approvals=(approval(plan="old"),)),
        "the couch 1.2 mm off": lambda m: m.add("couch", READY, CYCLES, [1.2, 0, 0, 0, 0, 0]),
        "the couch turned by 0.6 deg": lambda m: m.add("couch", READY, CYCLES, [0, 0, 0, 0.6, 0, 0]),
        "1.6 mm off for a moment": lambda m: m.add("couch", MID, MID + 2, [0, 1.6, 0, 0, 0, 0]),
    },
    "SI-05": {
        "0.5 MU too much without a fault": lambda m: tail(m, 5),
        "2 MU too much with one": lambda m: faulty(tail(m, 20)),
        "6 MU too much with two": lambda m: faulty(tail(m, 60), 2),
        "the plan says less": lambda m: m.fact(beams=(beam_fact(mu=19.5),)),
        "an earlier run has given some": lambda m: m.fact(beams=(beam_fact(start_mu=2.0),)),
    },
    "SI-06": {
        "30 ms past the second preset": lambda m: tail(m, 15),
        "a backup that counts double": lambda m: m.add("backup_mu", MID, CYCLES, 15.0),
        "half a second past it": lambda m: tail(m, 50),
    },
    "SI-07": {
        "1.2 MU apart, 50 ms of beam": lambda m: split(m, 1.2, 100, dark=5),
        "a dead second chamber": lambda m: m.set("mu_2", MID, CYCLES, 0.0),
        "a chamber that is no number": lambda m: m.set("mu_2", MID, CYCLES, np.nan),
        "beam again after agreement came back": lambda m: m.dark(MID + 2, MID + 8).add("mu_2", MID, MID + 4, 1.2),
    },
    "SI-08": {
        "twice the rate for 200 ms": lambda m: burst(m, 0.3, 20),
        "a burst of 3 MU": lambda m: burst(m, 1.0, 3),
        "30 % too fast to the end": lambda m: burst(m, 0.13, 100, dark=False),
    },
    "SI-09": {
        "planned for a second": lambda m: m.fact(beams=(beam_fact(planned_s=0.5),)),
        "the beam crawls for 10 s": lambda m: m.pulses(FIRST, 900, 1, MU / (900 - FIRST)).flag(Flag.PERMIT, ON, 900).fact(
            beams=(beam_fact(planned_s=2.0),)),
        "no time was planned": lambda m: m.fact(beams=(beam_fact(planned_s=0.0),)),
    },
    "SI-10": {
        "the wrong filter from the first pulse on": lambda m: m.set("place", 0, CYCLES, 1),
        "the carousel leaves during the beam": lambda m: m.set("place", MID, CYCLES, -1),
        "energy 4 % off": lambda m: m.set("energy", MID, CYCLES, 1.04),
        "the filter is late by one pulse": lambda m: m.set("place", 0, FIRST + 1, -1),
        "a block in the tray": lambda m: m.set("accessory", 0, CYCLES, 3),
        "another mode than the plan's": lambda m: m.set("mode", 0, CYCLES, 1).set("place", 0, CYCLES, 1),
    },
    "SI-11": {
        "edited after arming": lambda m: m.set("prescription", READY, CYCLES, 78),
        "the channel still has the old preset": lambda m: m.set("loaded_mu", 0, CYCLES, 18.0),
        "both have another preset than the plan": lambda m: m.set("loaded_mu", 0, CYCLES, 21.0).set("preset_mu", 0, CYCLES, 21.0),
        "armed for 30 ms after an edit": lambda m: m.dark(0, CYCLES).pulses(FIRST, FIRST + 5, 4, 0.1).set(
            "prescription", 200, CYCLES, 78).set("phase", 200, 205, READY_PHASE),
    },
    "SI-12": {
        "60 ms without an answer": lambda m: gap(m, Flag.HEARTBEAT, 6),
        "60 ms without a controller": lambda m: gap(m, Flag.ALIVE, 6),
        "a controller that never was": lambda m: m.flag(Flag.HEARTBEAT, 0, CYCLES, on=False),
    },
    "SI-13": {
        "beam 20 ms after a reading was 30 ms old": lambda m: m.set("age_cycles", MID, MID + 2, [3, 4]),
        "a trigger that sticks goes on for 40 ms": lambda m: faulty(stuck_on_old(m, 4)),
        "a permit that stays with old readings and a fault": lambda m: faulty(m.set("age_cycles", MID, MID + 2, [3, 4])),
        "a node that died before": lambda m: m.set("age_cycles", READY, CYCLES, 50),
        "high voltage on lost readings": lambda m: m.dark(MID, LAST).set("age_cycles", MID, MID + 4, 12),
    },
    "SI-14": {
        "beam before the self-test": lambda m: m.set("passed", 0, CYCLES, 0),
        "one check has not acted": lambda m: m.set("passed", TESTED_AT, CYCLES, 31),
        "power back, and straight on": lambda m: m.flag(Flag.MAINS, 200, 205, on=False),
    },
    "SI-15": {
        "two starts under one arming": lambda m: m.set("phase", 170, 175, READY_PHASE),
        "dose given again after a restart": lambda m: m.fact(beams=(beam_fact(start_mu=8.0),)),
        "a counter that loses dose in a hold, and goes on from there": lambda m: paused(m).add("mu_1", MID + 10, CYCLES, -5.0),
        "a counter that falls back": lambda m: m.add("mu_1", MID, CYCLES, -5.0),
        "a fault takes one back, and the beam goes on": lambda m: faulty(m.add("mu_2", MID, CYCLES, -5.0)),
    },
    "SI-29": {
        "permit 30 ms after a trip": lambda m: m.trip(MU_DIS, MID, react=False).dark(MID + 4, LAST),
        "a permit wire that sticks for 70 ms, and nothing else goes": lambda m: faulty(m.trip(MU_DIS, MID).flag(
            Flag.PERMIT, MID, MID + 9)),
        "pulses that come back after a trip, and nothing stops them": lambda m: faulty(back(m, MU_DIS, 4)),
        "a permit that comes back after a trip, beside another fault": lambda m: faulty(
            back(m, MU_DIS, 1).flag(Flag.PERMIT, MID + 21, MID + 22)),
        "pulses that come back after a trip, and nothing is wrong": lambda m: back(m, MU_DIS, 1),
        "a beam that has paused for 40 ms after a trip": lambda m: faulty(back(m, MU_DIS, 1, away=4)),
        "beam for ever after a trip": lambda m: m.trip(MU_DIS, MID, react=False),
        "beam without permit 30 ms after a trip": lambda m: m.trip(MU_DIS, MID, react=False).flag(Flag.PERMIT, MID, LAST, on=False),
    },
}
TESTED_AT = 130

NEAR: dict[str, dict[str, Alter]] = {
    "SI-01": {
        "no pulse after a trip": lambda m: m.trip(MU_DIS, MID),
        "pulses 10 ms after a trip": lambda m: m.trip(MU_DIS, MID, react=False).dark(MID + 2, LAST),
        "a trigger that sticks in a hold is stopped after 30 ms": lambda m: faulty(back(m, MLC_POS, 3)),
        "an interlock before the beam": lambda m: m.trip(MLC_POS, 110, 140),
    },
    "SI-02": {
        "permit just two cycles before the first pulse": lambda m: m.flag(Flag.PERMIT, ON, FIRST - 2, on=False),
        "a pause between pulses": lambda m: m.pulses(MID, MID + 5, 0, 0.0),
        "a stuck trigger fires one cycle after the permit": lambda m: faulty(m.flag(Flag.PERMIT, ON, FIRST - 1, on=False)),
        "a stuck trigger stopped after 30 ms": lambda m: faulty(gap(m, Flag.PERMIT, 3)),
    },
    "SI-03": {
        "pulses in the cycle in which it was stopped": lambda m: m.dark(MID + 1, LAST).set("phase", MID, CYCLES, STOPPED),
        "a stuck permit stopped after 40 ms": lambda m: faulty(late_phase(m, 5)),
        "the session changes after the beam": lambda m: m.set("session", LAST, CYCLES, 6),
        "the controller is dead": lambda m: late_phase(gap(m, Flag.ALIVE, 3), 3),
    },
    "SI-04": {
        "the couch 0.9 mm off": lambda m: m.add("couch", READY, CYCLES, [0.9, 0, 0, 0, 0, 0]),
        "the couch turned by 0.4 deg": lambda m: m.add("couch", READY, CYCLES, [0, 0, 0, 0.4, 0, 0]),
        "1.3 mm off for 50 ms": lambda m: m.add("couch", MID, MID + 5, [0, 1.3, 0, 0, 0, 0]),
        "the couch moves when the beam is over": lambda m: m.add("couch", LAST, CYCLES, [50.0, 0, 0, 0, 0, 0]),
    },
    "SI-05": {
        "0.1 MU too much": lambda m: tail(m, 1),
        "1.4 MU too much with a fault": lambda m: faulty(tail(m, 14)),
        "4 MU too much with two": lambda m: faulty(tail(m, 40), 2),
        "a gain fault may cost 5 MU": lambda m: faulty(tail(m, 40), 1, "DOS-05"),
    },
    "SI-06": {
        "20 ms past the second preset": lambda m: tail(m, 12),
        "just below the second preset": lambda m: tail(m, 9),
        "a backup that counts a little more": lambda m: m.add("backup_mu", MID, CYCLES, 0.9),
    },
    "SI-07": {
        "1.2 MU apart, off 30 ms later": lambda m: split(m, 1.2, 100, dark=4),
        "0.9 MU apart all the time": lambda m: m.add("mu_2", MID, CYCLES, 0.9),
        "apart for one cycle": lambda m: m.add("mu_2", MID, MID + 1, 1.2),
    },
    "SI-08": {
        "10 % too fast": lambda m: burst(m, 0.11, 80),
        "a burst that is stopped at once": lambda m: burst(m, 0.9, 1),
        "full speed in a faster mode": lambda m: m.set("mode", 0, CYCLES, 1).pulses(FIRST, FIRST + 50, 4, 0.4).dark(206, LAST),
    },
    "SI-09": {
        "10 % longer than planned": lambda m: m.fact(beams=(beam_fact(planned_s=1.8),)),
        "a long hold": lambda m: m.dark(MID, MID + 100),
        "a late first pulse": lambda m: m.flag(Flag.PERMIT, READY, ON),
    },
    "SI-10": {
        "energy 2.5 % off": lambda m: m.set("energy", 0, CYCLES, 1.025),
        "the filter leaves with the first pulse": lambda m: m.set("place", FIRST, CYCLES, -1).dark(FIRST + 2, LAST),
        "the filter leaves, and the beam stops in 20 ms": lambda m: m.set("place", MID, CYCLES, -1).dark(MID + 2, LAST),
        "the wrong filter before the beam": lambda m: m.set("place", 0, READY, 1),
    },
    "SI-11": {
        "edited after the beam": lambda m: m.set("prescription", OFF, CYCLES, 78),
        "edited and armed again": lambda m: rearmed(m, READY - 5).set("prescription", READY - 10, CYCLES, 78),
        "a preset on the wire's grid": lambda m: m.set("loaded_mu", 0, CYCLES, 20.0009),
    },
    "SI-12": {
        "50 ms without an answer": lambda m: gap(m, Flag.HEARTBEAT, 5),
        "a second of silence without beam": lambda m: m.flag(Flag.HEARTBEAT | Flag.ALIVE, 400, 500, on=False),
        "50 ms without a controller": lambda m: gap(m, Flag.ALIVE, 5),
    },
    "SI-13": {
        "readings 20 ms old all the time": lambda m: m.set("age_cycles", 0, CYCLES, 2),
        "beam in the cycle in which one gets 30 ms old": lambda m: m.set("age_cycles", MID, MID + 3, [3, 0, 0]),
        "a trigger that sticks is stopped after 30 ms": lambda m: faulty(stuck_on_old(m, 3)),
        "high voltage off with the reading": lambda m: m.dark(MID, LAST).set("age_cycles", MID, MID + 4, 12).flag(
            Flag.HV_ON, MID, CYCLES, on=False),
        "high voltage of a controller that is gone": lambda m: m.dark(MID, LAST).set("age_cycles", MID, MID + 4, 12).flag(
            Flag.ALIVE, MID, CYCLES, on=False),
        "a node dies while nothing is on": lambda m: m.set("age_cycles", 500, 600, 60),
    },
    "SI-14": {
        "passed just before": lambda m: m.set("passed", 0, FIRST - 1, 0),
        "mains dip before arming": lambda m: m.flag(Flag.MAINS, 20, 40, on=False),
        "a check fails after the beam": lambda m: m.set("passed", LAST, CYCLES, 0),
    },
    "SI-15": {
        "stopped, armed again, started again": lambda m: rearmed(m.dark(240, 260).set("phase", 240, 255, READY_PHASE), 245),
        "one reading that is far too high": lambda m: faulty(m.add("mu_1", MID, MID + 1, 500.0)),
        "one reading of a hold that is far too low": lambda m: faulty(paused(m).add("mu_1", MID + 10, MID + 11, -500.0)),
        "noise of one reading": lambda m: m.add("mu_1", MID, MID + 1, -0.1),
        "a fault takes a counter back, off in 20 ms": lambda m: faulty(m.dark(MID + 2, LAST).add("mu_2", MID, CYCLES, -5.0)),
    },
    "SI-29": {
        "permit low in the next cycle": lambda m: m.trip(MU_DIS, MID),
        "a permit wire that sticks, and the channel opens": lambda m: faulty(m.trip(MU_DIS, MID).flag(Flag.PERMIT, MID, LAST).flag(
            Flag.CHANNEL, MID + 3, CYCLES, on=False)),
        "a permit wire that sticks, and the high voltage goes": lambda m: faulty(m.trip(MU_DIS, MID).flag(
            Flag.PERMIT, MID, LAST).flag(Flag.HV_ON, MID + 1, CYCLES, on=False)),
        "permit 20 ms after a trip": lambda m: m.trip(MU_DIS, MID, react=False).dark(MID + 3, LAST),
        "pulses that a fault brings back after a trip, for 30 ms": lambda m: faulty(back(m, MU_DIS, 3)),
        "a trip when nothing is on": lambda m: m.trip(MU_DIS, 500, react=False),
    },
}


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
    shrinks(name, VIOLATED, Made().verdict(name))


def test_faults_beyond_those_it_holds_for_are_left_out() -> None:
    made = faulty(Made().add("couch", READY, CYCLES, [9.0, 0, 0, 0, 0, 0]), 2, cycle=FIRST)
    assert made.verdict("SI-04").outcome == "held"
    assert replace(made.facts, injected=()).effective().size == 0
    assert made.fact(injected=made.facts.injected[:1]).verdict("SI-04").outcome == "violated"


def test_the_healthy_run_is_healthy() -> None:
    made = Made()
    assert made.rows["cycle"][IMAGED] == IMAGED and made.rows["total_mu"][-1] == pytest.approx(MU)
    assert set(np.unique(made.rows["phase"])) == {1, READY_PHASE, BEAM}
