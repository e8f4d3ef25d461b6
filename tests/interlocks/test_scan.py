"""The scan by itself: rows made by hand, so that every comparison in it is looked at from both sides."""

from typing import Any

import numpy as np
import pytest

from linac_ctl.control.phases import Phase
from linac_ctl.interlocks.scan import (
    EVERY,
    PHASES,
    ROW,
    escalate,
    in_force,
    judge,
    latch_differences,
    new_rows,
    scan,
    watching,
)

BEAM, MOVE = int(Phase.BEAM), int(Phase.MOVE)
NAN = float("nan")


def rows(n: int = 1, **fields: Any) -> Any:
    """Rows that are fine up to 2.0, look in BEAM, trip at once, latch."""
    it = new_rows(n)
    values = {"signal": 0, "sense": 1.0, "threshold": 2.0, "debounce": 1, "phases": BEAM, "reaction": 2, "latched": 1,
              "clear_cycles": 1, "escalates_to": 16} | fields
    for name, value in values.items():
        it[name] = value
    return it


def run(it: Any, *values: float, phase: int = BEAM, start: int = 1) -> list[tuple[int, int]]:
    """(reactions, changed) of each cycle, with signal 0 at these values."""
    out = []
    for i, value in enumerate(values):
        reactions, changed, evaluated = scan(it, np.array([value, 0.0, 5.0]), phase, start + i)
        assert evaluated == len(it)
        out.append((int(reactions), int(changed)))
    return out


def test_new_rows_are_at_rest() -> None:
    it = new_rows(3)
    assert len(it) == 3 and it.dtype.names == ROW.names
    assert (it["tripped_copy"] == 1).all()
    assert all(not it[name].any() for name in ROW.names if name != "tripped_copy")


@pytest.mark.parametrize(("sense", "threshold", "value", "trips"), [
    (1.0, 2.0, 1.9, False), (1.0, 2.0, 2.0, False), (1.0, 2.0, 2.1, True), (1.0, 2.0, NAN, True), (1.0, -2.0, -1.9, True),
    (-1.0, 2.0, 2.1, False), (-1.0, 2.0, 2.0, False), (-1.0, 2.0, 1.9, True), (-1.0, 2.0, NAN, True), (-1.0, -2.0, -1.9, False),
    (1.0, 0.0, 0.0, False), (-1.0, 0.0, 0.0, False), (1.0, 0.5, 0.4, False), (1.0, 0.5, 0.6, True),
])
def test_a_row_asks_what_is_fine(sense: float, threshold: float, value: float, trips: bool) -> None:
    it = rows(sense=sense, threshold=threshold)
    assert run(it, value) == [(2, 1) if trips else (0, 0)]
    assert bool(it["tripped"][0]) is trips and int(it["tripped_copy"][0]) == (0 if trips else 1)


def test_a_row_reads_its_own_signal() -> None:
    assert run(rows(signal=2), 0.0) == [(2, 1)]
    assert run(rows(signal=1), 9.0) == [(0, 0)]


@pytest.mark.parametrize("debounce", [1, 2, 5])
def test_a_row_trips_in_the_cycle_of_its_debounce(debounce: int) -> None:
    it = rows(debounce=debounce)
    assert run(it, *[9.0] * (debounce - 1)) == [(0, 0)] * (debounce - 1)
    assert run(it, 9.0, 9.0, start=70) == [(2, 1), (2, 0)]
    assert int(it["first_cycle"][0]) == 70 and it["value"][0] == 9.0 and it["holds"][0] == 1


def test_bad_cycles_count_in_a_row_only() -> None:
    it = rows(debounce=2)
    assert run(it, 9.0, 0.0, 9.0, 0.0, 9.0) == [(0, 0)] * 5
    assert (int(it["bad_cycles"][0]), int(it["good_cycles"][0])) == (1, 0)
    run(it, 0.0, 0.0)
    assert (int(it["bad_cycles"][0]), int(it["good_cycles"][0])) == (0, 2)


def test_first_cycle_and_value_are_those_of_the_trip() -> None:
    it = rows()
    run(it, 3.0, 4.0, 5.0, start=10)
    assert int(it["first_cycle"][0]) == 10 and it["value"][0] == 3.0 and it["holds"][0] == 1


def test_a_row_looks_only_in_its_phases() -> None:
    it = rows(phases=BEAM | MOVE)
    assert run(it, 9.0, phase=int(Phase.READY)) == [(0, 0)]
    assert run(it, 9.0, phase=MOVE) == [(2, 1)]
    assert run(it, 9.0, phase=int(Phase.IDLE)) == [(2, 0)]  # a latch is in force in every phase


def test_phases_are_those_that_exist() -> None:
    assert PHASES == (1, 2, 4, 8, 16) and EVERY == -1
    for phase in range(-2, 70):
        assert watching(phase) == (phase if phase in PHASES else -1)


@pytest.mark.parametrize("phase", [0, 3, 17, 32, -1, 1 << 40])
def test_in_a_phase_that_does_not_exist_every_row_looks(phase: int) -> None:
    for phases in PHASES:
        assert run(rows(phases=phases), 9.0, phase=phase) == [(2, 1)]


def test_a_latched_row_stays() -> None:
    assert run(rows(), 9.0, *[0.0] * 50) == [(2, 1)] + [(2, 0)] * 50


@pytest.mark.parametrize("clear", [1, 3])
def test_a_row_without_latch_clears_after_its_good_cycles(clear: int) -> None:
    it = rows(latched=0, clear_cycles=clear)
    assert run(it, 9.0, *[0.0] * clear, 0.0) == [(2, 1)] + [(2, 0)] * (clear - 1) + [(0, 1), (0, 0)]
    assert int(it["tripped_copy"][0]) == 1
    assert run(it, 9.0) == [(2, 1)] and it["holds"][0] == 2


def test_good_cycles_before_a_trip_do_not_clear_it() -> None:
    it = rows(latched=0, clear_cycles=3, debounce=1)
    assert run(it, *[0.0] * 10, 9.0, 0.0, 0.0, 0.0) == [(0, 0)] * 10 + [(2, 1), (2, 0), (2, 0), (0, 1)]


def test_more_trips_than_allowed_escalate() -> None:
    it = rows(latched=0, most_holds=2)
    assert run(it, *[9.0, 0.0] * 2) == [(2, 1), (0, 1)] * 2
    assert run(it, 9.0) == [(2 | 16, 2)]  # tripped and escalated in one cycle: two changes
    assert run(it, *[0.0] * 30) == [(18, 0)] * 30
    assert int(it["escalated"][0]) == 1 and int(it["tripped"][0]) == 1


def test_a_limit_of_zero_trips_is_no_limit() -> None:
    it = rows(latched=0)
    assert run(it, *[9.0, 0.0] * 50) == [(2, 1), (0, 1)] * 50


def test_a_trip_that_lasts_escalates_in_the_cycle_of_its_limit() -> None:
    it = rows(latched=0, longest=4, clear_cycles=2)
    assert run(it, *[9.0] * 6, start=100) == [(2, 1), (2, 0), (2, 0), (2, 0), (18, 1), (18, 0)]


def test_a_trip_that_ended_in_time_does_not_escalate_later() -> None:
    it = rows(latched=0, longest=4)
    run(it, 9.0, 9.0, 9.0, 0.0, *[0.0] * 10)
    assert int(it["escalated"][0]) == 0
    assert run(it, 9.0, 9.0, start=200) == [(2, 1), (2, 0)]  # counted from its own first cycle


def test_the_shortest_limit_is_one_cycle() -> None:
    assert run(rows(latched=0, longest=1), 9.0, 9.0) == [(2, 1), (18, 1)]


def test_a_limit_of_zero_cycles_is_no_limit() -> None:
    it = rows(latched=0)
    run(it, *[9.0] * 100)
    assert int(it["escalated"][0]) == 0


def test_a_row_that_is_not_tripped_does_not_escalate() -> None:
    it = rows(latched=0, most_holds=2, longest=1, holds=9)
    assert run(it, *[0.0] * 5) == [(0, 0)] * 5
    assert escalate(it[0], 50) == 0


def test_an_escalated_row_escalates_once_and_never_clears() -> None:
    it = rows(latched=0, most_holds=1, holds=1)
    assert run(it, 9.0, 9.0, *[0.0] * 9) == [(18, 2), (18, 0)] + [(18, 0)] * 9


def test_an_escalated_row_acts_even_if_its_trip_is_gone() -> None:
    it = rows(escalated=1)
    assert run(it, 0.0) == [(16, 0)]


def test_reactions_add_up_and_changes_are_counted() -> None:
    it = rows(4)
    it["reaction"], it["phases"] = [1, 2, 4, 8], [BEAM, BEAM, BEAM, MOVE]
    assert run(it, 9.0) == [(7, 3)]
    assert run(it, 9.0, phase=MOVE) == [(15, 1)]


@pytest.mark.parametrize(("tripped", "other", "acts"), [(0, 1, 0), (1, 0, 1), (1, 1, 1), (0, 0, 1), (5, 1, 1), (0, 2, 1)])
def test_either_copy_of_the_latch_is_enough(tripped: int, other: int, acts: int) -> None:
    it = rows(2)
    it["tripped"][0], it["tripped_copy"][0] = tripped, other
    assert in_force(it[0]) == acts
    assert run(it, 0.0)[0][0] == 2 * acts
    assert latch_differences(it) == (0 if tripped + other == 1 else 1)


@pytest.mark.parametrize(("latched", "holds", "acts"), [(1, 1, 1), (1, 0, 0), (0, 1, 0)])
def test_a_latch_that_lost_both_copies_is_in_force_by_the_count_of_its_trips(latched: int, holds: int, acts: int) -> None:
    it = rows(2, latched=latched)
    it["holds"][0] = holds
    assert in_force(it[0]) == acts == latch_differences(it)


@pytest.mark.parametrize("field", ["tripped", "tripped_copy"])
@pytest.mark.parametrize(("latched", "acts"), [(1, 1), (0, 0)])
def test_a_latch_whose_copies_differed_once_stays_in_force_when_they_agree_again(field: str, latched: int, acts: int) -> None:
    it = rows(2, latched=latched)
    it[field][0] ^= 1
    run(it, 0.0)
    it[field][0] ^= 1
    assert run(it, 0.0)[0][0] == 2 * acts and in_force(it[0]) == acts == latch_differences(it)
    assert int(it["holds"][0]) == acts and int(it["holds"][1]) == 0


def test_copies_that_differ_do_not_make_fewer_of_the_trips_that_were_counted() -> None:
    it = rows(2, latched=1)
    it["holds"][0], it["tripped_copy"][0] = 3, 0
    run(it, 0.0)
    assert int(it["holds"][0]) == 3


def test_a_copy_is_not_repaired_by_the_scan() -> None:
    it = rows(3)
    it["tripped_copy"][1] = 0
    run(it, *[0.0] * 20)
    assert latch_differences(it) == 1 and int(it["tripped_copy"][1]) == 0
    clearing = rows(latched=0)
    clearing["tripped_copy"] = 0
    run(clearing, *[0.0] * 5)
    assert latch_differences(clearing) == 1
    it["tripped"][2] = 1
    assert latch_differences(it) == 2


def test_judge_says_whether_its_row_changed() -> None:
    it = rows(latched=0)
    assert judge(it[0], np.array([9.0]), BEAM, 1) == 1
    assert judge(it[0], np.array([9.0]), BEAM, 2) == 0
    assert judge(it[0], np.array([0.0]), BEAM, 3) == 1
