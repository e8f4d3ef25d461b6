"""The controller's own consistency: checksums of the field in hand, second copies, latches, phases."""

from typing import Any

import pytest

from linac_ctl.control.measure_self import measure_self, sum_of_point, sum_up
from linac_ctl.control.phases import Phase
from linac_ctl.control.signals import Signal
from tests.control.bare import Bare

NAN = float("nan")
AXES = ("gantry", "collimator", "jaws", "carriages", "mlc")


class Armed(Bare):
    """A field of three points at 0, 5 and 10 MU, armed, at its second point."""

    def __init__(self, phase: int = Phase.READY) -> None:
        super().__init__()
        t = self.control.trajectory
        t.mu[:], t.stop_mu[:], t.move[:] = [0.0, 5.0, 10.0], [5.0, 5.0, 10.0], [0, 1, 0]
        for k, name in enumerate(AXES):
            getattr(t, name)[:] = 0.5 + k
        t.check[:] = [sum_of_point(t, k) for k in range(3)]
        self.set("job", phase=int(phase), segment=1, mu_end=10.0, preset_mu=10.0, pulse_mu=0.1, half_pulse_mu=0.051, evaluated=5,
                 prescription=42, armed_prescription=42, session=7, armed_session=7)

    def seen(self, signal: Signal) -> float:
        """In this cycle."""
        measure_self(self.job, self.signals, self.control.interlocks, self.control.trajectory)
        return self.signal(signal)


# --- sums

def test_a_row_is_summed_in_thousandths_with_weights_that_tell_places_apart() -> None:
    t = Bare().control.trajectory
    t.jaws[0] = [1.0, 2.0, 0.0, -0.5]
    assert sum_up(t.jaws[0], 5.0) == 6 * 1000 + 7 * 2000 - 9 * 500
    t.jaws[1] = [0.0014, 0.0016, 0.0, 0.0]  # whole thousandths
    assert sum_up(t.jaws[1], 0.0) == 1 * 1 + 2 * 2


@pytest.mark.parametrize(("table", "column", "value", "total"), [
    ("mu", None, 2.0, 2_000_000.0), ("mu", None, 0.0000014, 1.0), ("stop_mu", None, 3.0, 6_000_000.0), ("move", None, 1, 3.0),
    ("gantry", 0, 1.0, 4_000.0), ("collimator", 0, 1.0, 5_000.0),
    ("jaws", 0, 1.0, 6_000.0), ("jaws", 3, 1.0, 9_000.0), ("carriages", 0, 1.0, 10_000.0), ("carriages", 1, 1.0, 11_000.0),
    ("mlc", 0, 1.0, 12_000.0), ("mlc", 3, -2.0, -30_000.0),
])
def test_everything_that_is_to_be_delivered_has_a_weight_in_the_sum_of_its_point(table: str, column: int | None, value: float,
                                                                                 total: float) -> None:
    t = Bare().control.trajectory
    where: Any = getattr(t, table)[1:2] if column is None else getattr(t, table)[1, column : column + 1]
    where[0] = value
    assert [sum_of_point(t, k) for k in range(3)] == [0.0, total, 0.0]


def test_the_parts_of_a_sum_add_up() -> None:
    t = Bare().control.trajectory
    t.mu[1], t.stop_mu[1], t.move[1] = 1.0, 2.0, 1
    for name in AXES:
        getattr(t, name)[1, 0] = 0.001
    assert sum_of_point(t, 1) == 1_000_000 + 4_000_000 + 3 + 4 + 5 + 6 + 10 + 12


# --- what is armed

@pytest.mark.parametrize("phase", [Phase.READY, Phase.BEAM])
def test_a_field_as_it_was_armed_has_not_changed(phase: Phase) -> None:
    assert Armed(phase).seen(Signal.PRESCRIPTION_CHANGED) == 0.0


@pytest.mark.parametrize("phase", [Phase.READY, Phase.BEAM])
@pytest.mark.parametrize(("point", "changed"), [(0, 0.0), (1, 1.0), (2, 1.0)])
@pytest.mark.parametrize("table", [*AXES, "mu", "stop_mu", "move"])
def test_both_points_in_use_have_to_be_what_was_armed(table: str, point: int, changed: float, phase: Phase) -> None:
    armed = Armed(phase)
    getattr(armed.control.trajectory, table)[point] += 1
    assert armed.seen(Signal.PRESCRIPTION_CHANGED) == changed


@pytest.mark.parametrize(("field", "value", "changed"), [
    ("mu_end", 10.0009, 0.0), ("mu_end", 9.9991, 0.0), ("mu_end", 10.0011, 1.0), ("mu_end", 9.9989, 1.0), ("mu_end", NAN, 1.0),
    ("preset_mu", 10.0011, 1.0), ("preset_mu", NAN, 1.0),
    ("half_pulse_mu", 0.051 + 5e-10, 0.0), ("half_pulse_mu", 0.051 + 2e-9, 1.0), ("half_pulse_mu", 0.051 - 2e-9, 1.0),
    ("pulse_mu", 0.2, 1.0), ("pulse_mu", NAN, 1.0), ("prescription", 43, 1.0), ("armed_prescription", 41, 1.0),
])
def test_end_pulse_and_prescription_have_second_copies(field: str, value: float, changed: float) -> None:
    armed = Armed()
    armed.set("job", **{field: value})
    assert armed.seen(Signal.PRESCRIPTION_CHANGED) == changed


def test_an_end_may_be_off_by_a_thousandth_of_a_monitor_unit_and_half_a_pulse_by_a_rounding() -> None:
    armed = Armed()
    armed.set("job", mu_end=0.001, preset_mu=0.0, pulse_mu=0.0, half_pulse_mu=1e-9)
    assert armed.seen(Signal.PRESCRIPTION_CHANGED) == 0.0


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.MOVE, Phase.STOPPED])
def test_where_nothing_is_armed_nothing_has_changed(phase: Phase) -> None:
    armed = Armed(phase)
    armed.set("job", prescription=1)
    assert armed.seen(Signal.PRESCRIPTION_CHANGED) == 0.0


@pytest.mark.parametrize(("session", "changed"), [(7, 0.0), (8, 1.0)])
@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.BEAM])
def test_the_session_is_the_armed_one(session: int, changed: float, phase: Phase) -> None:
    armed = Armed(phase)
    armed.set("job", session=session)
    assert armed.seen(Signal.SESSION_CHANGED) == changed


# --- phases, rows, latches

@pytest.mark.parametrize(("phase", "permit", "illegal"), [
    *[(phase, 0, 0.0) for phase in Phase], (Phase.BEAM, 1, 0.0),
    *[(phase, 1, 1.0) for phase in (Phase.IDLE, Phase.MOVE, Phase.READY, Phase.STOPPED)],
    (0, 0, 1.0), (3, 0, 1.0), (12, 0, 1.0), (32, 0, 1.0), (-1, 1, 1.0),
])
def test_a_phase_that_is_none_is_illegal_and_a_permit_outside_of_the_beam_is(phase: int, permit: int, illegal: float) -> None:
    armed = Armed(Phase(phase) if phase in list(Phase) else Phase.IDLE)
    armed.set("job", phase=int(phase), permit=permit)
    assert armed.seen(Signal.STATE_ILLEGAL) == illegal


@pytest.mark.parametrize(("evaluated", "missing"), [(5, 0.0), (4, 1.0), (0, 5.0), (6, -1.0)])
def test_rows_that_were_not_looked_at_are_counted(evaluated: int, missing: float) -> None:
    armed = Armed()
    armed.set("job", evaluated=evaluated)
    assert armed.seen(Signal.UNEVALUATED) == missing


def test_latches_whose_copies_differ_are_counted() -> None:
    armed = Armed()
    assert armed.seen(Signal.LATCH_SPLIT) == 0.0
    armed.control.interlocks["tripped"][[1, 3]] = 1
    assert armed.seen(Signal.LATCH_SPLIT) == 2.0
