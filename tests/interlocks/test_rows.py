"""Every row of the table at its limit: just inside, at it, just outside, not a number, and where it is not watched."""

import math
from typing import Any

import numpy as np
import pytest

from device_models.interface.image import DT_S
from linac_ctl.control.phases import Phase, Reaction
from linac_ctl.control.signals import N_SIGNALS, signal_index
from linac_ctl.interlocks.scan import scan
from linac_ctl.interlocks.table import Interlock, compile_table
from tests.control.rig import table

TABLE = table()
ROWS = [pytest.param(i, row, id=row.id) for i, row in enumerate(TABLE.rows)]
LATCHED = [p for p in ROWS if TABLE.latched(p.values[1])]
CLEARING = [p for p in ROWS if not TABLE.latched(p.values[1])]
LIMITED = [p for p in ROWS if p.values[1].phases]
ROUTINE = [p for p in ROWS if p.values[1].kind == "R"]
NAN = float("nan")
STEP = 1e-9


class Bench:
    """One row of the real table by itself, with a vector of signals and a clock."""

    def __init__(self, index: int, row: Interlock) -> None:
        self.rows, self.signal = compile_table(TABLE)[index : index + 1].copy(), signal_index(row.signal)
        self.row, self.signals, self.cycle = row, np.full(N_SIGNALS, NAN), 0
        self.phase = watched(row)
        self.reactions = self.changed = self.evaluated = 0
        self.changes: list[int] = []

    def run(self, value: float, cycles: int = 1) -> None:
        """So many cycles in which the signal has this value."""
        self.signals[self.signal] = value
        for _ in range(cycles):
            self.cycle += 1
            self.reactions, self.changed, self.evaluated = scan(self.rows, self.signals, int(self.phase), self.cycle)
            self.changes += [self.cycle] * self.changed

    @property
    def tripped(self) -> bool:
        return bool(self.rows["tripped"][0])

    @property
    def good(self) -> float:
        """At the limit, which is fine."""
        return self.row.threshold

    @property
    def bad(self) -> float:
        """Well past it."""
        return past(self.row, 1.0)

    def trip(self) -> None:
        self.run(self.bad, self.row.debounce)
        assert self.tripped


def watched(row: Interlock) -> Phase:
    """A phase in which the row is looked at."""
    return Phase[row.phases[-1].upper()] if row.phases else Phase.IDLE


def past(row: Interlock, far: float) -> float:
    """So far outside the limit; negative: inside."""
    return row.threshold + far if row.sense == "<=" else row.threshold - far


def class_default(row: Interlock, name: str) -> Any:
    return getattr(TABLE.classes[row.kind], name)


@pytest.mark.parametrize(("index", "row"), ROWS)
def test_inside_and_at_its_limit_a_row_never_trips(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    for value in (past(row, -STEP), row.threshold, past(row, -1e3), -math.inf if row.sense == "<=" else math.inf):
        bench.run(value, row.debounce + 3)
    assert not bench.tripped and bench.changes == [] and bench.reactions == 0


@pytest.mark.parametrize(("index", "row"), ROWS)
@pytest.mark.parametrize("far", [STEP, 1.0, NAN, math.inf])
def test_outside_its_limit_or_without_a_number_a_row_trips_after_its_debounce(index: int, row: Interlock, far: float) -> None:
    bench = Bench(index, row)
    value = past(row, far)
    bench.run(value, row.debounce - 1)
    assert not bench.tripped and bench.reactions == 0  # one cycle short
    bench.run(value)
    assert bench.tripped and bench.changes == [row.debounce]
    seen = float(bench.rows["value"][0])
    assert seen == value or (math.isnan(seen) and math.isnan(value))
    assert int(bench.rows["first_cycle"][0]) == row.debounce


@pytest.mark.parametrize(("index", "row"), ROWS)
def test_one_good_cycle_starts_the_debounce_again(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    for _ in range(3):
        bench.run(bench.bad, row.debounce - 1)
        bench.run(bench.good)
    assert not bench.tripped
    assert row.debounce == 1 or bench.rows["bad_cycles"][0] == 0


@pytest.mark.parametrize(("index", "row"), LIMITED)
def test_a_row_does_not_look_in_phases_that_it_does_not_name(index: int, row: Interlock) -> None:
    for phase in Phase:
        bench = Bench(index, row)
        bench.phase = phase
        bench.run(NAN, row.debounce + 2)
        assert bench.tripped is (phase.name is not None and phase.name.lower() in row.phases)


@pytest.mark.parametrize(("index", "row"), ROWS)
@pytest.mark.parametrize("phase", [0, 3, 12, 32, 255, -1])
def test_in_a_phase_that_does_not_exist_every_row_looks(index: int, row: Interlock, phase: int) -> None:
    bench = Bench(index, row)
    bench.phase = phase  # type: ignore[assignment]
    bench.run(bench.bad, row.debounce)
    assert bench.tripped


@pytest.mark.parametrize(("index", "row"), ROWS)
def test_the_reaction_of_a_trip_is_the_rows_own_or_its_classes(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    bench.trip()
    names = row.reaction or class_default(row, "reaction")
    assert bench.reactions == sum(int(Reaction[name.upper()]) for name in names)
    assert bench.evaluated == 1


@pytest.mark.parametrize(("index", "row"), LATCHED)
def test_a_latched_row_stays_whatever_its_signal_and_phase_do(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    bench.trip()
    reactions = bench.reactions
    bench.run(bench.good, 2000)
    for phase in Phase:
        bench.phase = phase
        bench.run(bench.good, 100)
    assert bench.tripped and bench.reactions == reactions and len(bench.changes) == 1


@pytest.mark.parametrize(("index", "row"), CLEARING)
def test_a_row_that_clears_does_so_after_its_good_cycles_and_not_one_earlier(index: int, row: Interlock) -> None:
    clear = row.clear_cycles or class_default(row, "clear_cycles")
    bench = Bench(index, row)
    bench.trip()
    bench.run(bench.good, clear - 1)
    assert bench.tripped and bench.reactions != 0
    bench.run(bench.good)
    assert not bench.tripped and bench.reactions == 0
    assert bench.changes == [row.debounce, row.debounce + clear]


@pytest.mark.parametrize(("index", "row"), [p for p in CLEARING if (p.values[1].clear_cycles or 1) > 1 or p.values[1].kind == "R"])
def test_one_bad_cycle_starts_the_clearing_again(index: int, row: Interlock) -> None:
    clear = row.clear_cycles or class_default(row, "clear_cycles")
    bench = Bench(index, row)
    bench.trip()
    bench.run(bench.good, clear - 1)
    bench.run(bench.bad)
    bench.run(bench.good, clear - 1)
    assert bench.tripped


def longest(row: Interlock) -> int:
    """Cycles for which a hold of this row may last."""
    return round((class_default(row, "longest_s") if row.longest_s is None else row.longest_s) / DT_S)


def test_only_a_gate_may_hold_as_often_as_it_likes() -> None:
    assert [row.id for row in TABLE.rows if row.most_holds is not None] == ["GATE"]


@pytest.mark.parametrize(("index", "row"), [p for p in ROUTINE if p.values[1].most_holds == 0])
def test_a_hold_without_a_count_never_escalates_by_being_one_more(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    for _ in range(200):
        bench.trip()
        assert bench.reactions == int(Reaction.BEAM_HOLD)
        bench.run(bench.good, row.clear_cycles or class_default(row, "clear_cycles"))
        assert not bench.tripped and bench.reactions == 0


@pytest.mark.parametrize(("index", "row"), [p for p in ROUTINE if p.values[1].most_holds is None])
def test_a_hold_escalates_the_eleventh_time_in_a_field(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    for _ in range(10):
        bench.trip()
        assert bench.reactions == int(Reaction.BEAM_HOLD)
        bench.run(bench.good, 20)
        assert not bench.tripped and bench.reactions == 0
    bench.trip()
    assert bench.reactions == int(Reaction.BEAM_HOLD | Reaction.BEAM_OFF)
    bench.run(bench.good, 2000)
    assert bench.tripped and bench.reactions & int(Reaction.BEAM_OFF)  # an escalated hold stays


@pytest.mark.parametrize(("index", "row"), ROUTINE)
def test_a_hold_escalates_after_its_longest_time_and_not_one_cycle_earlier(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    bench.trip()
    bench.run(bench.bad, longest(row) - 1)
    assert bench.reactions == int(Reaction.BEAM_HOLD)
    before = len(bench.changes)
    bench.run(bench.bad)
    assert bench.reactions == int(Reaction.BEAM_HOLD | Reaction.BEAM_OFF)
    assert len(bench.changes) == before + 1  # and somebody hears of it
    bench.run(bench.bad, 50)
    assert len(bench.changes) == before + 1  # once
    bench.run(bench.good, 2000)
    assert bench.reactions & int(Reaction.BEAM_OFF)


@pytest.mark.parametrize(("index", "row"), [p for p in ROWS if p.values[1].kind != "R"])
def test_only_routine_holds_escalate(index: int, row: Interlock) -> None:
    bench = Bench(index, row)
    bench.run(bench.bad, 1200)
    assert not bench.rows["escalated"][0] and len(bench.changes) == 1


def test_the_whole_table_in_one_scan_evaluates_every_row() -> None:
    rows = compile_table(TABLE)
    _, _, evaluated = scan(rows, np.full(N_SIGNALS, NAN), int(Phase.BEAM), 1)
    assert evaluated == len(TABLE.rows)


def test_nothing_known_at_all_means_no_beam_in_every_phase() -> None:
    for phase in Phase:
        rows, signals = compile_table(TABLE), np.full(N_SIGNALS, NAN)
        for cycle in range(1, 501):
            reactions, _, _ = scan(rows, signals, int(phase), cycle)
        assert reactions & int(Reaction.BEAM_OFF) and reactions & int(Reaction.MOTION_STOP)


def test_reactions_of_several_rows_add_up() -> None:
    rows, signals = compile_table(TABLE), np.full(N_SIGNALS, NAN)
    reactions, changed, _ = scan(rows, signals, int(Phase.READY), 1)
    at_once = [r for r in TABLE.rows if r.debounce == 1 and (not r.phases or "ready" in r.phases)]
    wanted = 0
    for row in at_once:
        for name in TABLE.reactions(row):
            wanted |= int(Reaction[name.upper()])
    assert (reactions, changed) == (wanted, len(at_once))
